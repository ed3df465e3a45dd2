//! What is kept of a stream that no file keeps: a sample's readings, a pipe's bytes.
//!
//! One history for all readers of the stream. It never grows, and nobody who writes to it ever waits for a reader.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::rc::Rc;
use std::time::SystemTime;

use event_listener::{Event, EventListener};

use crate::bell::{Bell, Listener};
use crate::bytes::cursor::{CHECK_SPAN, Cursor, From, fnv1a};
use crate::bytes::ring::Ring;
use crate::source::cache::Scratch;
use crate::source::marker::{Lost, Marker, Next};

/// How much is kept of one stream, in bytes: some hours of a reading a second, twenty seconds of a serial line at
/// 115,200 baud, and little enough for ten of them on a board of 64 MiB.
pub const HISTORY: usize = 256 * 1024;

/// The last [`HISTORY`] bytes of a stream, and who listens to it.
pub struct History {
    ring: RefCell<Ring>,
    /// Stands in cursors where a file has its inode. Made at random at start: a cursor of another run is known by it.
    id: u64,
    /// Tells what the scratch buffer holds.
    serial: u64,
    written: Cell<Option<SystemTime>>,
    missing: Cell<bool>,
    listeners: Cell<usize>,
    /// Something is new for readers.
    changed: Rc<Bell>,
    /// Somebody has begun to listen.
    joined: Event,
}

impl History {
    /// An empty one; `serial` differs from that of every generation and history.
    pub fn new(serial: u64) -> Rc<Self> {
        Rc::new(Self {
            ring: RefCell::new(Ring::new(HISTORY)),
            id: random(serial),
            serial,
            written: Cell::new(None),
            missing: Cell::new(false),
            listeners: Cell::new(0),
            changed: Rc::default(),
            joined: Event::new(),
        })
    }

    /// Appends what `read` puts into the space of `scratch`: how much that was. Readers that are at the end find it there.
    ///
    /// # Errors
    /// As `read`.
    pub fn take<E>(
        &self,
        scratch: &mut Scratch,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let length = read(scratch.space())?;
        scratch.filled(self.serial, self.ring.borrow().end(), length);
        if length > 0 {
            self.push(scratch.bytes());
        }
        Ok(length)
    }

    /// Appends `bytes`, which shows that the source is there.
    pub fn push(&self, bytes: &[u8]) {
        self.ring.borrow_mut().push(bytes);
        self.written.set(Some(SystemTime::now()));
        self.missing.set(false);
        self.changed.ring();
    }

    /// Readers are told when the source goes, and when it is there again.
    pub fn set_missing(&self, missing: bool) {
        if self.missing.replace(missing) != missing {
            self.changed.ring();
        }
    }

    /// Whether the source is gone.
    pub fn is_missing(&self) -> bool {
        self.missing.get()
    }

    /// How many bytes are held.
    pub fn held(&self) -> u64 {
        let ring = self.ring.borrow();
        ring.end() - ring.oldest()
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

    /// The place of `offset`, with its check while the bytes for it are held.
    fn cursor(&self, offset: u64) -> Cursor {
        let before = self.ring.borrow().before(offset);
        let is_whole = before.len() as u64 == offset.min(CHECK_SPAN);
        let check = is_whole.then(|| fnv1a(&before));
        Cursor {
            inode: self.id,
            offset,
            check,
        }
    }

    /// Where a cursor leads, and what was lost on the way there, if anything: `Some(None)` when nobody knows how much.
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
    told_missing: bool,
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
            told_missing: false,
            _listening: listening,
        }
    }

    /// As [`Reader::next`](crate::source::reader::Reader::next), and never cold.
    pub fn next(&mut self, scratch: &mut Scratch) -> Next {
        if let Some(marker) = self.told.pop_front() {
            return Next::Marker(marker);
        }
        let missing = self.history.is_missing();
        if self.told_missing && !missing {
            self.told_missing = false;
            // Nothing begins anew: it goes on where it was.
            let place = self.history.cursor(self.offset);
            self.told.push_back(Marker::Rotated(place));
            return Next::Marker(Marker::Found);
        }
        if let Some(lost) = self.overrun() {
            return Next::Marker(lost);
        }
        if self.read(scratch) {
            return Next::Bytes;
        }
        if missing && !self.told_missing {
            self.told_missing = true;
            return Next::Marker(Marker::Missing);
        }
        Next::End
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
    fn read(&mut self, scratch: &mut Scratch) -> bool {
        let serial = self.history.serial;
        if !scratch.holds(serial, self.offset) {
            let ring = self.history.ring.borrow();
            let read = ring.read(self.offset, scratch.space()).unwrap_or(0);
            scratch.filled(serial, self.offset, read);
        }
        let read = scratch.bytes().len();
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
