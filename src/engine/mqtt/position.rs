//! Where a stream stands at the broker: what is written beside each message, and read back from the
//! one that is kept. Pure: no runtime, no file, no socket.

use crate::bytes::cursor::Cursor;
use crate::source::marker::Lost;

const FROM: &str = "Tailcast-From";
const CURSOR: &str = "Tailcast-Cursor";
const BYTES: &str = "Tailcast-Bytes";
const LOST: &str = "Tailcast-Lost";
const MARK: &str = "Tailcast-Mark";

/// The mark of a first message: nothing was known of one before it, and bytes are counted from
/// here.
pub(crate) const BEGUN: &str = "begun";

/// The place behind a message, and how many bytes of the stream were published up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Where the next line begins.
    pub(crate) cursor: Cursor,
    /// All bytes of the topic so far, newlines included: a message that a reader has had comes
    /// again under its old number.
    pub(crate) bytes: u64,
}

/// What is told with a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct News {
    /// Bytes that could not be published before it.
    pub(crate) lost: Lost,
    /// What happened before it.
    pub(crate) mark: Option<&'static str>,
}

impl News {
    /// Nothing.
    pub(crate) const NONE: Self = Self {
        lost: Lost::Nothing,
        mark: None,
    };
}

impl Position {
    /// What is written beside the message that leads from here to `next`.
    pub(crate) fn words(self, next: Self, news: News) -> Vec<(String, String)> {
        let lost = match news.lost {
            Lost::Nothing => None,
            Lost::Bytes(bytes) => Some(bytes.to_string()),
            Lost::Unknown => Some("unknown".to_owned()),
        };
        let words = [
            (FROM, Some(self.cursor.to_string())),
            (CURSOR, Some(next.cursor.to_string())),
            (BYTES, Some(next.bytes.to_string())),
            (LOST, lost),
            (MARK, news.mark.map(str::to_owned)),
        ];
        let known = |(name, value): (&str, Option<String>)| Some((name.to_owned(), value?));
        words.into_iter().filter_map(known).collect()
    }

    /// The one that was written beside a message. `None`: it is not one of ours.
    pub(crate) fn read(properties: &[(String, String)]) -> Option<Self> {
        let value = |wanted: &str| {
            let found = properties.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.as_str())
        };
        Some(Self {
            cursor: value(CURSOR)?.parse().ok()?,
            bytes: value(BYTES)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let position = |offset, before: &[u8], bytes| Position {
            cursor: Cursor::new(7, offset, before),
            bytes,
        };
        let (before, after) = (position(0, b"", 100), position(2, b"a\n", 102));
        let words = |lost, mark| before.words(after, News { lost, mark });
        let plain = words(Lost::Nothing, None);
        assert_eq!(Position::read(&plain), Some(after));
        let names: Vec<&str> = plain.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [FROM, CURSOR, BYTES]);
        assert_eq!(plain[0].1, "7-0-811c9dc5");
        assert_eq!(plain[2].1, "102");
        let told = words(Lost::Bytes(12), Some("rotated"));
        let want = [
            (LOST.to_owned(), "12".to_owned()),
            (MARK.to_owned(), "rotated".to_owned()),
        ];
        assert_eq!(told[3..], want);
        assert_eq!(words(Lost::Unknown, None)[3].1, "unknown");
    }

    #[test]
    fn what_others_publish_is_no_position() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        for properties in [
            vec![],
            vec![pair(CURSOR, "7-0")],
            vec![pair(BYTES, "3")],
            vec![pair(CURSOR, "x"), pair(BYTES, "3")],
            vec![pair(CURSOR, "7-0"), pair(BYTES, "-3")],
        ] {
            assert_eq!(Position::read(&properties), None, "{properties:?}");
        }
    }
}
