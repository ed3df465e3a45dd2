//! What a stream holds already, read at any place and in any order: one open file of the family, or
//! what is kept of a sample or a pipe. A reader goes forward and waits; this one does neither.

use std::io;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::bytes::cursor::{Cursor, fnv1a};
use crate::bytes::lines::LineEnd;
use crate::source::buffer::history::History;
use crate::source::file::change::Seen;
use crate::source::file::follower::Follower;
use crate::source::file::generation::Generation;
use crate::source::file::rotated;
use crate::source::os::fs::OpenFile;
use crate::source::remote::Stream;
use crate::source::{Flow, Source};

/// One generation as `?generations` lists it.
pub(crate) struct Listed {
    /// As in a cursor.
    pub inode: u64,
    /// The offset of the oldest byte that is still there: 0 of a file.
    pub start: u64,
    /// The offset behind its last byte.
    pub size: u64,
    /// When it was written last.
    pub modified: Option<SystemTime>,
    /// Another one has taken its name.
    pub sealed: bool,
}

/// One generation, open: whatever its name comes to mean, these are its bytes.
pub(crate) enum Past {
    /// A file of the family.
    File(Generation),
    /// What is kept.
    Kept(Rc<History>),
    /// What lies elsewhere, between these offsets.
    Remote(Rc<dyn Stream>, u64, u64),
}

impl Past {
    /// The number that stands in its cursors.
    pub(crate) fn inode(&self) -> u64 {
        match self {
            Self::File(generation) => generation.id.inode,
            Self::Kept(history) => history.id(),
            Self::Remote(stream, ..) => stream.id(),
        }
    }

    /// As [`Reader::line_end`](crate::source::reader::Reader::line_end).
    pub(crate) fn line_end(&self) -> LineEnd {
        match self {
            Self::File(_) | Self::Remote(..) => LineEnd::Newline,
            Self::Kept(_) => LineEnd::Return,
        }
    }

    /// The offset of the oldest byte there is.
    pub(crate) fn start(&self) -> u64 {
        match self {
            Self::File(_) => 0,
            Self::Kept(history) => history.oldest(),
            Self::Remote(_, start, _) => *start,
        }
    }

    /// The offset behind the last byte: of a file, as it was when it was opened.
    pub(crate) fn end(&self) -> u64 {
        match self {
            Self::File(generation) => generation.end.get(),
            Self::Kept(history) => history.end(),
            Self::Remote(.., end) => *end,
        }
    }

    /// Reads `length` bytes at `offset`; fewer only where there are no more.
    ///
    /// # Errors
    /// When the file can't be read; `UnexpectedEof` where what was kept at `offset` has given way.
    pub(crate) async fn read(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::File(generation) => generation.read(offset, length).await,
            Self::Kept(history) => {
                let mut bytes = vec![0; length];
                let read = history.read(offset, &mut bytes);
                bytes.truncate(read.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(bytes)
            }
            Self::Remote(stream, ..) => stream.clone().read(offset, length).await,
        }
    }

    /// The place at `offset`, with its check.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(crate) async fn cursor(&self, offset: u64) -> io::Result<Cursor> {
        match self {
            Self::File(generation) => {
                let before = generation.before(offset).await?;
                Ok(Cursor::new(generation.id.inode, offset, &before))
            }
            Self::Kept(history) => Ok(history.cursor(offset)),
            Self::Remote(stream, ..) => stream.clone().cursor(offset).await,
        }
    }

    /// Whether `cursor` is a place in it: what its check covers is there, too.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(crate) async fn holds(&self, cursor: Cursor) -> io::Result<bool> {
        if cursor.inode != self.inode() || !(self.start()..=self.end()).contains(&cursor.offset) {
            return Ok(false);
        }
        let Some(check) = cursor.check else {
            return Ok(true);
        };
        Ok(match self {
            Self::File(generation) => fnv1a(&generation.before(cursor.offset).await?) == check,
            // Where the bytes for it have given way nobody can tell.
            Self::Kept(history) => {
                let here = history.cursor(cursor.offset).check;
                here.is_none_or(|here| here == check)
            }
            Self::Remote(stream, ..) => {
                let here = stream.clone().cursor(cursor.offset).await?.check;
                here.is_none_or(|here| here == check)
            }
        })
    }
}

impl Source {
    /// Whether any generation that there is now is not everybody's to read on this machine.
    pub(crate) async fn has_private(&self) -> bool {
        for listed in self.generations().await {
            if self.is_private(listed.inode).await {
                return true;
            }
        }
        false
    }

    /// Whether the generation with this number is there, and not everybody on this machine may read
    /// it.
    pub(crate) async fn is_private(&self, inode: u64) -> bool {
        match self.past(Some(inode)).await {
            Some(Past::File(generation)) => generation.is_private(),
            _ => false,
        }
    }

    /// The generations that there are now, newest first.
    pub(crate) async fn generations(&self) -> Vec<Listed> {
        let history = match &self.flow {
            Flow::File(follower) => return files(follower).await,
            Flow::Sample(sample) => sample.history(),
            Flow::Pipe(pipe) => pipe.history(),
            Flow::Remote(stream) => {
                let bounds = stream.clone().bounds().await;
                let listed = bounds.map(|(start, size)| Listed {
                    inode: stream.id(),
                    start,
                    size,
                    modified: stream.extent().modified,
                    sealed: false,
                });
                return listed.into_iter().collect();
            }
        };
        vec![Listed {
            inode: history.id(),
            start: history.oldest(),
            size: history.end(),
            modified: history.written(),
            sealed: false,
        }]
    }

    /// The generation with this number, or the newest one; `None` where there is none.
    pub(crate) async fn past(&self, inode: Option<u64>) -> Option<Past> {
        let history = match &self.flow {
            Flow::File(follower) => {
                let open = open(follower, inode).await?;
                return Some(Past::File(follower.runtime.generation(open)));
            }
            Flow::Sample(sample) => sample.history(),
            Flow::Pipe(pipe) => pipe.history(),
            Flow::Remote(stream) if inode.is_some_and(|inode| inode != stream.id()) => return None,
            Flow::Remote(stream) => {
                let (start, end) = stream.clone().bounds().await.ok()?;
                return Some(Past::Remote(stream.clone(), start, end));
            }
        };
        let is_meant = inode.is_none_or(|inode| inode == history.id());
        is_meant.then(|| Past::Kept(history.clone()))
    }
}

async fn files(follower: &Follower) -> Vec<Listed> {
    let place = follower.place.clone();
    let list = move || rotated::list(&place, || place.seen().ok());
    let (now, family) = follower.family.answer(list).await;
    let listed = |seen: Seen, sealed| Listed {
        inode: seen.id.inode,
        start: 0,
        size: seen.size,
        modified: time(seen.modified),
        sealed,
    };
    let now_id = now.map(|seen| seen.id);
    let sealed = family.into_iter().rev();
    let sealed = sealed.filter(|seen| Some(seen.id) != now_id);
    now.map(|seen| listed(seen, false))
        .into_iter()
        .chain(sealed.map(|seen| listed(seen, true)))
        .collect()
}

/// A file's time, from nanoseconds since 1970; `None` for one before that.
fn time(nanoseconds: i128) -> Option<SystemTime> {
    let seconds = u64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok()?;
    let rest = u32::try_from(nanoseconds.rem_euclid(1_000_000_000)).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, rest))
}

/// Opens the file that the name means now if that has this inode, else the one of its family that
/// does.
async fn open(follower: &Follower, inode: Option<u64>) -> Option<OpenFile> {
    let place = follower.place.clone();
    let find = move || {
        let is_meant = |seen: &Seen| inode.is_none_or(|inode| inode == seen.id.inode);
        match (place.open(), inode) {
            (Ok((file, seen)), _) if is_meant(&seen) => Some((file, seen)),
            (_, Some(inode)) => rotated::find(&place, inode).1,
            (_, None) => None,
        }
    };
    let find = move || find().map(OpenFile::new);
    follower.family.answer(find).await
}
