//! What is known of bytes alone: places among them, lines, a ring. Pure: no runtime, no file, no socket.

pub mod cursor;
pub mod lines;
pub mod ring;
