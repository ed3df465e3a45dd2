//! Bytes into lines, and the last N lines of a file read backwards.
//! Pure: no runtime, no file, no socket.

mod last;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use memchr::{memchr, memchr2, memrchr, memrchr2};

use crate::bytes::utf8::whole_characters;
use crate::bytes::utf16::Utf16;

pub use last::LastLines;

/// The longest message that one line makes, in bytes of the file; a longer line is split.
/// It bounds what a client's splitter holds for a line that never ends.
pub const LINE_MAX: usize = 64 * 1024;

/// What ends a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineEnd {
    /// LF or CRLF, as in a file.
    #[default]
    Newline,
    /// A lone CR, too, as many instruments end their readings.
    Return,
}

impl LineEnd {
    fn is_end(self, byte: Option<&u8>) -> bool {
        byte == Some(&b'\n') || (self == Self::Return && byte == Some(&b'\r'))
    }

    /// Where the first line in `bytes` ends.
    pub(crate) fn first(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Newline => memchr(b'\n', bytes),
            Self::Return => memchr2(b'\n', b'\r', bytes),
        }
    }

    /// What stands behind the end at `end`: a carriage return takes the newline behind it along.
    pub(crate) fn behind(self, bytes: &[u8], end: usize) -> usize {
        let both = self == Self::Return && bytes[end..].starts_with(b"\r\n");
        end + 1 + usize::from(both)
    }

    /// Where the last line in `bytes` that has an end has it.
    pub(crate) fn last(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Newline => memrchr(b'\n', bytes),
            Self::Return => memrchr2(b'\n', b'\r', bytes),
        }
    }
}

/// Cuts a stream of bytes into lines of text, whatever the pieces it comes in.
///
/// A line loses its newline (LF or CRLF), invalid UTF-8 becomes U+FFFD, and a line over
/// [`LINE_MAX`] comes in several parts, cut between characters. A file that begins with the mark of
/// UTF-16 is read as such.
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    ends: LineEnd,
    coding: Coding,
    /// The next byte is the second half of a unit of UTF-16 whose first half was not seen.
    odd: bool,
    /// The last byte was a carriage return that ended a line: a newline behind it belongs to it.
    ended_by_return: bool,
    /// The line that has no newline yet, or what was not yet passed on of it.
    held: Vec<u8>,
    /// A part of the held line was passed on before its newline came.
    begun: bool,
    /// How many bytes have been passed on, newlines included.
    passed: u64,
}

/// What the bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Coding {
    /// UTF-8, or what has to pass for it.
    #[default]
    Bytes,
    /// The first two bytes of a file will tell.
    Unknown,
    Utf16(Utf16),
}

impl Splitter {
    /// A splitter for a stream that begins behind `before`: where that is no line's end, a newline
    /// alone makes no line.
    pub fn behind(before: &[u8], ends: LineEnd) -> Self {
        let ended_by_return = ends == LineEnd::Return && before.last() == Some(&b'\r');
        Self {
            ends,
            ended_by_return,
            begun: !ended_by_return && before.last().is_some_and(|&byte| byte != b'\n'),
            ..Self::default()
        }
    }

    /// The same at `offset` of a file, behind the bytes `before`, that is in UTF-16 or not.
    #[must_use]
    pub fn coded(mut self, coding: Option<Utf16>, before: &[u8], offset: u64) -> Self {
        self.begin(offset);
        if let Some(coding) = coding {
            self.coding = Coding::Utf16(coding);
            self.odd = offset % 2 == 1;
            self.begun = offset > 2 && !coding.is_line_end(before);
        }
        self
    }

    /// Goes on at `offset` of what may be another file, if it is its start.
    pub fn begin(&mut self, offset: u64) {
        self.odd = offset % 2 == 1;
        if offset == 0 && self.ends == LineEnd::Newline {
            self.coding = Coding::Unknown;
        }
    }

    /// The order of its UTF-16, if it is that.
    pub fn coding(&self) -> Option<Utf16> {
        match self.coding {
            Coding::Utf16(coding) => Some(coding),
            Coding::Bytes | Coding::Unknown => None,
        }
    }

    /// Takes the next `bytes` and calls `line` for every line that they complete, with the number
    /// of bytes of the whole stream that the lines so far were made of, newlines included.
    pub fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&str, u64)) {
        match self.coding {
            Coding::Bytes => self.push_bytes(bytes, line),
            Coding::Utf16(coding) => self.push_utf16(coding, bytes, &mut line),
            Coding::Unknown => {
                let mut first = std::mem::take(&mut self.held);
                first.extend_from_slice(bytes);
                match *first {
                    [] => {}
                    // Half of a mark.
                    [0xff | 0xfe] => self.held = first,
                    _ => match Utf16::of_mark(&first) {
                        Some(coding) => {
                            self.coding = Coding::Utf16(coding);
                            self.push_utf16(coding, &first, &mut line);
                        }
                        None => {
                            self.coding = Coding::Bytes;
                            self.push_bytes(&first, line);
                        }
                    },
                }
            }
        }
    }

    fn push_utf16(&mut self, coding: Utf16, bytes: &[u8], line: &mut impl FnMut(&str, u64)) {
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(bytes);
        let mut rest = &*held;
        if self.odd && !rest.is_empty() {
            self.odd = false;
            self.passed += 1;
            rest = &rest[1..];
        }
        loop {
            let end = coding.line_end(rest);
            let is_whole = end.is_some_and(|end| end <= LINE_MAX);
            let length = match end {
                Some(end) if is_whole => end,
                _ if rest.len() <= LINE_MAX => break,
                _ => match coding.ready(&rest[..LINE_MAX]) {
                    0 => LINE_MAX,
                    ready => ready,
                },
            };
            self.passed += length as u64;
            let text = coding.text(&rest[..length]);
            let text = match text.strip_suffix('\n') {
                Some(text) if is_whole => text.strip_suffix('\r').unwrap_or(text),
                _ => &text,
            };
            if !(text.is_empty() && self.begun) {
                line(text, self.passed);
            }
            self.begun = !is_whole;
            rest = &rest[length..];
        }
        self.held = rest.to_vec();
    }

    fn push_bytes(&mut self, mut bytes: &[u8], mut line: impl FnMut(&str, u64)) {
        if self.ended_by_return && !bytes.is_empty() {
            self.ended_by_return = false;
            if let Some(rest) = bytes.strip_prefix(b"\n") {
                self.passed += 1;
                bytes = rest;
            }
        }
        while let Some(end) = self.ends.first(bytes) {
            if self.held.is_empty() && end <= LINE_MAX {
                // The common case: a whole line in one piece is never copied.
                self.passed += end as u64 + 1;
                self.end_line(&bytes[..end], &mut line);
            } else {
                self.hold(&bytes[..end], &mut line);
                let held = std::mem::take(&mut self.held);
                self.passed += held.len() as u64 + 1;
                self.end_line(&held, &mut line);
            }
            self.begun = false;
            let is_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if is_return {
                match bytes.strip_prefix(b"\n") {
                    Some(rest) => {
                        self.passed += 1;
                        bytes = rest;
                    }
                    None => self.ended_by_return = bytes.is_empty(),
                }
            }
        }
        self.hold(bytes, &mut line);
    }

    /// Passes on what is held of a line whose end has not come in time; what comes later is a part
    /// of its own. A character cut in half, and a carriage return that may belong to a CRLF, wait
    /// on.
    pub fn flush(&mut self, mut line: impl FnMut(&str, u64)) {
        let (ready, text) = match self.coding {
            // Half of a mark, if anything.
            Coding::Unknown => return,
            Coding::Utf16(coding) => {
                let ready = coding.ready(&self.held);
                (ready, Cow::from(coding.text(&self.held[..ready])))
            }
            Coding::Bytes => {
                let whole = whole_characters(&self.held);
                let ready = whole - usize::from(self.held[..whole].last() == Some(&b'\r'));
                (ready, text_of(&self.held[..ready]))
            }
        };
        // A mark alone is nothing to show.
        if !text.is_empty() {
            self.passed += ready as u64;
            line(&text, self.passed);
            self.held.drain(..ready);
            self.begun = true;
        }
    }

    /// Ends the held line without a newline: its file is over.
    pub fn finish(&mut self, mut line: impl FnMut(&str, u64)) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.passed += held.len() as u64;
            match self.coding {
                Coding::Utf16(coding) => {
                    let text = coding.text(&held);
                    let text = text.strip_suffix('\r').unwrap_or(&text);
                    if !text.is_empty() {
                        line(text, self.passed);
                    }
                }
                Coding::Bytes | Coding::Unknown => self.end_line(&held, &mut line),
            }
        }
        self.begun = false;
    }

    /// Passes over whole lines of this many bytes, where nothing is held.
    pub fn skip(&mut self, length: u64) {
        self.odd ^= length % 2 == 1;
        if matches!(self.coding, Coding::Unknown) {
            self.coding = Coding::Bytes;
        }
        self.passed += length;
        self.begun = false;
        self.ended_by_return = false;
    }

    /// Whether the same bytes make the same lines of both, wherever each stands in its stream.
    pub fn is_like(&self, other: &Self) -> bool {
        let state = |it: &Self| (it.ends, it.coding, it.odd, it.ended_by_return, it.begun);
        state(self) == state(other) && self.held == other.held
    }

    /// Goes the way from `before` to `after`, where it [is like](Self::is_like) `before`.
    pub fn go_along(&mut self, before: &Self, after: &Self) {
        let passed = self.passed + (after.passed - before.passed);
        self.clone_from(after);
        self.passed = passed;
    }

    /// How many bytes have been passed on or over, newlines included.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// Where the first byte stands that is held, in bytes from the start of the stream: the same
    /// for as long as it is held. `None` where nothing is.
    pub fn held(&self) -> Option<u64> {
        (!self.held.is_empty()).then_some(self.passed)
    }

    fn end_line(&self, bytes: &[u8], line: &mut impl FnMut(&str, u64)) {
        let text = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if !(text.is_empty() && self.begun) {
            line(&text_of(text), self.passed);
        }
    }

    fn hold(&mut self, mut bytes: &[u8], line: &mut impl FnMut(&str, u64)) {
        while self.held.len() + bytes.len() > LINE_MAX {
            let (head, rest) = bytes.split_at(LINE_MAX - self.held.len());
            self.held.extend_from_slice(head);
            bytes = rest;
            let cut = match whole_characters(&self.held) {
                0 => self.held.len(),
                whole => whole,
            };
            self.passed += cut as u64;
            line(&text_of(&self.held[..cut]), self.passed);
            self.held.drain(..cut);
            self.begun = true;
        }
        self.held.extend_from_slice(bytes);
        if self.held.is_empty() && self.held.capacity() > 0 {
            // An idle client keeps no buffer.
            self.held = Vec::new();
        }
    }
}

fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
