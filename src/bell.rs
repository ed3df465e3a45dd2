//! A bell within one thread: whoever listens is woken each time it rings, and a ring between two
//! looks is never missed.
//!
//! A leaf. It stands where `event_listener` would: there each wait allocates and links a listener
//! under a lock; here a listener has its place for as long as it lives, and a wait costs one
//! comparison.

mod crowd;

pub(crate) use crowd::{Attend, Seat};

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use slab::Slab;

/// Rings for all who listen.
#[derive(Default)]
pub(crate) struct Bell {
    /// How often it has rung.
    rings: Cell<u64>,
    /// Of those who wait.
    wakers: RefCell<Slab<Waker>>,
    crowd: RefCell<crowd::Crowd>,
}

impl Bell {
    /// Wakes everybody who waits.
    pub(crate) fn ring(&self) {
        self.rings.set(self.rings.get().wrapping_add(1));
        for (_, waker) in &*self.wakers.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Listens from now on.
    pub(crate) fn listen(self: &Rc<Self>) -> Listener {
        Listener {
            bell: self.clone(),
            heard: self.rings.get(),
            place: None,
        }
    }
}

/// One who listens.
pub(crate) struct Listener {
    bell: Rc<Bell>,
    /// The rings up to its last look.
    heard: u64,
    place: Option<usize>,
}

impl Listener {
    /// Ready, once, when the bell has rung since the last look that was ready.
    pub(crate) fn poll_rung(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.has_rung() {
            return Poll::Ready(());
        }
        let wakers = &mut *self.bell.wakers.borrow_mut();
        match self.place {
            Some(place) => wakers[place].clone_from(cx.waker()),
            None => self.place = Some(wakers.insert(cx.waker().clone())),
        }
        Poll::Pending
    }

    /// Whether the bell has rung since the last look, which this is if it has.
    pub(crate) fn has_rung(&mut self) -> bool {
        let rings = self.bell.rings.get();
        std::mem::replace(&mut self.heard, rings) != rings
    }

    /// Resolves at the next ring since the last look.
    pub(crate) async fn rung(&mut self) {
        poll_fn(|cx| self.poll_rung(cx)).await;
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let wakers = &mut *self.bell.wakers.borrow_mut();
        wakers.remove(place);
        if wakers.is_empty() {
            // Nobody is left: a crowd that has gone leaves no memory behind.
            *wakers = Slab::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_ring_is_heard_once_by_each_and_never_missed() {
        let bell = Rc::<Bell>::default();
        let count = Arc::<Count>::default();
        let waker = count.clone().into();
        let mut cx = Context::from_waker(&waker);
        let (mut one, mut other) = (bell.listen(), bell.listen());
        assert!(one.poll_rung(&mut cx).is_pending());
        assert!(one.poll_rung(&mut cx).is_pending());
        bell.ring();
        assert_eq!(
            count.0.load(Ordering::Relaxed),
            1,
            "the other does not wait yet"
        );
        bell.ring();
        assert!(one.poll_rung(&mut cx).is_ready());
        assert!(
            one.poll_rung(&mut cx).is_pending(),
            "two rings are one look"
        );
        assert!(
            other.poll_rung(&mut cx).is_ready(),
            "it rang before it waited"
        );
        assert!(other.poll_rung(&mut cx).is_pending());
    }

    #[test]
    fn who_leaves_gives_its_place_to_the_next() {
        let bell = Rc::<Bell>::default();
        let mut cx = Context::from_waker(Waker::noop());
        let mut all: Vec<Listener> = (0..3).map(|_| bell.listen()).collect();
        for listener in &mut all {
            assert!(listener.poll_rung(&mut cx).is_pending());
        }
        all.remove(1);
        let mut next = bell.listen();
        assert!(next.poll_rung(&mut cx).is_pending());
        assert_eq!(bell.wakers.borrow().vacant_key(), 3);
        drop((all, next));
        assert_eq!(bell.wakers.borrow().capacity(), 0);
    }
}
