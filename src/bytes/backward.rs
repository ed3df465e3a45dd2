//! Lines looked at from the newest to the oldest, in pieces of a file that come last one first.
//! Pure: no runtime, no file, no socket.

use crate::bytes::lines::LineEnd;
use crate::bytes::matcher::Matcher;
use crate::bytes::sieve::WHOLE_MAX;

/// A line that fits: the offset of its first byte, and its length in bytes without its end (LF or
/// CRLF).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The offset of its first byte.
    pub at: u64,
    /// In bytes.
    pub length: usize,
}

/// Looks for the lines that a [`Matcher`] wants, backwards. It holds the one line whose start has
/// not come yet, up to [`WHOLE_MAX`] of it.
#[derive(Debug)]
pub struct Backward {
    ends: LineEnd,
    /// Where the next piece ends.
    at: u64,
    /// The end of a line whose start has not come.
    rest: Vec<u8>,
    /// That line has a newline behind it: it is one even if it is empty.
    ended: bool,
    /// All lines from here on have been looked at.
    looked: u64,
    /// Where the last line begins, once that is known.
    last: Option<u64>,
    /// The last piece began with a newline: a carriage return before it is a part of it.
    newline_behind: bool,
}

impl Backward {
    /// Looks at the lines before `end`, which is a line's start or the end of everything.
    pub fn new(end: u64, ends: LineEnd) -> Self {
        Self {
            ends,
            at: end,
            rest: Vec::new(),
            ended: false,
            looked: end,
            last: None,
            newline_behind: false,
        }
    }

    /// Where the next piece must end.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// The start of the oldest line that was looked at; where the end is no line's start, of the
    /// one that begins there.
    pub fn looked(&self) -> u64 {
        self.looked
    }

    /// Where the line begins that has no newline behind it: the end itself where every line has
    /// one.
    pub fn last_line(&self) -> Option<u64> {
        self.last
    }

    /// Takes the bytes before [`at`](Self::at) and calls `hit` for each line in them that is
    /// wanted, newest first. `first`: nothing stands before them.
    pub fn feed(&mut self, piece: &[u8], first: bool, matcher: &Matcher, mut hit: impl FnMut(Hit)) {
        let start = self.at - piece.len() as u64;
        self.at = start;
        let last = self.ends.last(piece);
        let rest = last.map_or(piece, |end| &piece[end + 1..]);
        let rest_at = start + (piece.len() - rest.len()) as u64;
        self.rest.splice(..0, rest.iter().copied());
        let ends = last.zip(self.ends.first(piece));
        let is_cut = self.ends == LineEnd::Return
            && std::mem::replace(&mut self.newline_behind, piece.starts_with(b"\n"))
            && piece.ends_with(b"\r");
        if !is_cut && (ends.is_some() || first || self.rest.len() > WHOLE_MAX) {
            self.end_line(rest_at, matcher, &mut hit);
        }
        let Some((last, end)) = ends else {
            return;
        };
        self.ended = true;
        // Of the piece's first line the start may be in the next one.
        let whole = if first {
            0
        } else {
            self.ends.behind(piece, end)
        };
        if let Some(block) = piece.get(whole..=last) {
            let mut hits = Vec::new();
            matcher.lines(block, self.ends, |line| {
                let text = &block[line.clone()];
                hits.push(Hit {
                    at: start + (whole + line.start) as u64,
                    length: text.strip_suffix(b"\r").unwrap_or(text).len(),
                });
            });
            hits.into_iter().rev().for_each(&mut hit);
        }
        self.looked = start + whole as u64;
        if !first {
            self.rest.extend_from_slice(&piece[..end]);
        }
    }

    /// The held line begins at `at`, or is too long to wait for more of it.
    fn end_line(&mut self, at: u64, matcher: &Matcher, hit: &mut impl FnMut(Hit)) {
        self.last.get_or_insert(at);
        let line = std::mem::take(&mut self.rest);
        if (self.ended || !line.is_empty()) && matcher.is_match(&line) {
            let length = line.strip_suffix(b"\r").unwrap_or(&line).len();
            hit(Hit { at, length });
        }
        self.ended = false;
        self.looked = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::matcher::Sense;

    fn hits(text: &[u8], piece: usize, matcher: &Matcher) -> Vec<Hit> {
        let mut backward = Backward::new(text.len() as u64, LineEnd::Newline);
        let mut hits = Vec::new();
        let mut end = text.len();
        loop {
            let start = end.saturating_sub(piece);
            backward.feed(&text[start..end], start == 0, matcher, |hit| hits.push(hit));
            assert_eq!(backward.at(), start as u64);
            end = start;
            if start == 0 {
                assert_eq!(backward.looked(), 0, "{text:?} in pieces of {piece}");
                let newline = text.iter().rposition(|&byte| byte == b'\n');
                let last = newline.map_or(0, |newline| newline as u64 + 1);
                assert_eq!(backward.last_line(), Some(last), "{text:?}");
                return hits;
            }
        }
    }

    #[test]
    fn newest_first_however_it_is_cut() {
        let without_b = Matcher::new(&[(Sense::Unwanted, "b".into())]).unwrap();
        let with_a = Matcher::new(&[(Sense::Wanted, "a".into())]).unwrap();
        for text in [
            "",
            "\n",
            "\n\n",
            "a",
            "a\n",
            "a\r\nb\na\n",
            "b\n\naa\n\n\nbab",
            "aaa bbb\r\n\r\nb\na\r",
            "\nlong line with an a in it\nb",
        ] {
            for matcher in [&without_b, &with_a] {
                let mut want = Vec::new();
                let mut at = 0;
                for line in text.split_inclusive('\n') {
                    let content = line.strip_suffix('\n').unwrap_or(line);
                    if matcher.is_match(content.as_bytes()) {
                        let length = content.strip_suffix('\r').unwrap_or(content).len();
                        want.insert(0, Hit { at, length });
                    }
                    at += line.len() as u64;
                }
                for piece in 1..=text.len().max(1) {
                    let found = hits(text.as_bytes(), piece, matcher);
                    assert_eq!(found, want, "{text:?} in pieces of {piece}");
                }
            }
        }
    }

    #[test]
    fn a_line_that_never_begins_is_not_held_for_ever() {
        let matcher = Matcher::new(&[(Sense::Wanted, "needle".into())]).unwrap();
        let mut backward = Backward::new(10 << 20, LineEnd::Newline);
        let mut hits = Vec::new();
        for _ in 0..100 {
            backward.feed(&[b'x'; 64 << 10], false, &matcher, |hit| hits.push(hit));
            assert!(backward.rest.len() <= WHOLE_MAX);
        }
        backward.feed(b"needle", false, &matcher, |hit| hits.push(hit));
        backward.feed(b"\n", true, &matcher, |hit| hits.push(hit));
        assert_eq!(hits.len(), 1, "{hits:?}");
    }

    #[test]
    fn carriage_returns_end_lines_where_they_do() {
        let text = b"an error\rfine\r\nerror\r\n\r\nok\n\rhalf error";
        for (term, want) in [
            ("error", &[(28, 10), (15, 5), (0, 8)][..]),
            ("/^$/", &[(27, 0), (22, 0)]),
        ] {
            let matcher = Matcher::new(&[(Sense::Wanted, term.into())]).unwrap();
            for piece in 1..=text.len() {
                let mut backward = Backward::new(text.len() as u64, LineEnd::Return);
                let mut hits = Vec::new();
                for part in text.rchunks(piece) {
                    let first = backward.at() == part.len() as u64;
                    backward.feed(part, first, &matcher, |hit| hits.push((hit.at, hit.length)));
                }
                assert_eq!(hits, want, "{term} in pieces of {piece}");
            }
        }
    }
}
