//! The way along the generations: from one to the next, and what is told on the way.

use std::io;
use std::rc::Rc;

use crate::source::file::generation::{Generation, Link};
use crate::source::file::reader::FileReader;
use crate::source::file::reader::step::{self, Standing, Step};
use crate::source::file::rotated::{self, Found, Old};
use crate::source::marker::Marker;
use crate::source::os::fs::{self, OpenFile};

impl FileReader {
    /// Whether no other file comes after it.
    pub(crate) fn is_newest(&self) -> bool {
        self.follower
            .last()
            .is_some_and(|last| Rc::ptr_eq(&last, &self.generation))
    }

    /// What to do where nothing is left to read of `generation`. `led`: a later file had something to read
    /// already before that was found.
    pub(super) fn step(&self, generation: &Generation, is_newest: bool, led: bool) -> Step {
        let next = generation.next();
        step::step(Standing {
            is_newest,
            is_void: generation.is_void(),
            leads: next.is_some() && generation.leads_to_data(),
            next: next.map(|(link, next)| (link, next.is_void())),
            led,
            missing: self.follower.missing(),
            told_missing: self.told_missing,
        })
    }

    /// Leaves a generation that was given up or cut. `true`: it has. One place for all who read.
    pub(super) fn leave_ended(&mut self, generation: &Generation) -> io::Result<bool> {
        let is_linked = generation.next.borrow().is_some();
        match step::ended(generation.expired.get(), generation.over.get(), is_linked) {
            Some(step) => self.take(step, generation),
            None => Ok(false),
        }
    }

    /// Takes a step from `generation`. `true`: there is more to say, or to read.
    pub(super) fn take(&mut self, step: Step, generation: &Generation) -> io::Result<bool> {
        match step {
            Step::TellMissing(cause) => {
                self.told_missing = Some(cause);
                self.told.push_back(Marker::Missing(cause, 1));
            }
            Step::TellFound { same } => {
                self.told_missing = None;
                self.told.push_back(Marker::Found);
                if same {
                    // The very same file has its name again.
                    let place = self.cursor_unchecked();
                    self.told.push_back(Marker::Rotated(place));
                }
            }
            Step::GiveUp => {
                let oldest = self.follower.oldest().ok_or(io::ErrorKind::NotFound)?;
                self.enter(oldest, 0);
                let start = self.cursor_unchecked();
                self.told.push_back(Marker::Lost(start, None));
            }
            Step::Restart => {
                let lost = generation.end.get().saturating_sub(self.offset);
                self.enter_next(generation, 0);
                let start = self.cursor_unchecked();
                self.told.push_back(Marker::Truncated(start, lost));
            }
            Step::Rotate {
                gap,
                start,
                is_file,
            } => {
                self.enter_next(generation, start);
                let start = self.cursor_unchecked();
                if is_file && gap {
                    self.told.push_back(Marker::Lost(start, None));
                }
                if is_file {
                    self.told.push_back(Marker::Rotated(start));
                }
            }
            Step::Again => {}
            Step::Find | Step::Wait => return Ok(false),
        }
        Ok(true)
    }

    fn enter_next(&mut self, generation: &Generation, offset: u64) {
        if let Some((_, next)) = generation.next() {
            self.enter(next, offset);
        }
    }

    fn enter(&mut self, generation: Rc<Generation>, offset: u64) {
        self.generation = generation;
        self.offset = offset;
        self.skipped = 0;
        self.warmed = None;
    }

    /// From a member of the family, which no follower has linked to anything, finds the way on to the next newer one.
    pub(super) async fn link(&self) {
        let place = self.follower.place.clone();
        // One that was cut a moment ago is no end of the way: its bytes are in a copy, which is on it.
        self.follower.fresh().await;
        // Taken before the directory is read: what comes after this one is linked to it already.
        let last = self.follower.last();
        let (id, now) = (self.generation.id, last.as_ref().map(|last| last.id));
        let at = self.generation.file();
        let find = move || {
            let metadata = at.as_ref().and_then(|file| file.metadata().ok());
            let seen = metadata.map(|metadata| fs::seen(&metadata));
            let old = Old {
                id,
                seen: seen.as_ref(),
                file: at.as_deref(),
            };
            let next = rotated::next(&place, old, now);
            next.map(|Found { file, seen, gap }| (OpenFile::new((file, seen)), gap))
        };
        // One at a time: a client that is far behind holds one file, not all of them.
        let (next, gap) = match self.follower.family.answer(find).await {
            Ok((open, gap)) => {
                let next = self.follower.runtime.generation(open);
                (Some(Rc::new(next)), gap)
            }
            Err(gap) => (last, gap),
        };
        let link = Link::Rotated { gap, start: 0 };
        *self.generation.next.borrow_mut() = next.map(|next| (link, next));
    }
}
