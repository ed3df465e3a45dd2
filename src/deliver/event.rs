//! The events of `tailcast.v1`: one JSON object each, in a text message. The whole vocabulary, one
//! line a word.

use miniserde::{Deserialize, Serialize, json};

use crate::bytes::cursor::Cursor;
use crate::source::marker::Marker;

/// First of all: the next binary byte stands at `cursor`.
#[derive(Serialize)]
struct Open<'a> {
    event: &'static str,
    name: &'a str,
    kind: &'static str,
    cursor: String,
    size: u64,
}

/// `rotated`: the name now means a new file; the old one was sent to its end.
#[derive(Serialize)]
struct Rotated {
    event: &'static str,
    cursor: String,
}

/// `truncated`: the file was cut or rewritten; `lost` bytes of its old content could not be sent.
#[derive(Serialize)]
struct Truncated {
    event: &'static str,
    cursor: String,
    lost: u64,
}

/// `lost`: bytes are gone for another cause; `null` when nobody knows how many.
#[derive(Serialize)]
struct Lost {
    event: &'static str,
    cursor: String,
    bytes: Option<u64>,
}

/// `skipped`: `bytes` NULs before `cursor` were passed over.
#[derive(Serialize)]
struct Skipped {
    event: &'static str,
    cursor: String,
    bytes: u64,
}

/// `missing`: there is no such file now (`absent`), or it may not be read (`unreadable`).
#[derive(Serialize)]
struct Missing {
    event: &'static str,
    cause: &'static str,
}

/// The same of a sensor that has failed more than once since this was told last: at most one a
/// minute.
#[derive(Serialize)]
struct MissingOften {
    event: &'static str,
    cause: &'static str,
    count: u64,
}

/// `found`, `pong`: a word says it all.
#[derive(Serialize)]
struct Word {
    event: &'static str,
}

/// What a client may say: `{"event":"ping"}`. The rest is ignored.
#[derive(Deserialize)]
struct Said {
    event: String,
}

/// The `open` event.
pub(crate) fn open(name: &str, kind: &'static str, cursor: Cursor, size: u64) -> String {
    json::to_string(&Open {
        event: "open",
        name,
        kind,
        cursor: cursor.to_string(),
        size,
    })
}

/// The event of a marker.
pub(crate) fn marker(marker: &Marker) -> String {
    match *marker {
        Marker::Rotated(cursor) => json::to_string(&Rotated {
            event: "rotated",
            cursor: cursor.to_string(),
        }),
        Marker::Truncated(cursor, lost) => json::to_string(&Truncated {
            event: "truncated",
            cursor: cursor.to_string(),
            lost,
        }),
        Marker::Lost(cursor, bytes) => json::to_string(&Lost {
            event: "lost",
            cursor: cursor.to_string(),
            bytes,
        }),
        Marker::Skipped(cursor, bytes) => json::to_string(&Skipped {
            event: "skipped",
            cursor: cursor.to_string(),
            bytes,
        }),
        Marker::Missing(cause, 0 | 1) => json::to_string(&Missing {
            event: "missing",
            cause: cause.name(),
        }),
        Marker::Missing(cause, count) => json::to_string(&MissingOften {
            event: "missing",
            cause: cause.name(),
            count,
        }),
        Marker::Found => json::to_string(&Word { event: "found" }),
    }
}

/// The `pong` event.
pub(crate) fn pong() -> String {
    json::to_string(&Word { event: "pong" })
}

/// Whether a client's text message asks for a [`pong`].
pub(crate) fn is_ping(text: &str) -> bool {
    text == "ping" || json::from_str::<Said>(text).is_ok_and(|said| said.event == "ping")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::marker;

    #[test]
    fn on_the_wire() {
        let cursor = Cursor::new(0x1f, 0, &[]);
        assert_eq!(
            open("a \"b\"\n", "file", cursor, 5),
            r#"{"event":"open","name":"a \"b\"\n","kind":"file","cursor":"1f-0-811c9dc5","size":5}"#
        );
        for (told, want) in [
            (
                Marker::Rotated(cursor),
                r#"{"event":"rotated","cursor":"1f-0-811c9dc5"}"#,
            ),
            (
                Marker::Truncated(cursor, 7),
                r#"{"event":"truncated","cursor":"1f-0-811c9dc5","lost":7}"#,
            ),
            (
                Marker::Lost(cursor, None),
                r#"{"event":"lost","cursor":"1f-0-811c9dc5","bytes":null}"#,
            ),
            (
                Marker::Lost(cursor, Some(9)),
                r#"{"event":"lost","cursor":"1f-0-811c9dc5","bytes":9}"#,
            ),
            (
                Marker::Skipped(cursor, 4096),
                r#"{"event":"skipped","cursor":"1f-0-811c9dc5","bytes":4096}"#,
            ),
            (
                Marker::Missing(marker::Missing::Absent, 1),
                r#"{"event":"missing","cause":"absent"}"#,
            ),
            (
                Marker::Missing(marker::Missing::Unreadable, 12),
                r#"{"event":"missing","cause":"unreadable","count":12}"#,
            ),
            (
                Marker::Missing(marker::Missing::Unreadable, 1),
                r#"{"event":"missing","cause":"unreadable"}"#,
            ),
            (Marker::Found, r#"{"event":"found"}"#),
        ] {
            assert_eq!(super::marker(&told), want);
        }
        assert_eq!(pong(), r#"{"event":"pong"}"#);
    }

    #[test]
    fn pings() {
        for text in [
            "ping",
            r#"{"event":"ping"}"#,
            r#" { "event" : "ping", "id": [1, {}] } "#,
        ] {
            assert!(is_ping(text), "{text}");
        }
        for text in [
            "",
            "pong",
            "ping ",
            r#"{"event":"pong"}"#,
            r#"{"event":7}"#,
            r#"{"event":"ping""#,
            "[]",
            "\u{0}",
        ] {
            assert!(!is_ping(text), "{text}");
        }
        assert!(
            !is_ping(&"[".repeat(4096)),
            "deep nesting is refused, not a stack overflow"
        );
    }
}
