//! Cuts a stream into batches for an engine: whole lines where it can, and with each batch the
//! place behind it.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use futures_lite::future;

use crate::bell::Listener;
use crate::bytes::cursor::{CHECK_SPAN, Cursor, fnv1a};
use crate::bytes::lines::LineEnd;
use crate::bytes::utf8::whole_characters;
use crate::source::cache::ReadCache;
use crate::source::marker::{Lost, Marker, Next};
use crate::source::reader::Reader;

/// The most bytes of one batch: a quarter of the payload that a NATS server takes by default, and
/// little enough that a few of them at once are not felt on a board.
pub(crate) const BATCH_MAX: usize = 256 * 1024;

/// How much room for bytes is kept while nothing comes.
const ROOM_KEPT: usize = 4 * 1024;

/// Why a batch ends where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// There is more.
    Full,
    /// Something is to be told before more comes.
    Marker,
    /// There is nothing more now.
    End,
}

/// A way through a stream, and what is to be handed on next.
pub(crate) struct Batcher {
    reader: Reader,
    cache: Rc<RefCell<ReadCache>>,
    /// The place before this batch.
    begin: Track,
    place: Track,
    /// Found behind the bytes of the batch before.
    marker: Option<Marker>,
    /// The bytes of this batch.
    pub bytes: Vec<u8>,
    /// What is told with them: bytes lost before them ...
    pub lost: Lost,
    /// ... what happened to the file ...
    pub mark: Option<&'static str>,
    /// ... and that NULs before them were passed over: as many as the places do not account for.
    pub skipped: bool,
}

impl Batcher {
    /// Hands on what `reader` finds.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(crate) async fn new(reader: Reader, cache: Rc<RefCell<ReadCache>>) -> io::Result<Self> {
        let place = Track {
            cursor: reader.cursor().await?,
            before: reader.before().await?,
        };
        Ok(Self {
            reader,
            cache,
            begin: place.clone(),
            place,
            marker: None,
            bytes: Vec::new(),
            lost: Lost::Nothing,
            mark: None,
            skipped: false,
        })
    }

    /// The place behind the batch.
    pub(crate) fn cursor(&self) -> Cursor {
        self.place.cursor
    }

    /// The place before the batch.
    pub(crate) fn begin(&self) -> &Track {
        &self.begin
    }

    /// Rings when something may be new. Listened to before [`fill`](Self::fill) finds the end, it
    /// misses nothing.
    pub(crate) fn changed(&self) -> Listener {
        self.reader.changed()
    }

    /// How many bytes follow, as far as that is known.
    pub(crate) fn behind(&self) -> Option<u64> {
        self.reader.behind()
    }

    /// Begins the next batch: up to `most` bytes, whole lines where there is one. The start of a
    /// line stays where it is unless `halves` go, too: then, and before a marker, nothing is left
    /// back.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(crate) async fn fill(&mut self, most: usize, halves: bool) -> io::Result<Cut> {
        self.bytes.clear();
        if let Some(marker) = self.marker.take() {
            self.note(&marker);
        }
        let cut = self.collect(most).await?;
        if cut != Cut::Marker {
            let returns = self.reader.line_end() == LineEnd::Return;
            let is_end = |&byte: &u8| byte == b'\n' || returns && byte == b'\r';
            let lines = self.bytes.iter().rposition(is_end);
            let whole = match lines {
                Some(at) => at + 1,
                // A line longer than a batch goes in parts, none of which ends within a character.
                None if halves || cut == Cut::Full => whole_characters(&self.bytes),
                None => 0,
            };
            let rest = (self.bytes.len() - whole) as u64;
            self.reader.seek(self.reader.offset() - rest);
            self.bytes.truncate(whole);
        }
        self.begin = self.place.clone();
        self.place.advance(&self.bytes);
        Ok(cut)
    }

    async fn collect(&mut self, most: usize) -> io::Result<Cut> {
        while self.bytes.len() < most {
            let next = {
                let mut cache = self.cache.borrow_mut();
                let next = self.reader.next(&mut cache)?;
                if let Next::Bytes = next {
                    let found = cache.bytes();
                    let (taken, rest) = found.split_at(found.len().min(most - self.bytes.len()));
                    self.bytes.extend_from_slice(taken);
                    self.reader.seek(self.reader.offset() - rest.len() as u64);
                }
                next
            };
            match next {
                // Viewers have their turn between two chunks.
                Next::Bytes => future::yield_now().await,
                Next::Cold => self.reader.warm().await?,
                Next::End => return Ok(Cut::End),
                Next::Marker(marker) if self.bytes.is_empty() => self.note(&marker),
                Next::Marker(marker) => {
                    self.marker = Some(marker);
                    return Ok(Cut::Marker);
                }
            }
        }
        Ok(Cut::Full)
    }

    /// What is to be told waits for the next bytes: where there are none, nobody missed any.
    fn note(&mut self, marker: &Marker) {
        self.lost = self.lost.and(marker);
        match marker {
            Marker::Missing(..) | Marker::Found | Marker::Lost(..) => {}
            Marker::Skipped(..) => self.skipped = true,
            Marker::Rotated(_) if self.mark.is_some() => {}
            Marker::Rotated(_) | Marker::Truncated(..) => self.mark = Some(marker.name()),
        }
        if let Some(cursor) = marker.cursor() {
            self.place = Track {
                cursor,
                before: Vec::new(),
            };
        }
    }

    /// The batch has arrived.
    pub(crate) fn done(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(ROOM_KEPT);
        self.lost = Lost::Nothing;
        self.mark = None;
        self.skipped = false;
    }
}

/// A place that bytes move on, with its check where enough of them were seen.
#[derive(Clone)]
pub(crate) struct Track {
    /// Where it is.
    pub cursor: Cursor,
    /// The last bytes before it, as far as they were seen.
    before: Vec<u8>,
}

impl Track {
    /// The place behind these `bytes`.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.cursor.offset += bytes.len() as u64;
        let span = usize::try_from(CHECK_SPAN).unwrap_or(bytes.len());
        self.before
            .extend_from_slice(&bytes[bytes.len().saturating_sub(span)..]);
        let surplus = self.before.len().saturating_sub(span);
        self.before.drain(..surplus);
        let is_whole = self.before.len() as u64 == self.cursor.offset.min(CHECK_SPAN);
        self.cursor.check = is_whole.then(|| fnv1a(&self.before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_covers_what_was_seen() {
        let text: Vec<u8> = (0..200).collect();
        for piece in [1, 3, 63, 64, 65, 200] {
            let mut whole = Track {
                cursor: Cursor::new(7, 0, &[]),
                before: Vec::new(),
            };
            let mut late = Track {
                cursor: Cursor {
                    inode: 7,
                    offset: 1000,
                    check: None,
                },
                before: Vec::new(),
            };
            let mut end = 0;
            for part in text.chunks(piece) {
                whole.advance(part);
                late.advance(part);
                end += part.len();
                let before = &text[end.saturating_sub(64)..end];
                assert_eq!(whole.cursor, Cursor::new(7, end as u64, before));
                let check = (end >= 64).then(|| fnv1a(before));
                assert_eq!(
                    (late.cursor.offset, late.cursor.check),
                    (1000 + end as u64, check)
                );
            }
        }
    }
}
