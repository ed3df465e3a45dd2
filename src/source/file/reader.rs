//! One client's way through a file and the files that come after it: a generation and an offset.
//!
//! The file is the queue. However slow a client is, its reader costs nothing more than this.

mod along;
mod place;
mod skip;
mod step;
#[cfg(test)]
mod tests;

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
use crate::source::file::reader::along::{Position, Warmed};
use crate::source::file::reader::step::Step;
use crate::source::marker::{Lost, Missing, Next};
use crate::source::os::bulkhead::OPEN_TIME;
use crate::source::os::fs;
use crate::source::os::unblock::unblock;

/// How often in a row a file is read anew because it was rewritten under the read.
const REWRITTEN_MAX: u32 = 8;

/// Walks along the generations of one follower.
pub struct FileReader {
    follower: Rc<Follower>,
    at: Position,
    /// It is for one who has shown no key: for everybody on this machine.
    only_public: bool,
    /// NULs are content, too.
    raw: bool,
    listening: Listening,
}

impl FileReader {
    /// Takes the place that `from` means in the stream of `follower`. Whatever is appended after
    /// this returns will be read.
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
            at: Position::new(last.clone(), end),
            only_public: false,
            raw: false,
            listening,
        };
        match from {
            From::Start => reader.at.offset = 0,
            From::End => {}
            From::Lines(count) => reader.at.offset = place::line_start(&last, end, count).await?,
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
        self.at.offset = offset;
        self.at.warmed = None;
    }

    /// As [`Reader::raw`](crate::source::reader::Reader::raw).
    pub fn raw(&mut self) -> u64 {
        self.raw = true;
        let padded = self.at.generation.padded.get() && self.is_newest();
        let seen = self.follower.seen().filter(|_| padded);
        seen.map_or(self.at.generation.end.get(), |seen| seen.size)
    }

    /// As [`Reader::offset`](crate::source::reader::Reader::offset).
    pub fn offset(&self) -> u64 {
        self.at.offset
    }

    /// As [`Reader::missing`](crate::source::reader::Reader::missing).
    pub fn missing(&self) -> Option<Missing> {
        self.follower.missing()
    }

    /// As [`Reader::is_nowhere`](crate::source::reader::Reader::is_nowhere).
    pub fn is_nowhere(&self) -> bool {
        self.at.generation.is_void()
    }

    /// As [`Reader::is_over`](crate::source::reader::Reader::is_over).
    pub(crate) async fn is_over(&self) -> bool {
        if !self.is_newest() && self.at.generation.next().is_none() {
            self.link().await;
        }
        self.at.generation.leads_to_data()
    }

    /// As [`Reader::cursor_behind`](crate::source::reader::Reader::cursor_behind).
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn cursor_behind(&self, length: u64) -> io::Result<Cursor> {
        if self.at.generation.is_void() {
            return Ok(Cursor::NOWHERE);
        }
        let offset = self.at.offset + length;
        let before = self.at.generation.before(offset).await?;
        Ok(Cursor::new(self.at.generation.id.inode, offset, &before))
    }

    /// As [`Reader::before`](crate::source::reader::Reader::before).
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn before(&self) -> io::Result<Vec<u8>> {
        self.at.generation.before(self.at.offset).await
    }

    /// As [`Reader::coding`](crate::source::reader::Reader::coding).
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn coding(&self) -> io::Result<Option<Utf16>> {
        place::coding(&self.at.generation).await
    }

    /// As [`Reader::available`](crate::source::reader::Reader::available).
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn available(&mut self) -> io::Result<(u64, Lost)> {
        let mut lost = Lost::Nothing;
        loop {
            self.listening.check()?;
            while let Some(marker) = self.at.told.pop_front() {
                lost = lost.and(&marker);
            }
            let generation = self.at.generation.clone();
            if self.leave_ended()? {
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
            let mut step = self.step(newest, leads);
            if step == Step::Find {
                self.link().await;
                step = self.step(newest, leads);
            }
            if !self.take(step)? {
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
            if let Some(marker) = self.at.told.pop_front() {
                return Ok(Next::Marker(marker));
            }
            let generation = self.at.generation.clone();
            if self.leave_ended()? {
                continue;
            }
            self.permit(&generation)?;
            let newest = self.is_newest();
            let mut leads = !newest && generation.leads_to_data();
            if !newest || self.raw || self.at.offset < generation.end.get() {
                if !cache.holds(generation.serial, self.at.offset) {
                    match self
                        .at
                        .warmed
                        .take()
                        .filter(|warmed| warmed.at == self.at.offset)
                    {
                        Some(Warmed { bytes, led, .. }) => {
                            leads &= led;
                            cache.put(generation.serial, self.at.offset, &bytes);
                        }
                        None => {
                            let read = generation.read_now(self.at.offset, cache.space())?;
                            let Some(read) = read else {
                                return Ok(Next::Cold);
                            };
                            cache.filled(generation.serial, self.at.offset, read);
                        }
                    }
                    if newest && !self.is_still_that_file(&generation) {
                        // What was read may belong to the file's new content.
                        cache.forget();
                        rewritten += 1;
                        if rewritten < REWRITTEN_MAX {
                            continue;
                        }
                        // Whoever writes it faster than it is read must not keep the others
                        // waiting.
                        return Ok(Next::Cold);
                    }
                }
                let read = cache.bytes().len();
                if read > 0 && !self.raw {
                    let more = read == CHUNK;
                    if newest && generation.padded.get() {
                        // Behind that stands what will be written over.
                        let content = generation.end.get() - self.at.offset;
                        cache.cut(usize::try_from(content).unwrap_or(read));
                    }
                    match nuls::piece(cache.bytes(), self.at.skipped > 0, more) {
                        Piece::Skip(run) => {
                            self.pass(&generation, run, cache.bytes().len(), newest);
                            continue;
                        }
                        Piece::Content(_) if self.at.tell_skipped() => continue,
                        Piece::Content(content) => cache.cut(content),
                    }
                }
                if read > 0 {
                    self.at.offset += cache.bytes().len() as u64;
                    return Ok(Next::Bytes);
                }
            }
            if self.at.tell_skipped() {
                continue;
            }
            let step = self.step(newest, leads);
            if step == Step::Find {
                return Ok(Next::Cold);
            }
            if !self.take(step)? {
                return Ok(Next::End);
            }
        }
    }

    /// As [`Reader::is_at_end`](crate::source::reader::Reader::is_at_end). Whatever changes that
    /// rings.
    pub(crate) fn is_at_end(&self) -> bool {
        let (at, end) = (&self.at, self.at.generation.end.get());
        let is_read = !self.raw && at.skipped == 0 && at.offset == end;
        is_read && at.has_told_all() && self.is_newest() && self.follower.missing().is_none()
    }

    /// As [`Reader::only_public`](crate::source::reader::Reader::only_public).
    pub(crate) fn only_public(&mut self) -> bool {
        self.only_public = true;
        self.permit(&self.at.generation).is_err()
    }

    /// Whether its client may have what `generation` holds at the offset. Where that is nothing
    /// yet, it may wait.
    ///
    /// # Errors
    /// `PermissionDenied` where the reader is for everybody and the file is not.
    fn permit(&self, generation: &Generation) -> io::Result<()> {
        let is_empty = || self.is_newest() && !self.raw && self.at.offset >= generation.end.get();
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
        let led = self.at.generation.leads_to_data();
        let bytes = self.at.generation.read_cold(self.at.offset, CHUNK).await?;
        if bytes.is_empty() && !self.is_newest() && self.at.generation.next().is_none() {
            self.link().await;
        }
        if !self.at.generation.system().answers_at_once() {
            self.follower.fresh().await;
        }
        self.at.warmed = Some(Warmed {
            at: self.at.offset,
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
