//! Bytes into lines, and the last N lines of a file read backwards.
//! Pure: no runtime, no file, no socket.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memrchr, memrchr2};

use crate::bytes::utf16::Utf16;

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
/// A line loses its newline (LF or CRLF), invalid UTF-8 becomes U+FFFD, and a line over [`LINE_MAX`] comes in several
/// parts, cut between characters. A file that begins with the mark of UTF-16 is read as such.
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
    /// A splitter for a stream that begins behind `before`: where that is no line's end, a newline alone makes no line.
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

    /// Takes the next `bytes` and calls `line` for every line that they complete, with the number of bytes of the whole stream
    /// that the lines so far were made of, newlines included.
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

    /// Passes on what is held of a line whose end has not come in time; what comes later is a part of its own.
    /// A character cut in half, and a carriage return that may belong to a CRLF, wait on.
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

    /// Where the first byte stands that is held, in bytes from the start of the stream: the same for as long as it is
    /// held. `None` where nothing is.
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

/// How many bytes there are before a character that has begun but not ended.
pub(crate) fn whole_characters(bytes: &[u8]) -> usize {
    // A character has at most four bytes, so its first one is among the last three when it is cut.
    let from = bytes.len().saturating_sub(3);
    for start in from..bytes.len() {
        let need = match bytes[start] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => continue,
        };
        let cut = &bytes[start..];
        let unfinished =
            |error: std::str::Utf8Error| error.valid_up_to() == 0 && error.error_len().is_none();
        if cut.len() < need && std::str::from_utf8(cut).is_err_and(unfinished) {
            return start;
        }
    }
    bytes.len()
}

/// Finds where the last N lines of a file begin, from pieces handed over last one first. As in `tail -n`, a last line
/// without a newline counts as a line.
#[derive(Debug)]
pub struct LastLines {
    ends: LineEnd,
    newlines_left: u64,
    at_file_end: bool,
    /// The piece behind begins with a newline, which belongs to a carriage return before it.
    newline_behind: bool,
}

impl LastLines {
    /// Looks for the last `count` lines.
    pub fn new(count: u64, ends: LineEnd) -> Self {
        Self {
            ends,
            newlines_left: count,
            at_file_end: true,
            newline_behind: false,
        }
    }

    /// Takes the piece before the ones taken so far. `Some(i)`: the lines begin at byte `i` of this piece (`i` may be its length).
    pub fn feed(&mut self, piece: &[u8]) -> Option<usize> {
        let mut end = piece.len();
        if std::mem::take(&mut self.at_file_end) {
            if self.newlines_left == 0 {
                return Some(end);
            }
            // The newline that ends the last line does not begin another.
            end -= usize::from(self.ends.is_end(piece.last()));
            if end < piece.len() && piece[end] == b'\n' {
                end = self.before_newline(piece, end);
            }
        } else if std::mem::take(&mut self.newline_behind) {
            end -= usize::from(self.ends == LineEnd::Return && piece.last() == Some(&b'\r'));
        }
        while let Some(newline) = self.ends.last(&piece[..end]) {
            self.newlines_left -= 1;
            if self.newlines_left == 0 {
                return Some(newline + 1);
            }
            end = newline;
            if piece[newline] == b'\n' {
                end = self.before_newline(piece, newline);
            }
        }
        None
    }

    /// Where to go on before the newline at `newline`: a carriage return before it is a part of the same end, also where it
    /// stands in the piece before.
    fn before_newline(&mut self, piece: &[u8], newline: usize) -> usize {
        if self.ends == LineEnd::Newline {
            return newline;
        }
        self.newline_behind = newline == 0;
        newline - usize::from(newline > 0 && piece[newline - 1] == b'\r')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the splitter makes of `bytes` handed over in pieces of `piece` bytes.
    fn split(bytes: &[u8], piece: usize) -> Vec<String> {
        let mut lines = Vec::new();
        let mut splitter = Splitter::default();
        for part in bytes.chunks(piece) {
            splitter.push(part, |line, _| lines.push(line.to_owned()));
        }
        splitter.finish(|line, _| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn lines_in_pieces_of_any_size() {
        let table: [(&[u8], &[&str]); 9] = [
            (b"", &[]),
            (b"\n", &[""]),
            (b"a\nb\n", &["a", "b"]),
            (b"a\r\nb\r\n\r\n", &["a", "b", ""]),
            (b"a\rb\r\n", &["a\rb"]),
            (b"no end", &["no end"]),
            (b"\xff\xfe\n", &["\u{fffd}\u{fffd}"]),
            ("grüße 🌡\n".as_bytes(), &["grüße 🌡"]),
            (b"\xf0\x9f\x8c", &["\u{fffd}"]),
        ];
        for (bytes, want) in table {
            for piece in 1..=bytes.len().max(1) {
                assert_eq!(split(bytes, piece), want, "{bytes:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn a_long_line_is_split_between_characters() {
        let text = "é".repeat(LINE_MAX);
        for piece in [1000, LINE_MAX - 1, LINE_MAX, 2 * LINE_MAX + 2] {
            let parts = split(format!("x{text}\nnext\n").as_bytes(), piece);
            assert_eq!(parts.len(), 4, "in pieces of {piece}");
            assert!(parts[..3].iter().all(|part| part.len() <= LINE_MAX));
            assert_eq!(parts[..3].concat(), format!("x{text}"));
            assert_eq!(parts[3], "next");
        }
        let exact = "y".repeat(LINE_MAX) + "\n";
        assert_eq!(
            split(exact.as_bytes(), 777).len(),
            1,
            "just the limit is not split"
        );
    }

    #[test]
    fn a_flush_passes_on_whole_characters_and_the_newline_alone_makes_no_line() {
        let mut lines = Vec::new();
        let mut splitter = Splitter::default();
        splitter.push(
            "half \u{1f321}".as_bytes()[..7].as_ref(),
            |_, _| unreachable!(),
        );
        splitter.flush(|line, _| lines.push(line.to_owned()));
        splitter.flush(|_, _| unreachable!("a character cut in half waits"));
        splitter.push(&"\u{1f321}".as_bytes()[2..], |_, _| unreachable!());
        splitter.push(b"\r", |_, _| unreachable!());
        splitter.flush(|line, _| lines.push(line.to_owned()));
        splitter.push(b"\n", |_, _| unreachable!("the line has been passed on"));
        splitter.push(b"next\n\n", |line, _| lines.push(line.to_owned()));
        assert_eq!(lines, ["half ", "\u{1f321}", "next", ""]);
        assert_eq!(splitter.held(), None);
    }

    #[test]
    fn every_line_says_how_far_it_reaches() {
        let bytes = b"one\r\n\xff\n\nlast";
        for piece in 1..=bytes.len() {
            let mut ends = Vec::new();
            let mut splitter = Splitter::default();
            for part in bytes.chunks(piece) {
                splitter.push(part, |_, end| ends.push(end));
            }
            splitter.flush(|_, end| ends.push(end));
            splitter.push(b"\nx\n", |_, end| ends.push(end));
            assert_eq!(ends, [5, 7, 8, 12, 15], "in pieces of {piece}");
        }
    }

    #[test]
    fn a_stream_that_begins_within_a_line() {
        for (before, want) in [
            ("half", &["next"][..]),
            ("half\n", &["", "next"]),
            ("", &["", "next"]),
        ] {
            let mut lines = Vec::new();
            Splitter::behind(before.as_bytes(), LineEnd::Newline)
                .push(b"\nnext\n", |line, _| lines.push(line.to_owned()));
            assert_eq!(lines, want, "behind {before:?}");
        }
    }

    #[test]
    fn a_carriage_return_ends_a_line_where_it_may() {
        let table: [(&str, &[&str]); 6] = [
            ("a\rb\r", &["a", "b"]),
            ("a\r\nb\r\n", &["a", "b"]),
            ("a\nb\n", &["a", "b"]),
            ("a\r\rb", &["a", "", "b"]),
            ("a\r\n\r\nb", &["a", "", "b"]),
            ("\r", &[""]),
        ];
        for (text, want) in table {
            for piece in 1..=text.len() {
                let mut lines = Vec::new();
                let mut splitter = Splitter::behind(b"", LineEnd::Return);
                for part in text.as_bytes().chunks(piece) {
                    splitter.push(part, |line, _| lines.push(line.to_owned()));
                }
                splitter.finish(|line, _| lines.push(line.to_owned()));
                assert_eq!(lines, want, "{text:?} in pieces of {piece}");
                for count in 1..=want.len() {
                    let mut last = LastLines::new(count as u64, LineEnd::Return);
                    let mut end = text.len();
                    let start = loop {
                        let start = end.saturating_sub(piece);
                        match last.feed(&text.as_bytes()[start..end]) {
                            Some(at) => break start + at,
                            None if start == 0 => break 0,
                            None => end = start,
                        }
                    };
                    let (before, rest) = text.split_at(start);
                    let mut again = Vec::new();
                    let mut splitter = Splitter::behind(before.as_bytes(), LineEnd::Return);
                    splitter.push(rest.as_bytes(), |line, _| again.push(line.to_owned()));
                    splitter.finish(|line, _| again.push(line.to_owned()));
                    assert_eq!(
                        again,
                        want[want.len() - count..],
                        "last {count} of {text:?} in {piece}"
                    );
                }
            }
        }
        let mut ends = Vec::new();
        let mut splitter = Splitter::behind(b"x\r", LineEnd::Return);
        splitter.push(b"\na\rb\r\n", |line, end| ends.push((line.to_owned(), end)));
        assert_eq!(ends, [("a".to_owned(), 3), ("b".to_owned(), 5)]);
    }

    #[test]
    fn last_lines_as_tail_counts_them() {
        let table: [(&str, u64, &str); 9] = [
            ("", 3, ""),
            ("a\nb\nc\n", 0, ""),
            ("a\nb\nc\n", 1, "c\n"),
            ("a\nb\nc\n", 2, "b\nc\n"),
            ("a\nb\nc\n", 3, "a\nb\nc\n"),
            ("a\nb\nc\n", u64::MAX, "a\nb\nc\n"),
            ("a\nb\nhalf", 1, "half"),
            ("a\n\n\n", 2, "\n\n"),
            ("\n", 1, "\n"),
        ];
        for (text, count, want) in table {
            for piece in 1..=text.len().max(1) {
                let mut last = LastLines::new(count, LineEnd::Newline);
                let mut end = text.len();
                let start = loop {
                    let start = end.saturating_sub(piece);
                    match last.feed(&text.as_bytes()[start..end]) {
                        Some(at) => break start + at,
                        None if start == 0 => break 0,
                        None => end = start,
                    }
                };
                assert_eq!(
                    &text[start..],
                    want,
                    "last {count} of {text:?} in pieces of {piece}"
                );
            }
        }
    }

    /// What the splitter makes of a file in UTF-16 from `offset` on, each line with its place behind it.
    fn split_utf16(file: &[u8], offset: usize, piece: usize) -> Vec<(String, u64)> {
        let mut lines = Vec::new();
        let (before, rest) = file.split_at(offset);
        let coding = Utf16::of_mark(before);
        let splitter = Splitter::behind(before, LineEnd::Newline);
        let mut splitter = splitter.coded(coding, before, offset as u64);
        for part in rest.chunks(piece) {
            splitter.push(part, |line, end| lines.push((line.to_owned(), end)));
        }
        splitter.finish(|line, end| lines.push((line.to_owned(), end)));
        lines
    }

    #[test]
    fn utf16_however_it_is_cut() {
        // A unit with the byte of a newline in it, a pair of surrogates, an empty line, one half of a character.
        let text = "\u{feff}Größe \u{a0a}\u{10a} 🌡\r\n\n\u{fe0a}x\ny";
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let file: Vec<u8> = text.encode_utf16().flat_map(order).collect();
            let lines = ["Größe \u{a0a}\u{10a} 🌡", "", "\u{fe0a}x", "y"];
            let ends = [28, 30, 36, 38];
            let want: Vec<(String, u64)> = lines.map(str::to_owned).into_iter().zip(ends).collect();
            for piece in 1..=file.len() {
                assert_eq!(split_utf16(&file, 0, piece), want, "in pieces of {piece}");
                let from_second = split_utf16(&file, 28, piece);
                let texts: Vec<&str> = from_second.iter().map(|(line, _)| &**line).collect();
                assert_eq!(texts, &lines[1..], "from the second line on");
                // A byte too early or too late costs no more than that.
                let odd = split_utf16(&file, 31, piece);
                assert_eq!(odd.last(), Some(&("y".to_owned(), 7)));
            }
        }
        let mut splitter = Splitter::default().coded(None, b"", 0);
        let mut lines = Vec::new();
        for piece in [&b"\xff"[..], b"\xfe", b"a\0\r\0", b"\n\0b", b"\0=\xd8"] {
            splitter.push(piece, |line, _| lines.push(line.to_owned()));
            splitter.flush(|line, _| lines.push(line.to_owned()));
        }
        splitter.push(b"\0\xde\n\0", |line, _| lines.push(line.to_owned()));
        assert_eq!(lines, ["a", "b", "\u{1f600}"], "what is cut in half waits");
        // Another file, which is none.
        splitter.begin(0);
        splitter.push(b"plain\n", |line, _| lines.push(line.to_owned()));
        assert_eq!(lines.last().unwrap(), "plain");
        splitter.begin(0);
        splitter.push(b"\xffx\n", |line, _| lines.push(line.to_owned()));
        assert_eq!(lines.last().unwrap(), "\u{fffd}x");
    }

    #[test]
    fn long_lines_of_utf16() {
        let text = format!("\u{feff}{}\n\n", "🌡".repeat(LINE_MAX));
        let file: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let lines = split_utf16(&file, 0, 5000);
        assert!(lines.iter().all(|(line, _)| line.len() <= LINE_MAX));
        let all: String = lines.iter().map(|(line, _)| &**line).collect();
        assert_eq!(all, "🌡".repeat(LINE_MAX));
        assert_eq!(lines.last(), Some(&(String::new(), file.len() as u64)));
    }
}
