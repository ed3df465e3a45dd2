//! Streams of the lines that a viewer wants: compiled patterns, shared by all who ask for the same,
//! and a transport that leaves out the other lines, whatever the transport under it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use futures_lite::future::BoxedLocal;

use crate::bytes::lines::LineEnd;
use crate::bytes::matcher::{BadPattern, Matcher, Sense};
use crate::bytes::sieve::{Piece, Sieve};
use crate::deliver::transport::Transport;
use crate::metrics::End;
use crate::source::cache::CHUNK;
use crate::source::marker::Marker;

/// How many blocks a pattern remembers the wanted lines of: the chunk that a log has grown by, and
/// the line that it began with.
const BLOCKS_MAX: usize = 2;

/// The most lines that are remembered of a block: of more than that the list would be as large as
/// the block.
const LINES_MAX: usize = 4096;

/// The patterns that somebody asks for now.
#[derive(Default)]
pub(crate) struct Patterns(RefCell<Vec<Compiled>>);

/// A pattern by its terms.
struct Compiled {
    terms: Vec<(Sense, String)>,
    pattern: Weak<Pattern>,
}

impl Patterns {
    /// The pattern of these terms, if there are any: the same one for all who ask for them at the
    /// same time.
    ///
    /// # Errors
    /// As [`Matcher::new`].
    pub(crate) fn get(&self, terms: &[(Sense, String)]) -> Result<Option<Rc<Pattern>>, BadPattern> {
        if terms.is_empty() {
            return Ok(None);
        }
        let mut known = self.0.borrow_mut();
        known.retain(|known| known.pattern.strong_count() > 0);
        let same = known.iter().find(|known| known.terms == terms);
        if let Some(pattern) = same.and_then(|known| known.pattern.upgrade()) {
            return Ok(Some(pattern));
        }
        let pattern = Rc::new(Pattern {
            matcher: Matcher::new(terms)?,
            blocks: RefCell::default(),
        });
        known.push(Compiled {
            terms: terms.to_vec(),
            pattern: Rc::downgrade(&pattern),
        });
        Ok(Some(pattern))
    }
}

/// A pattern, and what it has found last.
pub(crate) struct Pattern {
    pub(crate) matcher: Matcher,
    blocks: RefCell<VecDeque<Block>>,
}

/// The wanted lines of bytes that were looked at.
struct Block {
    /// The serial and the offset.
    at: (u64, u64),
    length: usize,
    lines: Rc<[Range<usize>]>,
}

impl Pattern {
    /// As [`Matcher::lines`], for the bytes at `at`: viewers that read the same at the same time
    /// look at it once.
    fn lines(
        &self,
        at: (u64, u64),
        block: &[u8],
        ends: LineEnd,
        hit: &mut dyn FnMut(Range<usize>),
    ) {
        let mut blocks = self.blocks.borrow_mut();
        let same = |known: &&Block| (known.at, known.length) == (at, block.len());
        if let Some(known) = blocks.iter().find(same) {
            let lines = known.lines.clone();
            drop(blocks);
            lines.iter().cloned().for_each(hit);
            return;
        }
        let mut lines = Vec::new();
        self.matcher.lines(block, ends, |line| {
            if lines.len() <= LINES_MAX {
                lines.push(line.clone());
            }
            hit(line);
        });
        if lines.len() <= LINES_MAX {
            blocks.truncate(BLOCKS_MAX - 1);
            let length = block.len();
            let lines = lines.into();
            blocks.push_front(Block { at, length, lines });
        }
    }
}

/// A transport for the wanted lines alone.
struct Matching {
    inner: Box<dyn Transport>,
    pattern: Rc<Pattern>,
    ends: LineEnd,
    sieve: Sieve,
    /// The serial and the offset of the bytes that come next.
    at: (u64, u64),
    /// How many bytes have come.
    passed: u64,
    /// The rest of a line that is too long to be handed over at once.
    waiting: Vec<u8>,
    /// What has to be told after it.
    marker: Option<Marker>,
}

/// A transport for the lines that `pattern` wants; for all bytes where there is none.
pub(crate) fn matching(
    inner: Box<dyn Transport>,
    pattern: Option<Rc<Pattern>>,
    ends: LineEnd,
) -> Box<dyn Transport> {
    let Some(pattern) = pattern else {
        return inner;
    };
    Box::new(Matching {
        inner,
        pattern,
        ends,
        sieve: Sieve::new(ends),
        at: (0, 0),
        passed: 0,
        waiting: Vec::new(),
        marker: None,
    })
}

impl Matching {
    fn hand_over(&mut self, sifted: Sifted) -> io::Result<()> {
        match &sifted.runs[..] {
            [] => Ok(()),
            [(true, length)] if *length > CHUNK => {
                self.waiting = sifted.bytes;
                Ok(())
            }
            _ => self.inner.sifted(&sifted),
        }
    }
}

/// Bytes of the file, and which runs of them are wanted.
#[derive(Default)]
pub(crate) struct Sifted {
    bytes: Vec<u8>,
    /// Wanted or not, and how many bytes.
    runs: Vec<(bool, usize)>,
}

impl Sifted {
    fn add(&mut self, piece: Piece<'_>) {
        let (wanted, bytes) = match piece {
            Piece::Wanted(bytes) => (true, bytes),
            Piece::Unwanted(bytes) => (false, bytes),
        };
        self.bytes.extend_from_slice(bytes);
        match self.runs.last_mut() {
            Some((last, length)) if *last == wanted => *length += bytes.len(),
            _ => self.runs.push((wanted, bytes.len())),
        }
    }

    /// The runs in order.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (bool, &[u8])> {
        let mut rest = &self.bytes[..];
        self.runs.iter().map(move |&(wanted, length)| {
            let (run, behind) = rest.split_at(length);
            rest = behind;
            (wanted, run)
        })
    }

    /// The wanted ones as one.
    pub(crate) fn wanted(&self) -> Vec<u8> {
        let wanted = self.runs().filter(|(wanted, _)| *wanted);
        wanted.flat_map(|(_, run)| run).copied().collect()
    }
}

impl Transport for Matching {
    fn open(&mut self) -> io::Result<()> {
        self.inner.open()
    }

    fn most(&self, bytes: &[u8]) -> usize {
        let bytes = &bytes[..self.inner.most(bytes)];
        self.sieve.most(bytes, &self.pattern.matcher)
    }

    fn place(&mut self, at: (u64, u64), _: u64) {
        self.at = at;
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut sifted = Sifted::default();
        let (serial, mut offset) = self.at;
        // Blocks come in order: the held line first, if it ends here.
        offset = offset.saturating_sub(self.sieve.held().len() as u64);
        let (pattern, ends) = (&self.pattern, self.ends);
        self.sieve.push(
            bytes,
            |block, hit| {
                pattern.lines((serial, offset), block, ends, hit);
                offset += block.len() as u64;
            },
            |piece| sifted.add(piece),
        );
        self.passed += bytes.len() as u64;
        self.hand_over(sifted)
    }

    fn more(&mut self) -> io::Result<bool> {
        if !self.waiting.is_empty() {
            let most = CHUNK.min(self.waiting.len());
            let most = self.inner.most(&self.waiting[..most]);
            let rest = self.waiting.split_off(most);
            let piece = std::mem::replace(&mut self.waiting, rest);
            self.inner.bytes(&piece)?;
            return Ok(true);
        }
        match self.marker.take() {
            Some(marker) => self.inner.marker(&marker).map(|()| true),
            None => Ok(false),
        }
    }

    fn marker(&mut self, marker: &Marker) -> io::Result<()> {
        if marker.cursor().is_some() {
            // Another file begins: what is held of a line has no end to wait for.
            let mut sifted = Sifted::default();
            self.sieve
                .finish(&self.pattern.matcher, |piece| sifted.add(piece));
            self.hand_over(sifted)?;
        }
        if self.waiting.is_empty() {
            return self.inner.marker(marker);
        }
        self.marker = Some(*marker);
        Ok(())
    }

    fn beat(&mut self) -> io::Result<Option<End>> {
        self.inner.beat()
    }

    fn held(&self) -> Option<u64> {
        let held = self.sieve.held();
        if held.is_empty() || !self.pattern.matcher.grows() {
            return self.inner.held();
        }
        Some(self.passed - held.len() as u64)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut sifted = Sifted::default();
        self.sieve
            .flush(&self.pattern.matcher, |piece| sifted.add(piece));
        self.hand_over(sifted)?;
        self.inner.flush()
    }

    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<End>>> {
        self.inner.poll_heard(cx)
    }

    fn caught_up(&mut self) {
        self.inner.caught_up();
    }

    fn is_drained(&self) -> bool {
        self.inner.is_drained()
    }

    fn poll_drained(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_drained(cx)
    }

    fn leave(self: Box<Self>, end: End) -> BoxedLocal<()> {
        self.inner.leave(end)
    }
}
