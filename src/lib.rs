//! Tailcast follows a file on a small board and streams it, live, to browsers on the network.
//!
//! The command is the product; this library is what it is made of, small and not yet stable.
//! [`run`] serves a whole [`Config`] on a listener of yours, until a future of yours resolves.
//! [`serve`] is the HTTP and WebSocket server alone, for a handler of your own:
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use tailcast::{Exchange, Response, serve};
//!
//! # fn main() -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let visitor = smol::unblock(move || {
//!     let mut socket = TcpStream::connect(address)?;
//!     socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
//!     let mut answer = String::new();
//!     socket.read_to_string(&mut answer)?;
//!     assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("well done\n"));
//!     std::io::Result::Ok(())
//! });
//! let visited = async { visitor.await.unwrap() };
//! smol::block_on(serve(listener, 8, visited, |exchange: Exchange| async {
//!     exchange.answer(Response::sentence(200, "well done")).await
//! }))
//! # }
//! ```
//!
//! # The map
//!
//! Imports run down this list, never up (`tests/chapters/layers.rs` has the table).
//!
//! | folder | what is in it |
//! | --- | --- |
//! | `main.rs`, `cli/` | the command: arguments, key, user, sandbox, links and their QR code, banner, exit status |
//! | `app/` | Tailcast on the server: configuration, shared state, admission, routes, the page and its files |
//! | `deliver/` | one stream to one client: plain, poll, follow, server-sent events, WebSocket; the pump under them |
//! | `source/` | where bytes come from, and a reader's place in them. `file/`: followed files and the order of rotated ones; `buffer/`: readings and pipes; `os/`: what the kernel gives |
//! | `engine/` | to and from a hub (NATS): publishing what the files hold, a subject as a growing file |
//! | `auth/` | who may come in: `Host`, `Origin`, key. Pure |
//! | `websocket/` | RFC 6455 on a socket: handshake, messages, pings, and a stuck client's buffer |
//! | `server/` | accepting, limits, a task for each connection, the end |
//! | `http/` | RFC 9110 and 9112: heads, answers, byte ranges, the connection |
//! | `bytes/` | cursors, lines, rings. Pure |
//! | `bell.rs`, `metrics.rs`, `shutdown.rs` | leaves: waking all who wait, what is counted, the end of the server |

// A unit test that can't unwrap has failed, and says where.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod app;
#[doc(hidden)]
pub mod auth;
mod bell;
#[doc(hidden)]
pub mod bytes;
mod deliver;
#[doc(hidden)]
pub mod engine;
#[doc(hidden)]
pub mod http;
mod metrics;
mod server;
mod shutdown;
#[doc(hidden)]
pub mod source;
mod websocket;

pub use app::{Config, run};
pub use http::connection::{Connection, Exchange};
pub use http::response::Response;
pub use server::serve;
pub use websocket::handshake::Accepted;
pub use websocket::session::{CloseCode, Message, Session};
