//! The way along the generations: from one to the next, and what is told on the way.
//!
//! A [`Position`] goes it by itself, from values that are handed in; the reader asks its follower
//! for them.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use crate::bytes::cursor::Cursor;
use crate::source::file::generation::{Generation, Link};
use crate::source::file::reader::FileReader;
use crate::source::file::reader::step::{self, Standing, Step};
use crate::source::file::rotated::{self, Found, Old};
use crate::source::marker::{Marker, Missing};
use crate::source::os::fs::{self, OpenFile};

/// Where a reader is, and what it has to tell before it reads on.
pub(super) struct Position {
    pub(super) generation: Rc<Generation>,
    pub(super) offset: u64,
    /// What is to be told, in order.
    pub(super) told: VecDeque<Marker>,
    /// Why there is no file, if that was told, and that there is one again was not.
    told_missing: Option<Missing>,
    /// NULs before the offset that were passed over, and not told yet.
    pub(super) skipped: u64,
    /// Another reader may have put the same bytes into the cache first; then these are not needed,
    /// and must not be taken for what comes later.
    pub(super) warmed: Option<Warmed>,
}

/// What was read on another thread.
pub(super) struct Warmed {
    /// The offset that it stands at.
    pub(super) at: u64,
    pub(super) bytes: Vec<u8>,
    /// Whether there was something to read in a later file already before it was read.
    pub(super) led: bool,
}

impl Position {
    pub(super) fn new(generation: Rc<Generation>, offset: u64) -> Self {
        Self {
            generation,
            offset,
            told: VecDeque::new(),
            told_missing: None,
            skipped: 0,
            warmed: None,
        }
    }

    /// The place of the next byte without a read: with its check only at a file's start.
    pub(super) fn cursor_unchecked(&self) -> Cursor {
        match (self.generation.id.inode, self.offset) {
            (0, _) => Cursor::NOWHERE,
            (inode, 0) => Cursor::new(inode, 0, &[]),
            (inode, offset) => Cursor {
                inode,
                offset,
                check: None,
            },
        }
    }

    /// Whether no mark waits to be told, and none that was told may still be taken back.
    pub(super) fn has_told_all(&self) -> bool {
        self.told.is_empty() && self.told_missing.is_none()
    }

    /// Tells of the NULs that were passed over. `false`: there were none.
    pub(super) fn tell_skipped(&mut self) -> bool {
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            let place = self.cursor_unchecked();
            self.told.push_back(Marker::Skipped(place, skipped));
        }
        skipped > 0
    }

    /// What decides the next step where nothing is left to read. `led`: a later file had something
    /// to read already before that was found. `missing`: why there is no file now.
    fn standing(&self, is_newest: bool, led: bool, missing: Option<Missing>) -> Standing {
        let next = self.generation.next();
        Standing {
            is_newest,
            is_void: self.generation.is_void(),
            leads: self.generation.leads_to_data(),
            next: next.map(|(link, next)| (link, next.is_void())),
            led,
            missing,
            told_missing: self.told_missing,
        }
    }

    /// The step to take before anything is read, where the generation was given up or cut.
    fn ended(&self) -> Option<Step> {
        let generation = &self.generation;
        let is_linked = generation.next.borrow().is_some();
        step::ended(generation.expired.get(), generation.over.get(), is_linked)
    }

    /// Takes a step. `true`: there is more to say, or to read. `oldest` is the oldest generation
    /// that is still kept.
    ///
    /// # Errors
    /// `NotFound` where the reader has to go to the oldest generation, and there is none.
    fn take(&mut self, step: Step, oldest: Option<Rc<Generation>>) -> io::Result<bool> {
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
                self.enter(oldest.ok_or(io::ErrorKind::NotFound)?, 0);
                let start = self.cursor_unchecked();
                self.told.push_back(Marker::Lost(start, None));
            }
            Step::Restart => {
                let lost = self.generation.end.get().saturating_sub(self.offset);
                self.enter_next(0);
                let start = self.cursor_unchecked();
                self.told.push_back(Marker::Truncated(start, lost));
            }
            Step::Rotate {
                gap,
                start,
                is_file,
            } => {
                self.enter_next(start);
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

    fn enter_next(&mut self, offset: u64) {
        if let Some((_, next)) = self.generation.next() {
            self.enter(next, offset);
        }
    }

    fn enter(&mut self, generation: Rc<Generation>, offset: u64) {
        self.generation = generation;
        self.offset = offset;
        self.skipped = 0;
        self.warmed = None;
    }

    /// Links the generation to the next newer file that was `found`, else to the `last` one; each
    /// with whether another file may be missing between the two.
    fn link(&self, found: Result<(Generation, bool), bool>, last: Option<Rc<Generation>>) {
        let (next, gap) = match found {
            Ok((next, gap)) => (Some(Rc::new(next)), gap),
            Err(gap) => (last, gap),
        };
        let link = Link::Rotated { gap, start: 0 };
        *self.generation.next.borrow_mut() = next.map(|next| (link, next));
    }
}

impl FileReader {
    /// Whether no other file comes after it.
    pub(crate) fn is_newest(&self) -> bool {
        self.follower
            .last()
            .is_some_and(|last| Rc::ptr_eq(&last, &self.at.generation))
    }

    /// What to do where nothing is left to read. `led`: a later file had something to read already
    /// before that was found.
    pub(super) fn step(&self, is_newest: bool, led: bool) -> Step {
        step::step(self.at.standing(is_newest, led, self.follower.missing()))
    }

    /// Leaves a generation that was given up or cut. `true`: it has. One place for all who read.
    pub(super) fn leave_ended(&mut self) -> io::Result<bool> {
        match self.at.ended() {
            Some(step) => self.take(step),
            None => Ok(false),
        }
    }

    /// Takes a step. `true`: there is more to say, or to read.
    pub(super) fn take(&mut self, step: Step) -> io::Result<bool> {
        self.at.take(step, self.follower.oldest())
    }

    /// From a member of the family, which no follower has linked to anything, finds the way on to
    /// the next newer one.
    pub(super) async fn link(&self) {
        let place = self.follower.place.clone();
        // One that was cut a moment ago is no end of the way: its bytes are in a copy, which is on
        // it.
        self.follower.fresh().await;
        // Taken before the directory is read: what comes after this one is linked to it already.
        let last = self.follower.last();
        let (id, now) = (self.at.generation.id, last.as_ref().map(|last| last.id));
        let file = self.at.generation.file();
        let find = move || {
            let metadata = file.as_ref().and_then(|file| file.metadata().ok());
            let seen = metadata.map(|metadata| fs::seen(&metadata));
            let old = Old {
                id,
                seen: seen.as_ref(),
                file: file.as_deref(),
            };
            let next = rotated::next(&place, old, now);
            next.map(|Found { file, seen, gap }| (OpenFile::new((file, seen)), gap))
        };
        // One at a time: a client that is far behind holds one file, not all of them.
        let found = self.follower.family.answer(find).await;
        let found = found.map(|(open, gap)| (self.follower.runtime.generation(open), gap));
        self.at.link(found, last);
    }
}
