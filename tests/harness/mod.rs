//! The equipment of the tests.

/// A whole board in QEMU.
pub mod board;
/// MQTT brokers and readers that others wrote.
pub mod broker;
/// A headless browser with one tab, driven as a person does.
pub mod browser;
/// Chromium, driven over its DevTools protocol.
pub mod chromium;
/// The two kinds of WebSocket client: exact (`tailcast.v1`) and plain.
pub mod client;
/// A place in a stream, computed by the client alone.
pub mod cursor;
/// A proxy that cuts connections.
pub mod cut;
/// Waiting for an event under a deadline, never for time.
pub mod deadline;
/// Numbers that look random.
pub mod dice;
/// An answer without an end, read as it comes.
pub mod endless;
/// A client of server-sent events, after the letter of the standard.
pub mod event_source;
/// Firefox, driven over WebDriver BiDi.
pub mod firefox;
/// A directory with a log in it, and everything that happens to logs.
pub mod folder;
/// A handler of the library, served in this process.
pub mod handler;
/// A small client of HTTP/1.1 that shows everything.
pub mod http;
/// What stands in the stream of a `nats-server`.
pub mod jetstream;
/// A `nats-server` with JetStream.
pub mod nats;
/// A program that others wrote, and what it prints.
pub mod program;
/// How a browser is driven.
pub mod protocol;
/// A proxy in front of a Tailcast: nginx or Caddy.
pub mod proxy;
/// Outside programs: found on `PATH`, or the test is skipped in plain words.
pub mod require;
/// The binary as a process: started, stopped, restarted on its port, measured.
pub mod server;
/// strace around a program: what the kernel is made to refuse it, and what it asks the kernel for.
pub mod strace;
/// Somebody who looks at the page.
pub mod viewer;
/// A network with weather: connections that are cut, answers that are lost.
pub mod weather;
/// A writer in another process, with numbered lines.
pub mod writer;
