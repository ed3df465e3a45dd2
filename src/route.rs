//! One request, one answer.

use std::borrow::Cow;
use std::io;
use std::time::SystemTime;

use async_tungstenite::tungstenite::handshake::derive_accept_key;
use miniserde::{Serialize, json};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::cursor::From;
use crate::http::{Fields, Request, Status, decode, reason};
use crate::live::event;
use crate::live::websocket::PROTOCOL;
use crate::page;
use crate::server::Site;
use crate::source::Source;
use crate::source::reader::Reader;

/// What is left as it is in a URL's path (RFC 3986 section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A plain-text body.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// What to answer.
pub enum Answer {
    /// A status, fields and a body that is at hand.
    Whole(Status, Fields, Cow<'static, [u8]>),
    /// 200 and this many bytes from the reader.
    File(Fields, Reader, u64),
    /// 101, and the stream over WebSocket; an exact client gets the `open` event first.
    WebSocket(Fields, Reader, Option<String>),
}

impl Answer {
    /// Puts `more` header fields behind those that it has.
    pub fn add(&mut self, more: Fields) {
        let (Self::Whole(_, fields, _) | Self::File(fields, ..) | Self::WebSocket(fields, ..)) =
            self;
        fields.extend(more);
    }
}

/// A status with a sentence for a body.
pub fn sentence(status: Status, text: &str) -> Answer {
    Answer::Whole(
        status,
        vec![("Content-Type", TEXT.into())],
        format!("{text}\n").into_bytes().into(),
    )
}

/// A status with its own name for a body.
pub fn bare(status: Status) -> Answer {
    sentence(status, &reason(status).to_lowercase())
}

/// Answers one request.
pub async fn route(site: &Site, request: &Request) -> Answer {
    let Some(path) = decode(&request.path) else {
        return bare(400);
    };
    let source = match path.as_ref() {
        "/stream" => site.sources.first(),
        _ => path
            .strip_prefix("/stream/")
            .and_then(|name| site.sources.find(name)),
    };
    let asset = path.strip_prefix('/').and_then(page::asset);
    let known =
        source.is_some() || asset.is_some() || matches!(path.as_ref(), "/sources" | "/health");
    if !known {
        return match path.strip_prefix("/stream/") {
            Some(name) => sentence(
                404,
                &format!(
                    "no stream is named `{}`; `/sources` lists them",
                    name.escape_debug()
                ),
            ),
            None => sentence(
                404,
                "no such page; the viewer is at `/`, the streams are listed at `/sources`",
            ),
        };
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        let Answer::Whole(status, mut fields, body) = bare(405) else {
            return bare(405);
        };
        fields.push(("Allow", "GET, HEAD".into()));
        return Answer::Whole(status, fields, body);
    }
    match (source, asset) {
        (Some(source), _) => stream(&source, site, request).await,
        (_, Some(asset)) => whole(asset.media, "no-cache", asset.content),
        _ if path == "/sources" => whole(
            "application/json",
            "no-store",
            sources(site).await.into_bytes(),
        ),
        _ => whole(TEXT, "no-store", &b"ok\n"[..]),
    }
}

fn whole(media: &str, cache: &str, body: impl Into<Cow<'static, [u8]>>) -> Answer {
    Answer::Whole(
        200,
        vec![
            ("Content-Type", media.into()),
            ("Cache-Control", cache.into()),
        ],
        body.into(),
    )
}

/// The stream, in the way that it is asked for.
async fn stream(source: &Source, site: &Site, request: &Request) -> Answer {
    if request.lists("Upgrade", "websocket") && request.method == "GET" {
        return websocket(source, site, request).await;
    }
    match plain(source).await {
        Ok(answer) => answer,
        Err(error) => unreadable(source, &error),
    }
}

fn unreadable(source: &Source, error: &io::Error) -> Answer {
    sentence(500, &format!("`{}` can't be read: {error}", source.name))
}

/// The file as it is now.
async fn plain(source: &Source) -> io::Result<Answer> {
    let end = source.open(From::End).await?;
    if end.is_nowhere() || source.is_missing() {
        return Ok(sentence(
            404,
            &format!(
                "`{}` is not there now; its stream waits for it",
                source.name
            ),
        ));
    }
    let fields = vec![
        ("Content-Type", TEXT.into()),
        ("Cache-Control", "no-store".into()),
        ("Tailcast-Cursor", end.cursor().await?.to_string()),
    ];
    let (reader, length) = end.from_start();
    Ok(Answer::File(fields, reader, length))
}

/// The opening handshake (RFC 6455 section 4.2).
async fn websocket(source: &Source, site: &Site, request: &Request) -> Answer {
    let key = request.field("Sec-WebSocket-Key").filter(|key| is_key(key));
    if !request.is_websocket() {
        return sentence(
            400,
            "an upgrade to websocket needs HTTP/1.1 and `Connection: Upgrade`",
        );
    }
    if request.field("Sec-WebSocket-Version") != Some("13") {
        let fields = vec![
            ("Content-Type", TEXT.into()),
            ("Sec-WebSocket-Version", "13".into()),
        ];
        return Answer::Whole(426, fields, b"websocket version 13 is spoken here\n".into());
    }
    let Some(key) = key else {
        return sentence(
            400,
            "an upgrade to websocket needs one `Sec-WebSocket-Key` of 16 bytes in base64",
        );
    };
    let from = match request.parameter("from") {
        None => From::Lines(site.lines),
        Some(text) => match text.parse() {
            Ok(from) => from,
            Err(_) => {
                return sentence(
                    400,
                    "`from` must be `start`, `end`, `-N` (the last N lines) or a cursor",
                );
            }
        },
    };
    let mut fields = vec![
        ("Upgrade", "websocket".into()),
        ("Connection", "Upgrade".into()),
        ("Sec-WebSocket-Accept", derive_accept_key(key.as_bytes())),
    ];
    let exact = request
        .list("Sec-WebSocket-Protocol")
        .any(|offer| offer == PROTOCOL);
    if exact {
        fields.push(("Sec-WebSocket-Protocol", PROTOCOL.into()));
    }
    // The place is taken here, before the 101 goes out.
    let opened = async {
        let reader = source.open(from).await?;
        let cursor = reader.cursor().await?;
        io::Result::Ok((reader, cursor))
    };
    match opened.await {
        Ok((reader, cursor)) => {
            let open =
                exact.then(|| event::open(&source.name, source.kind(), cursor, reader.size()));
            Answer::WebSocket(fields, reader, open)
        }
        Err(error) => unreadable(source, &error),
    }
}

/// Whether `key` is 16 bytes in base64: 22 characters that mean something and two `=`.
fn is_key(key: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.strip_suffix("==")
        .is_some_and(|digits| digits.len() == 22 && digits.bytes().all(base64))
}

/// One source in `/sources`.
#[derive(Serialize)]
struct Listed {
    name: String,
    kind: &'static str,
    /// In bytes; `null` while there is no file.
    size: Option<u64>,
    /// RFC 3339.
    modified: Option<String>,
    /// Relative to the page, so that any sub-path of a proxy works.
    url: String,
    clients: usize,
}

async fn sources(site: &Site) -> String {
    let mut list = Vec::new();
    for source in site.sources.list() {
        let extent = source.extent().await;
        list.push(Listed {
            name: source.name.clone(),
            kind: source.kind(),
            size: extent.size,
            modified: extent.modified.and_then(rfc3339),
            url: format!("stream/{}", utf8_percent_encode(&source.name, UNRESERVED)),
            clients: source.clients(),
        });
    }
    json::to_string(&list)
}

/// `None` for a time that the format has no room for: a file's time can be anything.
fn rfc3339(time: SystemTime) -> Option<String> {
    use std::fmt::Write;
    time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let mut text = String::new();
    write!(text, "{}", humantime::format_rfc3339_millis(time)).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn keys() {
        assert!(is_key("dGhlIHNhbXBsZSBub25jZQ=="));
        for key in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZ===",
            "dGhlIHNhbXBsZSBub25jZQ==\n",
            "dGhlIHNhbXBsZSBub25j Q==",
        ] {
            assert!(!is_key(key), "{key:?}");
        }
    }

    #[test]
    fn times_out_of_range() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(rfc3339(at(0)).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(rfc3339(at(1 << 40)), None);
        assert_eq!(
            rfc3339(SystemTime::UNIX_EPOCH - Duration::from_secs(1)),
            None
        );
    }
}
