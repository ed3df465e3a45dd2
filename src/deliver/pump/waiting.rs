//! Where the feed of a client stands that waits at the end of its stream.

use std::cell::{Cell, RefCell};
use std::task::Waker;

use crate::bell::Attend;
use crate::deliver::feed::Feed;

/// A client that waits.
#[derive(Default)]
pub(super) struct Waiting {
    /// While it waits; its own task has it at any other time.
    feed: Cell<Option<Box<Feed>>>,
    /// Wakes that task.
    waker: RefCell<Option<Waker>>,
}

impl Waiting {
    /// Leaves the feed here, to be fed by calls.
    pub(super) fn leave(&self, feed: Box<Feed>, waker: &Waker) {
        self.feed.set(Some(feed));
        match &mut *self.waker.borrow_mut() {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// Takes it away again. `None`: a bug has ended it.
    pub(super) fn take(&self) -> Option<Box<Feed>> {
        self.feed.take()
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

impl Attend for Waiting {
    fn called(&self) {
        // Who does not wait looks for itself before it waits again.
        let Some(mut feed) = self.feed.take() else {
            return;
        };
        if feed.changed.has_rung() {
            feed.advance();
            // Its own task goes on with the rest, and waits for the end of a line.
            if !feed.is_at_end() || feed.half_line_timer().is_some() {
                self.wake();
            }
        }
        self.feed.set(Some(feed));
    }

    fn failed(&self) {
        self.wake();
    }
}
