//! How lines become server-sent events.

use std::fmt::Write;

use crate::bytes::cursor::{CHECK_SPAN, Cursor, fnv1a};
use crate::bytes::lines::{LineEnd, Splitter};
use crate::bytes::utf16::Utf16;
use crate::deliver::event;
use crate::source::marker::Marker;

/// How much of the window's space an idle client keeps, in bytes.
const CHUNK_KEPT: usize = 1024;

/// Lines on their way into events: the id of each is the cursor behind it.
pub(crate) struct Events {
    splitter: Splitter,
    ends: LineEnd,
    inode: u64,
    /// Where in the file the splitter began to count.
    origin: u64,
    /// What is held of a line, and before it what a cursor's check covers.
    window: Vec<u8>,
    /// Where in the file the window begins.
    window_at: u64,
    /// The last id that was sent, in bytes from the origin.
    told: u64,
}

impl Events {
    /// Events of a stream that begins at `cursor`, behind the bytes `before`.
    pub(crate) fn new(cursor: Cursor, before: Vec<u8>, ends: LineEnd) -> Self {
        Self {
            splitter: Splitter::behind(&before, ends),
            ends,
            inode: cursor.inode,
            origin: cursor.offset,
            window_at: cursor.offset.saturating_sub(before.len() as u64),
            window: before,
            told: 0,
        }
    }

    /// The same of a file in this UTF-16, if it is that.
    pub(crate) fn coded(mut self, coding: Option<Utf16>) -> Self {
        let splitter = std::mem::take(&mut self.splitter);
        self.splitter = splitter.coded(coding, &self.window, self.origin);
        self
    }

    /// Appends to `text` an event for each line that `split` makes.
    pub(super) fn lines(
        &mut self,
        bytes: &[u8],
        text: &mut String,
        split: impl FnOnce(&mut Splitter, &mut dyn FnMut(&str, u64)),
    ) -> u64 {
        self.window.extend_from_slice(bytes);
        let (mut count, mut passed) = (0, None);
        let mut splitter = std::mem::take(&mut self.splitter);
        split(&mut splitter, &mut |line, end| {
            (count, passed) = (count + 1, Some(end));
            let _ = writeln!(text, "id: {}", self.cursor(end));
            // A carriage return within a line would end it for `EventSource`.
            for part in line.split('\r') {
                let _ = writeln!(text, "data: {part}");
            }
            text.push('\n');
        });
        self.splitter = splitter;
        if let Some(passed) = passed {
            self.told = passed;
            self.trim(passed);
        }
        count
    }

    /// Passes over whole lines that are not wanted.
    pub(super) fn skip(&mut self, bytes: &[u8]) {
        self.window.extend_from_slice(bytes);
        self.splitter.skip(bytes.len() as u64);
        self.trim(self.splitter.passed());
    }

    /// Where in the file the line begins that is not whole yet.
    pub(super) fn held(&self) -> Option<u64> {
        self.splitter.held().map(|at| self.origin + at)
    }

    /// Keeps of the window what the cursor `passed` bytes behind the origin needs, and what comes
    /// after it.
    fn trim(&mut self, passed: u64) {
        let needed = self.origin + passed - CHECK_SPAN.min(self.origin + passed);
        let surplus = needed.saturating_sub(self.window_at);
        self.window.drain(..usize::try_from(surplus).unwrap_or(0));
        self.window.shrink_to(CHUNK_KEPT);
        self.window_at += surplus;
    }

    /// The id of the place behind lines that were passed over, unless it was told.
    pub(super) fn moved(&mut self) -> Option<Cursor> {
        let passed = self.splitter.passed();
        let is_new = std::mem::replace(&mut self.told, passed) != passed;
        is_new.then(|| self.cursor(passed))
    }

    /// The cursor `passed` bytes behind the origin; without a check where too little before it is
    /// known.
    pub(super) fn cursor(&self, passed: u64) -> Cursor {
        let offset = self.origin + passed;
        let span = CHECK_SPAN.min(offset);
        let check = (offset - span)
            .checked_sub(self.window_at)
            .and_then(|start| {
                let start = usize::try_from(start).ok()?;
                let span = usize::try_from(span).ok()?;
                Some(fnv1a(self.window.get(start..start + span)?))
            });
        match self.inode {
            0 => Cursor::NOWHERE,
            inode => Cursor {
                inode,
                offset,
                check,
            },
        }
    }

    /// Appends to `text` the event of a marker, and goes on where it says.
    pub(super) fn marker(&mut self, marker: &Marker, text: &mut String) -> u64 {
        let mut count = 0;
        if let Some(cursor) = marker.cursor() {
            // Another file begins: what is held of a line has no end to wait for.
            count = self.lines(&[], text, |splitter, line| splitter.finish(line));
            let coding = self.splitter.coding().filter(|_| cursor.offset > 0);
            *self = Self::new(cursor, Vec::new(), self.ends).coded(coding);
            let _ = writeln!(text, "id: {cursor}");
        }
        let _ = write!(
            text,
            "event: {}\ndata: {}\n\n",
            marker.name(),
            event::marker(marker)
        );
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(from: u64, before: &[u8], pieces: &[&[u8]]) -> String {
        let cursor = Cursor::new(7, from, before);
        let mut events = Events::new(cursor, before.to_vec(), LineEnd::Newline);
        let mut text = String::new();
        for piece in pieces {
            events.lines(piece, &mut text, |splitter, line| {
                splitter.push(piece, line)
            });
        }
        text
    }

    #[test]
    fn the_id_is_the_cursor_behind_the_line_however_it_is_cut() {
        let file: Vec<u8> = (0..40)
            .flat_map(|n| format!("line {n}\n").into_bytes())
            .collect();
        let whole = events(0, b"", &[&file]);
        for piece in [1, 7, 64, 100] {
            assert_eq!(
                events(0, b"", &file.chunks(piece).collect::<Vec<_>>()),
                whole,
                "in pieces of {piece}"
            );
        }
        let last = Cursor::new(7, file.len() as u64, &file[file.len() - 64..]);
        assert!(
            whole.ends_with(&format!("id: {last}\ndata: line 39\n\n")),
            "{whole}"
        );
        let (head, rest) = file.split_at(200);
        let resumed = events(200, &head[136..], &[rest]);
        assert!(
            resumed.ends_with(&format!("id: {last}\ndata: line 39\n\n")),
            "{resumed}"
        );
    }

    #[test]
    fn a_carriage_return_and_an_unknown_past() {
        assert_eq!(
            events(100, b"", &[b"a\rb\r\n"]),
            "id: 7-69\ndata: a\ndata: b\n\n",
            "fewer than 64 bytes are known: no check"
        );
    }

    #[test]
    fn a_marker_ends_the_line_and_moves_the_id() {
        let mut events = Events::new(Cursor::new(7, 0, b""), Vec::new(), LineEnd::Newline);
        let mut text = String::new();
        events.lines(b"half", &mut text, |splitter, line| {
            splitter.push(b"half", line)
        });
        events.marker(&Marker::Rotated(Cursor::new(8, 0, b"")), &mut text);
        events.lines(b"x\n", &mut text, |splitter, line| {
            splitter.push(b"x\n", line)
        });
        let (half, x) = (Cursor::new(7, 4, b"half"), Cursor::new(8, 2, b"x\n"));
        let rotated = "id: 8-0-811c9dc5\nevent: rotated\ndata: {\"event\":\"rotated\",\"cursor\":\"8-0-811c9dc5\"}\n\n";
        assert_eq!(
            text,
            format!("id: {half}\ndata: half\n\n{rotated}id: {x}\ndata: x\n\n")
        );
    }
}
