//! A name on a file system, and how far it may lead.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
use rustix::io::Errno;

use crate::source::file::change::Seen;
use crate::source::os::fs;

/// What they may do with a directory on the way to one.
const EVERYBODY_ENTERS: u32 = 0o001;

/// Where a followed name stands.
///
/// A name given on the command line may be a symbolic link to anywhere: its owner has named it. One that a glob has
/// found was named by whoever may write in that directory, so it must not lead out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name's path.
    pub path: PathBuf,
    /// It must not lead out of its directory.
    pub confined: bool,
}

impl Place {
    /// A place that may lead anywhere.
    pub fn named(path: PathBuf) -> Self {
        Self {
            path,
            confined: false,
        }
    }

    /// What the name means now. Blocks.
    ///
    /// # Errors
    /// As `stat(2)`; where it leads out of its directory as `openat2(2)`, `EXDEV`.
    pub fn metadata(&self) -> io::Result<Metadata> {
        if !self.confined {
            return self.path.metadata();
        }
        let metadata = self.path.symlink_metadata()?;
        if metadata.is_symlink() {
            self.beneath(OFlags::PATH)?.metadata()
        } else {
            Ok(metadata)
        }
    }

    /// Whether there is something now that not everybody on this machine may read: the file's own mode
    /// and that of every directory on the way to it count. Blocks.
    pub fn is_private(&self) -> bool {
        let Ok(metadata) = self.metadata() else {
            return false;
        };
        let lacks = |metadata: &Metadata, right| metadata.mode() & right == 0;
        let closed = |directory: &Path| {
            let metadata = directory.metadata();
            metadata.map_or(true, |metadata| lacks(&metadata, EVERYBODY_ENTERS))
        };
        // Where it leads nobody can tell, nobody else is let in.
        let resolved = self.path.canonicalize();
        let closed = resolved.map_or(true, |path| path.ancestors().skip(1).any(closed));
        closed || lacks(&metadata, fs::EVERYBODY_READS)
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

    /// Opens a regular file for reading, never waiting for a FIFO's writer, and says what it is. Blocks.
    ///
    /// # Errors
    /// As `open(2)`; `InvalidInput` where it is not a regular file.
    pub fn open(&self) -> io::Result<(File, Seen)> {
        if self.confined {
            regular(self.beneath(OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?)
        } else {
            open_regular(&self.path, OFlags::empty())
        }
    }

    /// The name that rotation renames: a symbolic link's target, except where that might lie outside of the directory.
    /// Blocks.
    pub fn target(&self) -> PathBuf {
        if self.confined {
            self.path.clone()
        } else {
            target(&self.path)
        }
    }

    /// Opens it without leaving its directory at any step.
    fn beneath(&self, flags: OFlags) -> io::Result<File> {
        let (Some(directory), Some(name)) = (directory(&self.path), self.path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let flags = flags | OFlags::CLOEXEC;
        let place = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = open(&directory, place, Mode::empty())?;
        let limits = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match openat2(&directory, name, flags, Mode::empty(), limits) {
            // Before Linux 5.6, and in sandboxes that have not heard of it: no symbolic link at all.
            Err(Errno::NOSYS | Errno::PERM) => {
                let flags = flags | OFlags::NOFOLLOW;
                Ok(rustix::fs::openat(&directory, name, flags, Mode::empty())?.into())
            }
            opened => Ok(opened?.into()),
        }
    }
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

/// Where a name leads through symbolic links, whether or not there is a file at the end: rotation renames the target,
/// not the link.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_confined_place_does_not_lead_out() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("real"), "x").unwrap();
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("sub/deep"), "x").unwrap();
        symlink("real", at("inside")).unwrap();
        symlink("sub/deep", at("below")).unwrap();
        symlink(outside.path().join("secret"), at("absolute")).unwrap();
        let up = outside.path().file_name().unwrap();
        symlink(Path::new("..").join(up).join("secret"), at("relative")).unwrap();
        symlink(outside.path(), at("sub/away")).unwrap();
        symlink("sub/away/secret", at("roundabout")).unwrap();
        symlink("/proc/self/root", at("magic")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();

        for (name, named, confined) in [
            ("real", true, true),
            ("inside", true, true),
            ("below", true, true),
            ("absolute", true, false),
            ("relative", true, false),
            ("roundabout", true, false),
            ("magic", false, false),
            ("dangling", false, false),
            ("sub", false, false),
        ] {
            for (confines, want) in [(false, named), (true, confined)] {
                let place = Place {
                    path: at(name),
                    confined: confines,
                };
                assert_eq!(place.seen().is_ok(), want, "stat {place:?}");
                assert_eq!(place.open().is_ok(), want, "open {place:?}");
            }
        }
    }
}
