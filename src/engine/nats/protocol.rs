//! The client protocol of NATS: what a server says. Pure.
//!
//! A line each, with a payload behind some of them:
//!
//! | server | |
//! | --- | --- |
//! | `INFO {json}` | what it is, first of all and when that changes |
//! | `MSG subject sid [reply] bytes`, then the payload | a message |
//! | `HMSG subject sid [reply] header-bytes all-bytes`, then both | one with headers |
//! | `PING`, `PONG`, `+OK`, `-ERR 'why'` | |

use miniserde::{Deserialize, json};

/// The longest line, in bytes: an `INFO` names the servers of a cluster, a subject of ours has a
/// few hundred bytes.
pub const LINE_MAX: usize = 32 * 1024;

/// The largest message that is taken, headers and payload, in bytes: a server's default limit. A
/// batch of ours has a quarter of it; what is larger is somebody else's, and is passed over.
pub const MESSAGE_MAX: usize = 1024 * 1024;

/// What a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op<'a> {
    /// What it is, in JSON.
    Info(&'a [u8]),
    /// A message.
    Message(Message<'a>),
    /// A message to this subject, for this subscription, that is too large to be taken: so many
    /// bytes follow, which are to be passed over.
    TooLarge(&'a str, u64, u64),
    /// It wants a `PONG`.
    Ping,
    /// The answer to a `PING`.
    Pong,
    /// It took something.
    Ok,
    /// It has something against us.
    Error(&'a str),
}

/// A message as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it was published to.
    pub subject: &'a str,
    /// Which subscription of ours it is for.
    pub sid: u64,
    /// Where an answer is waited for.
    pub reply: Option<&'a str>,
    /// What stands before the payload.
    pub headers: Headers<'a>,
    /// What was published.
    pub payload: &'a [u8],
}

/// What a server must not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation;

/// Reads what `bytes` begin with, and how long that is; `None`: it is not all there yet.
///
/// # Errors
/// Where it is not this protocol.
pub fn parse(bytes: &[u8]) -> Result<Option<(Op<'_>, usize)>, Violation> {
    let searched = &bytes[..bytes.len().min(LINE_MAX)];
    let Some(end) = searched.windows(2).position(|pair| pair == b"\r\n") else {
        return match bytes.len() < LINE_MAX {
            true => Ok(None),
            false => Err(Violation),
        };
    };
    let line = &bytes[..end];
    let (verb, rest) = match line.iter().position(|byte| matches!(byte, b' ' | b'\t')) {
        Some(at) => (&line[..at], line[at..].trim_ascii()),
        None => (line, &[][..]),
    };
    let after = end + 2;
    let is = |word: &[u8]| verb.eq_ignore_ascii_case(word);
    let op = if is(b"MSG") || is(b"HMSG") {
        return message(rest, is(b"HMSG"), bytes, after);
    } else if is(b"PING") {
        Op::Ping
    } else if is(b"PONG") {
        Op::Pong
    } else if is(b"+OK") {
        Op::Ok
    } else if is(b"INFO") {
        Op::Info(rest)
    } else if is(b"-ERR") {
        let text = str::from_utf8(rest).map_err(|_| Violation)?;
        Op::Error(text.trim_matches('\''))
    } else {
        return Err(Violation);
    };
    Ok(Some((op, after)))
}

/// A message whose line ends before `after`.
fn message<'a>(
    arguments: &'a [u8],
    has_headers: bool,
    bytes: &'a [u8],
    after: usize,
) -> Result<Option<(Op<'a>, usize)>, Violation> {
    let arguments = str::from_utf8(arguments).map_err(|_| Violation)?;
    let words: Vec<&str> = arguments.split_ascii_whitespace().take(6).collect();
    let numbers = if has_headers { 2 } else { 1 };
    let (subject, sid, reply) = match words[..words.len().saturating_sub(numbers)] {
        [subject, sid] => (subject, sid, None),
        [subject, sid, reply] => (subject, sid, Some(reply)),
        _ => return Err(Violation),
    };
    let sid = number(sid)?;
    let total = number(words[words.len() - 1])?;
    let head = match has_headers {
        true => number(words[words.len() - 2])?,
        false => 0,
    };
    if head > total {
        return Err(Violation);
    }
    let (Ok(head), Some(total)) = (
        usize::try_from(head),
        usize::try_from(total)
            .ok()
            .filter(|&total| total <= MESSAGE_MAX),
    ) else {
        let follow = total.checked_add(2).ok_or(Violation)?;
        return Ok(Some((Op::TooLarge(subject, sid, follow), after)));
    };
    let Some(body) = bytes.get(after..after + total + 2) else {
        return Ok(None);
    };
    if &body[total..] != b"\r\n" {
        return Err(Violation);
    }
    let message = Message {
        subject,
        sid,
        reply,
        headers: Headers(&body[..head]),
        payload: &body[head..total],
    };
    Ok(Some((Op::Message(message), after + total + 2)))
}

/// Stricter than `parse`, which also takes a sign.
fn number(text: &str) -> Result<u64, Violation> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Violation);
    }
    text.parse().map_err(|_| Violation)
}

/// What stands before a message's payload: `NATS/1.0`, a status where the server itself speaks,
/// then `Name: value` lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a>(pub &'a [u8]);

impl<'a> Headers<'a> {
    /// The status, such as 404 or 503, and its words.
    pub fn status(&self) -> Option<(u16, &'a str)> {
        let line = self.lines().next()?;
        let rest = line.strip_prefix("NATS/1.0")?.trim();
        let code = rest.get(..3)?.parse().ok()?;
        Some((code, rest[3..].trim()))
    }

    /// The value of the header `name`.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The value of the header `name`, where it is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        number(self.get(name)?).ok()
    }

    fn lines(&self) -> impl Iterator<Item = &'a str> {
        // Others may put anything into their headers; ours are ASCII.
        let lines = self.0.split(|&byte| byte == b'\n');
        lines.filter_map(|line| Some(str::from_utf8(line).ok()?.trim_end_matches('\r')))
    }
}

/// What a server says of itself.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Info {
    /// The largest payload that it takes, headers included, in bytes.
    pub max_payload: Option<u64>,
    /// It knows headers.
    pub headers: Option<bool>,
    /// It has JetStream itself; where it has not, one behind it may.
    pub jetstream: Option<bool>,
    /// It wants TLS, which we do not speak.
    pub tls_required: Option<bool>,
    /// The addresses of its cluster's servers, `HOST:PORT` each, its own among them.
    pub connect_urls: Option<Vec<String>>,
}

impl Info {
    /// Reads the JSON.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Violation> {
        let text = str::from_utf8(bytes).map_err(|_| Violation)?;
        json::from_str(text).map_err(|_| Violation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(bytes: &[u8]) -> Result<Option<(Op<'_>, usize)>, Violation> {
        let found = parse(bytes);
        // Nothing shorter is one, and what follows does not change it.
        if let Ok(Some((_, length))) = found {
            for short in 0..length {
                let part = parse(&bytes[..short]);
                assert!(matches!(part, Ok(None)), "{part:?} at {short}");
            }
            let longer = [&bytes[..length], b"PING\r\n"].concat();
            assert_eq!(parse(&longer), found);
        }
        found
    }

    #[test]
    fn what_a_server_says() {
        for (bytes, want) in [
            (&b"PING\r\n"[..], Op::Ping),
            (b"pong\r\n", Op::Pong),
            (b"+OK\r\n", Op::Ok),
            (b"INFO {\"a\":1}\r\n", Op::Info(b"{\"a\":1}")),
            (b"INFO {\"a\":1} \r\n", Op::Info(b"{\"a\":1}")),
            (
                b"-ERR 'Stale Connection'\r\n",
                Op::Error("Stale Connection"),
            ),
            (b"MSG a 1 1048577\r\n", Op::TooLarge("a", 1, 1_048_579)),
            (
                b"HMSG a 1 r 12 99999999999\r\n",
                Op::TooLarge("a", 1, 100_000_000_001),
            ),
        ] {
            assert_eq!(op(bytes), Ok(Some((want, bytes.len()))));
        }
    }

    #[test]
    fn messages() {
        let whole = b"MSG a.b 9 5\r\nhello\r\n";
        let message = Message {
            subject: "a.b",
            sid: 9,
            reply: None,
            headers: Headers(b""),
            payload: b"hello",
        };
        assert_eq!(op(whole), Ok(Some((Op::Message(message), whole.len()))));
        let whole = b"HMSG a.b 9 in.box 30 32\r\nNATS/1.0\r\nA: 1\r\nb-c:  two \r\n\r\n\r\n\r\n";
        let Ok(Some((Op::Message(message), _))) = op(whole) else {
            panic!("{:?}", op(whole));
        };
        assert_eq!(
            (message.reply, message.payload),
            (Some("in.box"), &b"\r\n"[..])
        );
        let headers = message.headers;
        assert_eq!(
            (headers.get("a"), headers.get("B-C")),
            (Some("1"), Some("two"))
        );
        assert_eq!(
            (headers.number("A"), headers.number("b-c")),
            (Some(1), None)
        );
        assert_eq!((headers.get("x"), headers.status()), (None, None));
        let status = |text: &'static str| Headers(text.as_bytes()).status();
        assert_eq!(status("NATS/1.0 503\r\n\r\n"), Some((503, "")));
        assert_eq!(
            status("NATS/1.0 404 Message Not Found\r\n\r\n"),
            Some((404, "Message Not Found"))
        );
        for text in ["", "NATS/1.0\r\n", "NATS/1.0 4", "NATS/1.0 \u{e9}4x", "404"] {
            assert_eq!(status(text), None, "{text:?}");
        }
    }

    #[test]
    fn not_this_protocol() {
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"\r\n",
            b"MSG\r\n",
            b"MSG a\r\n",
            b"MSG a 1\r\n",
            b"MSG a 1 -1\r\n",
            b"MSG a 1 +1\r\n",
            b"MSG a x 1\r\n",
            b"MSG a 1 r s 1\r\n",
            b"MSG a 1 1\r\nab\r\n",
            b"HMSG a 1 5\r\n",
            b"HMSG a 1 6 5\r\n",
            b"MSG a 1 18446744073709551615\r\n",
            b"MSG \xff 1 1\r\n",
            b"-ERR \xff\r\n",
        ] {
            assert_eq!(parse(bytes), Err(Violation), "{:?}", bytes.escape_ascii());
        }
        let endless = vec![b'A'; LINE_MAX];
        assert_eq!(parse(&endless[1..]), Ok(None));
        assert_eq!(parse(&endless), Err(Violation));
    }

    #[test]
    fn info() {
        let info = Info::parse(br#"{"server_id":"x","max_payload":5,"headers":true,"x":[{}]}"#);
        let info = info.unwrap();
        assert_eq!(
            (info.max_payload, info.headers, info.jetstream),
            (Some(5), Some(true), None)
        );
        for bytes in [&b""[..], b"{", b"[]", b"\xff", br#"{"max_payload":-1}"#] {
            assert!(Info::parse(bytes).is_err(), "{:?}", bytes.escape_ascii());
        }
    }
}
