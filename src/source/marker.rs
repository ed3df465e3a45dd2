//! What a reader finds: bytes, something to be told beside them, or nothing yet.

use crate::bytes::cursor::Cursor;

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

impl Marker {
    /// Its name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Rotated(_) => "rotated",
            Self::Truncated(..) => "truncated",
            Self::Lost(..) => "lost",
            Self::Missing => "missing",
            Self::Found => "found",
        }
    }

    /// The place of the next byte, where it has changed.
    pub fn cursor(&self) -> Option<Cursor> {
        match *self {
            Self::Rotated(cursor) | Self::Truncated(cursor, _) | Self::Lost(cursor, _) => {
                Some(cursor)
            }
            Self::Missing | Self::Found => None,
        }
    }
}

/// What a reader has next.
pub enum Next {
    /// Bytes of the stream are in the scratch buffer.
    Bytes,
    /// Something happened.
    Marker(Marker),
    /// The bytes have to come from the disk: await [`Reader::warm`](crate::source::reader::Reader::warm).
    Cold,
    /// Nothing until [`Reader::changed`](crate::source::reader::Reader::changed) resolves.
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
