//! RFC 6455 on a socket: frames, handshake and session.

pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod session;
pub(crate) mod socket;
