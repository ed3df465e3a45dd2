//! NULs that a reader passes over, and tells when content comes again.

use std::io;

use futures_lite::future;

use crate::source::cache::CHUNK;
use crate::source::file::generation::Generation;
use crate::source::file::nuls::{self, Piece};
use crate::source::file::reader::FileReader;
use crate::source::marker::Marker;
use crate::source::os::unblock::unblock;

/// How far a poll looks for NULs that it would have to pass over, in bytes. What stands behind that is
/// sent as it is: the length of an answer has to be known before it goes out.
const CONTENT_LOOK: u64 = 1024 * 1024;

impl FileReader {
    /// Passes over NULs and tells how much content comes then before the `end` or the next NULs. Of a long
    /// part only the beginning is looked at.
    pub(super) async fn content(&mut self, generation: &Generation, end: u64) -> io::Result<u64> {
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
    pub(super) fn pass(&mut self, generation: &Generation, run: usize, read: usize, newest: bool) {
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
    pub(super) fn tell_skipped(&mut self) -> bool {
        let skipped = std::mem::take(&mut self.skipped);
        if skipped > 0 {
            let place = self.cursor_unchecked();
            self.told.push_back(Marker::Skipped(place, skipped));
        }
        skipped > 0
    }
}
