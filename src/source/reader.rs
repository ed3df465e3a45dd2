//! One client's way through a stream, whatever the stream is made of: what it has next, and where
//! it stands.

use std::io;

use crate::bell::Listener;
use crate::bytes::cursor::Cursor;
use crate::bytes::lines::LineEnd;
use crate::bytes::utf16::Utf16;
use crate::source::buffer::history::Playback;
use crate::source::cache::ReadCache;
use crate::source::file::reader::FileReader;
use crate::source::marker::{Lost, Missing, Next};
use crate::source::remote::RemoteReader;

/// A place in a stream, and what comes after it.
pub enum Reader {
    /// In a file and those that come after it.
    FileReader(FileReader),
    /// In what is kept of a sample or a pipe.
    Playback(Playback),
    /// In one that lies elsewhere.
    Remote(Box<dyn RemoteReader>),
}

impl Reader {
    /// What comes next, without waiting. Bytes are put into `cache`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn next(&mut self, cache: &mut ReadCache) -> io::Result<Next> {
        match self {
            Self::FileReader(walk) => walk.next(cache),
            Self::Playback(playback) => Ok(playback.next(cache)),
            Self::Remote(remote) => Ok(remote.next(cache)),
        }
    }

    /// Whether all is read and told, as far as that is known without a look: [`next`](Self::next)
    /// would say [`Next::End`].
    pub(crate) fn is_at_end(&self) -> bool {
        match self {
            Self::FileReader(walk) => walk.is_at_end(),
            Self::Playback(_) | Self::Remote(_) => false,
        }
    }

    /// Gets from the disk what [`next`](Self::next) found cold: bytes, or the way on to the next
    /// file.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn warm(&mut self) -> io::Result<()> {
        match self {
            Self::FileReader(walk) => walk.warm().await,
            Self::Playback(_) => Ok(()),
            Self::Remote(remote) => remote.warm().await,
        }
    }

    /// Rings when something may be new. Listened to before [`next`](Self::next) says [`Next::End`],
    /// it misses nothing.
    pub(crate) fn changed(&self) -> Listener {
        match self {
            Self::FileReader(walk) => walk.changed(),
            Self::Playback(playback) => playback.changed(),
            Self::Remote(remote) => remote.changed(),
        }
    }

    /// How much of the stream is there now, in bytes: the size of the newest file, or what is kept.
    pub fn size(&self) -> u64 {
        match self {
            Self::FileReader(walk) => walk.size(),
            Self::Playback(playback) => playback.size(),
            Self::Remote(remote) => remote.size(),
        }
    }

    /// How many bytes follow this place, as far as that is known: not where other files lie in
    /// between.
    pub(crate) fn behind(&self) -> Option<u64> {
        match self {
            Self::FileReader(walk) if !walk.is_newest() => None,
            _ => self.end().checked_sub(self.offset()),
        }
    }

    /// The offset behind the last byte there is.
    fn end(&self) -> u64 {
        match self {
            Self::FileReader(walk) => walk.size(),
            Self::Playback(playback) => playback.start() + playback.size(),
            Self::Remote(remote) => remote.size(),
        }
    }

    /// Goes to `offset` of the file it stands in, or of what is kept.
    pub fn seek(&mut self, offset: u64) {
        match self {
            Self::FileReader(walk) => walk.seek(offset),
            Self::Playback(playback) => playback.seek(offset),
            Self::Remote(remote) => remote.seek(offset),
        }
    }

    /// From here on only the bytes are wanted, not what happened on the way: of streams that hold
    /// both.
    pub(crate) fn only_bytes(&mut self) {
        if let Self::Remote(remote) = self {
            remote.only_bytes();
        }
    }

    /// What ends a line in it: of a file, of what an instrument sends.
    pub fn line_end(&self) -> LineEnd {
        match self {
            Self::FileReader(_) => LineEnd::Newline,
            Self::Playback(_) => LineEnd::Return,
            Self::Remote(_) => LineEnd::Newline,
        }
    }

    /// From now on NULs are content, too, as in the file as it is. Returns where that ends.
    pub fn raw(&mut self) -> u64 {
        match self {
            Self::FileReader(walk) => walk.raw(),
            Self::Playback(playback) => playback.start() + playback.size(),
            Self::Remote(remote) => remote.offset(),
        }
    }

    /// The offset of the oldest byte there is.
    pub fn start(&self) -> u64 {
        match self {
            Self::FileReader(_) => 0,
            Self::Playback(playback) => playback.start(),
            Self::Remote(remote) => remote.start(),
        }
    }

    /// The offset of the next byte.
    pub fn offset(&self) -> u64 {
        match self {
            Self::FileReader(walk) => walk.offset(),
            Self::Playback(playback) => playback.offset(),
            Self::Remote(remote) => remote.offset(),
        }
    }

    /// Whether there was no file when the reader was opened, or last moved on.
    pub fn is_nowhere(&self) -> bool {
        match self {
            Self::FileReader(walk) => walk.is_nowhere(),
            Self::Playback(_) | Self::Remote(_) => false,
        }
    }

    /// Whether a later file has bytes: where this one ends, its last line ends.
    pub(crate) async fn is_over(&self) -> bool {
        match self {
            Self::FileReader(walk) => walk.is_over().await,
            Self::Playback(_) | Self::Remote(_) => false,
        }
    }

    /// Why there is nothing to read now, if there is not.
    pub fn missing(&self) -> Option<Missing> {
        match self {
            Self::FileReader(walk) => walk.missing(),
            Self::Playback(playback) => playback.missing(),
            Self::Remote(_) => None,
        }
    }

    /// From now on it gives nothing of a file that not everybody on this machine may read. `true`:
    /// it stands in one already.
    pub(crate) fn only_public(&mut self) -> bool {
        match self {
            Self::FileReader(walk) => walk.only_public(),
            Self::Playback(_) | Self::Remote(_) => false,
        }
    }

    /// The place of the next byte, with its check.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn cursor(&self) -> io::Result<Cursor> {
        self.cursor_behind(0).await
    }

    /// The place behind the next `length` bytes, with its check.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn cursor_behind(&self, length: u64) -> io::Result<Cursor> {
        match self {
            Self::FileReader(walk) => walk.cursor_behind(length).await,
            Self::Playback(playback) => Ok(playback.cursor_behind(length)),
            Self::Remote(remote) => remote.cursor_behind(length).await,
        }
    }

    /// The bytes before the next one that a cursor's check covers, as far as they are there.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn before(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::FileReader(walk) => walk.before().await,
            Self::Playback(playback) => Ok(playback.before()),
            Self::Remote(remote) => remote.before().await,
        }
    }

    /// Which UTF-16 the file at this place is in, if it is that.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn coding(&self) -> io::Result<Option<Utf16>> {
        match self {
            Self::FileReader(walk) => walk.coding().await,
            Self::Playback(_) | Self::Remote(_) => Ok(None),
        }
    }

    /// Passes over what there is to be told, to where there are bytes: how many of one file are
    /// there now, 0 for none, and what was lost on the way.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn available(&mut self) -> io::Result<(u64, Lost)> {
        match self {
            Self::FileReader(walk) => walk.available().await,
            Self::Playback(playback) => Ok(playback.available()),
            Self::Remote(remote) => remote.available().await,
        }
    }
}
