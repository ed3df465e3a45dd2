//! A look at a name: everything that asks the file system, gathered as plain data, so that it can
//! be done on another thread.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use crate::bytes::cursor::CHECK_SPAN;
use crate::source::file::change::{Seen, TailCheck};
use crate::source::file::nuls::{self, End};
use crate::source::file::path::FilePath;
use crate::source::file::rotated::{self, Found, Old};
use crate::source::os::fs::{self, OpenFile};

/// The most that a look reads of what was appended, in bytes: beyond that readers do it, who need
/// not keep a line's latency.
const GROWTH_READ: u64 = 4096;

/// The longest file that is compared with the one that was edited in its place, in bytes: more
/// would hold up the look.
const EDITED_MAX: u64 = 1 << 20;

/// The most files between two looks that are opened; of more the oldest are given up, and viewers
/// are told.
pub(crate) const BETWEEN_MAX: usize = 64;

/// What one look found, gathered where it may block, applied where it may not.
pub(crate) struct Observation {
    /// What was known of the open file when it began. Where another look was taken over since, it
    /// tells nothing of that file.
    pub(crate) since: Option<Seen>,
    /// The file that the name means; `None`: it was not asked for.
    pub(crate) now: Option<io::Result<Seen>>,
    /// The file that is open.
    pub(crate) held: Option<Seen>,
    /// That one has no name any more, not even another.
    pub(crate) deleted: bool,
    /// Whether that one still has the bytes that were seen at its end.
    pub(crate) tail: TailCheck,
    /// Where the content of that one ends.
    pub(crate) end: End,
    /// The bytes before the end seen now.
    pub(crate) fresh: Vec<u8>,
    /// All that the open file has grown by, where that is little.
    pub(crate) grown: Vec<u8>,
}

/// A file newly opened, and those between it and the one before.
pub(crate) struct Replacement {
    pub(crate) open: OpenFile,
    pub(crate) end: End,
    pub(crate) tail: Vec<u8>,
    /// Each with whether another may be missing before it.
    pub(crate) between: Vec<(OpenFile, bool)>,
    /// Another may be missing between the last of these and the new one.
    pub(crate) gap: bool,
    /// How much of the new one is the file before, edited in place, in bytes.
    pub(crate) start: u64,
}

/// What a look is compared with. Plain data, so that it can go to another thread.
pub(crate) struct Baseline {
    pub(crate) file: Option<Arc<File>>,
    pub(crate) seen: Option<Seen>,
    /// Where its content ended.
    pub(crate) end: End,
    pub(crate) tail: Vec<u8>,
    /// What was last seen of the file before, where that was let go.
    pub(crate) before: Option<Seen>,
}

impl Baseline {
    /// Looks at `place`, and at the open file, which may have lost that name and still grow.
    /// Without a place only at the open file. May block.
    pub(crate) fn observe(&self, place: Option<&FilePath>) -> Observation {
        let mut observation = Observation {
            since: self.seen,
            now: place.map(FilePath::seen),
            held: None,
            deleted: false,
            tail: TailCheck::Fits,
            end: self.end,
            fresh: Vec::new(),
            grown: Vec::new(),
        };
        if let (Some(file), Some(seen)) = (&self.file, self.seen) {
            match observation.now {
                Some(Ok(now)) if now.id == seen.id => observation.held = Some(now),
                _ => {
                    if let Ok(metadata) = file.metadata() {
                        observation.held = Some(fs::seen(&metadata));
                        observation.deleted = metadata.nlink() == 0;
                    }
                }
            }
            if let Some(held) = observation.held.filter(|held| *held != seen) {
                self.compare(file, &held, &mut observation);
            }
        }
        // Of many the newest was deleted: the one before it, which was sent, is no news.
        let is_newest = place.is_some_and(|place| place.newest.is_some());
        let last = self.seen.filter(|_| observation.deleted).or(self.before);
        if let (Some(Ok(now)), Some(last)) = (&observation.now, last)
            && is_newest
            && now.id != last.id
            && now.modified <= last.modified
        {
            observation.now = Some(Err(io::ErrorKind::NotFound.into()));
        }
        observation
    }

    /// Whether the bytes before the end that was seen still stand there, where the content ends
    /// now, and what stands before that.
    fn compare(&self, file: &File, held: &Seen, observation: &mut Observation) {
        let old = self.end.offset;
        let start = old - self.tail.len() as u64;
        if held.size >= old {
            let end = nuls::content_end(file, old, held.size, self.end.padded);
            observation.end = end;
            if end.offset > old && end.offset - start <= GROWTH_READ {
                // A line or a few: one read gives both ends and what is between, which is what
                // every reader wants next.
                let mut bytes = read(file, start, end.offset);
                if bytes.starts_with(&self.tail) {
                    observation.grown = bytes[self.tail.len()..].to_vec();
                    let surplus = (bytes.len() as u64).saturating_sub(CHECK_SPAN);
                    observation.fresh = bytes.split_off(usize::try_from(surplus).unwrap_or(0));
                    return;
                }
            }
            // The new end first: what is written over it meanwhile then shows at the old one.
            observation.fresh = tail(file, end.offset);
            if read(file, start, old) == self.tail {
                return;
            }
        }
        observation.tail = TailCheck::Differs;
        observation.end = nuls::content_end(file, 0, held.size, false);
        observation.fresh = tail(file, observation.end.offset);
    }

    /// Opens the file that `place` means now. Blocks.
    pub(crate) fn open(&self, place: &FilePath) -> io::Result<Replacement> {
        let (file, seen) = place.open()?;
        let (mut between, mut gap, mut start) = (Vec::new(), false, 0);
        let held = (self.file.as_ref()).and_then(|before| before.metadata().ok());
        if let Some(before) = held.map(|held| fs::seen(&held)).or(self.before) {
            let now = Some(seen.id);
            let old = Old {
                id: before.id,
                seen: Some(&before),
                file: self.file.as_deref(),
            };
            let found = rotated::between(place, old, now, BETWEEN_MAX);
            let open = |Found { file, seen, gap }| (OpenFile::new((file, seen)), gap);
            gap = found.gap;
            between = found.files.into_iter().map(open).collect();
            if between.is_empty() && self.is_edited(place, &before, &file, &seen) {
                (gap, start) = (false, before.size);
            }
        }
        let end = nuls::end_of_new(&file, seen.size);
        Ok(Replacement {
            tail: tail(&file, end.offset),
            open: OpenFile::new((file, seen)),
            end,
            between,
            gap,
            start,
        })
    }

    /// Whether the file `now` holds all of the open one, which was `before`, and that has not
    /// become a member of the family: an editor, `sed -i` or a synchronising program has written it
    /// anew. A rotated file is another one, however alike their beginnings are.
    fn is_edited(&self, place: &FilePath, before: &Seen, file: &File, now: &Seen) -> bool {
        let Some(held) = (self.file.as_ref()).filter(|_| {
            !self.end.padded && (1..=EDITED_MAX).contains(&before.size) && now.size >= before.size
        }) else {
            return false;
        };
        let old = read(held, 0, before.size);
        old.len() as u64 == before.size
            && read(file, 0, before.size) == old
            && rotated::find(place, before.id.inode).1.is_none()
    }
}

/// The bytes before `end`, as many as a cursor's check covers. May block.
fn tail(file: &File, end: u64) -> Vec<u8> {
    read(file, end.saturating_sub(CHECK_SPAN), end)
}

/// The bytes from `start` to `end`; fewer where they can't be read. May block.
fn read(file: &File, start: u64, end: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], start + filled as u64) {
            Ok(0) | Err(_) => break,
            Ok(read) => filled += read,
        }
    }
    bytes.truncate(filled);
    bytes
}
