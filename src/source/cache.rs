//! The one buffer that all readers of the thread read into. Pure.

/// How much is read at once, in bytes. Twice as much is not faster over loopback; a frame of this
/// size is the most that a stuck client holds.
pub const CHUNK: usize = 64 * 1024;

/// Bytes of a file, and which ones they are.
///
/// Between the read into it and the copy into a client's socket nothing awaits. It remembers what
/// it holds: of a thousand clients at the end of a file none or one has to read.
pub struct ReadCache {
    bytes: Box<[u8]>,
    length: usize,
    serial: u64,
    offset: u64,
    filling: u64,
}

impl Default for ReadCache {
    fn default() -> Self {
        Self {
            bytes: vec![0; CHUNK].into_boxed_slice(),
            length: 0,
            serial: 0,
            offset: 0,
            filling: 0,
        }
    }
}

impl ReadCache {
    /// Whether it holds what stands at `offset` of the generation with this `serial`.
    pub fn holds(&self, serial: u64, offset: u64) -> bool {
        self.length > 0 && (self.serial, self.offset) == (serial, offset)
    }

    /// The serial and the offset of what it holds.
    pub fn place(&self) -> (u64, u64) {
        (self.serial, self.offset)
    }

    /// Which filling this is. What begins at its start and is of one length is the same for all who
    /// take it.
    pub fn filling(&self) -> u64 {
        self.filling
    }

    /// The bytes that it holds.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Space to read into; what was there is forgotten.
    pub fn space(&mut self) -> &mut [u8] {
        self.length = 0;
        &mut self.bytes
    }

    /// The first `length` bytes of the space are now what stands at `offset` of generation
    /// `serial`.
    pub fn filled(&mut self, serial: u64, offset: u64, length: usize) {
        (self.serial, self.offset, self.length) = (serial, offset, length.min(CHUNK));
        self.filling += 1;
    }

    /// Puts `bytes` there, as many as there is space for.
    pub fn put(&mut self, serial: u64, offset: u64, bytes: &[u8]) {
        let length = bytes.len().min(CHUNK);
        self.space()[..length].copy_from_slice(&bytes[..length]);
        self.filled(serial, offset, length);
    }

    /// Of the bytes that it holds only the first `length` count.
    pub fn cut(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// What it holds is not to be trusted.
    pub fn forget(&mut self) {
        self.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_knows_what_it_holds() {
        let mut cache = ReadCache::default();
        assert!(!cache.holds(0, 0), "nothing at first");
        cache.put(3, 10, b"abc");
        assert!(cache.holds(3, 10) && !cache.holds(3, 11) && !cache.holds(4, 10));
        assert_eq!(cache.bytes(), b"abc");
        cache.space()[..2].copy_from_slice(b"xy");
        assert!(!cache.holds(3, 10), "being written to");
        cache.filled(3, 13, 2);
        assert!(cache.holds(3, 13));
        assert_eq!(cache.bytes(), b"xy");
        cache.forget();
        assert!(!cache.holds(3, 13));
        let before = cache.filling();
        cache.put(3, 13, b"xz");
        assert_ne!(cache.filling(), before, "the same place, other bytes");
        cache.put(3, 0, &vec![7; CHUNK + 1]);
        assert_eq!(cache.bytes().len(), CHUNK);
    }
}
