//! RFC 6455 on a socket: handshake and session.

pub(crate) mod handshake;
pub(crate) mod session;
pub(crate) mod socket;
