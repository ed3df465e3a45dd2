//! A client's socket as the WebSocket layer sees it: what the kernel does not take at once waits
//! here, nowhere else.

use std::future::poll_fn;
use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use std::time::Duration;

use futures_lite::{AsyncRead, AsyncWrite, future};
use smol::{Async, Timer};

/// What may wait for a client, in bytes, before taking more for it is a mistake: a chunk of text as
/// frames (three bytes for one where it is not UTF-8, and a header each) and a few control frames.
const WAITING_MAX: usize = 512 * 1024;

/// How much is read of one client before all others have their turn, in bytes. What it sends may be
/// anything: empty fragments, of which the WebSocket layer takes as many as there are before it
/// says that there is no message.
const READ_AT_ONCE_MAX: usize = 16 * 1024;

/// A socket and the rest of what was written to it.
///
/// Frames are handed over whole and go out in one `write`. So no two frames ever mix, whoever wrote
/// them, and the buffer of a slow client is given back when it has caught up.
pub struct Wire {
    socket: Async<TcpStream>,
    waiting: Vec<u8>,
    /// How much of `waiting` the kernel has taken.
    taken: usize,
    /// How much may still be read of the client before the others have their turn, in bytes.
    budget: usize,
}

impl Wire {
    /// Wraps a connected socket.
    pub fn new(socket: Async<TcpStream>) -> Self {
        Self {
            socket,
            waiting: Vec::new(),
            taken: 0,
            budget: READ_AT_ONCE_MAX,
        }
    }

    /// A new turn at reading. `true`: in the last one there was more than may be read in one.
    pub fn next_turn(&mut self) -> bool {
        std::mem::replace(&mut self.budget, READ_AT_ONCE_MAX) == 0
    }

    /// Sends `parts`, one after another, as far as the kernel takes them now; the rest waits for
    /// [`poll_drained`](Self::poll_drained).
    ///
    /// # Errors
    /// When the connection is broken, or more waits than any frame needs.
    pub fn offer<const N: usize>(&mut self, parts: [&[u8]; N]) -> io::Result<()> {
        let mut taken = 0;
        if self.is_drained() {
            match (&mut self.socket.get_ref()).write_vectored(&parts.map(IoSlice::new)) {
                Ok(length) => taken = length,
                Err(error) if is_blocked(&error) => {}
                Err(error) => return Err(error),
            }
        } else if self.waiting.len() + parts.iter().map(|part| part.len()).sum::<usize>()
            > WAITING_MAX
        {
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "too much waits for this client",
            ));
        }
        for part in parts {
            let of_part = taken.min(part.len());
            self.waiting.extend_from_slice(&part[of_part..]);
            taken -= of_part;
        }
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

impl Wire {
    /// Waits until the kernel has taken everything.
    ///
    /// # Errors
    /// When the connection is broken, or with `TimedOut` after `time`.
    pub async fn drained(&mut self, time: Duration) -> io::Result<()> {
        if self.is_drained() {
            return Ok(());
        }
        future::or(poll_fn(|cx| self.poll_drained(cx)), async {
            Timer::after(time).await;
            Err(io::ErrorKind::TimedOut.into())
        })
        .await
    }

    /// Ready when a client that has nothing more to say has left. What it says all the same is not
    /// read.
    pub fn poll_left(socket: &Async<TcpStream>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match socket.get_ref().peek(&mut [0]) {
                Ok(1..) => return Poll::Pending,
                Ok(0) => return Poll::Ready(()),
                Err(error) if is_blocked(&error) => _ = ready!(socket.poll_readable(cx)),
                Err(_) => return Poll::Ready(()),
            }
        }
    }

    /// Ready when a client that has nothing more to say has said something all the same, which is
    /// gone then, or has left: `true`. Left unread it would hide the end that stands behind it.
    pub fn poll_read_over(socket: &Async<TcpStream>, cx: &mut Context<'_>) -> Poll<bool> {
        loop {
            match (&mut socket.get_ref()).read(&mut [0; 1024]) {
                Ok(read) => return Poll::Ready(read == 0),
                Err(error) if is_blocked(&error) => _ = ready!(socket.poll_readable(cx)),
                Err(_) => return Poll::Ready(true),
            }
        }
    }
}

impl AsyncRead for Wire {
    /// Does not register for a wake-up: the session waits for the socket itself, once, and not at
    /// every look for a message.
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let most = into.len().min(self.budget);
        if most == 0 && !into.is_empty() {
            return Poll::Pending;
        }
        match (&mut self.socket.get_ref()).read(&mut into[..most]) {
            Ok(read) => {
                self.budget -= read;
                Poll::Ready(Ok(read))
            }
            Err(error) if is_blocked(&error) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.offer([bytes])?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.socket.get_ref().shutdown(std::net::Shutdown::Write))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// How much is offered at once, in bytes: a head and a body.
    const BODY: usize = 64 * 1024;

    /// A client takes what it likes and then nothing: what is left waits, up to a limit, and
    /// arrives once and in order.
    #[test]
    fn what_the_kernel_does_not_take_waits() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut wire = Wire::new(Async::new(listener.accept().unwrap().0).unwrap());
        // Twice: the second time like the first.
        for _ in 0..2 {
            fill_and_read(&mut wire, &mut client);
        }
    }

    fn fill_and_read(wire: &mut Wire, client: &mut TcpStream) {
        let mut sent = Vec::new();
        smol::block_on(async {
            // The kernel may take more a moment later, on a machine that has much to do.
            let late = loop {
                fill(wire, &mut sent);
                if let Err(late) = wire.drained(Duration::from_millis(20)).await {
                    break late;
                }
            };
            assert_eq!(late.kind(), io::ErrorKind::TimedOut);
            let length = sent.len();
            let mut client = client.try_clone().unwrap();
            let reads = thread::spawn(move || {
                let mut got = vec![0; length];
                client.read_exact(&mut got).unwrap();
                got
            });
            wire.drained(Duration::from_secs(30)).await.unwrap();
            assert!(wire.is_drained());
            assert_eq!(wire.waiting.capacity(), 0, "an idle client has no buffer");
            assert!(reads.join().unwrap() == sent);
        });
    }

    /// Offers until no more may wait.
    fn fill(wire: &mut Wire, sent: &mut Vec<u8>) {
        let mut behind = 0;
        let refused = loop {
            let number = u8::try_from(sent.len() / BODY % 251).unwrap();
            let (head, body) = ([b'#'; 3], vec![number; BODY]);
            behind += usize::from(!wire.is_drained());
            assert!(behind <= WAITING_MAX / BODY + 1, "it takes more and more");
            match wire.offer([&head[..], &body]) {
                Ok(()) => sent.extend([&head[..], &body].concat()),
                Err(error) => break error,
            }
        };
        assert_eq!(refused.kind(), io::ErrorKind::OutOfMemory);
        assert!(behind > 1, "more than one waited behind the first");
        assert!(wire.waiting.len() <= WAITING_MAX);
    }
}
