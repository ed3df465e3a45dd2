//! The ways to carry a stream to a client.

pub mod carry;
pub mod endless;
pub mod event;
pub mod plain;
pub mod session;
pub mod websocket;
pub mod wire;
