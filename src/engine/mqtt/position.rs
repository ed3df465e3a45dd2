//! Where a stream stands at the broker: what is written beside each message, and read back from the one that is kept.
//! Pure: no runtime, no file, no socket.

use crate::bytes::cursor::Cursor;
use crate::engine::mqtt::lines::Line;

const FROM: &str = "Tailcast-From";
const CURSOR: &str = "Tailcast-Cursor";
const BYTES: &str = "Tailcast-Bytes";
const LOST: &str = "Tailcast-Lost";
const MARK: &str = "Tailcast-Mark";

/// The mark of a first message: nothing was known of one before it, and bytes are counted from here.
pub(crate) const BEGUN: &str = "begun";

/// The place behind a message, and how many bytes of the stream were published up to there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Where the next line begins.
    pub(crate) cursor: Cursor,
    /// All bytes of the topic so far, newlines included: a message that a reader has had comes again under its old number.
    pub(crate) bytes: u64,
}

/// What has to be told with the next message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// Bytes that could not be published; `Some(None)`: nobody knows how many.
    pub(crate) lost: Option<Option<u64>>,
    /// What happened to the file.
    pub(crate) mark: Option<&'static str>,
}

impl News {
    /// So many bytes more are lost.
    pub(crate) fn lose(&mut self, bytes: Option<u64>) {
        let before = self.lost.unwrap_or(Some(0));
        self.lost = Some(before.zip(bytes).map(|(before, bytes)| before + bytes));
    }
}

impl Position {
    /// The one behind `line`, and what is written beside its message.
    pub(crate) fn behind(self, line: &Line, news: News) -> (Self, Vec<(String, String)>) {
        let next = Self {
            cursor: line.cursor,
            bytes: self.bytes + line.bytes,
        };
        let lost = news.lost.map(|bytes| match bytes {
            Some(bytes) => bytes.to_string(),
            None => "unknown".to_owned(),
        });
        let properties = [
            (FROM, Some(self.cursor.to_string())),
            (CURSOR, Some(next.cursor.to_string())),
            (BYTES, Some(next.bytes.to_string())),
            (LOST, lost),
            (MARK, news.mark.map(str::to_owned)),
        ];
        let known = |(name, value): (&str, Option<String>)| Some((name.to_owned(), value?));
        (next, properties.into_iter().filter_map(known).collect())
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
        let start = Position {
            cursor: Cursor::new(7, 0, b""),
            bytes: 100,
        };
        let line = Line {
            text: "a".to_owned(),
            cursor: Cursor::new(7, 2, b"a\n"),
            bytes: 2,
        };
        let (next, plain) = start.behind(&line, News::default());
        assert_eq!(Position::read(&plain), Some(next));
        let names: Vec<&str> = plain.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [FROM, CURSOR, BYTES]);
        assert_eq!(plain[0].1, "7-0-811c9dc5");
        assert_eq!(plain[2].1, "102");
        let mut news = News {
            mark: Some("rotated"),
            lost: None,
        };
        news.lose(Some(5));
        news.lose(Some(7));
        let (_, told) = start.behind(&line, news);
        assert_eq!(
            told[3..],
            [(LOST.into(), "12".into()), (MARK.into(), "rotated".into())]
        );
        news.lose(None);
        let (_, told) = start.behind(&line, news);
        assert_eq!(told[3].1, "unknown");
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
