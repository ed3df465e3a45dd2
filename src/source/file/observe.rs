//! A look at a name: everything that asks the file system, gathered as plain data, so that it can be done on another thread.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::bytes::cursor::CHECK_SPAN;
use crate::source::file::change::{Seen, Tail};
use crate::source::file::path::{self, Place};
use crate::source::file::rotated;
use crate::source::os::fs;
use crate::source::os::fs::FileSystem;

/// The most that a look reads of what was appended, in bytes: beyond that readers do it, who need not keep a line's latency.
const GROWTH_READ: u64 = 4096;

/// The most files between two looks that are opened; of more the oldest are given up, and viewers are told.
pub(crate) const BETWEEN_MAX: usize = 64;

/// What one look found, gathered where it may block, applied where it may not.
pub(crate) struct Glance {
    /// The file that the name means.
    pub(crate) now: Option<Seen>,
    /// The file that is open.
    pub(crate) held: Option<Seen>,
    /// Whether that one still has the bytes that were seen at its end.
    pub(crate) tail: Tail,
    /// The bytes before the end seen now.
    pub(crate) fresh: Vec<u8>,
    /// All that the open file has grown by, where that is little.
    pub(crate) grown: Vec<u8>,
    /// Where no file was ever seen: the file system that one will be on.
    pub(crate) directory: Option<FileSystem>,
}

/// A file newly opened, and those between it and the one before.
pub(crate) struct Opened {
    pub(crate) file: File,
    pub(crate) seen: Seen,
    pub(crate) tail: Vec<u8>,
    pub(crate) between: Vec<(File, Seen)>,
    /// Some between may have been deleted before they were seen.
    pub(crate) gap: bool,
}

/// What a look is compared with. Plain data, so that it can go to another thread.
pub(crate) struct Known {
    pub(crate) file: Option<Arc<File>>,
    pub(crate) seen: Option<Seen>,
    pub(crate) tail: Vec<u8>,
}

impl Known {
    /// Looks at `place`, and at the open file, which may have lost that name and still grow. May block.
    pub(crate) fn glance(&self, place: &Place) -> Glance {
        let now = place.seen();
        let mut glance = Glance {
            now,
            held: None,
            tail: Tail::Fits,
            fresh: Vec::new(),
            grown: Vec::new(),
            directory: None,
        };
        if let (Some(file), Some(seen)) = (&self.file, self.seen) {
            glance.held = match now {
                Some(now) if now.id == seen.id => Some(now),
                _ => file.metadata().ok().map(|metadata| fs::seen(&metadata)),
            };
            if let Some(held) = glance.held.filter(|held| *held != seen) {
                self.compare(file, &seen, &held, &mut glance);
            }
        } else if now.is_none() {
            glance.directory = path::directory(&place.path).map(|path| FileSystem::of_path(&path));
        }
        glance
    }

    /// Whether the bytes before the end that was seen still stand there, and what stands before the new one.
    fn compare(&self, file: &File, seen: &Seen, held: &Seen, glance: &mut Glance) {
        let start = seen.size - self.tail.len() as u64;
        if held.size > seen.size && held.size - start <= GROWTH_READ {
            // A line or a few: one read gives both ends and what is between, which is what every reader wants next.
            let mut bytes = read(file, start, held.size);
            if bytes.starts_with(&self.tail) {
                glance.grown = bytes[self.tail.len()..].to_vec();
                let surplus = (bytes.len() as u64).saturating_sub(CHECK_SPAN);
                glance.fresh = bytes.split_off(usize::try_from(surplus).unwrap_or(0));
                return;
            }
        }
        // The new end first: what is written over it meanwhile then shows at the old one.
        glance.fresh = tail(file, held.size);
        if held.size < seen.size || read(file, start, seen.size) != self.tail {
            glance.tail = Tail::Differs;
        }
    }

    /// Opens the file that `place` means now. Blocks.
    pub(crate) fn open(&self, place: &Place) -> io::Result<Opened> {
        let (file, seen) = place.open()?;
        let (mut between, mut gap) = (Vec::new(), false);
        if let Some(before) = &self.file
            && let Ok(metadata) = before.metadata()
        {
            let before = fs::seen(&metadata);
            let now = Some(seen.id);
            let found =
                rotated::between(&place.target(), before.id, Some(&before), now, BETWEEN_MAX);
            (between, gap) = (found.files, found.gap);
        }
        Ok(Opened {
            tail: tail(&file, seen.size),
            file,
            seen,
            between,
            gap,
        })
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
