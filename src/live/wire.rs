//! A client's socket as the WebSocket layer sees it: what the kernel does not take at once waits here, nowhere else.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use std::time::Duration;

use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, future};
use smol::{Async, Timer};

/// What may wait for a client, in bytes, before taking more for it is a mistake: a chunk of text as frames (three
/// bytes for one where it is not UTF-8, and a header each) and a few control frames.
const WAITING_MAX: usize = 512 * 1024;

/// A socket and the rest of what was written to it.
///
/// Frames are handed over whole and go out in one `write`. So no two frames ever mix, whoever wrote them, and the buffer of a
/// slow client is given back when it has caught up.
pub struct Wire {
    socket: Async<TcpStream>,
    waiting: Vec<u8>,
    /// How much of `waiting` the kernel has taken.
    taken: usize,
}

impl Wire {
    /// Wraps a connected socket.
    pub fn new(socket: Async<TcpStream>) -> Self {
        Self {
            socket,
            waiting: Vec::new(),
            taken: 0,
        }
    }

    /// Sends `head` and `body` as far as the kernel takes them now; the rest waits for [`poll_drained`](Self::poll_drained).
    ///
    /// # Errors
    /// When the connection is broken, or more waits than any frame needs.
    pub fn offer(&mut self, head: &[u8], body: &[u8]) -> io::Result<()> {
        if self.is_drained() {
            let parts = [IoSlice::new(head), IoSlice::new(body)];
            let taken = match (&mut self.socket.get_ref()).write_vectored(&parts) {
                Ok(taken) => taken,
                Err(error) if is_blocked(&error) => 0,
                Err(error) => return Err(error),
            };
            let of_head = taken.min(head.len());
            self.waiting.extend_from_slice(&head[of_head..]);
            self.waiting.extend_from_slice(&body[taken - of_head..]);
            return Ok(());
        }
        if self.waiting.len() + head.len() + body.len() > WAITING_MAX {
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "too much waits for this client",
            ));
        }
        self.waiting.extend_from_slice(head);
        self.waiting.extend_from_slice(body);
        Ok(())
    }

    /// The socket under it.
    pub fn socket(&self) -> &Async<TcpStream> {
        &self.socket
    }

    /// Whether the kernel has taken everything.
    pub fn is_drained(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Ready when the kernel has taken everything.
    pub fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.taken < self.waiting.len() {
            match (&mut self.socket.get_ref()).write(&self.waiting[self.taken..]) {
                Ok(taken) => self.taken += taken,
                Err(error) if is_blocked(&error) => {
                    ready!(self.socket.poll_writable(cx))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        // Given back, not kept: an idle client has no buffer.
        self.waiting = Vec::new();
        self.taken = 0;
        Poll::Ready(Ok(()))
    }
}

fn is_blocked(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

impl AsyncRead for Wire {
    /// Does not register for a wake-up: the session waits for the socket itself, once, and not at every look for a message.
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match (&mut self.socket.get_ref()).read(into) {
            Err(error) if is_blocked(&error) => Poll::Pending,
            done => Poll::Ready(done),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.offer(bytes, &[])?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.socket.get_ref().shutdown(std::net::Shutdown::Write))
    }
}

/// What a client may still send while its connection is being closed, in bytes and in time: past either it is cut off.
const PARTING_BYTES: usize = 64 * 1024;
const PARTING_TIME: Duration = Duration::from_secs(2);

/// Closes our side and reads over what still comes (RFC 9112 section 9.6): a connection closed with bytes unread is
/// reset, and a reset can overtake the answer.
pub async fn part(socket: &Async<TcpStream>) {
    let read_over = async {
        let mut socket = socket;
        let mut sink = [0; 1024];
        let mut left = PARTING_BYTES;
        while let Ok(read @ 1..) = socket.read(&mut sink).await {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
    };
    if socket.get_ref().shutdown(std::net::Shutdown::Write).is_ok() {
        future::or(read_over, async { _ = Timer::after(PARTING_TIME).await }).await;
    }
}
