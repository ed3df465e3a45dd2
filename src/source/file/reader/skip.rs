//! NULs that a reader passes over, and tells when content comes again.

use std::io;

use futures_lite::future;

use crate::source::cache::CHUNK;
use crate::source::file::generation::Generation;
use crate::source::file::nuls::{self, Piece};
use crate::source::file::reader::FileReader;
use crate::source::os::unblock::unblock;

/// How far a poll looks for NULs that it would have to pass over, in bytes. What stands behind that
/// is sent as it is: the length of an answer has to be known before it goes out.
const CONTENT_LOOK: u64 = 1024 * 1024;

impl FileReader {
    /// Passes over NULs and tells how much content comes then before the `end` or the next NULs. Of
    /// a long part only the beginning is looked at.
    pub(super) async fn content(&mut self, generation: &Generation, end: u64) -> io::Result<u64> {
        let mut length = 0;
        while self.at.offset + length < end && length < CONTENT_LOOK {
            let at = self.at.offset + length;
            let left = end - at;
            if length == 0 && left < nuls::RUN_MIN as u64 && self.at.skipped == 0 {
                return Ok(left);
            }
            let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let bytes = generation.read(at, most).await?;
            let more = bytes.len() as u64 == CHUNK as u64 && left > CHUNK as u64;
            match nuls::piece(&bytes, length == 0 && self.at.skipped > 0, more) {
                Piece::Content(0) => break,
                Piece::Content(content) => length += content as u64,
                Piece::Skip(_) if length > 0 => {
                    self.at.skipped = 0;
                    return Ok(length);
                }
                Piece::Skip(run) => {
                    self.at.skipped += run as u64;
                    self.at.offset += run as u64;
                    if run == bytes.len()
                        && let Some(file) = generation.file()
                    {
                        let at = self.at.offset;
                        let data = unblock(move || nuls::next_data(&file, at, end.max(at))).await;
                        self.at.offset = data;
                    }
                    future::yield_now().await;
                }
            }
        }
        self.at.skipped = 0;
        Ok(if length < CONTENT_LOOK {
            length
        } else {
            end - self.at.offset
        })
    }

    /// Passes over `run` NULs of `read` bytes at the offset, and over the hole that they may be a
    /// part of.
    pub(super) fn pass(&mut self, generation: &Generation, run: usize, read: usize, newest: bool) {
        let start = self.at.offset;
        self.at.offset += run as u64;
        if run == read
            && generation.system().answers_at_once()
            && let Some(file) = generation.file()
        {
            let size = match file.metadata() {
                Ok(metadata) if !newest => metadata.len(),
                _ => generation.end.get(),
            };
            self.at.offset = nuls::next_data(&file, self.at.offset, size.max(self.at.offset));
        }
        self.at.skipped += self.at.offset - start;
    }
}
