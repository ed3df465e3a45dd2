//! One client's way through a file and the files that come after it: a generation and an offset.
//!
//! The file is the queue. However slow a client is, its reader costs nothing more than this.

mod along;
mod place;
mod skip;
mod step;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use futures_lite::future;
use smol::Timer;

use crate::bell::Listener;
use crate::bytes::cursor::{Cursor, From};
use crate::bytes::utf16::Utf16;
use crate::source::cache::{CHUNK, ReadCache};
use crate::source::file::follower::{Follower, Listening};
use crate::source::file::generation::Generation;
use crate::source::file::nuls::{self, Piece};
use crate::source::file::reader::step::Step;
use crate::source::marker::{Lost, Marker, Missing, Next};
use crate::source::os::bulkhead::OPEN_TIME;
use crate::source::os::fs;
use crate::source::os::unblock::unblock;

/// How often in a row a file is read anew because it was rewritten under the read.
const REWRITTEN_MAX: u32 = 8;

/// Walks along the generations of one follower.
pub struct FileReader {
    follower: Rc<Follower>,
    generation: Rc<Generation>,
    offset: u64,
    told: VecDeque<Marker>,
    told_missing: Option<Missing>,
    /// It is for one who has shown no key: for everybody on this machine.
    only_public: bool,
    /// NULs before the offset that were passed over, and not told yet.
    skipped: u64,
    /// NULs are content, too.
    raw: bool,
    /// Another reader may have put the same bytes into the cache first; then these are not needed, and must not be taken for
    /// what comes later.
    warmed: Option<Warmed>,
    listening: Listening,
}

/// What was read on another thread.
struct Warmed {
    /// The offset that it stands at.
    at: u64,
    bytes: Vec<u8>,
    /// Whether there was something to read in a later file already before it was read.
    led: bool,
}

impl FileReader {
    /// Takes the place that `from` means in the stream of `follower`. Whatever is appended after this returns will be read.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn open(follower: &Rc<Follower>, from: From) -> io::Result<Self> {
        let listening = follower.listen();
        let late = async {
            Timer::after(OPEN_TIME).await;
            Err(io::ErrorKind::TimedOut.into())
        };
        let fresh = async {
            follower.fresh().await;
            listening.check()
        };
        // What comes then may take its time, as the search for a million lines does: it goes on.
        future::or(fresh, late).await?;
        let last = follower.last().ok_or(io::ErrorKind::NotFound)?;
        let end = last.end.get();
        let mut reader = Self {
            follower: follower.clone(),
            generation: last.clone(),
            offset: end,
            told: VecDeque::new(),
            told_missing: None,
            only_public: false,
            skipped: 0,
            raw: false,
            warmed: None,
            listening,
        };
        match from {
            From::Start => reader.offset = 0,
            From::End => {}
            From::Lines(count) => reader.offset = place::line_start(&last, end, count).await?,
            From::Cursor(cursor) => reader.resume(cursor).await?,
        }
        reader.listening.place();
        Ok(reader)
    }

    /// The size of the newest file in bytes; 0 where there is none.
    pub fn size(&self) -> u64 {
        self.follower.last().map_or(0, |last| last.end.get())
    }

    /// As [`Reader::seek`](crate::source::reader::Reader::seek).
    pub fn seek(&mut self, offset: u64) {
        self.offset = offset;
        self.warmed = None;
    }

    /// As [`Reader::raw`](crate::source::reader::Reader::raw).
    pub fn raw(&mut self) -> u64 {
        self.raw = true;
        let padded = self.generation.padded.get() && self.is_newest();
        let seen = self.follower.seen().filter(|_| padded);
        seen.map_or(self.generation.end.get(), |seen| seen.size)
    }

    /// As [`Reader::offset`](crate::source::reader::Reader::offset).
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// As [`Reader::missing`](crate::source::reader::Reader::missing).
    pub fn missing(&self) -> Option<Missing> {
        self.follower.missing()
    }

    /// As [`Reader::is_nowhere`](crate::source::reader::Reader::is_nowhere).
    pub fn is_nowhere(&self) -> bool {
        self.generation.is_void()
    }

    /// As [`Reader::is_over`](crate::source::reader::Reader::is_over).
    pub(crate) async fn is_over(&self) -> bool {
        if !self.is_newest() && self.generation.next().is_none() {
            self.link().await;
        }
        self.generation.leads_to_data()
    }

    /// As [`Reader::cursor_behind`](crate::source::reader::Reader::cursor_behind).
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn cursor_behind(&self, length: u64) -> io::Result<Cursor> {
        if self.generation.is_void() {
            return Ok(Cursor::NOWHERE);
        }
        let offset = self.offset + length;
        let before = self.generation.before(offset).await?;
        Ok(Cursor::new(self.generation.id.inode, offset, &before))
    }

    /// As [`Reader::before`](crate::source::reader::Reader::before).
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn before(&self) -> io::Result<Vec<u8>> {
        self.generation.before(self.offset).await
    }

    /// As [`Reader::coding`](crate::source::reader::Reader::coding).
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn coding(&self) -> io::Result<Option<Utf16>> {
        place::coding(&self.generation).await
    }

    /// As [`Reader::available`](crate::source::reader::Reader::available).
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn available(&mut self) -> io::Result<(u64, Lost)> {
        let mut lost = Lost::Nothing;
        loop {
            self.listening.check()?;
            while let Some(marker) = self.told.pop_front() {
                lost = lost.and(&marker);
            }
            let generation = self.generation.clone();
            if self.leave_ended(&generation)? {
                continue;
            }
            self.permit(&generation)?;
            let newest = self.is_newest();
            let leads = generation.leads_to_data();
            let end = match generation.file() {
                // An older file is not looked at by the follower, and may have grown.
                Some(file) if !newest => unblock(move || file.metadata()).await?.len(),
                _ => generation.end.get(),
            };
            let length = self.content(&generation, end).await?;
            if length > 0 {
                return Ok((length, lost));
            }
            let mut step = self.step(&generation, newest, leads);
            if step == Step::Find {
                self.link().await;
                step = self.step(&generation, newest, leads);
            }
            if !self.take(step, &generation)? {
                return Ok((0, lost));
            }
        }
    }

    /// As [`Reader::next`](crate::source::reader::Reader::next).
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn next(&mut self, cache: &mut ReadCache) -> io::Result<Next> {
        self.listening.check()?;
        let mut rewritten = 0;
        loop {
            if let Some(marker) = self.told.pop_front() {
                return Ok(Next::Marker(marker));
            }
            let generation = self.generation.clone();
            if self.leave_ended(&generation)? {
                continue;
            }
            self.permit(&generation)?;
            let newest = self.is_newest();
            let mut leads = !newest && generation.leads_to_data();
            if !newest || self.raw || self.offset < generation.end.get() {
                if !cache.holds(generation.serial, self.offset) {
                    match self.warmed.take().filter(|warmed| warmed.at == self.offset) {
                        Some(Warmed { bytes, led, .. }) => {
                            leads &= led;
                            cache.put(generation.serial, self.offset, &bytes);
                        }
                        None => {
                            let read = generation.read_now(self.offset, cache.space())?;
                            let Some(read) = read else {
                                return Ok(Next::Cold);
                            };
                            cache.filled(generation.serial, self.offset, read);
                        }
                    }
                    if newest && !self.is_still_that_file(&generation) {
                        // What was read may belong to the file's new content.
                        cache.forget();
                        rewritten += 1;
                        if rewritten < REWRITTEN_MAX {
                            continue;
                        }
                        // Whoever writes it faster than it is read must not keep the others waiting.
                        return Ok(Next::Cold);
                    }
                }
                let read = cache.bytes().len();
                if read > 0 && !self.raw {
                    let more = read == CHUNK;
                    if newest && generation.padded.get() {
                        // Behind that stands what will be written over.
                        let content = generation.end.get() - self.offset;
                        cache.cut(usize::try_from(content).unwrap_or(read));
                    }
                    match nuls::piece(cache.bytes(), self.skipped > 0, more) {
                        Piece::Skip(run) => {
                            self.pass(&generation, run, cache.bytes().len(), newest);
                            continue;
                        }
                        Piece::Content(_) if self.tell_skipped() => continue,
                        Piece::Content(content) => cache.cut(content),
                    }
                }
                if read > 0 {
                    self.offset += cache.bytes().len() as u64;
                    return Ok(Next::Bytes);
                }
            }
            if self.tell_skipped() {
                continue;
            }
            let step = self.step(&generation, newest, leads);
            if step == Step::Find {
                return Ok(Next::Cold);
            }
            if !self.take(step, &generation)? {
                return Ok(Next::End);
            }
        }
    }

    /// As [`Reader::is_at_end`](crate::source::reader::Reader::is_at_end). Whatever changes that rings.
    pub(crate) fn is_at_end(&self) -> bool {
        let generation = &self.generation;
        let is_read = !self.raw && self.skipped == 0 && self.offset == generation.end.get();
        let is_told = self.told.is_empty() && self.told_missing.is_none();
        is_read && is_told && self.is_newest() && self.follower.missing().is_none()
    }

    /// As [`Reader::only_public`](crate::source::reader::Reader::only_public).
    pub(crate) fn only_public(&mut self) -> bool {
        self.only_public = true;
        self.permit(&self.generation).is_err()
    }

    /// Whether its client may have what `generation` holds at the offset. Where that is nothing yet, it may wait.
    ///
    /// # Errors
    /// `PermissionDenied` where the reader is for everybody and the file is not.
    fn permit(&self, generation: &Generation) -> io::Result<()> {
        let is_empty = || self.is_newest() && !self.raw && self.offset >= generation.end.get();
        if self.only_public && generation.is_private() && !is_empty() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(())
    }

    /// After a read: whether the file was not cut or written over before it.
    fn is_still_that_file(&self, generation: &Generation) -> bool {
        if !generation.system().answers_at_once() {
            // `warm` has looked on another thread.
            return !generation.over.get();
        }
        let now = generation.file().and_then(|file| file.metadata().ok());
        if now.map(|metadata| fs::seen(&metadata)) != self.follower.seen() {
            self.follower.look_at_once();
        }
        !generation.over.get()
    }

    /// As [`Reader::warm`](crate::source::reader::Reader::warm).
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn warm(&mut self) -> io::Result<()> {
        let led = self.generation.leads_to_data();
        let bytes = self.generation.read_cold(self.offset, CHUNK).await?;
        if bytes.is_empty() && !self.is_newest() && self.generation.next().is_none() {
            self.link().await;
        }
        if !self.generation.system().answers_at_once() {
            self.follower.fresh().await;
        }
        self.warmed = Some(Warmed {
            at: self.offset,
            bytes,
            led,
        });
        Ok(())
    }

    /// As [`Reader::changed`](crate::source::reader::Reader::changed).
    pub(crate) fn changed(&self) -> Listener {
        self.follower.changed()
    }
}
