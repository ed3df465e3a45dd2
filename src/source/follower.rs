//! Follows one name: looks at it, decides what happened, and links the generations that readers walk along.
//!
//! It works only while somebody listens. With nobody there it has no timer, no watch, no open file.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_listener::{Event, EventListener};
use futures_lite::{FutureExt, future};
use smol::{Task, Timer};

use super::Ground;
use super::aside::aside;
use super::disk::FileSystem;
use super::family;
use super::generation::{Generation, Link};
use super::look::{BETWEEN_MAX, Glance, Known, Opened};
use super::notices::{Tell, Watch};
use super::place::Place;
use super::step::{Seen, Step, Tail, decide};

/// How long a name may mean nothing before viewers are told. Between the rename and the create of a rotation there is
/// a moment with no file, and nobody needs to hear of it.
const MISSING_GRACE: Duration = Duration::from_millis(500);

/// The most generations kept open for readers that are behind, in files. A sensor's file renamed over ten times a
/// second would otherwise use up the descriptors in the minute that a stuck client is given.
const GENERATIONS_MAX: usize = BETWEEN_MAX;

/// Follows the file of one name for all of its readers.
pub struct Follower {
    /// The name to follow.
    pub place: Place,
    ground: Ground,
    /// Something is new for readers.
    changed: Event,
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

/// What there is only while somebody listens.
struct Following {
    last: Rc<Generation>,
    /// What was last seen of the file of `last`; `None` while that is the void.
    seen: Option<Seen>,
    /// The bytes before the end seen last.
    tail: Vec<u8>,
    system: FileSystem,
    /// Since when the name has meant no file.
    gone: Option<Instant>,
    /// Readers are told that there is no file.
    missing: bool,
    /// The file that the name means now can't be opened.
    refused: bool,
    /// The generations that are still held, oldest first; the last one is `last`.
    chain: VecDeque<Weak<Generation>>,
    names: Vec<Watch>,
    _task: Task<()>,
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
            changed: Event::new(),
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
            let void = Rc::new(Generation::void(self.ground.serial()));
            let task = self.ground.executor.spawn(self.clone().run().boxed_local());
            *self.following.borrow_mut() = Some(Following {
                chain: VecDeque::from([Rc::downgrade(&void)]),
                last: void,
                seen: None,
                tail: Vec::new(),
                system: FileSystem::Distant,
                gone: None,
                missing: false,
                refused: false,
                names: Vec::new(),
                _task: task,
            });
            self.kicked.set(true);
        }
        Listening {
            follower: self.clone(),
            placed: Cell::new(false),
        }
    }

    /// Resolves when something may be new. Take it before the last look at what there is.
    pub fn changed(&self) -> EventListener {
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
        self.following
            .borrow()
            .as_ref()?
            .chain
            .iter()
            .find_map(Weak::upgrade)
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

    /// When to look though nothing was noticed.
    fn next_look(&self) -> Instant {
        let now = Instant::now();
        let anyway = self.ground.anyway.max(self.ground.poll);
        let following = self.following.borrow();
        let Some(following) = &*following else {
            return now + anyway;
        };
        let wait = if following.is_noticed() {
            anyway
        } else {
            self.ground.poll
        };
        match following.gone {
            Some(since) if !following.missing => (since + MISSING_GRACE).min(now + wait),
            _ => now + wait,
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
            match aside(move || known.open(&place)).await {
                Ok(opened) => self.succeed(opened),
                Err(_) => self.refuse(),
            }
        }
        self.watch_names();
    }

    /// Takes over what a look found. `false`: there is a file to be opened first.
    fn apply(&self, glance: Glance) -> bool {
        self.ground.looks.add(1);
        let mut following = self.following.borrow_mut();
        let Some(following) = &mut *following else {
            return true;
        };
        let mut news = false;
        // First the content of the file that is open, whatever its name is by now.
        if let (Some(seen), Some(held)) = (following.seen, glance.held)
            && seen != held
        {
            let step = decide(Some(&seen), Some(&held), glance.tail);
            if matches!(step, Step::Shrank | Step::Rewritten) {
                self.restart(following, held);
            }
            if step == Step::Grew
                && !glance.grown.is_empty()
                && let Ok(mut scratch) = self.ground.scratch.try_borrow_mut()
            {
                // In use only where a reader has asked for this look.
                scratch.put(following.last.serial, seen.size, &glance.grown);
            }
            following.last.end.set(held.size);
            following.seen = Some(held);
            following.tail = glance.fresh;
            news = step != Step::Same;
        }
        // Then the name: what it meant is what is open, if it meant anything.
        let meant = following.seen.filter(|seen| {
            following.gone.is_none() || glance.now.is_some_and(|now| now.id == seen.id)
        });
        let was_missing = following.missing;
        let settled = match decide(meant.as_ref(), glance.now.as_ref(), Tail::Fits) {
            Step::Replaced | Step::Back => false,
            _ if glance.now.is_none() => {
                if following.gone.is_none() {
                    // The task has to wait for less long now.
                    self.kick();
                }
                following.vanish();
                following.system = glance.directory.unwrap_or(following.system);
                true
            }
            _ => {
                following.gone = None;
                following.missing = false;
                true
            }
        };
        // An older generation that is still read may have grown as well: only its readers can tell.
        if news || following.missing != was_missing || following.is_older_read() {
            self.changed.notify(usize::MAX);
        }
        settled
    }

    /// The file was cut or written over: a new generation of the same file.
    fn restart(&self, following: &mut Following, now: Seen) {
        let Some(file) = following.last.file() else {
            return;
        };
        following.last.over.set(true);
        let generation = Generation::new(
            self.ground.serial(),
            now.id,
            file,
            following.system,
            now.size,
        );
        self.append(following, generation, Link::Truncated);
    }

    /// The name means a file that was opened just now.
    fn succeed(&self, opened: Opened) {
        let mut following = self.following.borrow_mut();
        let Some(following) = &mut *following else {
            return;
        };
        following.gone = None;
        following.missing = false;
        following.refused = false;
        if opened.seen.id == following.last.id {
            // The same file came back while it was being opened; the next look compares it.
            return;
        }
        let files = opened
            .between
            .into_iter()
            .chain([(opened.file, opened.seen)]);
        for (file, seen) in files {
            self.append(
                following,
                self.generation(file, seen),
                Link::Rotated { gap: opened.gap },
            );
        }
        following.seen = Some(opened.seen);
        following.tail = opened.tail;
        following.system = following.last.system();
        following.names.clear();
        self.changed.notify(usize::MAX);
    }

    /// The name means a file that can't be opened: for a viewer that is none. It is tried again.
    fn refuse(&self) {
        let mut following = self.following.borrow_mut();
        let Some(following) = &mut *following else {
            return;
        };
        following.refused = true;
        following.vanish();
        self.changed.notify(usize::MAX);
    }

    /// A generation of its own for an open file.
    pub fn generation(&self, file: File, seen: Seen) -> Generation {
        let system = FileSystem::of_file(&file);
        Generation::new(
            self.ground.serial(),
            seen.id,
            Arc::new(file),
            system,
            seen.size,
        )
    }

    fn append(&self, following: &mut Following, generation: Generation, link: Link) {
        if generation.system().sends_notices() {
            let watch = generation
                .file()
                .and_then(|file| self.ground.notices.watch_file(&file, self.tell.clone()));
            *generation.watch.borrow_mut() = watch;
        }
        let generation = Rc::new(generation);
        *following.last.next.borrow_mut() = Some((link, generation.clone()));
        following.chain.push_back(Rc::downgrade(&generation));
        following.last = generation;
        following.chain.retain(|kept| kept.strong_count() > 0);
        while following.chain.len() > GENERATIONS_MAX {
            if let Some(oldest) = following
                .chain
                .pop_front()
                .and_then(|oldest| oldest.upgrade())
            {
                oldest.expire();
            }
        }
    }

    fn watch_names(&self) {
        let mut following = self.following.borrow_mut();
        let Some(following) = &mut *following else {
            return;
        };
        let whole = !following.names.is_empty() && following.names.iter().all(Watch::is_alive);
        if whole || !following.system.sends_notices() {
            return;
        }
        let (path, target) = (&self.place.path, self.place.target());
        let paths = [Some(path), (target != *path).then_some(&target)];
        let watch = |path: &PathBuf| {
            let directory = family::directory(path)?;
            self.ground.notices.watch_name(
                &directory,
                path.file_name()?.to_owned(),
                self.tell.clone(),
            )
        };
        let names: Option<Vec<Watch>> = paths.into_iter().flatten().map(watch).collect();
        // What happened before the watch stood went unnoticed.
        self.kicked.set(names.is_some());
        following.names = names.unwrap_or_default();
    }
}

impl Following {
    fn known(&self) -> Known {
        Known {
            file: self.last.file(),
            seen: self.seen,
            tail: self.tail.clone(),
        }
    }

    fn vanish(&mut self) {
        let since = *self.gone.get_or_insert_with(Instant::now);
        // Where nobody has seen the name mean a file there is no rotation to wait for.
        self.missing |= self.seen.is_none() || since.elapsed() >= MISSING_GRACE;
    }

    /// Whether the kernel sends a notice of all that can happen.
    fn is_noticed(&self) -> bool {
        let file = self.seen.is_none()
            || self
                .last
                .watch
                .borrow()
                .as_ref()
                .is_some_and(Watch::is_alive);
        let names = !self.names.is_empty() && self.names.iter().all(Watch::is_alive);
        self.system.sends_notices() && file && names && !self.refused
    }

    fn is_older_read(&self) -> bool {
        self.chain
            .iter()
            .rev()
            .skip(1)
            .any(|older| older.strong_count() > 0)
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
