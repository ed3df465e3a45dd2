//! Where a reader begins: a cursor's place found again, or so many lines before the end.

use std::io;
use std::rc::Rc;

use futures_lite::future;

use crate::bytes::cursor::{Cursor, fnv1a};
use crate::bytes::lines::{LastLines, LineEnd};
use crate::bytes::utf16::Utf16;
use crate::source::cache::CHUNK;
use crate::source::file::generation::Generation;
use crate::source::file::nuls;
use crate::source::file::reader::FileReader;
use crate::source::file::rotated;
use crate::source::marker::Marker;
use crate::source::os::fs::OpenFile;
use crate::source::os::unblock::unblock;

impl FileReader {
    /// Finds a cursor's place again: in the current file, else in its family, else nowhere.
    pub(super) async fn resume(&mut self, cursor: Cursor) -> io::Result<()> {
        let last = self.at.generation.clone();
        if cursor.inode == last.id.inode && holds(&last, cursor).await? {
            self.at.offset = cursor.offset;
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
                self.at.generation = Rc::new(member);
                self.at.offset = cursor.offset;
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
                    self.at.generation = Rc::new(member);
                }
                self.at.offset = offset;
                return Ok(());
            }
        }
        self.at.offset = 0;
        if cursor.inode != 0 || any {
            // Else there was no file, and this is the first one.
            self.at
                .told
                .push_back(Marker::Lost(self.at.cursor_unchecked(), None));
        }
        Ok(())
    }
}

/// Whether `generation` is at least as long as the cursor says, with the bytes that its check
/// covers.
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
pub(super) async fn coding(generation: &Generation) -> io::Result<Option<Utf16>> {
    Ok(Utf16::of_mark(&generation.read(0, 2).await?))
}

/// Where the last `count` lines before `end` begin.
pub(super) async fn line_start(generation: &Generation, end: u64, count: u64) -> io::Result<u64> {
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
