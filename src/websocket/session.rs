//! One WebSocket (RFC 6455) after its handshake: messages in, messages out.
//!
//! It is the server API of the article that Tailcast grew out of, in Rust's idiom:
//!
//! | dwebsocket | here |
//! | --- | --- |
//! | `request.is_websocket()` | [`Request::is_websocket`](crate::http::head::Request::is_websocket) |
//! | `@accept_websocket` | [`Exchange::accept_websocket`](crate::http::connection::Exchange::accept_websocket) |
//! | `@require_websocket` | [`Exchange::require_websocket`](crate::http::connection::Exchange::require_websocket) |
//! | `websocket.wait()` | [`Session::wait`] |
//! | `websocket.read()` | [`Session::read`] |
//! | `websocket.count_messages()` | [`Session::count_messages`] |
//! | `websocket.has_messages()` | [`Session::has_messages`] |
//! | `websocket.send(message)` | [`Session::send`] |
//! | `for message in websocket` | [`Session`] is a `Stream`: `while let Some(message) = session.next().await` |

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_tungstenite::WebSocketStream;
use async_tungstenite::tungstenite::error::{Error, ProtocolError};
use async_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use async_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use async_tungstenite::tungstenite::protocol::{self, CloseFrame, Role, WebSocketConfig};
use futures_lite::{Stream, future};
use smol::{Async, Timer};

pub use async_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::http::close::{SEND_TIME, part};
use crate::websocket::frame::{HEAD_MAX, write_head};
use crate::websocket::socket::Wire;

/// The longest message that a viewer may send, in bytes. The longest one with a meaning has
/// sixteen.
pub(crate) const MESSAGE_MAX: usize = 4 * 1024;

/// How many messages are taken from the socket before somebody wants them. A client that floods
/// fills the kernel's buffer and then waits; here it costs this many messages.
const INBOX_MAX: usize = 16;

/// How long the other side may take to answer a close: within the two seconds that a shutdown has.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// Space for what a client sends, made for every one, in bytes. Most send a heartbeat of ten bytes;
/// it grows up to the longest message for one who needs it.
const READ_BUFFER: usize = 256;

/// A message, either way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Message {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(bytes.to_owned())
    }
}

/// What a client says, signs of life included.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A message.
    Message(Message),
    /// A ping or a pong.
    Sign,
    /// The client has broken a rule: close with this code (RFC 6455 section 7.4.1).
    Broken(CloseCode),
    /// The client has closed, or is gone.
    Gone,
}

/// An open WebSocket.
pub struct Session {
    stream: WebSocketStream<Wire>,
    /// The socket had nothing to read: ask it again only when it has told.
    quiet: bool,
    inbox: VecDeque<Message>,
    /// How the client ended it, once it has.
    ended: Option<Received>,
}

impl Session {
    /// Takes over a socket on which the 101 has gone out; `unread` is what the client sent behind
    /// its request, `message_max` the longest message it may send, in bytes.
    pub async fn new(socket: Async<TcpStream>, unread: Vec<u8>, message_max: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(MESSAGE_MAX)
            .max_message_size(Some(message_max))
            .max_frame_size(Some(message_max));
        let wire = Wire::new(socket);
        let stream =
            WebSocketStream::from_partially_read(wire, unread, Role::Server, Some(config)).await;
        Self {
            stream,
            quiet: false,
            inbox: VecDeque::new(),
            ended: None,
        }
    }

    /// Waits for the next message; `None` once the client has closed or is gone. A client that
    /// breaks a rule is closed with its code.
    pub async fn wait(&mut self) -> Option<Message> {
        poll_fn(|cx| self.poll_message(cx)).await
    }

    /// The next message if there is one, without waiting.
    pub fn read(&mut self) -> Option<Message> {
        self.collect(1);
        self.inbox.pop_front()
    }

    /// How many messages are waiting, up to sixteen; more wait in the kernel.
    pub fn count_messages(&mut self) -> usize {
        self.collect(INBOX_MAX);
        self.inbox.len()
    }

    /// Whether a message is waiting.
    pub fn has_messages(&mut self) -> bool {
        self.collect(1);
        !self.inbox.is_empty()
    }

    /// Sends a message and waits until the socket has taken it.
    ///
    /// # Errors
    /// When the connection is broken, or with `TimedOut` after [`SEND_TIME`].
    pub async fn send(&mut self, message: impl Into<Message>) -> io::Result<()> {
        match message.into() {
            Message::Text(text) => self.offer_text(&text)?,
            Message::Binary(bytes) => self.offer_binary(&bytes)?,
        }
        self.wire().drained(SEND_TIME).await
    }

    /// The next thing that the client says. While it says nothing, asking costs no system call.
    pub fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if let Some(message) = self.inbox.pop_front() {
            return Poll::Ready(Received::Message(message));
        }
        match self.ended.take() {
            Some(ended) => Poll::Ready(ended),
            None => self.poll_socket(cx),
        }
    }

    fn poll_socket(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        loop {
            if self.quiet {
                // A broken socket shows in the read that follows.
                let _ = ready!(self.stream.get_ref().socket().poll_readable(cx));
                self.quiet = false;
            }
            let heard = match Pin::new(&mut self.stream).poll_next(cx) {
                Poll::Pending if self.wire().next_turn() => {
                    // There is more, and it waits until everybody else has had a turn.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Pending => {
                    self.quiet = true;
                    continue;
                }
                // The next round sends the answer and ends the stream.
                Poll::Ready(Some(Ok(protocol::Message::Close(_)))) => continue,
                Poll::Ready(Some(Ok(protocol::Message::Text(text)))) => {
                    Received::Message(Message::Text(text.as_str().to_owned()))
                }
                Poll::Ready(Some(Ok(protocol::Message::Binary(bytes)))) => {
                    Received::Message(Message::Binary(bytes.into()))
                }
                Poll::Ready(Some(Ok(_))) => Received::Sign,
                Poll::Ready(Some(Err(error))) => heard_wrong(&error),
                Poll::Ready(None) => Received::Gone,
            };
            self.wire().next_turn();
            return Poll::Ready(heard);
        }
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        // A pong that waits behind a slow message goes out before more is read.
        if !self.is_drained() && ready!(self.wire().poll_drained(cx)).is_err() {
            return Poll::Ready(None);
        }
        match ready!(self.poll_heard(cx)) {
            Received::Message(message) => Poll::Ready(Some(message)),
            Received::Sign => {
                // A flood of pings, too, leaves everybody else a turn.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            ended => {
                self.ended = Some(ended);
                Poll::Ready(None)
            }
        }
    }

    /// Takes what the socket has, until `most` messages are in the inbox.
    fn collect(&mut self, most: usize) {
        // Nobody is woken: the socket itself is asked.
        let mut context = Context::from_waker(std::task::Waker::noop());
        self.quiet = false;
        while self.inbox.len() < most && self.ended.is_none() && self.is_drained() {
            match self.poll_socket(&mut context) {
                Poll::Ready(Received::Message(message)) => self.inbox.push_back(message),
                Poll::Ready(Received::Sign) => {}
                Poll::Ready(ended) => self.ended = Some(ended),
                Poll::Pending => return,
            }
        }
    }

    /// Sends a text message as far as the socket takes it now; the rest waits in the
    /// [`wire`](Self::wire).
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn offer_text(&mut self, text: &str) -> io::Result<()> {
        self.offer(OpCode::Data(Data::Text), text.as_bytes())
    }

    /// Sends a binary message likewise, straight from `bytes` where the socket takes it.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn offer_binary(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.offer(OpCode::Data(Data::Binary), bytes)
    }

    /// Sends a ping (RFC 6455 section 5.5.2).
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn offer_ping(&mut self) -> io::Result<()> {
        self.offer(OpCode::Control(Control::Ping), b"")
    }

    /// Sends text messages that `frame_text` has framed, in one write.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn offer_framed(&mut self, frames: &[u8]) -> io::Result<()> {
        if frames.is_empty() {
            Ok(())
        } else {
            self.wire().offer([frames])
        }
    }

    fn offer(&mut self, opcode: OpCode, payload: &[u8]) -> io::Result<()> {
        let mut head = [0; HEAD_MAX];
        let length = write_head(&mut head, opcode, payload.len());
        self.wire().offer([&head[..length], payload])
    }

    /// What the frames go out on.
    pub fn wire(&mut self) -> &mut Wire {
        self.stream.get_mut()
    }

    /// Whether the socket has taken all that was sent.
    pub fn is_drained(&self) -> bool {
        self.stream.get_ref().is_drained()
    }

    /// Closes with `code` and a `reason` for people (RFC 6455 section 7.1.2), and waits a moment
    /// for the other side to do so.
    pub async fn close(mut self, code: CloseCode, reason: &'static str) {
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        };
        let said = self.stream.close(Some(frame)).await;
        if said.is_err() || self.wire().drained(CLOSE_TIME).await.is_err() {
            return;
        }
        let answered = poll_fn(|cx| {
            loop {
                if let Received::Gone | Received::Broken(_) = ready!(self.poll_socket(cx)) {
                    return Poll::Ready(());
                }
            }
        });
        future::or(answered, async { _ = Timer::after(CLOSE_TIME).await }).await;
        self.end().await;
    }

    /// Ends it after [`wait`](Self::wait) has said `None`: closes for a client that broke a rule,
    /// and lets the last frame arrive before the connection goes.
    pub async fn finish(mut self) {
        match self.ended.take() {
            Some(Received::Broken(code)) => self.close(code, "").await,
            _ => self.end().await,
        }
    }

    async fn end(mut self) {
        if self.wire().drained(CLOSE_TIME).await.is_ok() {
            part(self.stream.get_ref().socket()).await;
        }
    }
}

impl Stream for Session {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.get_mut().poll_message(cx)
    }
}

/// What a failed read says of the client.
fn heard_wrong(error: &Error) -> Received {
    match error {
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Received::Gone,
        Error::Protocol(_) => Received::Broken(CloseCode::Protocol),
        Error::Utf8(_) => Received::Broken(CloseCode::Invalid),
        Error::Capacity(_) => Received::Broken(CloseCode::Size),
        _ => Received::Gone,
    }
}
