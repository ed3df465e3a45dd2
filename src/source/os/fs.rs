//! Reading a file's bytes, and what can be known of the file system under them.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{StatFs, fstatfs, statfs};
use rustix::io::{Errno, ReadWriteFlags};
use smol::lock::Semaphore;

use crate::source::file::change::{FileId, Seen};
use crate::source::os::unblock::unblock;

/// How far a file system can be trusted to answer at once and to send notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// On this machine: answers at once or says that it can't, and inotify tells of every change.
    Local,
    /// In memory: nothing is ever cold, though the kernel does not say so (`EOPNOTSUPP`, Linux
    /// 6.18).
    Memory,
    /// Local layers over each other: a change of a lower one is not told.
    Layers,
    /// Another machine, a process or unknown: may take its time, and inotify does not tell what
    /// others do there.
    Distant,
    /// The kernel's own values (sysfs, procfs): a file there is a reading, not a log, and may take
    /// its time.
    Readings,
}

impl FileSystem {
    /// By the magic number that `statfs(2)` gives.
    fn of(magic: u64) -> Self {
        match magic {
            // ext2/3/4, xfs, btrfs, f2fs, bcachefs, zfs, vfat, exfat, ntfs3, jffs2, ubifs,
            // squashfs, erofs.
            0xef53 | 0x5846_5342 | 0x9123_683e | 0xf2f5_2010 | 0xca45_1a4e | 0x2fc1_2fc1
            | 0x4d44 | 0x2011_bab0 | 0x7366_746e | 0x72b6 | 0x2405_1905 | 0x7371_7368
            | 0xe0f5_e1e2 => Self::Local,
            // tmpfs, ramfs.
            0x0102_1994 | 0x8584_58f6 => Self::Memory,
            // overlayfs.
            0x794c_7630 => Self::Layers,
            // sysfs, procfs, cgroup2.
            0x6265_6572 | 0x9fa0 | 0x6367_7270 => Self::Readings,
            _ => Self::Distant,
        }
    }

    /// The file system of an open file.
    pub fn of_file(file: &File) -> Self {
        fstatfs(file).map_or(Self::Distant, |answer| Self::of(magic(&answer)))
    }

    /// The file system of what stands at `path`.
    pub fn of_path(path: &Path) -> Self {
        statfs(path).map_or(Self::Distant, |answer| Self::of(magic(&answer)))
    }

    /// The file system of the file at `path`, or of the directory that it will be in.
    pub fn of_name(path: &Path) -> Self {
        let there = path.ancestors().find(|path| path.exists());
        Self::of_path(there.unwrap_or(Path::new(".")))
    }

    /// Whether it may be asked on the executor's own thread.
    pub fn answers_at_once(self) -> bool {
        !matches!(self, Self::Distant | Self::Readings)
    }

    /// Whether a file on it is a reading.
    pub fn holds_readings(self) -> bool {
        self == Self::Readings
    }

    /// Whether inotify can be relied on.
    pub fn sends_notices(self) -> bool {
        matches!(self, Self::Local | Self::Memory)
    }
}

fn magic(answer: &StatFs) -> u64 {
    // The field's width and sign differ between processors; the numbers themselves have 32 bits.
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)]
    let magic = answer.f_type as u64;
    magic & 0xffff_ffff
}

/// What a look at a file's metadata shows.
pub(crate) fn seen(metadata: &Metadata) -> Seen {
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    Seen {
        id: FileId {
            device: metadata.dev(),
            inode: metadata.ino(),
        },
        size: metadata.len(),
        modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        private: metadata.mode() & EVERYBODY_READS == 0,
    }
}

/// A file that was opened, and what was found out about it where that could block.
pub(crate) struct OpenFile {
    pub(crate) file: Arc<File>,
    pub(crate) seen: Seen,
    pub(crate) system: FileSystem,
}

/// What everybody on a machine may do with a file that is no secret there: read it.
const EVERYBODY_READS: u32 = 0o004;

impl OpenFile {
    /// Of a file that was `seen` so when it was opened. Blocks.
    pub(crate) fn new((file, seen): (File, Seen)) -> Self {
        Self {
            system: FileSystem::of_file(&file),
            file: Arc::new(file),
            seen,
        }
    }
}

/// Reads at `offset` without ever waiting for the disk: `None` where the bytes are not in memory,
/// or the kernel can't say whether they are.
///
/// # Errors
/// As `preadv2(2)`.
pub(crate) fn read_now(
    file: &File,
    system: FileSystem,
    offset: u64,
    into: &mut [u8],
) -> io::Result<Option<usize>> {
    let read = match system {
        FileSystem::Distant | FileSystem::Readings => return Ok(None),
        FileSystem::Memory => rustix::io::pread(file, into, offset),
        FileSystem::Local | FileSystem::Layers => {
            let mut parts = [io::IoSliceMut::new(into)];
            rustix::io::preadv2(file, &mut parts, offset, ReadWriteFlags::NOWAIT)
        }
    };
    match read {
        Ok(length) => Ok(Some(length)),
        Err(Errno::AGAIN | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How many reads of one file system may be under way on other threads. A memory card serves one
/// after another; more would only be threads and buffers. Where one never answers, so many threads
/// hang.
const COLD_READS: usize = 16;

/// How many file systems' turns are remembered before those that nobody waits for are forgotten.
const TURNS_KEPT: usize = 32;

/// The turns to read, by device: a share whose server is gone takes none of the card's.
static TURNS: Mutex<BTreeMap<u64, Arc<Semaphore>>> = Mutex::new(BTreeMap::new());

fn turns(device: u64) -> Arc<Semaphore> {
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    if turns.len() > TURNS_KEPT {
        turns.retain(|_, turns| Arc::strong_count(turns) > 1);
    }
    let new = || Arc::new(Semaphore::new(COLD_READS));
    turns.entry(device).or_insert_with(new).clone()
}

/// Reads up to `length` bytes at `offset` on another thread, for when [`read_now`] had to pass.
/// `device`: that of the file.
///
/// # Errors
/// As `pread(2)`.
pub(crate) async fn read_cold(
    file: Arc<File>,
    device: u64,
    offset: u64,
    length: usize,
) -> io::Result<Vec<u8>> {
    let turn = turns(device).acquire_arc().await;
    // Made here: of what another thread allocates some hundred KiB stay with it (an arena of
    // glibc's for each), of this thread's nothing.
    let mut bytes = vec![0; length];
    unblock(move || {
        let read = file.read_at(&mut bytes, offset);
        // Kept until here, though the client may have left.
        drop(turn);
        bytes.truncate(read?);
        Ok(bytes)
    })
    .await
}
