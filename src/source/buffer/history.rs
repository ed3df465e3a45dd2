//! What is kept of a stream that no file keeps: a sample's readings, a pipe's bytes.
//!
//! One history for all readers of the stream. It never grows, and nobody who writes to it ever
//! waits for a reader.

mod playback;

pub use playback::Playback;

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::rc::Rc;
use std::time::SystemTime;

use event_listener::{Event, EventListener};

use crate::bell::Bell;
use crate::bytes::cursor::{CHECK_SPAN, Cursor, fnv1a};
use crate::bytes::ring::Ring;
use crate::source::cache::ReadCache;
use crate::source::marker::Missing;

/// How much is kept of one stream, in bytes: some hours of a reading a second, twenty seconds of a
/// serial line at 115,200 baud, and little enough for ten of them on a board of 64 MiB.
pub const HISTORY: usize = 256 * 1024;

/// The last bytes of a stream, as many as were asked for, and who listens to it.
pub struct History {
    ring: RefCell<Ring>,
    /// Stands in cursors where a file has its inode. Made at random at start: a cursor of another
    /// run is known by it.
    id: u64,
    /// Tells what the read cache holds.
    serial: u64,
    written: Cell<Option<SystemTime>>,
    missing: Cell<Option<Missing>>,
    /// Readings that failed.
    failed: Cell<u64>,
    listeners: Cell<usize>,
    /// Something is new for readers.
    changed: Rc<Bell>,
    /// Somebody has begun to listen.
    joined: Event,
}

impl History {
    /// An empty one of at most `capacity` bytes, in memory that grows as it fills; `serial` differs
    /// from that of every generation and history.
    pub fn new(serial: u64, capacity: usize) -> Rc<Self> {
        Rc::new(Self {
            ring: RefCell::new(Ring::new(capacity)),
            id: random(serial),
            serial,
            written: Cell::new(None),
            missing: Cell::new(None),
            failed: Cell::new(0),
            listeners: Cell::new(0),
            changed: Rc::default(),
            joined: Event::new(),
        })
    }

    /// Appends what `read` puts into the space of `cache`: how much that was. Readers that are at
    /// the end find it there.
    ///
    /// # Errors
    /// As `read`.
    pub fn take<E>(
        &self,
        cache: &mut ReadCache,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let length = read(cache.space())?;
        cache.filled(self.serial, self.ring.borrow().end(), length);
        if length > 0 {
            self.push(cache.bytes());
        }
        Ok(length)
    }

    /// Appends `bytes`, which shows that the source is there.
    pub fn push(&self, bytes: &[u8]) {
        self.ring.borrow_mut().push(bytes);
        self.written.set(Some(SystemTime::now()));
        self.missing.set(None);
        self.changed.ring();
    }

    /// Readers are told when the source goes, and when it is there again.
    pub fn set_missing(&self, missing: Option<Missing>) {
        if self.missing.replace(missing) != missing {
            self.changed.ring();
        }
    }

    /// Why the source is gone, if it is.
    pub fn missing(&self) -> Option<Missing> {
        self.missing.get()
    }

    /// How many bytes are held.
    pub fn held(&self) -> u64 {
        let ring = self.ring.borrow();
        ring.end() - ring.oldest()
    }

    /// A reading failed, and why, where that is known.
    pub fn fail(&self, cause: Option<Missing>) {
        self.failed.set(self.failed.get() + 1);
        self.missing.set(cause.or(self.missing.get()));
        // Readers who were told a moment ago may be told again by now.
        self.changed.ring();
    }

    /// When bytes came last.
    pub fn written(&self) -> Option<SystemTime> {
        self.written.get()
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.listeners.get()
    }

    /// Resolves when somebody begins to listen.
    pub fn joined(&self) -> EventListener {
        self.joined.listen()
    }

    /// Begins to listen.
    pub fn listen(self: &Rc<Self>) -> Listening {
        self.listeners.set(self.listeners.get() + 1);
        self.joined.notify(usize::MAX);
        Listening(self.clone())
    }

    /// Stands in its cursors where a file has its inode.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The offset of the oldest byte that is held.
    pub(crate) fn oldest(&self) -> u64 {
        self.ring.borrow().oldest()
    }

    /// The offset behind the newest byte.
    pub(crate) fn end(&self) -> u64 {
        self.ring.borrow().end()
    }

    /// As [`Ring::read`].
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) -> Option<usize> {
        self.ring.borrow().read(offset, into)
    }

    /// The place of `offset`, with its check while the bytes for it are held.
    pub(crate) fn cursor(&self, offset: u64) -> Cursor {
        let before = self.ring.borrow().before(offset);
        let is_whole = before.len() as u64 == offset.min(CHECK_SPAN);
        let check = is_whole.then(|| fnv1a(&before));
        Cursor {
            inode: self.id,
            offset,
            check,
        }
    }

    /// Where a cursor leads, and what was lost on the way there, if anything: `Some(None)` when
    /// nobody knows how much.
    fn resume(&self, cursor: Cursor) -> (u64, Option<Option<u64>>) {
        let ring = self.ring.borrow();
        let oldest = ring.oldest();
        if cursor.inode != self.id || cursor.offset > ring.end() {
            return (oldest, Some(None));
        }
        if cursor.offset < oldest {
            return (oldest, Some(Some(oldest - cursor.offset)));
        }
        let here = self.cursor(cursor.offset).check;
        match (here, cursor.check) {
            (Some(here), Some(check)) if here != check => (oldest, Some(None)),
            _ => (cursor.offset, None),
        }
    }
}

/// A number that is not 0, from the keys that the standard library gets from the kernel.
fn random(serial: u64) -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u64(serial);
    hasher.finish().max(1)
}

/// One who listens.
pub struct Listening(Rc<History>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.listeners.set(self.0.listeners.get() - 1);
    }
}

#[cfg(test)]
mod tests;
