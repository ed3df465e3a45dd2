//! The pump: brings what a reader finds to a client, whatever the transport.
//!
//! Its rules:
//! - [`turn`] does what can be done at once and never awaits, for all clients share the read cache.
//! - What the socket does not take waits in its buffer, and until it is taken nothing more is read,
//!   of the source or of the client: a slow client costs one chunk of memory, and its silence is not
//!   counted.
//! - Every other cause of a wake-up is looked at between two chunks, also by a client that catches
//!   up; where something shorter was sent, one more look at the source comes first, for that is most
//!   likely its end.
//! - After a full chunk, and after each thing that a client said, all other clients have their turn.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::future;
use smol::Timer;

use crate::deliver;
use crate::deliver::Beats;
use crate::deliver::matching::Sifted;
use crate::metrics::End;
use crate::source::cache::CHUNK;
use crate::source::marker::{Marker, Next};
use crate::source::reader::Reader;

/// How long the start of a line waits for its end, where lines are sent, from its first byte on.
const HALF_LINE_TIME: Duration = Duration::from_secs(1);

/// A way to say what a stream holds.
pub(crate) trait Transport {
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
}

/// What a turn at the reader gave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// A full chunk: there is likely more.
    More,
    /// Something less, or a marker.
    Something,
    /// There is nothing, or nothing more.
    Nothing,
    Cold,
}

/// What ended a wait.
enum Wake {
    /// There may be something to read.
    Read,
    Received(io::Result<Option<End>>),
    Beat,
    HalfLine,
    Shutdown,
}

/// The one second of the start of a line.
struct HalfLine {
    /// Where the start of the line stands.
    at: u64,
    /// Until it is over.
    timer: Option<Timer>,
}

/// Pumps until either side ends it, and says why.
pub(crate) async fn pump(
    shared: &Rc<deliver::Context>,
    transport: &mut dyn Transport,
    reader: &mut Reader,
) -> End {
    let mut changed = reader.changed();
    let mut beats = shared.beats();
    let mut shutdown = shared.shutdown.listen();
    let mut half_line: Option<HalfLine> = None;
    // Whether the last turn followed another one with no look at anything else.
    let mut again = false;
    loop {
        let turn = match turn(shared, transport, reader) {
            // Boxed, as the other long wait is, so that the space for it is not a part of every
            // client's task.
            Ok(Turn::Cold) => match Box::pin(warm(shared, transport, reader, &mut beats)).await {
                Ok(()) => Turn::More,
                Err(end) => return end,
            },
            Ok(turn) => turn,
            Err(end) => return end,
        };
        if let Err(error) = mind(&mut half_line, transport) {
            return of_send(error);
        }
        if !transport.is_drained() {
            let drained = poll_fn(|cx| transport.poll_drained(cx).map_err(of_send));
            let late = async {
                Timer::after(shared.send_time).await;
                Err(End::Slow)
            };
            let stopped = async {
                shared.shutdown.wait().await;
                Err(End::Shutdown)
            };
            let waited = future::or(future::or(drained, late), stopped);
            if let Err(end) = Box::pin(waited).await {
                return end;
            }
            transport.caught_up();
        }
        again = turn == Turn::Something && !again;
        if again {
            continue;
        }
        if turn == Turn::More {
            future::yield_now().await;
        }
        let mut waited = false;
        let woken = poll_fn(|cx| {
            // Most wakes are a new line; whatever else there is is looked at once it is sent.
            if std::mem::replace(&mut waited, true) && changed.has_rung() {
                return Poll::Ready(Wake::Read);
            }
            if let Poll::Ready(heard) = transport.poll_heard(cx) {
                return Poll::Ready(Wake::Received(heard));
            }
            if beats.bell.poll_rung(cx).is_ready() {
                return Poll::Ready(Wake::Beat);
            }
            let timer = half_line.as_mut().and_then(|half| half.timer.as_mut());
            if timer.is_some_and(|timer| Pin::new(timer).poll(cx).is_ready()) {
                return Poll::Ready(Wake::HalfLine);
            }
            if shutdown.poll_rung(cx).is_ready() || shared.shutdown.has_begun() {
                return Poll::Ready(Wake::Shutdown);
            }
            match turn {
                Turn::Nothing => changed.poll_rung(cx).map(|()| Wake::Read),
                _ => Poll::Ready(Wake::Read),
            }
        })
        .await;
        let done = match woken {
            Wake::Read => Ok(None),
            Wake::Received(Ok(None)) => {
                future::yield_now().await;
                Ok(None)
            }
            Wake::Received(heard) => heard,
            Wake::Beat => transport.beat(),
            Wake::HalfLine => {
                if let Some(half) = &mut half_line {
                    half.timer = None;
                }
                transport.flush().map(|()| None)
            }
            Wake::Shutdown => Ok(Some(End::Shutdown)),
        };
        match done {
            Ok(None) => {}
            Ok(Some(end)) => return end,
            Err(error) => return of_send(error),
        }
    }
}

/// Gets what is cold from the disk, which a file system that does not answer makes a long wait: the
/// client is heard meanwhile.
async fn warm(
    shared: &deliver::Context,
    transport: &mut dyn Transport,
    reader: &mut Reader,
    beats: &mut Beats,
) -> Result<(), End> {
    let mut warmed = pin!(reader.warm());
    let mut shutdown = shared.shutdown.listen();
    poll_fn(|cx| {
        if let Poll::Ready(warmed) = warmed.as_mut().poll(cx) {
            return Poll::Ready(warmed.map_err(|_| End::Unreadable));
        }
        let mut said = transport.poll_heard(cx);
        if said.is_pending() && beats.bell.poll_rung(cx).is_ready() {
            said = Poll::Ready(transport.beat());
        }
        match said {
            Poll::Ready(Ok(Some(end))) => return Poll::Ready(Err(end)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(of_send(error))),
            // The next one is waited for when all others had their turn.
            Poll::Ready(Ok(None)) => cx.waker().wake_by_ref(),
            Poll::Pending => {}
        }
        if shutdown.poll_rung(cx).is_ready() || shared.shutdown.has_begun() {
            return Poll::Ready(Err(End::Shutdown));
        }
        Poll::Pending
    })
    .await
}

/// Minds the second that the start of a line may wait: it begins with the first byte, whatever
/// comes behind it, and once it is over what comes goes out at once.
fn mind(half_line: &mut Option<HalfLine>, transport: &mut dyn Transport) -> io::Result<()> {
    let Some(at) = transport.held() else {
        *half_line = None;
        return Ok(());
    };
    match half_line {
        Some(half) if half.at == at && half.timer.is_some() => Ok(()),
        Some(half) if half.at == at => transport.flush(),
        _ => {
            *half_line = Some(HalfLine {
                at,
                timer: Some(Timer::after(HALF_LINE_TIME)),
            });
            Ok(())
        }
    }
}

/// Takes what the reader has next and hands it to the transport. Nothing awaits in here.
fn turn(
    shared: &deliver::Context,
    transport: &mut dyn Transport,
    reader: &mut Reader,
) -> Result<Turn, End> {
    if transport.more().map_err(of_send)? {
        return Ok(Turn::More);
    }
    let mut cache = shared.cache.borrow_mut();
    let mut turn = Turn::Something;
    let sent = match reader.next(&mut cache).map_err(|_| End::Unreadable)? {
        Next::Bytes => {
            let bytes = cache.bytes();
            let (taken, rest) = bytes.split_at(transport.most(bytes));
            if !rest.is_empty() || bytes.len() >= CHUNK {
                turn = Turn::More;
            }
            reader.seek(reader.offset() - rest.len() as u64);
            shared.metrics.bytes.add(taken.len() as u64);
            transport.place(cache.place(), cache.filling());
            transport.bytes(taken)
        }
        Next::Marker(marker) => transport.marker(&marker),
        Next::Cold => return Ok(Turn::Cold),
        Next::End => return Ok(Turn::Nothing),
    };
    sent.map_err(of_send)?;
    if turn == Turn::Something && reader.is_at_end() {
        turn = Turn::Nothing;
    }
    Ok(turn)
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn of_send(error: io::Error) -> End {
    if error.kind() == io::ErrorKind::TimedOut {
        End::Slow
    } else {
        End::Reset
    }
}

#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;
