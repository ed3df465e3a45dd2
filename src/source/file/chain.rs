//! What a follower has in its hands while somebody listens: the generations of its name, and what was last seen of them.
//! Looks are done elsewhere; what they found is handed in.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use smol::Task;

use crate::source::Ground;
use crate::source::file::change::{Seen, Step, Tail, decide};
use crate::source::file::generation::{Generation, Link};
use crate::source::file::observe::{BETWEEN_MAX, Glance, Known, Opened};
use crate::source::file::path::{self, Place};
use crate::source::os::fs::FileSystem;
use crate::source::os::inotify::{Tell, Watch};

/// How long a name may mean nothing before viewers are told. Between the rename and the create of a rotation there is
/// a moment with no file, and nobody needs to hear of it.
const MISSING_GRACE: Duration = Duration::from_millis(500);

/// The most generations kept open for readers that are behind, in files. A sensor's file renamed over ten times a
/// second would otherwise use up the descriptors in the minute that a stuck client is given.
const GENERATIONS_MAX: usize = BETWEEN_MAX;

/// What there is only while somebody listens.
pub(crate) struct Following {
    pub(crate) last: Rc<Generation>,
    /// What was last seen of the file of `last`; `None` while that is the void.
    pub(crate) seen: Option<Seen>,
    /// The bytes before the end seen last.
    tail: Vec<u8>,
    pub(crate) system: FileSystem,
    /// Since when the name has meant no file.
    gone: Option<Instant>,
    /// Readers are told that there is no file.
    pub(crate) missing: bool,
    /// The file that the name means now can't be opened.
    refused: bool,
    /// The generations that are still held, oldest first; the last one is `last`.
    chain: VecDeque<Weak<Generation>>,
    names: Vec<Watch>,
    ground: Ground,
    /// Told by all watches.
    tell: Tell,
    _task: Task<()>,
}

/// What a look came to.
pub(crate) struct Outcome {
    /// No file has to be opened.
    pub(crate) settled: bool,
    /// Readers may have something to read, or to tell.
    pub(crate) news: bool,
    /// The name has lost its file just now.
    pub(crate) vanished: bool,
}

impl Following {
    /// Before the first look. `task` does the looks.
    pub(crate) fn new(ground: Ground, tell: Tell, task: Task<()>) -> Self {
        let void = Rc::new(Generation::void(ground.serial()));
        Self {
            chain: VecDeque::from([Rc::downgrade(&void)]),
            last: void,
            seen: None,
            tail: Vec::new(),
            system: FileSystem::Distant,
            gone: None,
            missing: false,
            refused: false,
            names: Vec::new(),
            ground,
            tell,
            _task: task,
        }
    }

    /// The oldest generation that is still kept.
    pub(crate) fn oldest(&self) -> Option<Rc<Generation>> {
        self.chain.iter().find_map(Weak::upgrade)
    }

    /// What the next look is compared with.
    pub(crate) fn known(&self) -> Known {
        Known {
            file: self.last.file(),
            seen: self.seen,
            tail: self.tail.clone(),
        }
    }

    /// When to look though nothing was noticed.
    pub(crate) fn next_look(&self) -> Instant {
        let now = Instant::now();
        let wait = if self.is_noticed() {
            self.ground.anyway
        } else {
            self.ground.poll
        };
        match self.gone {
            Some(since) if !self.missing => (since + MISSING_GRACE).min(now + wait),
            _ => now + wait,
        }
    }

    /// Takes over what a look found.
    pub(crate) fn apply(&mut self, glance: Glance) -> Outcome {
        let mut news = false;
        // First the content of the file that is open, whatever its name is by now.
        if let (Some(seen), Some(held)) = (self.seen, glance.held)
            && seen != held
        {
            let step = decide(Some(&seen), Some(&held), glance.tail);
            if matches!(step, Step::Shrank | Step::Rewritten) {
                self.restart(held);
            }
            if step == Step::Grew
                && !glance.grown.is_empty()
                && let Ok(mut scratch) = self.ground.scratch.try_borrow_mut()
            {
                // In use only where a reader has asked for this look.
                scratch.put(self.last.serial, seen.size, &glance.grown);
            }
            self.last.end.set(held.size);
            self.seen = Some(held);
            self.tail = glance.fresh;
            news = step != Step::Same;
        }
        // Then the name: what it meant is what is open, if it meant anything.
        let meant = self
            .seen
            .filter(|seen| self.gone.is_none() || glance.now.is_some_and(|now| now.id == seen.id));
        let (was_missing, was_gone) = (self.missing, self.gone.is_some());
        let settled = match decide(meant.as_ref(), glance.now.as_ref(), Tail::Fits) {
            Step::Replaced | Step::Back => false,
            _ if glance.now.is_none() => {
                self.vanish();
                self.system = glance.directory.unwrap_or(self.system);
                true
            }
            _ => {
                self.gone = None;
                self.missing = false;
                true
            }
        };
        Outcome {
            settled,
            // An older generation that is still read may have grown as well: only its readers can tell.
            news: news || self.missing != was_missing || self.is_older_read(),
            vanished: self.gone.is_some() && !was_gone,
        }
    }

    /// The file was cut or written over: a new generation of the same file.
    fn restart(&mut self, now: Seen) {
        let Some(file) = self.last.file() else {
            return;
        };
        self.last.over.set(true);
        let serial = self.ground.serial();
        let generation = Generation::new(serial, now.id, file, self.system, now.size);
        self.append(generation, Link::Truncated);
    }

    /// The name means a file that was opened just now.
    pub(crate) fn succeed(&mut self, opened: Opened) {
        self.gone = None;
        self.missing = false;
        self.refused = false;
        if opened.seen.id == self.last.id {
            // The same file came back while it was being opened; the next look compares it.
            return;
        }
        let newest = (opened.file, opened.seen);
        for (file, seen) in opened.between.into_iter().chain([newest]) {
            let generation = self.ground.generation(file, seen);
            self.append(generation, Link::Rotated { gap: opened.gap });
        }
        self.seen = Some(opened.seen);
        self.tail = opened.tail;
        self.system = self.last.system();
        self.names.clear();
    }

    /// The name means a file that can't be opened: for a viewer that is none. It is tried again.
    pub(crate) fn refuse(&mut self) {
        self.refused = true;
        self.vanish();
    }

    fn append(&mut self, generation: Generation, link: Link) {
        if generation.system().sends_notices() {
            let watch = generation
                .file()
                .and_then(|file| self.ground.notices.watch_file(&file, self.tell.clone()));
            *generation.watch.borrow_mut() = watch;
        }
        let generation = Rc::new(generation);
        *self.last.next.borrow_mut() = Some((link, generation.clone()));
        self.chain.push_back(Rc::downgrade(&generation));
        self.last = generation;
        self.chain.retain(|kept| kept.strong_count() > 0);
        while self.chain.len() > GENERATIONS_MAX {
            if let Some(oldest) = self.chain.pop_front().and_then(|oldest| oldest.upgrade()) {
                oldest.expire();
            }
        }
    }

    /// Has the names watched that lead to the file. `true`: they are from now on, and what happened before went unnoticed.
    pub(crate) fn watch_names(&mut self, place: &Place) -> bool {
        if self.are_names_watched() || !self.system.sends_notices() {
            return false;
        }
        let (path, target) = (&place.path, place.target());
        let paths = [Some(path), (target != *path).then_some(&target)];
        let watch = |path: &PathBuf| {
            let name = path.file_name()?.to_owned();
            let directory = path::directory(path)?;
            let notices = &self.ground.notices;
            notices.watch_name(&directory, name, self.tell.clone())
        };
        let names: Option<Vec<Watch>> = paths.into_iter().flatten().map(watch).collect();
        let watched = names.is_some();
        self.names = names.unwrap_or_default();
        watched
    }

    /// The name means no file.
    fn vanish(&mut self) {
        let since = *self.gone.get_or_insert_with(Instant::now);
        // Where nobody has seen the name mean a file there is no rotation to wait for.
        self.missing |= self.seen.is_none() || since.elapsed() >= MISSING_GRACE;
    }

    /// Whether the kernel sends a notice of all that can happen.
    pub(crate) fn is_noticed(&self) -> bool {
        let file = self.seen.is_none()
            || self
                .last
                .watch
                .borrow()
                .as_ref()
                .is_some_and(Watch::is_alive);
        self.system.sends_notices() && file && self.are_names_watched() && !self.refused
    }

    fn are_names_watched(&self) -> bool {
        !self.names.is_empty() && self.names.iter().all(Watch::is_alive)
    }

    /// Whether somebody still reads what the name meant before.
    fn is_older_read(&self) -> bool {
        self.chain
            .iter()
            .rev()
            .skip(1)
            .any(|older| older.strong_count() > 0)
    }
}
