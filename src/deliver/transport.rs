//! What a way to stream has to do, whatever it is made of.

use std::io;
use std::task::{Context, Poll};

use futures_lite::future::BoxedLocal;

use crate::deliver::matching::Sifted;
use crate::metrics::End;
use crate::source::marker::Marker;

/// A way to say what a stream holds.
pub(crate) trait Transport {
    /// Says what comes before anything else.
    ///
    /// # Errors
    /// When the connection is broken.
    fn open(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// How many of these bytes it takes at once: fewer where few bytes make a long message.
    fn most(&self, bytes: &[u8]) -> usize {
        bytes.len()
    }

    /// Sends bytes of the file as far as the socket takes them. `bytes` are gone when this returns.
    ///
    /// # Errors
    /// When the connection is broken.
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// The serial and the offset of the bytes that come next, and which
    /// [filling](crate::source::cache::ReadCache::filling) of the cache they are.
    fn place(&mut self, _at: (u64, u64), _filling: u64) {}

    /// Sends more of what it has taken already. `false`: nothing is left.
    ///
    /// # Errors
    /// When the connection is broken.
    fn more(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    /// Sends the wanted ones of these bytes. One that counts places passes over the others here.
    ///
    /// # Errors
    /// When the connection is broken.
    fn sifted(&mut self, sifted: &Sifted) -> io::Result<()> {
        match sifted.wanted() {
            wanted if wanted.is_empty() => Ok(()),
            wanted => self.bytes(&wanted),
        }
    }

    /// Tells what happened beside the bytes.
    ///
    /// # Errors
    /// When the connection is broken.
    fn marker(&mut self, marker: &Marker) -> io::Result<()>;

    /// Shows that the server is alive, each heartbeat. Returns an end where the client has been
    /// silent for too long.
    ///
    /// # Errors
    /// When the connection is broken.
    fn beat(&mut self) -> io::Result<Option<End>>;

    /// Where the start of a line stands that waits for its end, counted from the start of the
    /// stream; `None` where nothing waits.
    fn held(&self) -> Option<u64> {
        None
    }

    /// Passes on what is [`held`](Self::held).
    ///
    /// # Errors
    /// When the connection is broken.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Hears the client: ready when there was something, with an end where it was the last.
    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<End>>>;

    /// The client was slow, and has now taken everything.
    fn caught_up(&mut self) {}

    /// Whether the socket has taken all that was sent.
    fn is_drained(&self) -> bool;

    /// Ready when the socket has taken all that was sent.
    fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Takes leave of the client, as this end wants it.
    fn leave(self: Box<Self>, end: End) -> BoxedLocal<()>;
}

/// How a stream ends whose transport failed with this.
#[allow(clippy::needless_pass_by_value)] // for `map_err`
pub(crate) fn of_send(error: io::Error) -> End {
    if error.kind() == io::ErrorKind::TimedOut {
        End::Slow
    } else {
        End::Reset
    }
}
