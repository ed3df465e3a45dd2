//! What is kept of a stream that no file keeps: a sample's readings, a pipe's bytes.
//!
//! One history for all readers of the stream. It never grows, and nobody who writes to it ever
//! waits for a reader.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use event_listener::{Event, EventListener};

use crate::bell::{Bell, Listener};
use crate::bytes::cursor::{CHECK_SPAN, Cursor, From, fnv1a};
use crate::bytes::ring::Ring;
use crate::source::cache::ReadCache;
use crate::source::marker::{Lost, Marker, Missing, Next};

/// How much is kept of one stream, in bytes: some hours of a reading a second, twenty seconds of a
/// serial line at 115,200 baud, and little enough for ten of them on a board of 64 MiB.
pub const HISTORY: usize = 256 * 1024;

/// How long a reader is not told again that a sensor fails: one that fails every other second would
/// bury its readings.
const FAILING_TOLD: Duration = Duration::from_secs(60);

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

/// One client's way through a history: an offset.
pub struct Playback {
    history: Rc<History>,
    offset: u64,
    told: VecDeque<Marker>,
    told_missing: Option<Missing>,
    /// When it was told last that readings fail, and up to which failure; failures before this
    /// reader are not its own.
    told_failing: (Option<Instant>, u64),
    _listening: Listening,
}

impl Playback {
    /// Takes the place that `from` means.
    pub fn open(history: &Rc<History>, listening: Listening, from: From) -> Self {
        let (oldest, end) = {
            let ring = history.ring.borrow();
            (ring.oldest(), ring.end())
        };
        let mut told = VecDeque::new();
        let offset = match from {
            From::Start => oldest,
            From::End => end,
            From::Lines(count) => history.ring.borrow().last_lines(count),
            From::Cursor(cursor) => {
                let (offset, lost) = history.resume(cursor);
                told.extend(lost.map(|bytes| Marker::Lost(history.cursor(offset), bytes)));
                offset
            }
        };
        Self {
            history: history.clone(),
            offset,
            told,
            told_missing: None,
            told_failing: (None, history.failed.get()),
            _listening: listening,
        }
    }

    /// As [`Reader::next`](crate::source::reader::Reader::next), and never cold.
    pub fn next(&mut self, cache: &mut ReadCache) -> Next {
        if let Some(marker) = self.told.pop_front() {
            return Next::Marker(marker);
        }
        let missing = self.history.missing();
        if self.told_missing.is_some() && missing.is_none() {
            self.told_missing = None;
            // Nothing begins anew: it goes on where it was.
            let place = self.history.cursor(self.offset);
            self.told.push_back(Marker::Rotated(place));
            return Next::Marker(Marker::Found);
        }
        if let Some(lost) = self.overrun() {
            return Next::Marker(lost);
        }
        if self.read(cache) {
            return Next::Bytes;
        }
        if let Some(cause) = missing
            && missing != self.told_missing
            && let Some(count) = self.failing()
        {
            self.told_missing = missing;
            return Next::Marker(Marker::Missing(cause, count));
        }
        Next::End
    }

    /// How many readings have failed since that was told last; `None`: it was told a moment ago.
    /// What is no sensor fails no reading, and is told of each time.
    fn failing(&mut self) -> Option<u64> {
        let failed = self.history.failed.get();
        let (at, told) = self.told_failing;
        let count = failed - told;
        if count > 0 {
            if at.is_some_and(|at| at.elapsed() < FAILING_TOLD) {
                return None;
            }
            self.told_failing = (Some(Instant::now()), failed);
        }
        Some(count)
    }

    /// Goes on at the oldest byte where the next one is no longer held.
    fn overrun(&mut self) -> Option<Marker> {
        let lost = self
            .start()
            .checked_sub(self.offset)
            .filter(|&lost| lost > 0)?;
        self.offset += lost;
        Some(Marker::Lost(self.cursor_behind(0), Some(lost)))
    }

    /// `false`: there is nothing more.
    fn read(&mut self, cache: &mut ReadCache) -> bool {
        let serial = self.history.serial;
        if !cache.holds(serial, self.offset) {
            let ring = self.history.ring.borrow();
            let read = ring.read(self.offset, cache.space()).unwrap_or(0);
            cache.filled(serial, self.offset, read);
        }
        let read = cache.bytes().len();
        self.offset += read as u64;
        read > 0
    }

    /// As [`Reader::size`](crate::source::reader::Reader::size).
    pub fn size(&self) -> u64 {
        self.history.held()
    }

    /// As [`Reader::start`](crate::source::reader::Reader::start).
    pub fn start(&self) -> u64 {
        self.history.ring.borrow().oldest()
    }

    /// As [`Reader::offset`](crate::source::reader::Reader::offset).
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// As [`Reader::missing`](crate::source::reader::Reader::missing).
    pub fn missing(&self) -> Option<Missing> {
        self.history.missing()
    }

    /// As [`Reader::seek`](crate::source::reader::Reader::seek).
    pub fn seek(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// As [`Reader::cursor_behind`](crate::source::reader::Reader::cursor_behind).
    pub fn cursor_behind(&self, length: u64) -> Cursor {
        self.history.cursor(self.offset + length)
    }

    /// As [`Reader::before`](crate::source::reader::Reader::before).
    pub fn before(&self) -> Vec<u8> {
        self.history.ring.borrow().before(self.offset)
    }

    /// As [`Reader::available`](crate::source::reader::Reader::available).
    pub fn available(&mut self) -> (u64, Lost) {
        let mut lost = Lost::Nothing;
        let told = std::mem::take(&mut self.told);
        for marker in told.into_iter().chain(self.overrun()) {
            lost = lost.and(&marker);
        }
        (self.history.ring.borrow().end() - self.offset, lost)
    }

    /// As [`Reader::changed`](crate::source::reader::Reader::changed).
    pub(crate) fn changed(&self) -> Listener {
        self.history.changed.listen()
    }
}

#[cfg(test)]
mod tests;
