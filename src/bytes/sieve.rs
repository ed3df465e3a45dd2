//! Lets the wanted lines of a stream through, whatever the pieces it comes in.
//! Pure: no runtime, no file, no socket.

use memchr::{memchr, memrchr};

use crate::bytes::matcher::Matcher;

/// The longest line that is looked at as a whole, in bytes. Of a longer one each part of this length is looked at as a line:
/// it is what a client's sieve holds of a line that never ends.
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
    held: Vec<u8>,
    /// A part of the line was passed on before its end came: so is the rest.
    passing: bool,
}

impl Sieve {
    /// A sieve for a stream that begins here: where that is within a line, its rest is looked at as a line.
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of the line whose end has not come.
    pub fn held(&self) -> &[u8] {
        &self.held
    }

    /// Takes from the start of `bytes` and says how many; the rest has to come again. `wanted` tells where the wanted lines
    /// of a block of whole lines end and begin, as [`Matcher::lines`] does.
    pub fn push(
        &mut self,
        bytes: &[u8],
        matcher: &Matcher,
        wanted: impl FnOnce(&[u8], &mut dyn FnMut(std::ops::Range<usize>)),
        mut out: impl FnMut(Piece<'_>),
    ) -> usize {
        if self.passing {
            let newline = memchr(b'\n', bytes);
            let length = newline.map_or(bytes.len(), |newline| newline + 1);
            self.passing = newline.is_none();
            out(Piece::Wanted(&bytes[..length]));
            return length;
        }
        if !self.held.is_empty() {
            return self.end_held(bytes, wanted, out);
        }
        let whole = memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
        let block = &bytes[..matcher.share(&bytes[..whole])];
        let mut looked = 0;
        wanted(block, &mut |line| {
            let end = block.len().min(line.end + 1);
            if looked < line.start {
                out(Piece::Unwanted(&block[looked..line.start]));
            }
            out(Piece::Wanted(&block[line.start..end]));
            looked = end;
        });
        if looked < block.len() {
            out(Piece::Unwanted(&block[looked..]));
        }
        if block.len() < whole {
            return block.len();
        }
        self.held.extend_from_slice(&bytes[whole..]);
        bytes.len()
    }

    /// Takes bytes up to the end of the held line.
    fn end_held(
        &mut self,
        bytes: &[u8],
        wanted: impl FnOnce(&[u8], &mut dyn FnMut(std::ops::Range<usize>)),
        mut out: impl FnMut(Piece<'_>),
    ) -> usize {
        let newline = memchr(b'\n', bytes);
        let length = newline.map_or(bytes.len(), |newline| newline + 1);
        self.held.extend_from_slice(&bytes[..length]);
        if newline.is_some() || self.held.len() > WHOLE_MAX {
            let line = std::mem::take(&mut self.held);
            let mut is_wanted = false;
            wanted(&line, &mut |_| is_wanted = true);
            self.passing = is_wanted && newline.is_none();
            out(if is_wanted {
                Piece::Wanted(&line)
            } else {
                Piece::Unwanted(&line)
            });
        }
        length
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
        let mut sieve = Sieve::new();
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        let mut out = |part: Piece<'_>| match part {
            Piece::Wanted(bytes) => wanted.extend_from_slice(bytes),
            Piece::Unwanted(bytes) => unwanted.extend_from_slice(bytes),
        };
        let mut at = 0;
        while at < stream.len() {
            let part = &stream[at..stream.len().min(at + piece)];
            let taken = sieve.push(
                part,
                matcher,
                |block, hit| matcher.lines(block, hit),
                &mut out,
            );
            assert!(taken > 0);
            at += taken;
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
        assert_eq!(
            (wanted.len(), &unwanted[..]),
            (2 * line.len(), &b"no\n"[..])
        );
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
        let mut sieve = Sieve::new();
        let push = |sieve: &mut Sieve, bytes: &[u8]| {
            let mut text = Vec::new();
            let taken = sieve.push(
                bytes,
                &matcher,
                |block, hit| matcher.lines(block, hit),
                |piece| {
                    if let Piece::Wanted(bytes) = piece {
                        text.extend_from_slice(bytes);
                    }
                },
            );
            (taken, text)
        };
        assert_eq!(push(&mut sieve, b"an err"), (6, vec![]));
        sieve.flush(&matcher, |_| unreachable!("it does not fit yet"));
        assert_eq!(push(&mut sieve, b"or "), (3, vec![]));
        let mut flushed = Vec::new();
        sieve.flush(&matcher, |piece| {
            if let Piece::Wanted(bytes) = piece {
                flushed.extend_from_slice(bytes);
            }
        });
        assert_eq!(flushed, b"an error ");
        assert_eq!(
            push(&mut sieve, b"goes on\nnext"),
            (8, b"goes on\n".to_vec())
        );
        assert_eq!(push(&mut sieve, b"next\n"), (5, vec![]));
    }
}
