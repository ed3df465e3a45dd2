//! One client's way through a file and the files that come after it: a generation and an offset.
//!
//! The file is the queue. However slow a client is, its reader costs nothing more than this.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use futures_lite::future;
use smol::Timer;

use crate::bell::Listener;
use crate::bytes::cursor::{Cursor, From, fnv1a};
use crate::bytes::lines::{LastLines, LineEnd};
use crate::bytes::utf16::Utf16;
use crate::source::cache::{CHUNK, ReadCache};
use crate::source::file::follower::{Follower, Listening};
use crate::source::file::generation::{Generation, Link};
use crate::source::file::nuls::{self, Piece};
use crate::source::file::rotated::{self, Found, Old};
use crate::source::marker::{Lost, Marker, Missing, Next};
use crate::source::os::bulkhead::OPEN_TIME;
use crate::source::os::fs::{self, OpenFile};
use crate::source::os::unblock::unblock;

/// How often in a row a file is read anew because it was rewritten under the read.
const REWRITTEN_MAX: u32 = 8;

/// How far a poll looks for NULs that it would have to pass over, in bytes. What stands behind that is
/// sent as it is: the length of an answer has to be known before it goes out.
const CONTENT_LOOK: u64 = 1024 * 1024;

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
            From::Lines(count) => reader.offset = line_start(&last, end, count).await?,
            From::Cursor(cursor) => reader.resume(cursor).await?,
        }
        reader.listening.place();
        Ok(reader)
    }

    /// Finds a cursor's place again: in the current file, else in its family, else nowhere.
    async fn resume(&mut self, cursor: Cursor) -> io::Result<()> {
        let last = self.generation.clone();
        if cursor.inode == last.id.inode && holds(&last, cursor).await? {
            self.offset = cursor.offset;
            return Ok(());
        }
        let place = self.follower.place.clone();
        let find = move || {
            let (any, found) = rotated::find(&place, cursor.inode);
            (any, found.map(OpenFile::new))
        };
        let (any, found) = self.follower.family.answer(find).await;
        if let Some(open) = found
            && open.seen.id != last.id
        {
            let member = self.follower.runtime.generation(open);
            if holds(&member, cursor).await? {
                self.generation = Rc::new(member);
                self.offset = cursor.offset;
                return Ok(());
            }
        }
        if let Some(check) = cursor.check
            && cursor.inode != 0
        {
            let (place, offset) = (self.follower.place.clone(), cursor.offset);
            let find = move || rotated::fitting(&place, offset, check).map(OpenFile::new);
            if let Some(open) = self.follower.family.answer(find).await {
                if open.seen.id != last.id {
                    let member = self.follower.runtime.generation(open);
                    self.generation = Rc::new(member);
                }
                self.offset = offset;
                return Ok(());
            }
        }
        self.offset = 0;
        if cursor.inode != 0 || any {
            // Else there was no file, and this is the first one.
            self.told
                .push_back(Marker::Lost(self.cursor_unchecked(), None));
        }
        Ok(())
    }

    /// From a member of the family, which no follower has linked to anything, finds the way on to the next newer one.
    async fn link(&self) {
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
        coding(&self.generation).await
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
            if !newest && generation.next().is_none() {
                self.link().await;
            }
            if !self.at_end(&generation, leads)? {
                return Ok((0, lost));
            }
        }
    }

    /// Passes over NULs and tells how much content comes then before the `end` or the next NULs. Of a long
    /// part only the beginning is looked at.
    async fn content(&mut self, generation: &Generation, end: u64) -> io::Result<u64> {
        let mut length = 0;
        while self.offset + length < end && length < CONTENT_LOOK {
            let at = self.offset + length;
            let left = end - at;
            if length == 0 && left < nuls::RUN_MIN as u64 && self.skipped == 0 {
                return Ok(left);
            }
            let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let bytes = generation.read(at, most).await?;
            let more = bytes.len() as u64 == CHUNK as u64 && left > CHUNK as u64;
            match nuls::piece(&bytes, length == 0 && self.skipped > 0, more) {
                Piece::Content(0) => break,
                Piece::Content(content) => length += content as u64,
                Piece::Skip(_) if length > 0 => {
                    self.skipped = 0;
                    return Ok(length);
                }
                Piece::Skip(run) => {
                    self.skipped += run as u64;
                    self.offset += run as u64;
                    if run == bytes.len()
                        && let Some(file) = generation.file()
                    {
                        let at = self.offset;
                        let data = unblock(move || nuls::next_data(&file, at, end.max(at))).await;
                        self.offset = data;
                    }
                    future::yield_now().await;
                }
            }
        }
        self.skipped = 0;
        Ok(if length < CONTENT_LOOK {
            length
        } else {
            end - self.offset
        })
    }

    /// Passes over `run` NULs of `read` bytes at the offset, and over the hole that they may be a part of.
    fn pass(&mut self, generation: &Generation, run: usize, read: usize, newest: bool) {
        let start = self.offset;
        self.offset += run as u64;
        if run == read
            && generation.system().answers_at_once()
            && let Some(file) = generation.file()
        {
            let size = match file.metadata() {
                Ok(metadata) if !newest => metadata.len(),
                _ => generation.end.get(),
            };
            self.offset = nuls::next_data(&file, self.offset, size.max(self.offset));
        }
        self.skipped += self.offset - start;
    }

    /// Tells of the NULs that were passed over. `false`: there were none.
    fn tell_skipped(&mut self) -> bool {
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            let place = self.cursor_unchecked();
            self.told.push_back(Marker::Skipped(place, skipped));
        }
        skipped > 0
    }

    /// Whether no other file comes after it.
    pub(crate) fn is_newest(&self) -> bool {
        self.follower
            .last()
            .is_some_and(|last| Rc::ptr_eq(&last, &self.generation))
    }

    /// The place of the next byte without a read: with its check only at a file's start.
    fn cursor_unchecked(&self) -> Cursor {
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
            let mut leads = generation.leads_to_data();
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
            if !newest && generation.next().is_none() {
                return Ok(Next::Cold);
            }
            if !self.at_end(&generation, leads)? {
                return Ok(Next::End);
            }
        }
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

    /// Where nothing is left to read here. `leads`: a later file had something to read already before it was found that nothing is
    /// left in this one. Its last line may be written after that, before the first one of the next. `true`: there is more to say, or to read.
    fn at_end(&mut self, generation: &Rc<Generation>, leads: bool) -> io::Result<bool> {
        let missing = self.follower.missing();
        if let Some(cause) = missing
            && missing != self.told_missing
            && !generation.leads_to_data()
        {
            self.told_missing = missing;
            self.told.push_back(Marker::Missing(cause, 1));
            return Ok(true);
        }
        let next = generation.next();
        if self.told_missing.is_some() && missing.is_none() {
            self.told_missing = None;
            self.told.push_back(Marker::Found);
            if next.is_none() {
                // The very same file has its name again.
                self.told
                    .push_back(Marker::Rotated(self.cursor_unchecked()));
            }
            return Ok(true);
        }
        Ok(match next {
            Some((Link::Truncated, _)) => {
                self.leave_truncated(generation)?;
                true
            }
            Some((Link::Rotated { gap, start }, next))
                if generation.is_void() || next.is_void() || leads =>
            {
                self.enter(next);
                self.offset = start;
                if !self.generation.is_void() {
                    let start = self.cursor_unchecked();
                    if gap {
                        self.told.push_back(Marker::Lost(start, None));
                    }
                    self.told.push_back(Marker::Rotated(start));
                }
                true
            }
            Some(_) => generation.leads_to_data(),
            None => false,
        })
    }

    /// Leaves a generation that was given up or cut. `true`: it has. One place for all who read, for a generation may be both.
    fn leave_ended(&mut self, generation: &Generation) -> io::Result<bool> {
        if generation.expired.get() {
            self.leave_expired()?;
        } else if generation.over.get() {
            self.leave_truncated(generation)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// From a generation that was given up to the oldest that is kept.
    fn leave_expired(&mut self) -> io::Result<()> {
        let oldest = self.follower.oldest().ok_or(io::ErrorKind::NotFound)?;
        self.enter(oldest);
        let start = self.cursor_unchecked();
        self.told.push_back(Marker::Lost(start, None));
        Ok(())
    }

    /// From a generation that was cut to the one that comes after it.
    fn leave_truncated(&mut self, generation: &Generation) -> io::Result<()> {
        let Some((_, next)) = generation.next() else {
            return self.leave_expired();
        };
        let lost = generation.end.get().saturating_sub(self.offset);
        self.enter(next);
        self.told
            .push_back(Marker::Truncated(self.cursor_unchecked(), lost));
        Ok(())
    }

    fn enter(&mut self, generation: Rc<Generation>) {
        self.generation = generation;
        self.offset = 0;
        self.skipped = 0;
        self.warmed = None;
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

/// Whether `generation` is at least as long as the cursor says, with the bytes that its check covers.
async fn holds(generation: &Generation, cursor: Cursor) -> io::Result<bool> {
    if generation.is_void() || cursor.offset > generation.end.get() {
        return Ok(generation.is_void() && cursor.offset == 0);
    }
    let Some(check) = cursor.check else {
        return Ok(true);
    };
    Ok(fnv1a(&generation.before(cursor.offset).await?) == check)
}

/// Which UTF-16 the mark at its start tells of.
async fn coding(generation: &Generation) -> io::Result<Option<Utf16>> {
    Ok(Utf16::of_mark(&generation.read(0, 2).await?))
}

/// Where the last `count` lines before `end` begin.
async fn line_start(generation: &Generation, end: u64, count: u64) -> io::Result<u64> {
    let mut lines = LastLines::new(count, LineEnd::Newline);
    let coding = coding(generation).await?;
    // Chunks of UTF-16 end between units.
    let mut end = if coding.is_some() { end & !1 } else { end };
    while end > 0 {
        let start = end.saturating_sub(CHUNK as u64);
        let piece = generation
            .read(start, usize::try_from(end - start).unwrap_or(CHUNK))
            .await?;
        let found = match coding {
            Some(coding) => lines.feed(&coding.narrow(&piece)).map(|at| 2 * at),
            None => lines.feed(&piece),
        };
        if let Some(at) = found {
            return Ok(start + at as u64);
        }
        end = start;
        if piece.iter().all(|&byte| byte == 0)
            && let Some(file) = generation.file()
        {
            end = unblock(move || nuls::data_before(&file, start)).await;
            end -= if coding.is_some() { end % 2 } else { 0 };
        }
        // A stranger may ask for all the lines of a large file: the others go on meanwhile.
        future::yield_now().await;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Runtime;
    use crate::source::file::path::FilePath;

    /// A writer that goes on in a renamed file, and then in the new one, while the end of the first is read on another thread.
    #[test]
    fn the_last_line_of_a_file_comes_before_the_first_of_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("app.log"), "one\n").unwrap();
        let runtime = Runtime::bare(|_| {});
        let follower = Follower::new(FilePath::named(at("app.log")), &runtime);
        smol::block_on(runtime.executor.run(async {
            let mut viewer = FileReader::open(&follower, From::Start).await.unwrap();
            let mut cache = ReadCache::default();
            assert!(matches!(viewer.next(&mut cache).unwrap(), Next::Bytes));
            std::fs::rename(at("app.log"), at("app.log.1")).unwrap();
            std::fs::write(at("app.log"), "").unwrap();
            follower.fresh().await;
            // Nothing there now.
            viewer.warm().await.unwrap();
            let append = |name: &str, line: &str| {
                use std::io::Write;
                let file = std::fs::File::options().append(true).open(at(name));
                file.unwrap().write_all(line.as_bytes()).unwrap();
            };
            append("app.log.1", "two\n");
            append("app.log", "three\n");
            follower.fresh().await;
            let mut lines = Vec::new();
            while !lines.ends_with(b"three\n") {
                match viewer.next(&mut cache).unwrap() {
                    Next::Bytes => lines.extend_from_slice(cache.bytes()),
                    Next::Cold => viewer.warm().await.unwrap(),
                    Next::Marker(Marker::Rotated(_)) => lines.extend_from_slice(b"rotated "),
                    Next::Marker(marker) => panic!("{marker:?}"),
                    Next::End => panic!("{lines:?}"),
                }
            }
            assert_eq!(lines, b"two\nrotated three\n");
        }));
    }

    #[test]
    fn what_was_read_on_another_thread_counts_for_its_place_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        let bytes = [[b'a'; CHUNK], [b'b'; CHUNK], [b'c'; CHUNK]].concat();
        std::fs::write(&path, &bytes).unwrap();
        let runtime = Runtime::bare(|_| {});
        let follower = Follower::new(FilePath::named(path), &runtime);
        smol::block_on(runtime.executor.run(async {
            let mut viewer = FileReader::open(&follower, From::Start).await.unwrap();
            let mut other = FileReader::open(&follower, From::Start).await.unwrap();
            let mut cache = ReadCache::default();
            viewer.warm().await.unwrap();
            // By now the other one has read the same bytes, and they need not be taken from what was read.
            assert!(matches!(other.next(&mut cache).unwrap(), Next::Bytes));
            for part in bytes.chunks(CHUNK) {
                assert!(matches!(viewer.next(&mut cache).unwrap(), Next::Bytes));
                assert!(cache.bytes() == part, "bytes of another place");
            }
        }));
    }
}
