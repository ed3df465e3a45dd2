//! Follows one name: looks at it, decides what happened, and links the generations that readers walk along.
//!
//! It works only while somebody listens. With nobody there it has no timer, no watch, no open file.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Instant;

use event_listener::Event;
use futures_lite::{FutureExt, future};
use smol::Timer;

use crate::bell::{Bell, Listener};
use crate::source::Ground;
use crate::source::file::chain::Following;
use crate::source::file::change::Seen;
use crate::source::file::generation::Generation;
use crate::source::file::observe::Glance;
use crate::source::file::path::Place;
use crate::source::os::fs::FileSystem;
use crate::source::os::inotify::Tell;
use crate::source::os::unblock::aside;

/// Follows the file of one name for all of its readers.
pub struct Follower {
    /// The name to follow.
    pub place: Place,
    pub(crate) ground: Ground,
    /// Something is new for readers.
    changed: Rc<Bell>,
    /// The task should look now.
    kick: Event,
    kicked: Cell<bool>,
    looks_begun: Cell<u64>,
    looks_done: Cell<u64>,
    looked: Event,
    listeners: Cell<usize>,
    /// Those of them who have their place.
    readers: Cell<usize>,
    tell: Tell,
    following: RefCell<Option<Following>>,
}

impl Follower {
    /// Follows `place`.
    pub fn new(place: Place, ground: &Ground) -> Rc<Self> {
        Rc::new_cyclic(|me: &Weak<Self>| Self {
            tell: {
                let me = me.clone();
                Rc::new(move || me.upgrade().iter().for_each(|follower| follower.hint()))
            },
            place,
            ground: ground.clone(),
            changed: Rc::default(),
            kick: Event::new(),
            kicked: Cell::new(false),
            looks_begun: Cell::new(0),
            looks_done: Cell::new(0),
            looked: Event::new(),
            listeners: Cell::new(0),
            readers: Cell::new(0),
            following: RefCell::new(None),
        })
    }

    /// How many have a place in what is followed.
    pub fn readers(&self) -> usize {
        self.readers.get()
    }

    /// Begins to listen; the follower wakes for the first one and sleeps after the last.
    pub fn listen(self: &Rc<Self>) -> Listening {
        self.listeners.set(self.listeners.get() + 1);
        if self.following.borrow().is_none() {
            let task = self.ground.executor.spawn(self.clone().run().boxed_local());
            let following = Following::new(self.ground.clone(), self.tell.clone(), task);
            *self.following.borrow_mut() = Some(following);
            self.kicked.set(true);
        }
        Listening {
            follower: self.clone(),
            placed: Cell::new(false),
        }
    }

    /// Resolves when something may be new. Take it before the last look at what there is.
    pub(crate) fn changed(&self) -> Listener {
        self.changed.listen()
    }

    /// The newest generation.
    pub fn last(&self) -> Option<Rc<Generation>> {
        self.following
            .borrow()
            .as_ref()
            .map(|following| following.last.clone())
    }

    /// The oldest generation that is still kept.
    pub fn oldest(&self) -> Option<Rc<Generation>> {
        self.following.borrow().as_ref()?.oldest()
    }

    /// What was last seen of the newest file.
    pub fn seen(&self) -> Option<Seen> {
        self.following.borrow().as_ref()?.seen
    }

    /// Whether viewers are to be told that there is no file.
    pub fn is_missing(&self) -> bool {
        self.following
            .borrow()
            .as_ref()
            .is_some_and(|following| following.missing)
    }

    /// Whether the kernel tells of changes. `None` while nobody listens.
    pub fn is_noticed(&self) -> Option<bool> {
        self.following.borrow().as_ref().map(Following::is_noticed)
    }

    /// Whether it would, for a file on `system`.
    pub fn would_be_noticed(&self, system: FileSystem) -> bool {
        system.sends_notices() && self.ground.notices.are_available()
    }

    /// Returns after a look that began after the call: what was written before is known then.
    pub async fn fresh(&self) {
        if self.look_at_once() {
            return;
        }
        let wanted = self.looks_begun.get() + 1;
        loop {
            let looked = self.looked.listen();
            if self.looks_done.get() >= wanted {
                return;
            }
            self.kick();
            looked.await;
        }
    }

    /// Looks on this thread where the file system answers at once. `false`: the task has to do it.
    pub fn look_at_once(&self) -> bool {
        let known = match &*self.following.borrow() {
            Some(following) if following.system.answers_at_once() && following.seen.is_some() => {
                following.known()
            }
            _ => return false,
        };
        self.apply(known.glance(&self.place))
    }

    /// A notice came.
    fn hint(&self) {
        if !self.look_at_once() {
            self.kick();
        }
    }

    fn kick(&self) {
        self.kicked.set(true);
        self.kick.notify(1);
    }

    async fn run(self: Rc<Self>) {
        loop {
            if !self.kicked.take() {
                let kick = self.kick.listen();
                future::or(kick, async { _ = Timer::at(self.next_look()).await }).await;
                self.kicked.set(false);
            }
            self.looks_begun.set(self.looks_begun.get() + 1);
            self.look().await;
            self.looks_done.set(self.looks_begun.get());
            self.looked.notify(usize::MAX);
        }
    }

    fn next_look(&self) -> Instant {
        match &*self.following.borrow() {
            Some(following) => following.next_look(),
            None => Instant::now() + self.ground.anyway,
        }
    }

    /// One look, wherever the file system has to be asked.
    async fn look(&self) {
        let Some((known, system)) = self
            .following
            .borrow()
            .as_ref()
            .map(|following| (following.known(), following.system))
        else {
            return;
        };
        let settled = if system.answers_at_once() && known.seen.is_some() {
            self.apply(known.glance(&self.place))
        } else {
            let place = self.place.clone();
            self.apply(aside(move || known.glance(&place)).await)
        };
        if !settled {
            let Some(known) = self.following.borrow().as_ref().map(Following::known) else {
                return;
            };
            let place = self.place.clone();
            let opened = aside(move || known.open(&place)).await;
            if let Some(following) = &mut *self.following.borrow_mut() {
                match opened {
                    Ok(opened) => following.succeed(opened),
                    Err(_) => following.refuse(),
                }
            }
            self.changed.ring();
        }
        if let Some(following) = &mut *self.following.borrow_mut()
            && following.watch_names(&self.place)
        {
            self.kicked.set(true);
        }
    }

    /// Takes over what a look found. `false`: there is a file to be opened first.
    fn apply(&self, glance: Glance) -> bool {
        self.ground.looks.add(1);
        let mut following = self.following.borrow_mut();
        let Some(following) = &mut *following else {
            return true;
        };
        let outcome = following.apply(glance);
        if outcome.vanished {
            // The task has to wait for less long now.
            self.kick();
        }
        if outcome.news {
            self.changed.ring();
        }
        outcome.settled
    }
}

/// One who listens. The last one to go puts the follower to sleep.
pub struct Listening {
    follower: Rc<Follower>,
    placed: Cell<bool>,
}

impl Listening {
    /// It has its place now, and counts as a reader.
    pub fn place(&self) {
        if !self.placed.replace(true) {
            self.follower.readers.set(self.follower.readers.get() + 1);
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if self.placed.get() {
            self.follower.readers.set(self.follower.readers.get() - 1);
        }
        let left = self.follower.listeners.get() - 1;
        self.follower.listeners.set(left);
        if left == 0 {
            let following = self.follower.following.take();
            drop(following);
        }
    }
}
