//! What is known of bytes alone: places among them, lines, a ring, patterns. Pure: no runtime, no
//! file, no socket.

pub mod backward;
pub mod cursor;
pub mod lines;
pub mod matcher;
pub mod ring;
pub mod sieve;
pub mod utf16;
pub(crate) mod utf8;
