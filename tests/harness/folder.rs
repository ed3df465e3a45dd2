//! A directory with a log in it, and everything that happens to logs.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Removed with all that is in it when dropped.
pub struct Folder {
    directory: TempDir,
    pub log: PathBuf,
}

impl Folder {
    /// On the file system of ordinary temporary files; the log is `app.log` and not there yet.
    pub fn new() -> Folder {
        Folder::of(TempDir::with_prefix("tailcast-").expect("temporary directory"))
    }

    /// The same on each kind of file system here: the ordinary one, and tmpfs, where `RWF_NOWAIT`
    /// is refused.
    pub fn each() -> Vec<Folder> {
        let mut folders = vec![Folder::new()];
        // In memory wherever it exists; elsewhere the second folder would be the first once more.
        folders.extend(
            TempDir::with_prefix_in("tailcast-", "/dev/shm")
                .ok()
                .map(Folder::of),
        );
        folders
    }

    /// Open to everybody on this machine: what lies in a private directory needs the key from here,
    /// too.
    fn of(directory: TempDir) -> Folder {
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("permissions");
        let log = directory.path().join("app.log");
        Folder { directory, log }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The log as an argument.
    pub fn arg(&self) -> &str {
        self.log.to_str().expect("UTF-8")
    }

    /// What the log is numbered.
    pub fn inode(&self) -> u64 {
        inode(&self.log)
    }

    /// Appends to the log, which is created where there is none.
    pub fn append(&self, bytes: impl AsRef<[u8]>) {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .and_then(|mut log| log.write_all(bytes.as_ref()))
            .expect("append");
    }

    /// Rotates as logrotate's `nocreate` does: `app.log.1` becomes `app.log.2`, `app.log` becomes
    /// `app.log.1`.
    pub fn rotate(&self) {
        let mut number = 1;
        while self.path(&format!("app.log.{number}")).exists() {
            number += 1;
        }
        for older in (1..number).rev() {
            let from = self.path(&format!("app.log.{older}"));
            rename(&from, &self.path(&format!("app.log.{}", older + 1)));
        }
        self.tick();
        rename(&self.log, &self.path("app.log.1"));
    }

    /// Waits for the next tick of the file system's clock: within one, `mtime` cannot tell the
    /// order of two rotations.
    pub fn tick(&self) {
        let time = |path: &Path| {
            fs::metadata(path)
                .and_then(|m| m.modified())
                .expect("mtime")
        };
        let probe = self.path("clock");
        let last = time(&self.log);
        crate::deadline::until_true("the file system's clock to go on", || {
            File::create(&probe).expect("probe");
            time(&probe) > last
        });
        fs::remove_file(&probe).expect("probe");
    }

    /// Puts a new file of this content in the log's place in one step.
    pub fn replace(&self, content: impl AsRef<[u8]>) {
        let new = self.path("app.log.new~");
        fs::write(&new, content).expect("new file");
        rename(&new, &self.log);
    }

    /// Cuts the log to nothing, as `copytruncate` does after its copy.
    pub fn truncate(&self) {
        OpenOptions::new()
            .write(true)
            .open(&self.log)
            .and_then(|log| log.set_len(0))
            .expect("truncate");
    }
}

pub fn inode(path: &Path) -> u64 {
    fs::metadata(path).expect("metadata").ino()
}

pub fn rename(from: &Path, to: &Path) {
    fs::rename(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}
