//! A message of a subject, as a piece of the one growing file that the subject is. Pure.

use std::cell::Cell;

use crate::bytes::cursor::Cursor;
use crate::engine::nats::jetstream::{
    BYTES, CURSOR, EXPECTED, FROM, LOST, MARK, SEQUENCE, SKIPPED,
};
use crate::engine::nats::protocol::Headers;
use crate::source::marker::{Lost, Marker};

/// A message that a board's Tailcast published.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Its sequence in the stream; 0: not known, it came live.
    pub sequence: Cell<u64>,
    /// That of the message before it on the subject; 0: it is the first.
    pub previous: u64,
    /// The offset of its first byte in the subject.
    pub start: u64,
    /// Its bytes; none where only the place was published once more.
    pub bytes: Vec<u8>,
    /// The place before it in the board's file.
    pub from: Cursor,
    /// The place behind it there.
    pub cursor: Cursor,
    lost: Lost,
    /// Another file begins with it, or the board's was cut.
    rotated: bool,
    skipped: u64,
}

impl Piece {
    /// Reads a message; `None`: it is none of Tailcast's.
    pub(crate) fn read(headers: &Headers<'_>, payload: &[u8]) -> Option<Self> {
        let from: Cursor = headers.get(FROM)?.parse().ok()?;
        let cursor: Cursor = headers.get(CURSOR)?.parse().ok()?;
        let start = headers.number(BYTES)?.checked_sub(payload.len() as u64)?;
        let lost = match headers.get(LOST) {
            None => Lost::Nothing,
            Some(text) => text.parse().map_or(Lost::Unknown, Lost::Bytes),
        };
        let marks = headers.get(MARK).unwrap_or_default();
        let has = |word| marks.split(' ').any(|mark| mark == word);
        let rotated = has("rotated") || has("truncated");
        // Where another file begins, it is counted from that one's start.
        let is_same = !rotated && lost == Lost::Nothing && from.inode == cursor.inode;
        let begun = if is_same { from.offset } else { 0 };
        let skipped = (cursor.offset.checked_sub(begun))
            .and_then(|passed| passed.checked_sub(payload.len() as u64))
            .filter(|_| has(SKIPPED));
        Some(Self {
            sequence: Cell::new(headers.number(SEQUENCE).unwrap_or(0)),
            previous: headers.number(EXPECTED)?,
            start,
            bytes: payload.to_vec(),
            from,
            cursor,
            lost,
            rotated,
            skipped: skipped.unwrap_or(0),
        })
    }

    /// The offset behind its last byte.
    pub(crate) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Whether `offset` is one of its bytes.
    pub(crate) fn holds(&self, offset: u64) -> bool {
        (self.start..self.end()).contains(&offset)
    }

    /// Its bytes from `offset` on.
    pub(crate) fn from(&self, offset: u64) -> &[u8] {
        let at = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.bytes.get(at..).unwrap_or_default()
    }

    /// Where `offset`, which is not before it, stands in the board's file: before it, where the
    /// piece before ended.
    pub(crate) fn place(&self, offset: u64) -> (u64, u64) {
        if offset == self.start {
            return (self.from.inode, self.from.offset);
        }
        let behind = self.end().saturating_sub(offset);
        (self.cursor.inode, self.cursor.offset.saturating_sub(behind))
    }

    /// What is to be told before its bytes; `here` is the cursor of its first byte. A file that was
    /// cut at the board is told like one that was rotated: of the subject nothing was cut, and
    /// nothing is read from its start again.
    pub(crate) fn markers(&self, here: Cursor) -> impl Iterator<Item = Marker> + use<> {
        let lost = match self.lost {
            Lost::Nothing => None,
            Lost::Bytes(bytes) => Some(Marker::Lost(here, Some(bytes))),
            Lost::Unknown => Some(Marker::Lost(here, None)),
        };
        let rotated = self.rotated.then_some(Marker::Rotated(here));
        let skipped = (self.skipped > 0).then_some(Marker::Skipped(here, self.skipped));
        lost.into_iter().chain(rotated).chain(skipped)
    }

    /// Whether anything is.
    pub(crate) fn is_marked(&self) -> bool {
        self.lost != Lost::Nothing || self.rotated || self.skipped > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(extra: &str, payload: &[u8]) -> Option<Piece> {
        let text = format!(
            "NATS/1.0\r\nNats-Expected-Last-Subject-Sequence: 4\r\nNats-Sequence: 9\r\n{extra}\r\n"
        );
        Piece::read(&Headers(text.as_bytes()), payload)
    }

    #[test]
    fn messages_as_pieces() {
        let read = piece(
            "Tailcast-From: a-10\r\nTailcast-Cursor: a-13-1\r\nTailcast-Bytes: 103\r\n",
            b"abc",
        );
        let read = read.unwrap();
        assert_eq!((read.start, read.end(), read.previous), (100, 103, 4));
        assert_eq!((read.sequence.get(), read.is_marked()), (9, false));
        assert!(!read.holds(99) && read.holds(100) && read.holds(102) && !read.holds(103));
        assert_eq!((read.from(101), read.from(103)), (&b"bc"[..], &b""[..]));
        assert_eq!(
            (read.place(100), read.place(102), read.place(103)),
            ((10, 16), (10, 18), (10, 19))
        );
        for wrong in [
            "",
            "Tailcast-From: a-10\r\nTailcast-Cursor: a-13-1\r\nTailcast-Bytes: 2\r\n",
            "Tailcast-From: a-10\r\nTailcast-Cursor: x\r\nTailcast-Bytes: 103\r\n",
        ] {
            assert_eq!(piece(wrong, b"abc"), None);
        }
    }

    #[test]
    fn what_is_told_before_a_piece() {
        let here = Cursor::NOWHERE;
        let rotated = Marker::Rotated(here);
        let skipped = |bytes| Marker::Skipped(here, bytes);
        for (from, cursor, extra, want) in [
            ("a-10", "a-13", "", vec![]),
            ("a-10", "b-3", "Tailcast-Mark: rotated\r\n", vec![rotated]),
            (
                "a-10",
                "b-3",
                "Tailcast-Mark: rotated\r\nTailcast-Lost: unknown\r\n",
                vec![Marker::Lost(here, None), rotated],
            ),
            (
                "a-10",
                "a-3",
                "Tailcast-Mark: truncated\r\nTailcast-Lost: 7\r\n",
                vec![Marker::Lost(here, Some(7)), rotated],
            ),
            (
                "a-10",
                "a-1013",
                "Tailcast-Mark: skipped\r\n",
                vec![skipped(0x1000)],
            ),
            (
                "a-10",
                "b-1003",
                "Tailcast-Mark: rotated skipped\r\n",
                vec![rotated, skipped(0x1000)],
            ),
        ] {
            let text = format!(
                "Tailcast-From: {from}\r\nTailcast-Cursor: {cursor}\r\nTailcast-Bytes: 3\r\n{extra}"
            );
            let read = piece(&text, b"abc").unwrap();
            assert_eq!(read.is_marked(), !want.is_empty());
            assert_eq!(read.markers(here).collect::<Vec<_>>(), want, "{extra}");
        }
    }
}
