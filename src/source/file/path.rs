//! A name on a file system, and how far it may lead.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat, openat2};
use rustix::io::Errno;

use crate::source::file::change::Seen;
use crate::source::file::newest;
use crate::source::file::pattern::PathPattern;
use crate::source::os::fs::{self, FileSystem};

/// What they may do with a directory on the way to one.
const EVERYBODY_ENTERS: u32 = 0o001;

/// How long an empty file may be for its owner alone and be taken for one that is being made.
/// logrotate opens the new log to all at once, on a busy board not within milliseconds.
const MAKING_TIME: Duration = Duration::from_secs(1);

/// Who may read a file, from the most to the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Privacy {
    /// Everybody on this machine, or there is no file.
    Open,
    /// Its owner alone, but it has only just been made and holds nothing.
    BeingMade,
    /// Not everybody on this machine.
    Private,
}

/// Where a followed name stands.
///
/// A name given on the command line may be a symbolic link to anywhere: its owner has named it. One
/// that a glob has found was named by whoever may write in its directories, so it must not lead out
/// of the one that was written out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePath {
    /// The name's path.
    pub path: PathBuf,
    /// The directory above it that it must not lead out of.
    pub within: Option<PathBuf>,
    /// It is whatever file is the newest that this stands for now.
    pub newest: Option<Arc<PathPattern>>,
}

impl FilePath {
    /// A place that may lead anywhere.
    pub fn named(path: PathBuf) -> Self {
        Self {
            path,
            within: None,
            newest: None,
        }
    }

    /// One that must not lead out of the directory `within`, which is above it.
    pub(crate) fn within(path: PathBuf, within: &Path) -> Self {
        Self {
            path,
            within: Some(within.to_owned()),
            newest: None,
        }
    }

    /// The newest file that `pattern` stands for, whichever it is.
    pub(crate) fn newest(path: PathBuf, pattern: PathPattern) -> Self {
        Self {
            path,
            within: Some(pattern.directory().to_owned()),
            newest: Some(Arc::new(pattern)),
        }
    }

    /// Where it is now, which changes only where it is the newest of many. Blocks.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub fn now(&self) -> io::Result<Cow<'_, Self>> {
        let Some(pattern) = &self.newest else {
            return Ok(Cow::Borrowed(self));
        };
        let newest = newest::newest(pattern).ok_or(io::ErrorKind::NotFound)?;
        Ok(Cow::Owned(newest.place))
    }

    /// What the name means now. Blocks.
    ///
    /// # Errors
    /// As `stat(2)`; where it leads out of its directory as `openat2(2)`, `EXDEV`.
    pub fn metadata(&self) -> io::Result<Metadata> {
        if self.newest.is_some() {
            return self.now()?.metadata();
        }
        let Some(within) = &self.within else {
            return self.path.metadata();
        };
        if self.path.parent() == Some(within.as_path()) {
            let metadata = self.path.symlink_metadata()?;
            if !metadata.is_symlink() {
                return Ok(metadata);
            }
        }
        self.beneath(within, OFlags::PATH)?.metadata()
    }

    /// Who may read what there is now: the file's own mode and that of every directory on the way
    /// to it count. Blocks.
    pub fn privacy(&self) -> Privacy {
        let Ok(now) = self.now() else {
            return Privacy::Open;
        };
        let Ok(metadata) = now.metadata() else {
            return Privacy::Open;
        };
        let closed = |directory: &Path| {
            let metadata = directory.metadata();
            metadata.map_or(true, |metadata| metadata.mode() & EVERYBODY_ENTERS == 0)
        };
        let closed = match now.path.canonicalize() {
            Ok(path) => path.ancestors().skip(1).any(closed),
            // Rotated away since it was asked for: there is nothing now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            // Where nobody can tell where it leads, nobody else is let in.
            Err(_) => true,
        };
        let seen = fs::seen(&metadata);
        if closed || (seen.private && !is_being_made(&seen)) {
            Privacy::Private
        } else if seen.private {
            Privacy::BeingMade
        } else {
            Privacy::Open
        }
    }

    /// What there is to follow or to sample: a regular file. Blocks.
    ///
    /// # Errors
    /// As [`metadata`](Self::metadata); `InvalidInput` where it is not a regular file.
    pub fn seen(&self) -> io::Result<Seen> {
        let metadata = self.metadata()?;
        if metadata.is_file() {
            Ok(fs::seen(&metadata))
        } else {
            Err(io::ErrorKind::InvalidInput.into())
        }
    }

    /// Opens a regular file for reading, never waiting for a FIFO's writer, and says what it is.
    /// Blocks.
    ///
    /// # Errors
    /// As `open(2)`; `InvalidInput` where it is not a regular file.
    pub fn open(&self) -> io::Result<(File, Seen)> {
        self.open_with(OFlags::empty())
    }

    /// The same with `more` flags.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn open_with(&self, more: OFlags) -> io::Result<(File, Seen)> {
        if self.newest.is_some() {
            return self.now()?.open_with(more);
        }
        let Some(within) = &self.within else {
            return open_regular(&self.path, more);
        };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | more;
        regular(self.beneath(within, flags)?)
    }

    /// Whether the directory that it stands in is not where it may lead: a link was put in its way.
    /// Blocks.
    pub(crate) fn is_led_out(&self) -> bool {
        let (Some(within), Some(directory)) = (&self.within, self.path.parent()) else {
            return false;
        };
        let directory = Self::within(directory.to_owned(), within);
        directory.path != *within && directory.beneath(within, OFlags::PATH).is_err()
    }

    /// The name that rotation renames: a symbolic link's target, except where that might lie
    /// outside of the directory. Blocks.
    pub fn target(&self) -> PathBuf {
        if self.within.is_some() {
            self.path.clone()
        } else {
            target(&self.path)
        }
    }

    /// Opens it without leaving `within` at any step. The kernel's own file systems are full of
    /// links that lead elsewhere in the same one, and nobody but the kernel makes them: there it
    /// must not leave the file system.
    fn beneath(&self, within: &Path, flags: OFlags) -> io::Result<File> {
        let Ok(below) = self.path.strip_prefix(within) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let flags = flags | OFlags::CLOEXEC;
        let place = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let within = File::from(open(within, place, Mode::empty())?);
        let is_kernels = FileSystem::of_file(&within).holds_readings();
        let limit = if is_kernels {
            ResolveFlags::NO_XDEV
        } else {
            ResolveFlags::BENEATH
        };
        let limits = limit | ResolveFlags::NO_MAGICLINKS;
        match openat2(&within, below, flags, Mode::empty(), limits) {
            // Before Linux 5.6, and in sandboxes that have not heard of it.
            Err(Errno::NOSYS | Errno::PERM) if is_kernels => {
                let opened = File::from(openat(&within, below, flags, Mode::empty())?);
                if opened.metadata()?.dev() == within.metadata()?.dev() {
                    Ok(opened)
                } else {
                    Err(Errno::XDEV.into())
                }
            }
            Err(Errno::NOSYS | Errno::PERM) => without_links(within, below, flags),
            opened => Ok(opened?.into()),
        }
    }
}

/// Opens the file `below` a directory through no symbolic link at all.
fn without_links(mut directory: File, below: &Path, flags: OFlags) -> io::Result<File> {
    let mut parts = below.iter().peekable();
    while let Some(part) = parts.next() {
        let flags = match parts.peek() {
            Some(_) => OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            None => flags,
        };
        let flags = flags | OFlags::NOFOLLOW;
        directory = openat(&directory, part, flags, Mode::empty())?.into();
    }
    Ok(directory)
}

/// Opens a regular file for reading, with `more` flags, and says what it is. Blocks.
///
/// # Errors
/// As `open(2)`; `InvalidInput` where it is not a regular file.
pub fn open_regular(path: &Path, more: OFlags) -> io::Result<(File, Seen)> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | more;
    let flags = flags.bits().cast_signed();
    regular(File::options().read(true).custom_flags(flags).open(path)?)
}

fn regular(file: File) -> io::Result<(File, Seen)> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    let seen = fs::seen(&metadata);
    Ok((file, seen))
}

/// The most links in a row that are followed, as many as the kernel does.
const LINKS_MAX: usize = 40;

/// Where a name leads through symbolic links, whether or not there is a file at the end: rotation
/// renames the target, not the link.
pub fn target(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(link) = path.read_link() else { break };
        path = directory(&path).unwrap_or_default().join(link);
    }
    path
}

/// The directory that a path's last part stands in.
pub fn directory(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        parent.to_owned()
    })
}

/// Whether a file has just been made. By ctime, which nobody can set.
fn is_being_made(seen: &Seen) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let changed = u64::try_from(seen.changed).map(Duration::from_nanos);
    // A clock that was set back says nothing of it.
    let age = now.ok().zip(changed.ok());
    let age = age.and_then(|(now, changed)| now.checked_sub(changed));
    seen.size == 0 && age.is_some_and(|age| age < MAKING_TIME)
}
