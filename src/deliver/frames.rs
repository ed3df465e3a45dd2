//! Lines as messages of WebSocket: made once for all viewers who are told the same at one place.

use crate::bytes::lines::Splitter;
use crate::websocket::frame::frame_text;

/// The messages that were made last.
#[derive(Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    lines: u64,
    way: Option<Way>,
}

/// What they were made of: these bytes, by a splitter in this state.
struct Way {
    /// Which filling of the cache.
    filling: u64,
    length: usize,
    before: Splitter,
    after: Splitter,
}

impl Frames {
    /// The messages, one behind the other.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many they are.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Makes the messages of the lines that `split` cuts.
    pub(crate) fn make(&mut self, split: impl FnOnce(&mut dyn FnMut(&str, u64))) {
        let Self { bytes, lines, way } = self;
        bytes.clear();
        *lines = 0;
        *way = None;
        split(&mut |line, _| {
            *lines += 1;
            frame_text(bytes, line);
        });
    }

    /// Makes the messages that `splitter` cuts of `bytes`, or keeps those that are there where they
    /// are the same: of the start of this filling of the cache, if it is one.
    pub(crate) fn push(&mut self, splitter: &mut Splitter, bytes: &[u8], filling: Option<u64>) {
        let Some(filling) = filling else {
            return self.make(|line| splitter.push(bytes, line));
        };
        if let Some(way) = &self.way
            && (way.filling, way.length) == (filling, bytes.len())
            && way.before.is_like(splitter)
        {
            splitter.go_along(&way.before, &way.after);
            return;
        }
        let before = splitter.clone();
        self.make(|line| splitter.push(bytes, line));
        self.way = Some(Way {
            filling,
            length: bytes.len(),
            before,
            after: splitter.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::lines::LineEnd;

    /// What two viewers are told of the same pieces, the second one by what the first one left.
    fn told(pieces: &[&[u8]], mut first: Splitter, mut second: Splitter) -> [Vec<Vec<u8>>; 2] {
        let mut frames = Frames::default();
        let mut told = [Vec::new(), Vec::new()];
        for (filling, piece) in (1..).zip(pieces) {
            for (splitter, told) in [&mut first, &mut second].into_iter().zip(&mut told) {
                frames.push(splitter, piece, Some(filling));
                told.push(frames.bytes().to_vec());
            }
        }
        told
    }

    #[test]
    fn who_joins_at_another_place_is_told_what_it_would_be_told_alone() {
        let start = || Splitter::behind(b"", LineEnd::Newline);
        let within = || Splitter::behind(b"x", LineEnd::Newline);
        let returns = || Splitter::behind(b"", LineEnd::Return);
        let coded = || Splitter::behind(b"", LineEnd::Newline).coded(None, b"", 0);
        let makes: [fn() -> Splitter; 4] = [start, within, returns, coded];
        let pieces: [&[u8]; 7] = [
            b"\n",
            b"one\ntw",
            b"o\r\n\nth",
            b"ree",
            b"\r",
            b"\n\xc3",
            b"\xa4\n",
        ];
        for first in makes {
            for second in makes {
                let both = told(&pieces, first(), second());
                let alone = [first, second].map(|make| told(&pieces, make(), make())[0].clone());
                assert_eq!(both, alone);
            }
        }
    }

    #[test]
    fn the_same_is_made_once() {
        let mut frames = Frames::default();
        let mut first = Splitter::behind(b"", LineEnd::Newline);
        let mut second = Splitter::behind(b"", LineEnd::Newline);
        second.skip(100);
        frames.push(&mut first, b"a line\nhalf", Some(7));
        let made = frames.bytes().to_vec();
        // Other bytes show that they are not looked at again.
        frames.push(&mut second, b"A LINE\nHALF", Some(7));
        assert_eq!((frames.bytes(), frames.lines()), (&*made, 1));
        assert_eq!(second.passed(), 107);
        assert_eq!(second.held(), Some(107));
        frames.push(&mut first, b"\n", Some(8));
        assert!(frames.bytes().ends_with(b"half"));
        frames.push(&mut second, b"\n", None);
        assert!(frames.bytes().ends_with(b"half"), "by its own way");
    }
}
