//! The ways to carry a stream to a client.

pub mod event;
pub mod session;
pub mod websocket;
pub mod wire;
