//! The events of `tailcast.v1`: one JSON object each, in a text message. The whole vocabulary, one line a word.

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

/// `missing`, `found`, `pong`: a word says it all.
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
        Marker::Missing => json::to_string(&Word { event: "missing" }),
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
            (Marker::Missing, r#"{"event":"missing"}"#),
            (Marker::Found, r#"{"event":"found"}"#),
        ] {
            assert_eq!(marker(&told), want);
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
