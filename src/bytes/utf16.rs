//! UTF-16, as programs on Windows write their logs: which of the two orders a file has, and its
//! text. Pure: no runtime, no file, no socket.

/// The order of the two bytes of a unit, as the mark at a file's start tells it (RFC 2781 section
/// 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Utf16 {
    /// `FF FE`: the low byte first.
    Little,
    /// `FE FF`: the high byte first.
    Big,
}

/// The byte-order mark, a character that is not shown.
const MARK: char = '\u{feff}';

const NEWLINE: u16 = b'\n' as u16;
const RETURN: u16 = b'\r' as u16;

impl Utf16 {
    /// By a file's `first` bytes; `None` where they are no mark.
    pub fn of_mark(first: &[u8]) -> Option<Self> {
        match first {
            [0xff, 0xfe, ..] => Some(Self::Little),
            [0xfe, 0xff, ..] => Some(Self::Big),
            _ => None,
        }
    }

    fn unit(self, pair: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(pair),
            Self::Big => u16::from_be_bytes(pair),
        }
    }

    /// The whole units in `bytes`.
    fn units(self, bytes: &[u8]) -> impl DoubleEndedIterator<Item = u16> + '_ {
        let pairs = bytes.chunks_exact(2);
        pairs.map(move |pair| self.unit([pair[0], pair[1]]))
    }

    /// The text of a line without its mark; what is no character becomes U+FFFD, as half a unit at
    /// the end does.
    pub(crate) fn text(self, bytes: &[u8]) -> String {
        let characters = char::decode_utf16(self.units(bytes));
        let characters = characters.map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER));
        let half = (bytes.len() % 2 == 1).then_some(char::REPLACEMENT_CHARACTER);
        let mut text: String = characters.chain(half).collect();
        if text.starts_with(MARK) {
            text.drain(..MARK.len_utf8());
        }
        text
    }

    /// Where the first line in `bytes` ends behind its newline.
    pub(crate) fn line_end(self, bytes: &[u8]) -> Option<usize> {
        let newline = self.units(bytes).position(|unit| unit == NEWLINE);
        newline.map(|at| 2 * at + 2)
    }

    /// Whether a line ends where `bytes` do.
    pub(crate) fn is_line_end(self, bytes: &[u8]) -> bool {
        let last = bytes.last_chunk().map(|pair| self.unit(*pair));
        last == Some(NEWLINE)
    }

    /// How many of `bytes` may be shown though more may come: no half of a character, no carriage
    /// return that may belong to a newline.
    pub(crate) fn ready(self, bytes: &[u8]) -> usize {
        let whole = bytes.len() / 2 * 2;
        let waits = |unit: &u16| *unit == RETURN || (0xd800..0xdc00).contains(unit);
        whole - 2 * self.units(&bytes[..whole]).rev().take_while(waits).count()
    }

    /// A byte for each whole unit in `bytes`: newlines are newlines, and nothing else is one.
    pub(crate) fn narrow(self, bytes: &[u8]) -> Vec<u8> {
        let narrow = |unit| if unit == NEWLINE { b'\n' } else { b'x' };
        self.units(bytes).map(narrow).collect()
    }
}
