//! A place in a stream that outlives connections, rotations and restarts, and how a client names
//! one. Pure: no runtime, no file, no socket.

use std::fmt;
use std::str::FromStr;

/// How many bytes before a place its check covers.
pub const CHECK_SPAN: u64 = 64;

/// `INODE-OFFSET-CHECK`, three lower-case hexadecimal numbers; `-CHECK` may be left out.
///
/// ```
/// use tailcast::bytes::cursor::Cursor;
/// let cursor: Cursor = "1f-40-811c9dc5".parse().unwrap();
/// assert_eq!((cursor.inode, cursor.offset, cursor.check), (0x1f, 0x40, Some(0x811c9dc5)));
/// assert_eq!(cursor.to_string(), "1f-40-811c9dc5");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The file's inode; 0 stands for "no file yet".
    pub inode: u64,
    /// The offset of the next byte, in bytes.
    pub offset: u64,
    /// FNV-1a (32 bits) of the [`CHECK_SPAN`] bytes before `offset`, or of all where there are
    /// fewer. `None`: not checked.
    pub check: Option<u32>,
}

impl Cursor {
    /// The place before there is any file: `0-0`.
    pub const NOWHERE: Self = Self {
        inode: 0,
        offset: 0,
        check: None,
    };

    /// The place at `offset` of file `inode`, with `before` the bytes that stand just before it.
    pub fn new(inode: u64, offset: u64, before: &[u8]) -> Self {
        Self {
            inode,
            offset,
            check: Some(fnv1a(before)),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.inode, self.offset)?;
        match self.check {
            Some(check) => write!(f, "-{check:x}"),
            None => Ok(()),
        }
    }
}

/// The text is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACursor;

impl FromStr for Cursor {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let mut parts = text.split('-');
        let mut next = || parts.next().map(hexadecimal).transpose();
        let (inode, offset, check) = (next()?, next()?, next()?);
        let check = check
            .map(u32::try_from)
            .transpose()
            .map_err(|_| NotACursor)?;
        match (inode, offset, parts.next()) {
            (Some(inode), Some(offset), None) => Ok(Self {
                inode,
                offset,
                check,
            }),
            _ => Err(NotACursor),
        }
    }
}

/// Stricter than `from_str_radix`, which also takes a sign and capitals.
fn hexadecimal(text: &str) -> Result<u64, NotACursor> {
    if !text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Err(NotACursor);
    }
    u64::from_str_radix(text, 16).map_err(|_| NotACursor)
}

/// FNV-1a, 32 bits, of `bytes`.
pub fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Where a client wants its stream to begin: the value of `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// `start`: the first byte of the current file.
    Start,
    /// `end`: what is appended from now on.
    End,
    /// `-N`: the last N lines of the current file.
    Lines(u64),
    /// A cursor: what came after it.
    Cursor(Cursor),
}

impl FromStr for From {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        match text {
            "start" => Ok(Self::Start),
            "end" => Ok(Self::End),
            _ => match text.strip_prefix('-') {
                Some(count)
                    if !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()) =>
                {
                    // More lines than 64 bits can count is the whole file all the same.
                    Ok(Self::Lines(count.parse().unwrap_or(u64::MAX)))
                }
                _ => text.parse().map(Self::Cursor),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        for text in [
            "0-0",
            "1-0-811c9dc5",
            "ffffffffffffffff-ffffffffffffffff-0",
            "abc-12c00000000",
        ] {
            assert_eq!(
                text.parse::<Cursor>().map(|cursor| cursor.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn not_a_cursor() {
        let overlong = "1".repeat(17) + "-0";
        for text in [
            "",
            "-",
            "1",
            "1-",
            "-1-2",
            "1-2-",
            "1-2-3-4",
            "A-1",
            "+1-2",
            "1-+2",
            "1-2-1ffffffff",
            "g-1",
            " 1-2",
            "1 -2",
            "../etc",
            &overlong,
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(NotACursor), "{text:?}");
        }
    }

    #[test]
    fn fnv1a_known_answers() {
        // Published with the algorithm (draft-eastlake-fnv).
        for (text, hash) in [
            ("", 0x811c_9dc5),
            ("a", 0xe40c_292c),
            ("foobar", 0xbf9c_f968),
        ] {
            assert_eq!(fnv1a(text.as_bytes()), hash);
        }
    }

    #[test]
    fn from_forms() {
        assert_eq!("start".parse(), Ok(From::Start));
        assert_eq!("end".parse(), Ok(From::End));
        assert_eq!("-0".parse(), Ok(From::Lines(0)));
        assert_eq!("-25".parse(), Ok(From::Lines(25)));
        assert_eq!("-99999999999999999999".parse(), Ok(From::Lines(u64::MAX)));
        assert_eq!("0-0".parse(), Ok(From::Cursor(Cursor::NOWHERE)));
        for text in ["", "-", "-1.5", "--1", "-a", "Start", "begin", "10"] {
            assert_eq!(text.parse::<From>(), Err(NotACursor), "{text:?}");
        }
    }
}
