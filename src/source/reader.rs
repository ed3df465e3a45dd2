//! One client's way through a stream, whatever the stream is made of: what it can say, and the buffer that it reads into.

use std::io;

use event_listener::EventListener;

use super::history::Playback;
use super::walk::Walk;
use crate::cursor::Cursor;

/// How much is read at once, in bytes. Twice as much is not faster over loopback; a frame of this size is the most
/// that a stuck client holds.
pub const CHUNK: usize = 64 * 1024;

/// The one buffer that all readers of the thread read into. Between the read and the copy into a client's socket nothing awaits.
///
/// It remembers what it holds: of a thousand clients at the end of a file only the first one reads it.
pub struct Scratch {
    pub(super) bytes: Box<[u8]>,
    /// Serial of the generation or history, offset, length.
    pub(super) holds: (u64, u64, usize),
}

impl Scratch {
    /// A buffer of [`CHUNK`] bytes.
    pub fn new() -> Self {
        Self {
            bytes: vec![0; CHUNK].into_boxed_slice(),
            holds: (0, 0, 0),
        }
    }

    /// The bytes that [`Reader::next`] has put here.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.holds.2]
    }

    /// How many bytes of `serial` from `offset` on it holds already, if any.
    pub(super) fn held(&self, serial: u64, offset: u64) -> Option<usize> {
        let (of, from, length) = self.holds;
        (of == serial && from == offset && length > 0).then_some(length)
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// What a viewer has to be told beside the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// The name now means a new file; the old one was read to its end.
    Rotated(Cursor),
    /// The file was cut or rewritten; this many bytes of it could not be read before.
    Truncated(Cursor, u64),
    /// Bytes are gone for another cause; `None`: nobody knows how many.
    Lost(Cursor, Option<u64>),
    /// There is no file of that name now.
    Missing,
    /// There is one again.
    Found,
}

/// What a reader has next.
pub enum Next {
    /// Bytes of the stream are in the scratch buffer.
    Bytes,
    /// Something happened.
    Marker(Marker),
    /// The bytes have to come from the disk: await [`Reader::warm`].
    Cold,
    /// Nothing until [`Reader::changed`] resolves.
    End,
}

/// A place in a stream, and what comes after it.
pub enum Reader {
    /// In a file and those that come after it.
    Walk(Walk),
    /// In what is kept of a sample or a pipe.
    Playback(Playback),
}

impl Reader {
    /// What comes next, without waiting. Bytes are put into `scratch`.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn next(&mut self, scratch: &mut Scratch) -> io::Result<Next> {
        match self {
            Self::Walk(walk) => walk.next(scratch),
            Self::Playback(playback) => Ok(playback.next(scratch)),
        }
    }

    /// Gets from the disk what [`next`](Self::next) found cold: bytes, or the way on to the next file.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn warm(&mut self) -> io::Result<()> {
        match self {
            Self::Walk(walk) => walk.warm().await,
            Self::Playback(_) => Ok(()),
        }
    }

    /// Resolves when something may be new. Take it before [`next`](Self::next) says [`Next::End`].
    pub fn changed(&self) -> EventListener {
        match self {
            Self::Walk(walk) => walk.changed(),
            Self::Playback(playback) => playback.changed(),
        }
    }

    /// How much of the stream is there now, in bytes: the size of the newest file, or what is kept.
    pub fn size(&self) -> u64 {
        match self {
            Self::Walk(walk) => walk.size(),
            Self::Playback(playback) => playback.size(),
        }
    }

    /// From the end of the current file, goes back to its start: the reader, and how many bytes lie between.
    pub fn from_start(self) -> (Self, u64) {
        match self {
            Self::Walk(walk) => {
                let (walk, length) = walk.from_start();
                (Self::Walk(walk), length)
            }
            Self::Playback(playback) => {
                let (playback, length) = playback.from_start();
                (Self::Playback(playback), length)
            }
        }
    }

    /// Whether there was no file when the reader was opened, or last moved on.
    pub fn is_nowhere(&self) -> bool {
        match self {
            Self::Walk(walk) => walk.is_nowhere(),
            Self::Playback(_) => false,
        }
    }

    /// The place of the next byte, with its check.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn cursor(&self) -> io::Result<Cursor> {
        match self {
            Self::Walk(walk) => walk.cursor().await,
            Self::Playback(playback) => Ok(playback.cursor()),
        }
    }
}
