//! Carries a reader to a client, whatever the transport: one loop for all of them.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::{Stream, future};
use smol::Timer;

use crate::deliver;
use crate::http::close::SEND_TIME;
use crate::metrics::End;
use crate::source::marker::{Marker, Next};
use crate::source::reader::Reader;
use crate::websocket::socket::Wire;

/// How long the start of a line waits for its end, where lines are sent.
const HALF_LINE_TIME: Duration = Duration::from_secs(1);

/// A way to say what a stream holds.
pub(crate) trait Carrier {
    /// How many of these bytes it takes at once: fewer where few bytes make a long message.
    fn most(&self, bytes: &[u8]) -> usize {
        bytes.len()
    }

    /// Sends bytes of the file as far as the socket takes them. `bytes` are gone when this returns.
    ///
    /// # Errors
    /// When the connection is broken.
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Tells what happened beside the bytes.
    ///
    /// # Errors
    /// When the connection is broken.
    fn marker(&mut self, marker: &Marker) -> io::Result<()>;

    /// Shows that the server is alive, each heartbeat. An end, where the client has not for too long.
    ///
    /// # Errors
    /// When the connection is broken.
    fn beat(&mut self) -> io::Result<Option<End>>;

    /// Whether the start of a line waits for its end.
    fn holds(&self) -> bool {
        false
    }

    /// Passes on what [`holds`](Self::holds).
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

    /// What it all goes out on.
    fn wire(&mut self) -> &mut Wire;
}

/// What a turn at the reader gave.
enum Turn {
    Something,
    Nothing,
    Cold,
}

/// What ended a wait.
enum Woken {
    Changed,
    Heard(io::Result<Option<End>>),
    Beat,
    HalfLine,
    Shutdown,
}

/// Carries until either side ends it, and says why.
pub(crate) async fn carry(
    shared: &deliver::Context,
    carrier: &mut dyn Carrier,
    mut reader: Reader,
) -> End {
    let mut beats = pin!(shared.beats());
    let mut shutdown = pin!(shared.shutdown.wait());
    let mut half_line: Option<Timer> = None;
    loop {
        let changed = match turn(shared, carrier, &mut reader) {
            Ok(Turn::Nothing) => Some(reader.changed()),
            Ok(Turn::Something) => {
                half_line = None;
                None
            }
            Ok(Turn::Cold) => match reader.warm().await {
                Ok(()) => None,
                Err(_) => return End::Unreadable,
            },
            Err(end) => return end,
        };
        if !carrier.wire().is_drained() {
            // Backpressure: nothing more is read, of the file or of the client, until this is taken.
            let drained = async { carrier.wire().drained(SEND_TIME).await.map_err(of_send) };
            let stopped = async {
                shutdown.as_mut().await;
                Err(End::Shutdown)
            };
            if let Err(end) = future::or(drained, stopped).await {
                return end;
            }
            carrier.caught_up();
        }
        let woken = match changed {
            None => {
                // One that catches up lets the others go first after each piece.
                future::yield_now().await;
                match poll_fn(|cx| Poll::Ready(carrier.poll_heard(cx))).await {
                    Poll::Ready(heard) => Woken::Heard(heard),
                    Poll::Pending => continue,
                }
            }
            Some(mut changed) => {
                if half_line.is_none() && carrier.holds() {
                    half_line = Some(Timer::after(HALF_LINE_TIME));
                }
                poll_fn(|cx| {
                    if Pin::new(&mut changed).poll(cx).is_ready() {
                        return Poll::Ready(Woken::Changed);
                    }
                    if let Poll::Ready(heard) = carrier.poll_heard(cx) {
                        return Poll::Ready(Woken::Heard(heard));
                    }
                    if beats.as_mut().poll_next(cx).is_ready() {
                        return Poll::Ready(Woken::Beat);
                    }
                    if half_line
                        .as_mut()
                        .is_some_and(|timer| Pin::new(timer).poll(cx).is_ready())
                    {
                        return Poll::Ready(Woken::HalfLine);
                    }
                    shutdown.as_mut().poll(cx).map(|()| Woken::Shutdown)
                })
                .await
            }
        };
        let done = match woken {
            Woken::Changed => Ok(None),
            Woken::Heard(heard) => heard,
            Woken::Beat => carrier.beat(),
            Woken::HalfLine => {
                half_line = None;
                carrier.flush().map(|()| None)
            }
            Woken::Shutdown => Ok(Some(End::Shutdown)),
        };
        match done {
            Ok(None) => {}
            Ok(Some(end)) => return end,
            Err(error) => return of_send(error),
        }
    }
}

/// Takes what the reader has next and hands it to the carrier. Nothing awaits in here: all clients share the scratch buffer.
fn turn(
    shared: &deliver::Context,
    carrier: &mut dyn Carrier,
    reader: &mut Reader,
) -> Result<Turn, End> {
    let mut scratch = shared.scratch.borrow_mut();
    let sent = match reader.next(&mut scratch).map_err(|_| End::Unreadable)? {
        Next::Bytes => {
            let bytes = scratch.bytes();
            let (bytes, rest) = bytes.split_at(carrier.most(bytes));
            reader.seek(reader.offset() - rest.len() as u64);
            shared.metrics.bytes.add(bytes.len() as u64);
            carrier.bytes(bytes)
        }
        Next::Marker(marker) => carrier.marker(&marker),
        Next::Cold => return Ok(Turn::Cold),
        Next::End => return Ok(Turn::Nothing),
    };
    sent.map(|()| Turn::Something).map_err(of_send)
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn of_send(error: io::Error) -> End {
    if error.kind() == io::ErrorKind::TimedOut {
        End::Slow
    } else {
        End::Reset
    }
}
