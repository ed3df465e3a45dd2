//! What a follower has in its hands while somebody listens: the generations of its name, and what was last seen of them.
//! Looks are done elsewhere; what they found is handed in.

use std::collections::VecDeque;
use std::io;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use smol::Task;

use crate::source::Runtime;
use crate::source::file::change::{Change, Seen, TailCheck, decide};
use crate::source::file::generation::{Generation, Link};
use crate::source::file::nuls::End;
use crate::source::file::observe::{BETWEEN_MAX, Baseline, Observation, Replacement, Since};
use crate::source::marker::Missing;
use crate::source::os::fs::OpenFile;
use crate::source::os::inotify::{Tell, Watch};
use crate::source::os::way::{Point, Way};

/// How long a name may mean nothing before viewers are told. Between the rename and the create of a rotation there is
/// a moment with no file, and nobody needs to hear of it.
const MISSING_GRACE: Duration = Duration::from_millis(500);

/// How long a deleted file that grows no more is kept open for a writer that still has it, too.
const DELETED_TIME: Duration = Duration::from_secs(10);

/// The most generations kept open for readers that are behind, in files. A sensor's file renamed over ten times a
/// second would otherwise use up the descriptors in the minute that a stuck client is given.
const GENERATIONS_MAX: usize = BETWEEN_MAX;

/// What there is only while somebody listens.
pub(crate) struct Chain {
    pub(crate) last: Rc<Generation>,
    /// What was last seen of the file of `last`; `None` while that is the void.
    pub(crate) seen: Option<Seen>,
    /// Where its content ended.
    end: End,
    /// The bytes before that end.
    tail: Vec<u8>,
    /// What was last seen of the file before the void that `last` is.
    before: Option<Seen>,
    /// Since when the name has meant no file.
    gone: Option<Instant>,
    /// Why readers are told that there is no file, if they are.
    pub(crate) missing: Option<Missing>,
    /// The file that the name means now can't be opened.
    refused: bool,
    /// The file of `last` was deleted, and has had no more bytes since.
    deleted: Option<Instant>,
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

/// What a look came to.
pub(crate) struct Outcome {
    /// No file has to be opened.
    pub(crate) settled: bool,
    /// Readers may have something to read, or to tell.
    pub(crate) news: bool,
    /// The name has lost its file just now.
    pub(crate) vanished: bool,
}

impl Chain {
    /// Before the first look. `task` does the looks.
    pub(crate) fn new(runtime: Runtime, tell: Tell, task: Task<()>) -> Self {
        let void = Rc::new(Generation::void(runtime.serial()));
        Self {
            generations: VecDeque::from([Rc::downgrade(&void)]),
            last: void,
            seen: None,
            end: End::default(),
            tail: Vec::new(),
            before: None,
            gone: None,
            missing: None,
            refused: false,
            deleted: None,
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

    fn since(&self) -> Since {
        Since {
            serial: self.last.serial,
            seen: self.seen,
        }
    }

    /// What the next look is compared with.
    pub(crate) fn baseline(&self) -> Baseline {
        Baseline {
            file: self.last.file(),
            since: self.since(),
            end: self.end,
            tail: self.tail.clone(),
            before: self.before,
        }
    }

    /// When to look though nothing was noticed.
    pub(crate) fn next_look(&self) -> Instant {
        let now = Instant::now();
        let wait = if self.is_noticed() {
            self.runtime.anyway
        } else {
            self.runtime.poll
        };
        let told =
            (self.gone.filter(|_| self.missing.is_none())).map(|since| since + MISSING_GRACE);
        let let_go = self.deleted.map(|since| since + DELETED_TIME);
        let due = [told, let_go].into_iter().flatten();
        due.fold(now + wait, Instant::min)
    }

    /// Takes over what a look found.
    pub(crate) fn apply(&mut self, observation: Observation) -> Outcome {
        let mut news = false;
        // A look on another thread may end after a later one on this: the file that it saw is shorter than it is known to be.
        let is_late = observation.since != self.since();
        // First the content of the file that is open, whatever its name is by now.
        if let (Some(seen), Some(held)) = (self.seen, observation.held)
            && seen != held
            && !is_late
        {
            // What counts is the content: padding may be cut off, and grow.
            let content = |seen: Seen, end: End| Seen {
                size: end.offset,
                ..seen
            };
            let (was, is) = (content(seen, self.end), content(held, observation.end));
            let change = decide(Some(&was), Some(&is), observation.tail);
            if matches!(change, Change::Shrank | Change::Rewritten) {
                self.restart(is);
            }
            if change == Change::Grew
                && !observation.grown.is_empty()
                && let Ok(mut cache) = self.runtime.cache.try_borrow_mut()
            {
                // In use only where a reader has asked for this look.
                cache.put(self.last.serial, was.size, &observation.grown);
            }
            self.last.learn(&held);
            self.last.end.set(is.size);
            self.last.padded.set(observation.end.padded);
            self.seen = Some(held);
            self.end = observation.end;
            self.tail = observation.fresh;
            news = change != Change::Same || seen.private != held.private;
        }
        if !is_late {
            self.deleted = match self.deleted {
                Some(since) if !news => Some(since),
                _ => Some(Instant::now()),
            }
            .filter(|_| observation.deleted);
        }
        // Then the name: what it meant is what is open, if it meant anything.
        let (was_missing, was_gone) = (self.missing, self.gone.is_some());
        let settled = match observation.now {
            None => true,
            Some(Err(error)) => {
                self.vanish(&error);
                true
            }
            Some(Ok(now)) => {
                let meant = (self.seen).filter(|seen| self.gone.is_none() || now.id == seen.id);
                let change = decide(meant.as_ref(), Some(&now), TailCheck::Fits);
                let other = matches!(change, Change::Replaced | Change::Back);
                if !other {
                    self.found();
                }
                !other
            }
        };
        let is_over = |since: Instant| since.elapsed() >= DELETED_TIME;
        if settled && self.missing.is_some() && self.deleted.is_some_and(is_over) {
            self.let_go();
            news = true;
        }
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
        self.found();
        let seen = opened.open.seen;
        if seen.id == self.last.id {
            // The same file came back while it was being opened; the next look compares it.
            return;
        }
        for (open, gap) in opened.between {
            let generation = self.runtime.generation(open);
            self.append(generation, Link::Rotated { gap, start: 0 });
        }
        let newest = self.runtime.generation(opened.open);
        let (gap, start) = (opened.gap, opened.start);
        self.append(newest, Link::Rotated { gap, start });
        self.last.end.set(opened.end.offset);
        self.last.padded.set(opened.end.padded);
        self.seen = Some(seen);
        self.end = opened.end;
        self.tail = opened.tail;
        self.before = None;
        self.deleted = None;
        self.way = None;
    }

    /// The name means a file that can't be opened: for a viewer that is none. It is tried again.
    pub(crate) fn refuse(&mut self, error: &io::Error) {
        self.refused = true;
        self.vanish(error);
    }

    /// The name means the file that is open.
    fn found(&mut self) {
        self.gone = None;
        self.missing = None;
        self.refused = false;
    }

    /// Closes a deleted file that has had no more bytes for long enough: its space is wanted back. Readers
    /// that are behind still hold it, the others go on to a void.
    fn let_go(&mut self) {
        self.before = self.seen.take();
        self.end = End::default();
        self.deleted = None;
        self.tail.clear();
        let void = Generation::void(self.runtime.serial());
        self.append(
            void,
            Link::Rotated {
                gap: false,
                start: 0,
            },
        );
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
        self.gone.is_some() || !self.is_way_current() || !self.is_way_watched()
    }

    /// Takes the `way` to the file, which was found when there had been so many `mounts`, and has it
    /// watched. `true`: it is from now on, and what happened before went unnoticed.
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

    /// The name means no file.
    fn vanish(&mut self, error: &io::Error) {
        let Some(cause) = Missing::of(error) else {
            // Nothing is known of the name now. It is asked for again soon.
            return;
        };
        let since = *self.gone.get_or_insert_with(Instant::now);
        // Where nobody has seen the name mean a file there is no rotation to wait for.
        if self.seen.is_none() || since.elapsed() >= MISSING_GRACE {
            self.missing = Some(cause);
        }
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
        file && self.is_way_current() && self.is_way_watched() && !self.refused
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::file::path::FilePath;
    use std::fs;

    /// Where something was mounted a moment ago the name is looked at on another thread, and readers look at the open file
    /// meanwhile.
    #[test]
    fn a_look_that_ends_after_a_later_one_tells_nothing_of_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        fs::write(&path, "one\n").unwrap();
        let place = FilePath::named(path.clone());
        let runtime = Runtime::bare(|_| {});
        let task = runtime.executor.spawn(async {});
        let mut chain = Chain::new(runtime, Rc::new(|| {}), task);
        chain.succeed(chain.baseline().open(&place).unwrap());
        let append = |line: &str| {
            use std::io::Write;
            let file = fs::File::options().append(true).open(&path);
            file.unwrap().write_all(line.as_bytes()).unwrap();
        };
        append("two\n");
        let late = chain.baseline().observe(Some(&place));
        append("three\n");
        let outcome = chain.apply(chain.baseline().observe(None));
        assert!(outcome.news);
        let last = chain.last.clone();
        let outcome = chain.apply(late);
        assert!(outcome.settled && !outcome.news);
        assert!(
            Rc::ptr_eq(&chain.last, &last) && !last.over.get(),
            "a cut that never was"
        );
        assert_eq!(last.end.get(), 14);
    }
}
