//! `INODE-OFFSET-CHECK`, computed by the client alone: DESIGN section 5 once more, in other words
//! than the server's.

use std::fmt;

/// How many bytes before the place the check covers.
const TAIL: u64 = 64;

/// Where a client stands: what it counted, and the last bytes it saw.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub inode: u64,
    pub offset: u64,
    tail: Vec<u8>,
    /// The server's check, good until the next byte.
    given: Option<u32>,
}

impl Place {
    /// Reads a cursor.
    pub fn parse(cursor: &str) -> Place {
        let numbers: Vec<u64> = cursor
            .split('-')
            .map(|number| {
                assert!(
                    number
                        .bytes()
                        .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
                    "not lower-case hex: {cursor}"
                );
                u64::from_str_radix(number, 16).unwrap_or_else(|error| panic!("{cursor}: {error}"))
            })
            .collect();
        let (inode, offset, given) = match numbers[..] {
            [inode, offset] => (inode, offset, None),
            [inode, offset, check] => (inode, offset, Some(u32::try_from(check).expect("32 bits"))),
            _ => panic!("not two or three numbers: {cursor}"),
        };
        Place {
            inode,
            offset,
            tail: Vec::new(),
            given,
        }
    }

    /// The place behind `content`, in the file of that inode.
    pub fn behind(inode: u64, content: &[u8]) -> Place {
        let mut place = Place {
            inode,
            ..Place::default()
        };
        place.advance(content);
        place
    }

    /// Counts bytes that came.
    pub fn advance(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        let last = &bytes[bytes.len().saturating_sub(TAIL as usize)..];
        self.tail.extend_from_slice(last);
        self.tail
            .drain(..self.tail.len().saturating_sub(TAIL as usize));
        self.given = None;
    }

    /// The check, if enough was seen to know it.
    pub fn check(&self) -> Option<u32> {
        let enough = self.tail.len() as u64 == self.offset.min(TAIL);
        enough.then(|| fnv1a(&self.tail)).or(self.given)
    }

    /// Whether both may name the same place: numbers equal, checks equal where both know one.
    pub fn agrees(&self, other: &Place) -> bool {
        let checks = self.check().zip(other.check());
        (self.inode, self.offset) == (other.inode, other.offset)
            && checks.is_none_or(|(mine, theirs)| mine == theirs)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.inode, self.offset)?;
        self.check().map_or(Ok(()), |check| write!(f, "-{check:x}"))
    }
}

/// FNV-1a, 32 bits.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// The published test vectors of the hash, so that client and server cannot be wrong together.
#[test]
fn check_is_fnv_1a() {
    assert_eq!(fnv1a(b""), 0x811c_9dc5);
    assert_eq!(fnv1a(b"a"), 0xe40c_292c);
    assert_eq!(fnv1a(b"foobar"), 0xbf9c_f968);
}
