//! Where streams come from.
//!
//! A follower looks at a name and links generations, open files, into a list; a reader walks along it.

pub mod disk;
pub mod family;
pub mod follower;
pub mod generation;
mod look;
pub mod notices;
pub mod reader;
pub mod step;

use std::cell::Cell;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use smol::LocalExecutor;

use crate::cursor::From;
use follower::Follower;
use notices::Notices;
use reader::Reader;

/// What all sources share.
#[derive(Clone)]
pub struct Ground {
    /// Runs what follows, one thread.
    pub executor: Rc<LocalExecutor<'static>>,
    /// The one inotify instance.
    pub notices: Rc<Notices>,
    /// The next generation's serial, from 1 on: generations of all sources share one scratch buffer.
    pub serials: Rc<Cell<u64>>,
    /// How often to look at a file that the kernel sends no notice for.
    pub poll: Duration,
    /// How often to look at one that it does send them for, in case one was lost.
    pub anyway: Duration,
}

/// One stream.
pub struct Source {
    /// Its name in URLs.
    pub name: String,
    follower: Rc<Follower>,
}

/// What `/sources` tells of a stream's file: `None` where there is none now.
pub struct Extent {
    /// In bytes.
    pub size: Option<u64>,
    /// When it was written last.
    pub modified: Option<SystemTime>,
}

impl Source {
    /// The stream `name` of the file at `path`.
    pub fn new(name: String, path: PathBuf, ground: &Ground) -> Self {
        Self {
            name,
            follower: Follower::new(path, ground),
        }
    }

    /// What kind of stream it is, as `/sources` and `open` say.
    pub fn kind(&self) -> &'static str {
        "file"
    }

    /// How many listen.
    pub fn clients(&self) -> usize {
        self.follower.listeners()
    }

    /// Whether viewers are told that it is not there. Known while somebody listens.
    pub fn is_missing(&self) -> bool {
        self.follower.is_missing()
    }

    /// A reader at the place that `from` means. Whatever is appended after this returns will be read.
    ///
    /// # Errors
    /// When the source can't be read.
    pub async fn open(&self, from: From) -> io::Result<Reader> {
        Reader::open(&self.follower, from).await
    }

    /// Whether there is a file now that not everybody on this machine may read.
    pub async fn is_private(&self) -> bool {
        let metadata = async_fs::metadata(&self.follower.path).await;
        metadata.is_ok_and(|metadata| metadata.permissions().mode() & EVERYBODY_READS == 0)
    }

    /// How large it is now, and how fresh.
    pub async fn extent(&self) -> Extent {
        let metadata = async_fs::metadata(&self.follower.path)
            .await
            .ok()
            .filter(std::fs::Metadata::is_file);
        Extent {
            size: metadata.as_ref().map(std::fs::Metadata::len),
            modified: metadata.and_then(|metadata| metadata.modified().ok()),
        }
    }
}

/// What everybody on this machine may do with a file that is no secret to them: read it.
const EVERYBODY_READS: u32 = 0o004;

/// All streams, in the order of the command line.
pub struct Sources(Vec<Rc<Source>>);

impl Sources {
    /// The streams of these names and paths; the names differ.
    pub fn new(named: Vec<(String, PathBuf)>, ground: &Ground) -> Self {
        Self(
            named
                .into_iter()
                .map(|(name, path)| Rc::new(Source::new(name, path, ground)))
                .collect(),
        )
    }

    /// The first one.
    pub fn first(&self) -> Option<Rc<Source>> {
        self.0.first().cloned()
    }

    /// The one of this name.
    pub fn find(&self, name: &str) -> Option<Rc<Source>> {
        self.0.iter().find(|source| source.name == name).cloned()
    }

    /// Whether one of them is not for everybody on this machine.
    pub async fn any_private(&self) -> bool {
        for source in &self.0 {
            if source.is_private().await {
                return true;
            }
        }
        false
    }

    /// All of them now.
    pub fn list(&self) -> Vec<Rc<Source>> {
        self.0.clone()
    }
}
