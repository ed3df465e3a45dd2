//! Lets the wanted lines of a stream through, whatever the pieces it comes in.
//! Pure: no runtime, no file, no socket.

use std::ops::Range;

use crate::bytes::lines::LineEnd;
use crate::bytes::matcher::Matcher;

/// The longest line that is looked at as a whole, in bytes. Of a longer one each part of this
/// length is looked at as a line: it is what a client's sieve holds of a line that never ends.
pub const WHOLE_MAX: usize = 1024 * 1024;

/// What became of bytes of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// They are wanted. Lines with their ends, or a part of one.
    Wanted(&'a [u8]),
    /// They are not. Whole lines, or a part of one too long to be looked at as a whole.
    Unwanted(&'a [u8]),
}

/// Holds the line whose end has not come yet.
#[derive(Debug, Default)]
pub struct Sieve {
    ends: LineEnd,
    held: Vec<u8>,
    /// A part of the line was passed on before its end came: so is the rest.
    passing: bool,
    /// The last byte was a carriage return that ended a line, wanted or not: a newline behind it
    /// belongs to it.
    after_return: Option<bool>,
}

impl Sieve {
    /// A sieve for a stream that begins here: where that is within a line, its rest is looked at as
    /// a line.
    pub fn new(ends: LineEnd) -> Self {
        Self {
            ends,
            ..Self::default()
        }
    }

    /// The bytes of the line whose end has not come.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    /// How much of `bytes` is to be pushed at once: no more than the end of the held line, or than
    /// a share of whole lines.
    pub fn most(&self, bytes: &[u8], matcher: &Matcher) -> usize {
        if self.passing || !self.held.is_empty() {
            let end = self.ends.first(bytes);
            return end.map_or(bytes.len(), |end| self.ends.behind(bytes, end));
        }
        let whole = self.ends.last(bytes).map_or(0, |end| end + 1);
        match matcher.share(&bytes[..whole], self.ends) {
            share if share < whole => share,
            _ => bytes.len(),
        }
    }

    /// Takes `bytes`. `wanted` tells where the wanted lines of a block stand, as [`Matcher::lines`]
    /// does.
    pub fn push(
        &mut self,
        mut bytes: &[u8],
        mut wanted: impl FnMut(&[u8], &mut dyn FnMut(Range<usize>)),
        mut out: impl FnMut(Piece<'_>),
    ) {
        let ends = self.ends;
        let mut tell = |is_wanted, bytes: &[u8]| match (bytes.is_empty(), is_wanted) {
            (true, _) => {}
            (_, true) => out(Piece::Wanted(bytes)),
            (_, false) => out(Piece::Unwanted(bytes)),
        };
        if let Some(is_wanted) = self.after_return.take()
            && bytes.starts_with(b"\n")
        {
            tell(is_wanted, &bytes[..1]);
            bytes = &bytes[1..];
        }
        let mut last = None;
        if self.passing || !self.held.is_empty() {
            let end = ends.first(bytes);
            let (head, rest) =
                bytes.split_at(end.map_or(bytes.len(), |end| ends.behind(bytes, end)));
            bytes = rest;
            if self.passing {
                self.passing = end.is_none();
                last = Some(true);
                tell(true, head);
            } else {
                self.held.extend_from_slice(head);
                if end.is_some() || self.held.len() > WHOLE_MAX {
                    let line = std::mem::take(&mut self.held);
                    let mut is_wanted = false;
                    wanted(&line, &mut |_| is_wanted = true);
                    self.passing = is_wanted && end.is_none();
                    last = Some(is_wanted);
                    tell(is_wanted, &line);
                }
            }
            if bytes.is_empty() {
                self.after_return =
                    last.filter(|_| ends == LineEnd::Return && head.ends_with(b"\r"));
                return;
            }
        }
        let whole = ends.last(bytes).map_or(0, |end| end + 1);
        let (block, rest) = bytes.split_at(whole);
        let mut looked = 0;
        if !block.is_empty() {
            wanted(block, &mut |line| {
                tell(false, &block[looked..line.start]);
                looked = match line.end {
                    end if end < block.len() => ends.behind(block, end),
                    end => end,
                };
                tell(true, &block[line.start..looked]);
            });
            let is_return = ends == LineEnd::Return && block.ends_with(b"\r") && rest.is_empty();
            self.after_return = is_return.then_some(looked == block.len());
        }
        tell(false, &block[looked..]);
        self.held.extend_from_slice(rest);
    }

    /// Passes on what is held where that is wanted however the line goes on.
    pub fn flush(&mut self, matcher: &Matcher, mut out: impl FnMut(Piece<'_>)) {
        if !self.held.is_empty() && matcher.is_match_already(&self.held) {
            self.passing = true;
            out(Piece::Wanted(&std::mem::take(&mut self.held)));
        }
    }

    /// Ends the held line without a newline: its file is over.
    pub fn finish(&mut self, matcher: &Matcher, mut out: impl FnMut(Piece<'_>)) {
        self.passing = false;
        let line = std::mem::take(&mut self.held);
        if line.is_empty() {
            return;
        }
        out(if matcher.is_match(&line) {
            Piece::Wanted(&line)
        } else {
            Piece::Unwanted(&line)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::matcher::Sense;

    /// What goes through, and what does not, of `stream` in pieces of `piece`.
    fn sieve(stream: &[u8], piece: usize, matcher: &Matcher) -> (Vec<u8>, Vec<u8>) {
        let mut sieve = Sieve::new(LineEnd::Newline);
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        let mut out = |part: Piece<'_>| match part {
            Piece::Wanted(bytes) => wanted.extend_from_slice(bytes),
            Piece::Unwanted(bytes) => unwanted.extend_from_slice(bytes),
        };
        let mut at = 0;
        while at < stream.len() {
            let part = &stream[at..stream.len().min(at + piece)];
            let part = &part[..sieve.most(part, matcher)];
            assert!(!part.is_empty());
            sieve.push(
                part,
                |block, hit| matcher.lines(block, LineEnd::Newline, hit),
                &mut out,
            );
            at += part.len();
        }
        sieve.finish(matcher, &mut out);
        assert!(sieve.held().is_empty());
        (wanted, unwanted)
    }

    fn matcher(text: &str) -> Matcher {
        Matcher::new(&[(Sense::Wanted, text.into())]).unwrap()
    }

    #[test]
    fn wanted_lines_whatever_the_pieces() {
        let stream = b"an error\r\nfine\n\nerror\xff error\nok\nhalf an error";
        for term in ["error", "/error/"] {
            for piece in 1..=stream.len() {
                let (wanted, unwanted) = sieve(stream, piece, &matcher(term));
                assert_eq!(wanted, b"an error\r\nerror\xff error\nhalf an error");
                assert_eq!(unwanted, b"fine\n\nok\n");
            }
        }
    }

    #[test]
    fn a_long_line_as_a_whole_a_longer_one_in_parts() {
        let mut line = vec![b'x'; WHOLE_MAX - 6];
        line.extend_from_slice(b"needle\n");
        let stream = [&line[..], b"no\n", &line].concat();
        let (wanted, unwanted) = sieve(&stream, 64 << 10, &matcher("needle"));
        assert_eq!(wanted.len(), 2 * line.len());
        assert_eq!(unwanted, b"no\n");
        let endless = [
            &vec![b'x'; 3 * WHOLE_MAX][..],
            b"needle",
            &vec![b'y'; 3 * WHOLE_MAX],
            b"\nz\n",
        ]
        .concat();
        let (wanted, unwanted) = sieve(&endless, 64 << 10, &matcher("needle"));
        assert_eq!(wanted.len() + unwanted.len(), endless.len());
        assert!(wanted.ends_with(b"y\n") && unwanted.ends_with(b"xz\n"));
    }

    #[test]
    fn a_beginning_that_is_flushed_takes_the_rest_with_it() {
        let matcher = matcher("error");
        let mut sieve = Sieve::new(LineEnd::Newline);
        let push = |sieve: &mut Sieve, bytes: &[u8]| {
            let mut text = Vec::new();
            let lines = |block: &[u8], hit: &mut dyn FnMut(Range<usize>)| {
                matcher.lines(block, LineEnd::Newline, hit)
            };
            sieve.push(bytes, lines, |piece| {
                if let Piece::Wanted(bytes) = piece {
                    text.extend_from_slice(bytes);
                }
            });
            text
        };
        assert_eq!(push(&mut sieve, b"an err"), b"");
        sieve.flush(&matcher, |_| unreachable!("it does not fit yet"));
        assert_eq!(push(&mut sieve, b"or "), b"");
        let mut flushed = Vec::new();
        sieve.flush(&matcher, |piece| {
            if let Piece::Wanted(bytes) = piece {
                flushed.extend_from_slice(bytes);
            }
        });
        assert_eq!(flushed, b"an error ");
        assert_eq!(push(&mut sieve, b"goes on\nno\nnext"), b"goes on\n");
        assert_eq!(push(&mut sieve, b" error\n"), b"next error\n");
    }

    #[test]
    fn carriage_returns_end_lines_where_they_do() {
        let stream = b"an error\rfine\r\nerror\r\n\r\nok\n\rhalf error";
        for (term, want, left) in [
            (
                "error",
                &b"an error\rerror\r\nhalf error"[..],
                &b"fine\r\n\r\nok\n\r"[..],
            ),
            (
                "/^$/",
                b"\r\n\r",
                b"an error\rfine\r\nerror\r\nok\nhalf error",
            ),
        ] {
            let matcher = matcher(term);
            for piece in 1..=stream.len() {
                let mut sieve = Sieve::new(LineEnd::Return);
                let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
                let mut out = |part: Piece<'_>| match part {
                    Piece::Wanted(bytes) => wanted.extend_from_slice(bytes),
                    Piece::Unwanted(bytes) => unwanted.extend_from_slice(bytes),
                };
                for part in stream.chunks(piece) {
                    sieve.push(
                        part,
                        |block, hit| matcher.lines(block, LineEnd::Return, hit),
                        &mut out,
                    );
                }
                sieve.finish(&matcher, &mut out);
                assert_eq!(
                    (&wanted[..], &unwanted[..]),
                    (want, left),
                    "{term} in pieces of {piece}"
                );
            }
        }
    }
}
