//! One WebSocket (RFC 6455) after its handshake: messages in, frames out.

use std::future::poll_fn;
use std::io;
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::error::{Error, ProtocolError};
use async_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use async_tungstenite::tungstenite::protocol::frame::{FrameHeader, Utf8Bytes};
use async_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};
use futures_lite::{Stream, future};
use smol::{Async, Timer};

pub use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::wire::{Wire, part};

/// The longest message that a client may send, in bytes. The longest one with a meaning has sixteen.
pub const MESSAGE_MAX: usize = 4 * 1024;

/// How long a client may take over one message, or one batch of them: after that it is as good as gone.
pub const SEND_TIME: Duration = Duration::from_secs(60);

/// How long the other side may take to answer a close: within the two seconds that a shutdown has.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// Space for what a client sends, made for every one, in bytes. Most send a heartbeat of ten bytes; it grows up to
/// [`MESSAGE_MAX`] for one who needs it.
const READ_BUFFER: usize = 256;

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// A text message.
    Text(String),
    /// A binary message, a ping or a pong: a sign of life.
    Else,
    /// The client has broken a rule; close with this code (RFC 6455 section 7.4.1).
    Broken(CloseCode),
    /// The client has closed, or is gone.
    Gone,
}

/// An open WebSocket.
pub struct Session {
    stream: WebSocketStream<Wire>,
    /// The socket had nothing to read: ask it again only when it has told.
    quiet: bool,
}

impl Session {
    /// Takes over a socket on which the 101 has gone out; `rest` is what the client sent behind its request.
    pub async fn new(socket: Async<TcpStream>, rest: Vec<u8>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(MESSAGE_MAX)
            .max_message_size(Some(MESSAGE_MAX))
            .max_frame_size(Some(MESSAGE_MAX));
        let wire = Wire::new(socket);
        let stream =
            WebSocketStream::from_partially_read(wire, rest, Role::Server, Some(config)).await;
        Self {
            stream,
            quiet: false,
        }
    }

    /// The next thing that the client says. While it says nothing, asking costs no system call.
    pub fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        loop {
            if self.quiet {
                // A broken socket shows in the read that follows.
                let _ = ready!(self.stream.get_ref().socket().poll_readable(cx));
                self.quiet = false;
            }
            return Poll::Ready(match Pin::new(&mut self.stream).poll_next(cx) {
                Poll::Pending => {
                    self.quiet = true;
                    continue;
                }
                // The next round sends the answer and ends the stream.
                Poll::Ready(Some(Ok(Message::Close(_)))) => continue,
                Poll::Ready(Some(Ok(Message::Text(text)))) => Heard::Text(text.as_str().to_owned()),
                Poll::Ready(Some(Ok(_))) => Heard::Else,
                Poll::Ready(Some(Err(error))) => heard_wrong(&error),
                Poll::Ready(None) => Heard::Gone,
            });
        }
    }

    /// Sends a text message as far as the socket takes it now; await [`drained`](Self::drained) for the rest.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn send_text(&mut self, text: &str) -> io::Result<()> {
        self.send(OpCode::Data(Data::Text), text.as_bytes())
    }

    /// Sends a binary message likewise, straight from `bytes` where the socket takes it.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn send_binary(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.send(OpCode::Data(Data::Binary), bytes)
    }

    /// Sends a ping (RFC 6455 section 5.5.2).
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn send_ping(&mut self) -> io::Result<()> {
        self.send(OpCode::Control(Control::Ping), b"")
    }

    /// Sends text messages that [`frame_text`] has framed, in one write.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn send_framed(&mut self, frames: &[u8]) -> io::Result<()> {
        if frames.is_empty() {
            Ok(())
        } else {
            self.stream.get_mut().offer(frames, &[])
        }
    }

    fn send(&mut self, opcode: OpCode, payload: &[u8]) -> io::Result<()> {
        let mut head = [0; HEAD_MAX];
        let length = write_head(&mut head, opcode, payload.len());
        self.stream.get_mut().offer(&head[..length], payload)
    }

    /// Whether the socket has taken all that was sent.
    pub fn is_drained(&self) -> bool {
        self.stream.get_ref().is_drained()
    }

    /// Waits until the socket has taken all that was sent.
    ///
    /// # Errors
    /// When the connection is broken, or with `TimedOut` after [`SEND_TIME`].
    pub async fn drained(&mut self) -> io::Result<()> {
        if self.is_drained() {
            return Ok(());
        }
        self.drained_within(SEND_TIME).await
    }

    async fn drained_within(&mut self, time: Duration) -> io::Result<()> {
        let wire = self.stream.get_mut();
        future::or(poll_fn(|cx| wire.poll_drained(cx)), async {
            Timer::after(time).await;
            Err(io::ErrorKind::TimedOut.into())
        })
        .await
    }

    /// Closes with `code` and a `reason` for people (RFC 6455 section 7.1.2), and waits a moment for the other side to do so.
    pub async fn close(mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        let said = self.stream.close(Some(frame)).await;
        if said.is_err() || self.drained_within(CLOSE_TIME).await.is_err() {
            return;
        }
        let answered = poll_fn(|cx| {
            loop {
                match ready!(self.poll_heard(cx)) {
                    Heard::Gone | Heard::Broken(_) => return Poll::Ready(()),
                    Heard::Text(_) | Heard::Else => {}
                }
            }
        });
        future::or(answered, async { _ = Timer::after(CLOSE_TIME).await }).await;
        self.end().await;
    }

    /// Lets the last frame arrive before the connection goes.
    pub async fn end(mut self) {
        if self.drained_within(CLOSE_TIME).await.is_ok() {
            part(self.stream.get_ref().socket()).await;
        }
    }
}

/// What a failed read says of the client.
fn heard_wrong(error: &Error) -> Heard {
    match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Heard::Gone,
        Error::Protocol(_) => Heard::Broken(CloseCode::Protocol),
        Error::Utf8(_) => Heard::Broken(CloseCode::Invalid),
        Error::Capacity(_) => Heard::Broken(CloseCode::Size),
        _ => Heard::Gone,
    }
}

/// The longest head of a frame that a server sends, in bytes (RFC 6455 section 5.2).
const HEAD_MAX: usize = 10;

fn write_head(mut head: &mut [u8], opcode: OpCode, length: usize) -> usize {
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
pub fn frame_text(frames: &mut Vec<u8>, text: &str) {
    let mut head = [0; HEAD_MAX];
    let length = write_head(&mut head, OpCode::Data(Data::Text), text.len());
    frames.extend_from_slice(&head[..length]);
    frames.extend_from_slice(text.as_bytes());
}
