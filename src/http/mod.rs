//! HTTP/1.1 (RFC 9110, RFC 9112): heads, answers, ranges, and the connection that carries them.

pub mod close;
pub mod connection;
pub mod head;
pub mod peer;
pub mod range;
pub mod response;
