//! Frames that a server sends (RFC 6455 section 5.2): a head, and a message as it is.

use async_tungstenite::tungstenite::protocol::frame::FrameHeader;
use async_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// The longest head of a frame that a server sends, in bytes (RFC 6455 section 5.2).
pub(super) const HEAD_MAX: usize = 10;

/// Writes the head of a message of so many bytes, and tells how long it is.
pub(super) fn write_head(mut head: &mut [u8], opcode: OpCode, length: usize) -> usize {
    let space = head.len();
    let header = FrameHeader {
        opcode,
        ..FrameHeader::default()
    };
    // It can only fail for lack of space, and there is enough.
    let _ = header.format(length as u64, &mut head);
    space - head.len()
}

/// Appends `text` as a whole text message to `frames`.
pub(crate) fn frame_text(frames: &mut Vec<u8>, text: &str) {
    let mut head = [0; HEAD_MAX];
    let length = write_head(&mut head, OpCode::Data(Data::Text), text.len());
    frames.extend_from_slice(&head[..length]);
    frames.extend_from_slice(text.as_bytes());
}
