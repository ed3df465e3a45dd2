//! Follows one name: looks at it, decides what happened, and links the generations that readers
//! walk along.
//!
//! It works only while somebody listens. With nobody there it has no timer, no watch, no open file.

mod listening;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::panic::AssertUnwindSafe;
use std::rc::{Rc, Weak};
use std::time::Instant;

use event_listener::Event;
use futures_lite::{FutureExt, future};
use smol::Timer;

use crate::bell::{Bell, Listener};
use crate::source::Runtime;
use crate::source::file::chain::Chain;
use crate::source::file::change::Seen;
use crate::source::file::generation::Generation;
use crate::source::file::observe::{Baseline, Observation};
use crate::source::file::path::FilePath;
use crate::source::marker::Missing;
use crate::source::os::bulkhead::Bulkhead;
use crate::source::os::inotify::Tell;
use crate::source::os::way::Way;

pub use listening::Listening;

/// What answers at once, so that it may be asked on the executor's thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prompt {
    Nothing,
    /// The file that is open.
    OpenFile,
    /// Every file system on the way to the name, as well.
    NameToo,
}

/// Follows the file of one name for all of its readers.
pub struct Follower {
    /// The name to follow.
    pub place: FilePath,
    pub(crate) runtime: Runtime,
    /// Something is new for readers.
    changed: Rc<Bell>,
    /// The task should look now.
    kick: Event,
    kicked: Cell<bool>,
    looks_begun: Cell<u64>,
    looks_done: Cell<u64>,
    looked: Event,
    listeners: Cell<usize>,
    /// How often it has failed: who has listened since before that is to be told.
    failures: Cell<u64>,
    /// Those of them who have their place.
    readers: Cell<usize>,
    tell: Tell,
    chain: RefCell<Option<Chain>>,
    /// It was said that the file can't be read.
    complained: Cell<bool>,
    /// Looks.
    bulkhead: Bulkhead,
    /// Searches among rotated files, beside the looks.
    pub(crate) family: Bulkhead,
}

impl Follower {
    /// Follows `place`.
    pub fn new(place: FilePath, runtime: &Runtime) -> Rc<Self> {
        Rc::new_cyclic(|me: &Weak<Self>| Self {
            tell: {
                let me = me.clone();
                Rc::new(move || me.upgrade().iter().for_each(|follower| follower.hint()))
            },
            place,
            runtime: runtime.clone(),
            changed: Rc::default(),
            kick: Event::new(),
            kicked: Cell::new(false),
            looks_begun: Cell::new(0),
            looks_done: Cell::new(0),
            looked: Event::new(),
            listeners: Cell::new(0),
            failures: Cell::new(0),
            readers: Cell::new(0),
            chain: RefCell::new(None),
            complained: Cell::new(false),
            bulkhead: Bulkhead::default(),
            family: Bulkhead::default(),
        })
    }

    /// How many have a place in what is followed.
    pub fn readers(&self) -> usize {
        self.readers.get()
    }

    /// Begins to listen; the follower wakes for the first one and sleeps after the last.
    pub fn listen(self: &Rc<Self>) -> Listening {
        self.listeners.set(self.listeners.get() + 1);
        if self.chain.borrow().is_none() {
            let follower = self.clone();
            // A bug that a file meets ends this file's viewers, and tells them; the next one starts
            // anew.
            let run = async move {
                let ended = AssertUnwindSafe(follower.clone().run())
                    .catch_unwind()
                    .await;
                if ended.is_err() {
                    follower.fail();
                }
            };
            let task = self.runtime.executor.spawn(run.boxed_local());
            let chain = Chain::new(self.runtime.clone(), self.tell.clone(), task);
            *self.chain.borrow_mut() = Some(chain);
            self.kicked.set(true);
        }
        Listening {
            follower: self.clone(),
            failures: self.failures.get(),
            placed: Cell::new(false),
        }
    }

    /// Resolves when something may be new. Take it before the last look at what there is.
    pub(crate) fn changed(&self) -> Listener {
        self.changed.listen()
    }

    /// The newest generation.
    pub fn last(&self) -> Option<Rc<Generation>> {
        self.chain.borrow().as_ref().map(|chain| chain.last.clone())
    }

    /// The oldest generation that is still kept.
    pub fn oldest(&self) -> Option<Rc<Generation>> {
        self.chain.borrow().as_ref()?.oldest()
    }

    /// What was last seen of the newest file.
    pub fn seen(&self) -> Option<Seen> {
        self.chain.borrow().as_ref()?.seen()
    }

    /// Why viewers are to be told that there is no file, if they are.
    pub fn missing(&self) -> Option<Missing> {
        self.chain.borrow().as_ref()?.missing()
    }

    /// Whether the kernel tells of changes. `None` while nobody listens.
    pub fn is_noticed(&self) -> Option<bool> {
        let chain = self.chain.borrow();
        let is_noticed = chain.as_ref().map(Chain::is_noticed);
        is_noticed.map(|is_noticed| is_noticed && self.place.newest.is_none())
    }

    /// Whether it would, where file systems on the way `send_notices`.
    pub fn would_be_noticed(&self, send_notices: bool) -> bool {
        send_notices && self.place.newest.is_none() && self.runtime.notices.are_available()
    }

    /// Returns after a look that began after the call: what was written before is known then.
    pub async fn fresh(&self) {
        if self.look_at_once() {
            return;
        }
        let wanted = self.looks_begun.get() + 1;
        let failures = self.failures.get();
        loop {
            let looked = self.looked.listen();
            if self.looks_done.get() >= wanted || self.failures.get() != failures {
                return;
            }
            self.kick();
            looked.await;
        }
    }

    /// Looks on this thread as far as the file systems answer at once. `false`: the task has to do
    /// it.
    pub fn look_at_once(&self) -> bool {
        match self.baseline() {
            Some((baseline, Prompt::NameToo)) => self.apply(baseline.observe(Some(&self.place))),
            Some((baseline, Prompt::OpenFile)) => {
                self.apply(baseline.observe(None));
                false
            }
            Some((_, Prompt::Nothing)) | None => false,
        }
    }

    /// A notice came.
    fn hint(&self) {
        // Which file is the newest is looked up each poll, not each line: it takes reading
        // directories.
        let is_settled = self.look_at_once() || self.place.newest.is_some();
        let chain = self.chain.borrow();
        if !is_settled || chain.as_ref().is_some_and(Chain::wants_way) {
            self.kick();
        }
    }

    fn kick(&self) {
        self.kicked.set(true);
        self.kick.notify(1);
    }

    /// Ends what its listeners listen to.
    fn fail(&self) {
        self.failures.set(self.failures.get() + 1);
        let chain = self.chain.take();
        self.looked.notify(usize::MAX);
        self.changed.ring();
        // With it goes the task that this is called from.
        drop(chain);
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
        let now = Instant::now();
        match &*self.chain.borrow() {
            Some(chain) if self.place.newest.is_some() => {
                chain.next_look(now).min(now + self.runtime.poll)
            }
            Some(chain) => chain.next_look(now),
            None => now + self.runtime.anyway,
        }
    }

    /// One look, wherever the file system has to be asked.
    async fn look(&self) {
        let Some((baseline, prompt)) = self.baseline() else {
            return;
        };
        let observation = if prompt == Prompt::NameToo {
            baseline.observe(Some(&self.place))
        } else {
            let place = self.place.clone();
            self.bulkhead
                .answer(move || baseline.observe(Some(&place)))
                .await
        };
        if !self.apply(observation) {
            self.open().await;
        }
        self.find_way().await;
    }

    /// Opens the file that the name means now.
    async fn open(&self) {
        let Some((baseline, _)) = self.baseline() else {
            return;
        };
        let place = self.place.clone();
        let opened = self.bulkhead.answer(move || baseline.open(&place)).await;
        if let Some(chain) = &mut *self.chain.borrow_mut() {
            match opened {
                Ok(opened) => chain.succeed(opened),
                Err(error) => chain.refuse(&error, Instant::now()),
            }
        }
        self.complain();
        self.changed.ring();
    }

    /// Finds the way to the file where it may have changed, and has it watched.
    async fn find_way(&self) {
        let wants_way = |chain: &Chain| chain.wants_way();
        if !(self.chain.borrow().as_ref()).is_some_and(wants_way) {
            return;
        }
        let mounts = self.runtime.notices.mounts();
        let path = self.place.path.clone();
        let way = self.bulkhead.answer(move || Way::of(&path)).await;
        if let Some(chain) = &mut *self.chain.borrow_mut()
            && chain.take_way(way, mounts)
        {
            self.kicked.set(true);
        }
    }

    /// What a look is compared with, and how far it may be had on this thread.
    fn baseline(&self) -> Option<(Baseline, Prompt)> {
        let chain = self.chain.borrow();
        let chain = chain.as_ref()?;
        let prompt = if !chain.last.system().answers_at_once() {
            Prompt::Nothing
        } else if chain.is_way_prompt() && self.place.newest.is_none() {
            Prompt::NameToo
        } else {
            Prompt::OpenFile
        };
        Some((chain.baseline(), prompt))
    }

    /// Says once on standard error that there is a file that can't be read: whoever looks after the
    /// board looks there.
    fn complain(&self) {
        match self.missing() {
            Some(Missing::Unreadable) if !self.complained.replace(true) => {
                let path = self.place.path.display();
                (self.runtime.say)(&format!(
                    "`{path}` is there, but may not be read; its stream goes on once it may"
                ));
            }
            Some(_) => {}
            None => self.complained.set(false),
        }
    }

    /// Takes over what a look found. `false`: there is a file to be opened first.
    fn apply(&self, observation: Observation) -> bool {
        self.runtime.looks.add(1);
        let outcome = match &mut *self.chain.borrow_mut() {
            Some(chain) => chain.apply(observation, Instant::now()),
            None => return true,
        };
        if outcome.vanished {
            // The task has to wait for less long now.
            self.kick();
        }
        if outcome.news {
            self.complain();
            self.changed.ring();
        }
        outcome.settled
    }
}
