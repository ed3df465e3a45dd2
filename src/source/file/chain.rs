//! What a follower has in its hands while somebody listens: the generations of its name, the
//! watches, and what is known. Looks are done elsewhere; what they found is handed in.

mod known;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::rc::{Rc, Weak};
use std::time::Instant;

use smol::Task;

use crate::source::Runtime;
use crate::source::file::chain::known::{Content, Known, Outcome};
use crate::source::file::change::Seen;
use crate::source::file::generation::{Generation, Link};
use crate::source::file::observe::{BETWEEN_MAX, Baseline, Observation, Replacement};
use crate::source::marker::Missing;
use crate::source::os::fs::OpenFile;
use crate::source::os::inotify::{Tell, Watch};
use crate::source::os::way::{Point, Way};

/// The most generations kept open for readers that are behind, in files. A sensor's file renamed
/// over ten times a second would otherwise use up the descriptors in the minute that a stuck client
/// is given.
const GENERATIONS_MAX: usize = BETWEEN_MAX;

/// What there is only while somebody listens.
pub(crate) struct Chain {
    pub(crate) last: Rc<Generation>,
    known: Known,
    /// The generations that are still held, oldest first; the last one is `last`.
    generations: VecDeque<Weak<Generation>>,
    way: Option<WatchedWay>,
    runtime: Runtime,
    /// Told by all watches.
    tell: Tell,
    _task: Task<()>,
}

/// The way to the file, and who watches it.
struct WatchedWay {
    way: Way,
    /// How often something had been mounted when it was found.
    mounts: u64,
    /// A watch for each of its points; empty where it has to be polled.
    watches: Vec<Watch>,
}

impl Chain {
    /// Before the first look. `task` does the looks.
    pub(crate) fn new(runtime: Runtime, tell: Tell, task: Task<()>) -> Self {
        let void = Rc::new(Generation::void(runtime.serial()));
        Self {
            generations: VecDeque::from([Rc::downgrade(&void)]),
            last: void,
            known: Known::default(),
            way: None,
            runtime,
            tell,
            _task: task,
        }
    }

    /// The oldest generation that is still kept.
    pub(crate) fn oldest(&self) -> Option<Rc<Generation>> {
        self.generations.iter().find_map(Weak::upgrade)
    }

    /// What was last seen of the newest file; `None` where there is none.
    pub(crate) fn seen(&self) -> Option<Seen> {
        self.known.seen
    }

    /// Why readers are told that there is no file, if they are.
    pub(crate) fn missing(&self) -> Option<Missing> {
        self.known.missing
    }

    /// What the next look is compared with.
    pub(crate) fn baseline(&self) -> Baseline {
        Baseline {
            file: self.last.file(),
            seen: self.known.seen,
            end: self.known.end,
            tail: self.known.tail.clone(),
            before: self.known.before,
        }
    }

    /// When to look though nothing was noticed.
    pub(crate) fn next_look(&self, now: Instant) -> Instant {
        let wait = if self.is_noticed() {
            self.runtime.anyway
        } else {
            self.runtime.poll
        };
        self.known.next_look(now, wait)
    }

    /// Takes over what a look found `now`.
    pub(crate) fn apply(&mut self, observation: Observation, now: Instant) -> Outcome {
        let (content, let_go, mut outcome) = self.known.apply(observation, now);
        if let Some(content) = content {
            self.update(content);
        }
        if let_go {
            // Readers that are behind still hold the file, the others go on to a void.
            let (gap, start) = (false, 0);
            let void = Generation::void(self.runtime.serial());
            self.append(void, Link::Rotated { gap, start });
        }
        // An older generation that is still read may have grown as well: only its readers can tell.
        outcome.news = outcome.news || self.is_older_read();
        outcome
    }

    /// Takes over what has become of the open file.
    fn update(&mut self, content: Content) {
        let Content { held, end, .. } = content;
        if content.is_other {
            self.restart(Seen {
                size: end.offset,
                ..held
            });
        }
        if let Some((offset, grown)) = content.grown
            && let Ok(mut cache) = self.runtime.cache.try_borrow_mut()
        {
            // In use only where a reader has asked for this look.
            cache.put(self.last.serial, offset, &grown);
        }
        self.last.learn(&held);
        self.last.end.set(end.offset);
        self.last.padded.set(end.padded);
    }

    /// The file was cut or written over: a new generation of the same file.
    fn restart(&mut self, now: Seen) {
        let Some(file) = self.last.file() else {
            return;
        };
        self.last.over.set(true);
        let serial = self.runtime.serial();
        let open = OpenFile {
            file,
            seen: now,
            system: self.last.system(),
        };
        self.append(Generation::new(serial, &open), Link::Truncated);
    }

    /// The name means a file that was opened just now.
    pub(crate) fn succeed(&mut self, opened: Replacement) {
        let (seen, end) = (opened.open.seen, opened.end);
        if !self.known.succeed(seen, end, opened.tail) {
            return;
        }
        for (open, gap) in opened.between {
            let generation = self.runtime.generation(open);
            self.append(generation, Link::Rotated { gap, start: 0 });
        }
        let newest = self.runtime.generation(opened.open);
        let (gap, start) = (opened.gap, opened.start);
        self.append(newest, Link::Rotated { gap, start });
        self.last.end.set(end.offset);
        self.last.padded.set(end.padded);
        self.way = None;
    }

    /// The name means a file that can't be opened `now`.
    pub(crate) fn refuse(&mut self, error: &io::Error, now: Instant) {
        self.known.refuse(error, now);
    }

    fn append(&mut self, generation: Generation, link: Link) {
        if generation.system().sends_notices() {
            let watch = generation
                .file()
                .and_then(|file| self.runtime.notices.watch_file(&file, self.tell.clone()));
            *generation.watch.borrow_mut() = watch;
        }
        let generation = Rc::new(generation);
        *self.last.next.borrow_mut() = Some((link, generation.clone()));
        self.generations.push_back(Rc::downgrade(&generation));
        self.last = generation;
        self.generations.retain(|kept| kept.strong_count() > 0);
        while self.generations.len() > GENERATIONS_MAX {
            if let Some(oldest) = self
                .generations
                .pop_front()
                .and_then(|oldest| oldest.upgrade())
            {
                oldest.expire();
            }
        }
    }

    /// Whether the way to the file has to be found, anew or for the first time.
    pub(crate) fn wants_way(&self) -> bool {
        // While there is no file its way ends early, and goes on when a directory of it has come.
        self.known.is_gone() || !self.is_way_current() || !self.is_way_watched()
    }

    /// Takes the `way` to the file, which was found when there had been so many `mounts`, and has
    /// it watched. `true`: it is from now on, and what happened before went unnoticed.
    pub(crate) fn take_way(&mut self, way: Way, mounts: u64) -> bool {
        if let Some(baseline) = &mut self.way
            && baseline.mounts == mounts
            && baseline.way.points == way.points
            && baseline.watches.len() == way.points.len()
            && baseline.watches.iter().all(Watch::is_alive)
        {
            baseline.way = way;
            return false;
        }
        let (notices, tell) = (&self.runtime.notices, &self.tell);
        let watch = |point: &Point| match point {
            Point::Itself(path) => notices.watch_itself(path, tell.clone()),
            Point::Name(directory, name) => {
                notices.watch_name(directory, name.clone(), tell.clone())
            }
        };
        let watches: Option<Vec<Watch>> = (way.sends_notices)
            .then(|| way.points.iter().map(watch).collect())
            .flatten();
        let is_watched = watches.is_some();
        self.way = Some(WatchedWay {
            way,
            mounts,
            watches: watches.unwrap_or_default(),
        });
        is_watched
    }

    /// Whether the name may be asked for on the executor's own thread.
    pub(crate) fn is_way_prompt(&self) -> bool {
        let baseline = self.way.as_ref().filter(|_| self.is_way_current());
        baseline.is_some_and(|baseline| baseline.way.answers_at_once)
    }

    /// Whether nothing is known to have changed on the way since it was found.
    fn is_way_current(&self) -> bool {
        self.way.as_ref().is_some_and(|baseline| {
            baseline.mounts == self.runtime.notices.mounts()
                && baseline.watches.iter().all(Watch::is_alive)
        })
    }

    fn is_way_watched(&self) -> bool {
        self.way
            .as_ref()
            .is_some_and(|baseline| baseline.watches.len() == baseline.way.points.len())
    }

    /// Whether the kernel sends a notice of all that can happen.
    pub(crate) fn is_noticed(&self) -> bool {
        let file = self.known.seen.is_none()
            || self
                .last
                .watch
                .borrow()
                .as_ref()
                .is_some_and(Watch::is_alive);
        file && self.is_way_current() && self.is_way_watched() && !self.known.is_refused()
    }

    /// Whether somebody still reads what the name meant before.
    fn is_older_read(&self) -> bool {
        self.generations
            .iter()
            .rev()
            .skip(1)
            .any(|older| older.strong_count() > 0)
    }
}
