//! What is known of a name and of the file that it meant last, and what a look at them comes to.
//! Pure: what was seen, bytes and the time are values.

use std::io;
use std::time::{Duration, Instant};

use crate::source::file::change::{Change, Seen, decide};
use crate::source::file::nuls::End;
use crate::source::file::observe::Observation;
use crate::source::marker::Missing;

/// How long a name may mean nothing before viewers are told. Between the rename and the create of a
/// rotation there is a moment with no file, and nobody needs to hear of it.
pub(super) const MISSING_GRACE: Duration = Duration::from_millis(500);

/// How long a deleted file that grows no more is kept open for a writer that still has it, too.
pub(super) const DELETED_TIME: Duration = Duration::from_secs(10);

/// What is known of a name. Before the first look that is nothing.
#[derive(Default)]
pub(super) struct Known {
    /// What was last seen of the open file; `None` while there is none.
    pub(super) seen: Option<Seen>,
    /// Where its content ended.
    pub(super) end: End,
    /// The bytes before that end.
    pub(super) tail: Vec<u8>,
    /// What was last seen of a file that was let go, until there is another one.
    pub(super) before: Option<Seen>,
    /// Since when the name has meant no file.
    gone: Option<Instant>,
    /// Why readers are told that there is no file, if they are.
    pub(super) missing: Option<Missing>,
    /// The file that the name means now can't be opened, or nothing can be known of the name.
    refused: bool,
    /// The open file was deleted, and has had no more bytes since.
    deleted: Option<Instant>,
    /// When the last look was taken over.
    looked: Option<Instant>,
}

/// What a look comes to.
pub(crate) struct Outcome {
    /// No file has to be opened.
    pub(crate) settled: bool,
    /// Readers may have something to read, or to tell.
    pub(crate) news: bool,
    /// The name has lost its file just now.
    pub(crate) vanished: bool,
}

/// What has become of the open file.
pub(super) struct Content {
    pub(super) held: Seen,
    pub(super) end: End,
    /// It was cut or written over.
    pub(super) is_other: bool,
    /// What it has grown by, where that was read, and the offset that it stands at.
    pub(super) grown: Option<(u64, Vec<u8>)>,
}

impl Known {
    /// Takes over what a look found `now`: what has become of the open file, whether it is to be
    /// let go after that, and what the look comes to.
    pub(super) fn apply(
        &mut self,
        observation: Observation,
        now: Instant,
    ) -> (Option<Content>, bool, Outcome) {
        let Observation {
            since,
            now: named,
            held,
            deleted,
            tail,
            end,
            fresh,
            grown,
        } = observation;
        self.looked = Some(now);
        // A look on another thread may end after a later one on this: the file that it saw is
        // shorter than it is known to be, and was not cut.
        let is_late = since != self.seen;
        let mut news = false;
        // First the content of the file that is open, whatever its name is by now.
        let mut content = None;
        if let (Some(seen), Some(held)) = (self.seen, held)
            && seen != held
            && !is_late
        {
            // What counts is the content: padding may be cut off, and grow.
            let was = Seen {
                size: self.end.offset,
                ..seen
            };
            let is = Seen {
                size: end.offset,
                ..held
            };
            let change = decide(Some(&was), Some(&is), tail);
            content = Some(Content {
                held,
                end,
                is_other: matches!(change, Change::Shrank | Change::Rewritten),
                grown: (change == Change::Grew && !grown.is_empty()).then_some((was.size, grown)),
            });
            self.seen = Some(held);
            self.end = end;
            self.tail = fresh;
            news = change != Change::Same || seen.private != held.private;
        }
        if !is_late {
            self.deleted = match self.deleted {
                Some(since) if !news => Some(since),
                _ => Some(now),
            }
            .filter(|_| deleted);
        }
        // Then the name: what it meant is what is open, if it meant anything.
        let (was_missing, was_gone) = (self.missing, self.gone.is_some());
        let settled = match named {
            None => true,
            Some(Err(error)) => {
                self.vanish(&error, now);
                true
            }
            Some(Ok(named)) => {
                let is_open = self.seen.is_some_and(|seen| seen.id == named.id);
                if is_open {
                    self.found();
                }
                is_open
            }
        };
        let is_over = |since: Instant| now.duration_since(since) >= DELETED_TIME;
        // A name that can be given no file must not keep the deleted one.
        let is_asked = settled || self.refused;
        let let_go = is_asked && self.missing.is_some() && self.deleted.is_some_and(is_over);
        if let_go {
            self.let_go();
        }
        let outcome = Outcome {
            settled,
            news: news || let_go || self.missing != was_missing,
            vanished: self.gone.is_some() && !was_gone,
        };
        (content, let_go, outcome)
    }

    /// The name means a file that was opened just now. `true`: another one than before.
    pub(super) fn succeed(&mut self, seen: Seen, end: End, tail: Vec<u8>) -> bool {
        self.found();
        if self.seen.is_some_and(|known| known.id == seen.id) {
            // The same file came back while it was being opened; the next look compares it.
            return false;
        }
        self.seen = Some(seen);
        self.end = end;
        self.tail = tail;
        self.before = None;
        self.deleted = None;
        true
    }

    /// The name means a file that can't be opened: for a viewer that is none. It is tried again.
    pub(super) fn refuse(&mut self, error: &io::Error, now: Instant) {
        self.vanish(error, now);
        self.refused = true;
    }

    /// The name means no file.
    fn vanish(&mut self, error: &io::Error, now: Instant) {
        let Some(cause) = Missing::of(error) else {
            // Nothing is known of the name now. It is asked for again soon.
            self.refused = true;
            return;
        };
        self.refused = false;
        let since = *self.gone.get_or_insert(now);
        // Where nobody has seen the name mean a file there is no rotation to wait for.
        if self.seen.is_none() || now.duration_since(since) >= MISSING_GRACE {
            self.missing = Some(cause);
        }
    }

    /// The name means the file that is open.
    fn found(&mut self) {
        self.gone = None;
        self.missing = None;
        self.refused = false;
    }

    /// A deleted file that has had no more bytes for long enough is to be closed: its space is
    /// wanted back.
    fn let_go(&mut self) {
        self.before = self.seen.take();
        self.end = End::default();
        self.deleted = None;
        self.tail.clear();
    }

    /// When to look though nothing was noticed, where that is so after `wait`.
    pub(super) fn next_look(&self, now: Instant, wait: Duration) -> Instant {
        let told = (self.gone.filter(|_| self.missing.is_none())).map(|gone| gone + MISSING_GRACE);
        let let_go = self.deleted.map(|since| since + DELETED_TIME);
        let due = [told, let_go].into_iter().flatten();
        // What was due at the last look and could not be done then must not cause one look after
        // another.
        let due = due.filter(|&due| self.looked.is_none_or(|looked| due > looked));
        due.fold(now + wait, Instant::min)
    }

    /// Whether the name means no file.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.is_some()
    }

    /// Whether the file that the name means now can't be had: nothing tells when it can.
    pub(super) fn is_refused(&self) -> bool {
        self.refused
    }
}
