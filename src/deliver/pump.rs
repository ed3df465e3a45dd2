//! The pump: brings what a reader finds to a client, whatever the transport.
//!
//! Its rules:
//! - A turn does what can be done at once and never awaits, for all clients share the read cache.
//! - What the socket does not take waits in its buffer, and until it is taken nothing more is read,
//!   of the source or of the client: a slow client costs one chunk of memory, and its silence is not
//!   counted.
//! - Every other cause of a wake-up is looked at between two chunks, also by a client that catches
//!   up; where something shorter was sent, one more look at the source comes first, for that is most
//!   likely its end.
//! - After a full chunk, and after each thing that a client said, all other clients have their turn.
//! - Who waits at the end is not woken for a line: it leaves its feed to the one who calls all that
//!   wait for the same, and is fed by that call. It is woken if there is more to do.

mod waiting;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_lite::future;
use smol::Timer;

use crate::bell::{Listener, Seat};
use crate::deliver;
use crate::deliver::Beats;
use crate::deliver::feed::{Feed, Turn};
use crate::deliver::pump::waiting::Waiting;
use crate::deliver::transport::{Transport, of_send};
use crate::metrics::End;
use crate::source::reader::Reader;

/// What ended a wait.
enum Wake {
    /// There may be something to read.
    Read,
    /// It was read, and is not all.
    HandedBack,
    Received(io::Result<Option<End>>),
    Beat,
    HalfLine,
    Shutdown,
}

/// Pumps until either side ends it, takes leave, and says why it ended.
pub(crate) fn pump(
    shared: Rc<deliver::Context>,
    transport: Box<dyn Transport>,
    reader: Reader,
) -> impl Future<Output = End> {
    // Made before the block: what is moved into one has its place in the task twice.
    let feed = Box::new(Feed::new(shared.clone(), transport, reader));
    async move {
        let (feed, end) = until_end(&shared, feed).await;
        if let Some(feed) = feed {
            feed.transport.leave(end).await;
        }
        end
    }
}

/// What a client waits for beside its source.
struct Others {
    beats: Beats,
    shutdown: Listener,
}

/// Pumps until either side ends it. There is no feed any more where a bug ended it.
async fn until_end(shared: &Rc<deliver::Context>, mut feed: Box<Feed>) -> (Option<Box<Feed>>, End) {
    let mut others = Others {
        beats: shared.beats(),
        shutdown: shared.shutdown.listen(),
    };
    let waiting = Rc::<Waiting>::default();
    let mut seat: Option<Seat> = None;
    if let Err(error) = feed.transport.open() {
        return (Some(feed), of_send(error));
    }
    feed.advance();
    loop {
        // The long waits are boxed, so that the space for them is not a part of every client's
        // task.
        match feed.turn {
            Err(end) => return (Some(feed), end),
            Ok(Turn::Cold) => {
                if let Err(end) = Box::pin(warm(shared, &mut feed, &mut others)).await {
                    return (Some(feed), end);
                }
                feed.turn = Ok(Turn::More);
            }
            Ok(_) => {}
        }
        if !feed.transport.is_drained() {
            if let Err(end) = Box::pin(drained(shared, &mut *feed.transport)).await {
                return (Some(feed), end);
            }
            feed.transport.caught_up();
        }
        if feed.turn == Ok(Turn::More) {
            future::yield_now().await;
        }
        let mut own = Some(feed);
        let woken = poll_fn(|cx| {
            let was_left = own.is_none();
            let Some(mut feed) = own.take().or_else(|| waiting.take()) else {
                return Poll::Ready(None);
            };
            // It was at the end when it was left: a call has begun what is to be gone on with.
            let wake = if was_left && !feed.is_at_end() {
                Poll::Ready(Wake::HandedBack)
            } else {
                poll_wake(shared, &mut feed, &mut others, was_left, cx)
            };
            if let Poll::Ready(wake) = wake {
                return Poll::Ready(Some((feed, wake)));
            }
            seat.get_or_insert_with(|| feed.changed.seat(waiting.clone(), &shared.executor));
            waiting.leave(feed, cx.waker());
            Poll::Pending
        });
        let Some((back, wake)) = woken.await else {
            return (None, End::Reset);
        };
        feed = back;
        let done = match wake {
            Wake::HandedBack => continue,
            Wake::Read => Ok(None),
            Wake::Received(Ok(None)) => {
                future::yield_now().await;
                Ok(None)
            }
            Wake::Received(heard) => heard,
            Wake::Beat => feed.transport.beat(),
            Wake::HalfLine => feed.end_half_line().map(|()| None),
            Wake::Shutdown => Ok(Some(End::Shutdown)),
        };
        match done {
            Ok(None) => feed.advance(),
            Ok(Some(end)) => return (Some(feed), end),
            Err(error) => return (Some(feed), of_send(error)),
        }
    }
}

/// Looks at each cause to go on.
fn poll_wake(
    shared: &deliver::Context,
    feed: &mut Feed,
    others: &mut Others,
    was_left: bool,
    cx: &mut Context<'_>,
) -> Poll<Wake> {
    // What is new goes first; whatever else there is is looked at once it is sent.
    if was_left && feed.changed.has_rung() {
        return Poll::Ready(Wake::Read);
    }
    if let Poll::Ready(heard) = feed.transport.poll_heard(cx) {
        return Poll::Ready(Wake::Received(heard));
    }
    if others.beats.bell.poll_rung(cx).is_ready() {
        return Poll::Ready(Wake::Beat);
    }
    let timer = feed.half_line_timer();
    if timer.is_some_and(|timer| Pin::new(timer).poll(cx).is_ready()) {
        return Poll::Ready(Wake::HalfLine);
    }
    if others.shutdown.poll_rung(cx).is_ready() || shared.shutdown.has_begun() {
        return Poll::Ready(Wake::Shutdown);
    }
    if feed.turn == Ok(Turn::Nothing) && !feed.changed.has_rung() {
        return Poll::Pending;
    }
    Poll::Ready(Wake::Read)
}

/// Waits until the client has taken what was sent.
async fn drained(shared: &deliver::Context, transport: &mut dyn Transport) -> Result<(), End> {
    let drained = poll_fn(|cx| transport.poll_drained(cx).map_err(of_send));
    let late = async {
        Timer::after(shared.send_time).await;
        Err(End::Slow)
    };
    let stopped = async {
        shared.shutdown.wait().await;
        Err(End::Shutdown)
    };
    future::or(future::or(drained, late), stopped).await
}

/// Gets what is cold from the disk, which a file system that does not answer makes a long wait: the
/// client is heard meanwhile.
async fn warm(shared: &deliver::Context, feed: &mut Feed, others: &mut Others) -> Result<(), End> {
    let transport = &mut feed.transport;
    let mut warmed = pin!(feed.reader.warm());
    poll_fn(|cx| {
        if let Poll::Ready(warmed) = warmed.as_mut().poll(cx) {
            return Poll::Ready(warmed.map_err(|_| End::Unreadable));
        }
        let mut said = transport.poll_heard(cx);
        if said.is_pending() && others.beats.bell.poll_rung(cx).is_ready() {
            said = Poll::Ready(transport.beat());
        }
        match said {
            Poll::Ready(Ok(Some(end))) => return Poll::Ready(Err(end)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(of_send(error))),
            // The next one is waited for when all others had their turn.
            Poll::Ready(Ok(None)) => cx.waker().wake_by_ref(),
            Poll::Pending => {}
        }
        if others.shutdown.poll_rung(cx).is_ready() || shared.shutdown.has_begun() {
            return Poll::Ready(Err(End::Shutdown));
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;
