//! One open file among those that a name has meant, and the link to the next one.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use crate::bytes::cursor::CHECK_SPAN;
use crate::source::file::change::{FileId, Seen};
use crate::source::os::fs;
use crate::source::os::fs::{FileSystem, OpenFile};
use crate::source::os::inotify::Watch;
use crate::source::os::unblock::later;

/// Why one generation follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The name came to mean another file. With a gap, files between the two were deleted before
    /// they were seen.
    Rotated {
        /// Something may be missing between the two.
        gap: bool,
        /// Where the other one goes on: behind all that it has of the one before, where that was
        /// edited in place.
        start: u64,
    },
    /// The same file was cut or written over.
    Truncated,
}

/// An open file for as long as its content only grows.
///
/// Readers hold it; the last one to leave closes the file. Where there was no file yet, it is void:
/// nothing to read, only a link to what comes.
pub struct Generation {
    /// Tells generations apart, also two of one inode.
    pub serial: u64,
    /// The file; inode 0 for the void one.
    pub id: FileId,
    file: RefCell<Option<Arc<File>>>,
    system: FileSystem,
    /// Not everybody on this machine may read it, as far as is known.
    private: Cell<bool>,
    /// Where the content ended at the last look, in bytes.
    pub end: Cell<u64>,
    /// Behind that end stand NULs that are written over.
    pub padded: Cell<bool>,
    /// Truncated: what the file holds now belongs to a later generation.
    pub over: Cell<bool>,
    /// Given up because too many came after it.
    pub expired: Cell<bool>,
    /// The generation after this one.
    pub next: RefCell<Option<(Link, Rc<Generation>)>>,
    /// So that late bytes of a renamed file are noticed, too.
    pub watch: RefCell<Option<Watch>>,
}

impl Generation {
    /// A generation of a file as it was when it was opened.
    pub(crate) fn new(serial: u64, open: &OpenFile) -> Self {
        let OpenFile { seen, system, .. } = *open;
        Self {
            serial,
            id: seen.id,
            file: RefCell::new(Some(open.file.clone())),
            system,
            private: Cell::new(seen.private),
            end: Cell::new(seen.size),
            padded: Cell::new(false),
            over: Cell::new(false),
            expired: Cell::new(false),
            next: RefCell::new(None),
            watch: RefCell::new(None),
        }
    }

    /// The generation before there is any file.
    pub fn void(serial: u64) -> Self {
        Self {
            serial,
            id: FileId {
                device: 0,
                inode: 0,
            },
            file: RefCell::new(None),
            system: FileSystem::Memory,
            private: Cell::new(false),
            end: Cell::new(0),
            padded: Cell::new(false),
            over: Cell::new(false),
            expired: Cell::new(false),
            next: RefCell::new(None),
            watch: RefCell::new(None),
        }
    }

    /// Whether there was no file.
    pub fn is_void(&self) -> bool {
        self.id.inode == 0
    }

    /// The open file; `None` for the void generation and for an expired one.
    pub fn file(&self) -> Option<Arc<File>> {
        self.file.borrow().clone()
    }

    /// The file system that it is on.
    pub fn system(&self) -> FileSystem {
        self.system
    }

    /// Whether not everybody on this machine may read it. As long as that is so it is asked for
    /// again: a log that logrotate creates is its owner's alone for a moment, and then everybody's.
    pub fn is_private(&self) -> bool {
        if self.private.get()
            && self.system.answers_at_once()
            && let Some(metadata) = self.file().and_then(|file| file.metadata().ok())
        {
            self.learn(&fs::seen(&metadata));
        }
        self.private.get()
    }

    /// Takes over what a look `seen` of it says of its mode: what was once open to all stays so.
    pub(crate) fn learn(&self, seen: &Seen) {
        self.private.set(self.private.get() && seen.private);
    }

    /// The generation after this one, and why.
    pub fn next(&self) -> Option<(Link, Rc<Self>)> {
        self.next.borrow().clone()
    }

    /// Whether any later generation has something to read. Until then a reader waits at the end of
    /// this one, where a writer may still write after the rename.
    pub fn leads_to_data(&self) -> bool {
        let mut at = self.next();
        while let Some((_, generation)) = at {
            if generation.end.get() > 0 {
                return true;
            }
            at = generation.next();
        }
        false
    }

    /// Closes the file and cuts the link, whoever still holds it.
    pub fn expire(&self) {
        self.expired.set(true);
        self.close();
        *self.next.borrow_mut() = None;
        *self.watch.borrow_mut() = None;
    }

    /// To close a file of a file system that does not answer waits as a read of it does.
    fn close(&self) {
        let file = self.file.take();
        if !self.system.answers_at_once() {
            later(move || drop(file));
        }
    }

    /// Reads at `offset` without waiting; `None`: use [`read_cold`](Self::read_cold). 0 bytes:
    /// nothing there now.
    ///
    /// # Errors
    /// As `preadv2(2)`.
    pub fn read_now(&self, offset: u64, into: &mut [u8]) -> io::Result<Option<usize>> {
        match &*self.file.borrow() {
            Some(file) => fs::read_now(file, self.system, offset, into),
            None => Ok(Some(0)),
        }
    }

    /// Reads up to `length` bytes at `offset` on another thread.
    ///
    /// # Errors
    /// As `pread(2)`.
    pub async fn read_cold(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        match self.file() {
            Some(file) => fs::read_cold(file, self.id.device, offset, length).await,
            None => Ok(Vec::new()),
        }
    }

    /// Reads `length` bytes at `offset`, the one way or the other; fewer only at the file's end.
    ///
    /// # Errors
    /// As `pread(2)`.
    pub async fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            let at = offset + filled as u64;
            let read = match self.read_now(at, &mut bytes[filled..])? {
                Some(read) => read,
                None => {
                    let cold = self.read_cold(at, length - filled).await?;
                    bytes[filled..filled + cold.len()].copy_from_slice(&cold);
                    cold.len()
                }
            };
            if read == 0 {
                break;
            }
            filled += read;
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// The bytes before `offset` that a cursor's check covers.
    ///
    /// # Errors
    /// As `pread(2)`.
    pub async fn before(&self, offset: u64) -> io::Result<Vec<u8>> {
        let start = offset.saturating_sub(CHECK_SPAN);
        let length = usize::try_from(offset - start).unwrap_or(0);
        self.read(start, length).await
    }
}

impl Drop for Generation {
    /// A reader that was far behind may be the only holder of a long chain: it is unlinked in a
    /// loop, not by recursion.
    fn drop(&mut self) {
        self.close();
        let mut next = self.next.take();
        while let Some((_, generation)) = next {
            match Rc::try_unwrap(generation) {
                Ok(alone) => next = alone.next.take(),
                Err(_) => break,
            }
        }
    }
}
