//! One reader's way through a history, which waits for nobody.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::{History, Listening};
use crate::bell::Listener;
use crate::bytes::cursor::{Cursor, From};
use crate::source::cache::ReadCache;
use crate::source::marker::{Lost, Marker, Missing, Next};

/// How long a reader is not told again that a sensor fails: one that fails every other second would
/// bury its readings.
const FAILING_TOLD: Duration = Duration::from_secs(60);

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
