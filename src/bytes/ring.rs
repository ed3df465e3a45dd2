//! The last bytes of an endless stream, under the offsets that they have in it.
//! Pure: no runtime, no file, no socket.

use crate::bytes::cursor::CHECK_SPAN;
use crate::bytes::lines::{LastLines, LineEnd};

/// Keeps the last bytes of a stream, as many as its capacity; the oldest give way to new ones.
///
/// Offsets count from the stream's first byte and never wrap: 64 bits are enough for 58,000 years
/// at 10 MB/s.
#[derive(Debug)]
pub struct Ring {
    /// Grows up to the capacity: what nothing was written to costs no memory.
    bytes: Vec<u8>,
    capacity: usize,
    end: u64,
}

impl Ring {
    /// An empty ring that will hold up to `capacity` bytes, at least one.
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            // At once, and not zeroed: an allocator that grows it would copy it, one that zeroes
            // would touch it all.
            bytes: Vec::with_capacity(capacity),
            capacity,
            end: 0,
        }
    }

    /// Appends `bytes`. Of more than it has room for it keeps the last ones, and counts them all.
    pub fn push(&mut self, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(self.capacity)..];
        let at = self.index(self.end + (bytes.len() - kept.len()) as u64);
        let (before_wrap, after_wrap) = kept.split_at(kept.len().min(self.capacity - at));
        self.put(at, before_wrap);
        self.put(0, after_wrap);
        self.end += bytes.len() as u64;
    }

    fn put(&mut self, at: usize, piece: &[u8]) {
        let end = at + piece.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(piece);
    }

    /// The offset of the oldest byte that is held; [`end`](Self::end) where none is.
    pub fn oldest(&self) -> u64 {
        self.end.saturating_sub(self.capacity as u64)
    }

    /// The offset of the next byte to come: how many have come in all.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Copies what stands at `offset` into `into`: how many bytes that were, 0 at the end. `None`
    /// where it is older than [`oldest`](Self::oldest) or yet to come.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Option<usize> {
        let (first, second) = self.parts(offset)?;
        let of_first = first.len().min(into.len());
        into[..of_first].copy_from_slice(&first[..of_first]);
        let of_second = second.len().min(into.len() - of_first);
        into[of_first..of_first + of_second].copy_from_slice(&second[..of_second]);
        Some(of_first + of_second)
    }

    /// The bytes before `offset` that a cursor's check covers, as far as they are held.
    pub fn before(&self, offset: u64) -> Vec<u8> {
        let offset = offset.min(self.end);
        let start = offset.saturating_sub(CHECK_SPAN).max(self.oldest());
        let length = offset.saturating_sub(start);
        let mut before = vec![0; usize::try_from(length).unwrap_or(0)];
        self.read(start, &mut before);
        before
    }

    /// Where the last `count` lines begin, a last one without a newline counted. Where fewer are
    /// held whole, the first one of these: the oldest bytes are most often the end of a line whose
    /// start is gone.
    pub fn last_lines(&self, count: u64) -> u64 {
        let oldest = self.oldest();
        let (first, second) = self.parts(oldest).unwrap_or_default();
        let mut lines = LastLines::new(count, LineEnd::Return);
        for (piece, before) in [(second, first.len()), (first, 0)] {
            // An empty piece is not the end of anything.
            if !piece.is_empty()
                && let Some(at) = lines.feed(piece)
            {
                return oldest + (before + at) as u64;
            }
        }
        if oldest == 0 {
            return 0;
        }
        let mut held = first.iter().chain(second);
        let Some(at) = held.position(|byte| matches!(byte, b'\n' | b'\r')) else {
            return oldest;
        };
        // Two bytes of one end are not parted.
        let is_return = first.iter().chain(second).nth(at) == Some(&b'\r');
        let second_byte = u64::from(is_return && held.next() == Some(&b'\n'));
        oldest + at as u64 + 1 + second_byte
    }

    /// What is held from `offset` on, in two pieces.
    fn parts(&self, offset: u64) -> Option<(&[u8], &[u8])> {
        if !(self.oldest()..=self.end).contains(&offset) {
            return None;
        }
        // It is held, so it is no more than the capacity.
        let length = usize::try_from(self.end - offset).ok()?;
        let at = self.index(offset);
        let of_first = length.min(self.capacity - at);
        Some((
            &self.bytes[at..at + of_first],
            &self.bytes[..length - of_first],
        ))
    }

    fn index(&self, offset: u64) -> usize {
        // The remainder is less than a length in memory.
        usize::try_from(offset % self.capacity as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [usize; 3] = [1, 2, 7];
    const TEXT: &[u8] = b"ab\ncde\n\nfghijk\nlmn\nopq";

    /// A ring that has seen `TEXT` up to `end`, pushed in pieces of `piece` bytes.
    fn ring(capacity: usize, end: usize, piece: usize) -> Ring {
        let mut ring = Ring::new(capacity);
        TEXT[..end].chunks(piece).for_each(|part| ring.push(part));
        ring
    }

    fn each(mut look: impl FnMut(&Ring, usize, usize)) {
        for capacity in SIZES {
            for end in 0..=TEXT.len() {
                for piece in 1..=9 {
                    look(&ring(capacity, end, piece), capacity, end);
                }
            }
        }
    }

    #[test]
    fn holds_the_last_bytes_under_their_offsets() {
        each(|ring, capacity, end| {
            let oldest = end.saturating_sub(capacity);
            assert_eq!((ring.oldest(), ring.end()), (oldest as u64, end as u64));
            for offset in 0..=end + 2 {
                for room in 0..=9 {
                    let mut into = vec![b'?'; room];
                    let read = ring.read(offset as u64, &mut into);
                    if offset < oldest || offset > end {
                        assert_eq!(read, None, "{offset} of {oldest}..{end}");
                        continue;
                    }
                    let want = &TEXT[offset..end.min(offset + room)];
                    assert_eq!(read, Some(want.len()));
                    assert_eq!(&into[..want.len()], want);
                    assert!(into[want.len()..].iter().all(|&byte| byte == b'?'));
                }
            }
        });
    }

    #[test]
    fn the_bytes_before_an_offset_as_far_as_they_are_held() {
        each(|ring, capacity, end| {
            for offset in 0..=end + 2 {
                let offset_held = offset.min(end);
                let start = end.saturating_sub(capacity).min(offset_held);
                let want = &TEXT[start..offset_held];
                assert_eq!(
                    ring.before(offset as u64),
                    want,
                    "{offset} of {end} in {capacity}"
                );
            }
        });
        let mut long = Ring::new(100);
        long.push(&[b'x'; 200]);
        for (offset, length) in [(200, 64), (164, 64), (163, 63), (100, 0), (99, 0)] {
            assert_eq!(long.before(offset).len(), length, "before {offset}");
        }
    }

    #[test]
    fn last_lines_are_whole_where_they_can_be() {
        for (capacity, text, count, want) in [
            (1, "", 1, ""),
            (1, "a", 1, "a"),
            (1, "\n", 1, "\n"),
            (1, "ab", 1, "b"),
            (1, "a\n", 1, ""),
            (2, "a\n", 1, "a\n"),
            (2, "\n\n", 1, "\n"),
            (2, "\n\n", 5, "\n\n"),
            (2, "a\nb", 1, "b"),
            (2, "abc", 1, "bc"),
            (7, "a\nb\nc\n", 0, ""),
            (7, "a\nb\nc\n", 2, "b\nc\n"),
            (7, "a\nb\nc\n", 9, "a\nb\nc\n"),
            (7, "12345\na\nb\n", 2, "a\nb\n"),
            (7, "12345\na\nb\n", 3, "a\nb\n"),
            (7, "12345\na\nb\n", u64::MAX, "a\nb\n"),
            (7, "12345\na\nhalf", 1, "half"),
            (7, "a line without any end", 3, " any end"),
        ] {
            for piece in 1..=text.len().max(1) {
                let mut ring = Ring::new(capacity);
                text.as_bytes()
                    .chunks(piece)
                    .for_each(|part| ring.push(part));
                let start = usize::try_from(ring.last_lines(count)).unwrap();
                // Of a line that never ends, all that is held.
                let want = &want[want.len().saturating_sub(capacity)..];
                assert_eq!(
                    &text[start..],
                    want,
                    "last {count} of {text:?} in {capacity}"
                );
            }
        }
    }
}
