//! RFC 6455 on a socket: handshake and session.

pub mod session;
pub mod socket;
