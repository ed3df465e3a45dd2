//! The article's server in Rust: `for message in request.websocket:
//! request.websocket.send(message)`.
//!
//! `cargo run --example echo [ADDR:PORT]`; an ordinary request is answered as well, as
//! `accept_websocket` does.
#![allow(clippy::print_stdout)]

use std::net::TcpListener;

use futures_lite::StreamExt;
use tailcast::{Accepted, Response, serve};

/// The longest message that is echoed, in bytes: the Autobahn suite sends 16 MiB.
const MESSAGE_MAX: usize = 16 << 20;

fn main() -> std::io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("echo on ws://{}/", listener.local_addr()?);
    smol::block_on(serve(
        listener,
        64,
        std::future::pending(),
        |exchange| async {
            match exchange.accept_websocket(MESSAGE_MAX).await? {
                Accepted::WebSocket(mut session) => {
                    while let Some(message) = session.next().await {
                        session.send(message).await?;
                    }
                    session.finish().await;
                    Ok(None)
                }
                Accepted::Plain(exchange) => {
                    exchange.answer(Response::sentence(200, "well done")).await
                }
                Accepted::Refused(connection) => Ok(connection),
            }
        },
    ))
}
