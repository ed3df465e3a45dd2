//! What a reader finds: bytes, something to be told beside them, or nothing yet.

use std::io;

use crate::bytes::cursor::Cursor;

/// Why there is nothing to read under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is no such file.
    Absent,
    /// There is something, but it may not or can't be read.
    Unreadable,
}

impl Missing {
    /// What a failure to look or to open tells of the name. `None`: it tells of this process (out
    /// of descriptors or memory), nothing of the file.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        use rustix::io::Errno;
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Some(Self::Absent),
            // What stands there is no regular file.
            io::ErrorKind::InvalidInput => Some(Self::Absent),
            _ => match Errno::from_io_error(error) {
                Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::INTR) => None,
                _ => Some(Self::Unreadable),
            },
        }
    }

    /// Its name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Unreadable => "unreadable",
        }
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
    /// This many NULs that stand before the cursor were passed over.
    Skipped(Cursor, u64),
    /// There is no file of that name now, or none that may be read; of a sensor, how many readings
    /// have failed since this was told last.
    Missing(Missing, u64),
    /// There is one again.
    Found,
}

impl Marker {
    /// Its name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rotated(_) => "rotated",
            Self::Truncated(..) => "truncated",
            Self::Lost(..) => "lost",
            Self::Skipped(..) => "skipped",
            Self::Missing(..) => "missing",
            Self::Found => "found",
        }
    }

    /// The place of the next byte, where it has changed.
    pub fn cursor(&self) -> Option<Cursor> {
        match *self {
            Self::Rotated(cursor)
            | Self::Truncated(cursor, _)
            | Self::Lost(cursor, _)
            | Self::Skipped(cursor, _) => Some(cursor),
            Self::Missing(..) | Self::Found => None,
        }
    }
}

/// What a reader has next.
pub enum Next {
    /// Bytes of the stream are in the read cache.
    Bytes,
    /// Something happened.
    Marker(Marker),
    /// The bytes have to come from the disk: await
    /// [`Reader::warm`](crate::source::reader::Reader::warm).
    Cold,
    /// Nothing until the reader's bell rings.
    End,
}

/// What a poll found gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nothing.
    Nothing,
    /// This many bytes.
    Bytes(u64),
    /// Nobody knows how many.
    Unknown,
}

impl Lost {
    /// This, and what `marker` tells of.
    pub(crate) fn and(self, marker: &Marker) -> Self {
        let more = match *marker {
            Marker::Lost(_, None) => return Self::Unknown,
            Marker::Lost(_, Some(bytes)) | Marker::Truncated(_, bytes) => bytes,
            _ => 0,
        };
        match self {
            Self::Nothing if more > 0 => Self::Bytes(more),
            Self::Bytes(bytes) => Self::Bytes(bytes + more),
            lost => lost,
        }
    }

    /// This and that.
    pub(crate) fn plus(self, more: Self) -> Self {
        match (self, more) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Bytes(one), Self::Bytes(other)) => Self::Bytes(one + other),
            (Self::Nothing, lost) | (lost, Self::Nothing) => lost,
        }
    }
}
