//! One request, one answer.

use std::io;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use futures_lite::FutureExt;
use miniserde::{Serialize, json};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::app::engine::EngineState;
use crate::app::page;
use crate::app::state::Site;
use crate::bytes::cursor::From;
use crate::bytes::lines::Splitter;
use crate::deliver::Context;
use crate::deliver::endless::{Events, Form as Endless};
use crate::deliver::plain::WAIT_MAX;
use crate::deliver::websocket::PROTOCOL;
use crate::deliver::{endless, event, plain, websocket};
use crate::http::close::write;
use crate::http::connection::{Answered, Exchange};
use crate::http::head::{Request, decode, whole_number};
use crate::http::response::{Response, TEXT};
use crate::metrics::{End, Kind};
use crate::source::Source;
use crate::source::reader::Reader;
use crate::websocket::handshake::{handshake, upgrade_required};
use crate::websocket::session::MESSAGE_MAX;

/// What is left as it is in a URL's path (RFC 3986 section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Answers one request; gives the connection back if it may be kept. `refreshed`: the sources are known as they are now.
///
/// # Errors
/// When the connection is broken, or what is being sent can't be read any more.
pub(crate) async fn route(
    site: Rc<Site>,
    exchange: Exchange,
    refreshed: bool,
) -> io::Result<Answered> {
    let Some(path) = decode(&exchange.request.path).map(|path| path.into_owned()) else {
        return exchange
            .answer(Response::sentence(
                400,
                "the path must be percent-encoded UTF-8",
            ))
            .await
            .map(Answered::Done);
    };
    if !refreshed && path.starts_with("/s") {
        // Of the streams: files of a glob may have come or gone.
        site.sources.refresh().await;
    }
    let source = match path.as_str() {
        "/stream" => site.sources.first(),
        _ => path
            .strip_prefix("/stream/")
            .and_then(|name| site.sources.find(name)),
    };
    let asset = path.strip_prefix('/').and_then(page::asset);
    let listed = matches!(path.as_str(), "/sources" | "/health" | "/metrics" | "*");
    let answer = if source.is_none() && asset.is_none() && !listed {
        not_found(&path)
    } else if !matches!(exchange.request.method.as_str(), "GET" | "HEAD") {
        Response::bare(405).with("Allow", "GET, HEAD")
    } else if let Some(source) = source {
        return stream(&site, &source, exchange).await;
    } else if let Some(asset) = asset {
        content(asset.media, "no-cache", asset.content)
    } else {
        match path.as_str() {
            "/sources" => content(
                "application/json",
                "no-store",
                sources(&site).await.into_bytes(),
            ),
            "/metrics" => content(
                "text/plain; version=0.0.4",
                "no-store",
                site.metrics().into_bytes(),
            ),
            _ => content(TEXT, "no-store", &b"ok\n"[..]),
        }
    };
    exchange.answer(answer).await.map(Answered::Done)
}

fn content(media: &str, cache: &str, body: impl Into<std::borrow::Cow<'static, [u8]>>) -> Response {
    Response::new(200, Vec::new(), body)
        .with("Content-Type", media)
        .with("Cache-Control", cache)
}

fn not_found(path: &str) -> Response {
    match path.strip_prefix("/stream/") {
        Some(name) => {
            let name = name.escape_debug();
            Response::sentence(
                404,
                &format!("no stream is named `{name}`; `/sources` lists them"),
            )
        }
        None => Response::sentence(
            404,
            "no such page; the viewer is at `/`, the streams are listed at `/sources`",
        ),
    }
}

/// How a stream is asked for.
struct Wanted {
    kind: Kind,
    from: Option<From>,
    wait: Duration,
    /// The wait was asked for by `Prefer`.
    preferred: bool,
}

impl Wanted {
    /// Reads the request, or refuses it with a sentence.
    fn of(request: &Request) -> Result<Self, Response> {
        let kind = if request.asks_for_websocket() {
            Kind::WebSocket
        } else if request.accepts("text/event-stream") {
            Kind::Events
        } else if request.parameter("follow").is_some() {
            Kind::Follow
        } else if request.parameter("from").is_some() {
            Kind::Poll
        } else {
            Kind::Plain
        };
        let last_id = request
            .field("Last-Event-ID")
            .filter(|_| kind == Kind::Events);
        let from = match last_id
            .map(Into::into)
            .or_else(|| request.parameter("from"))
        {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| {
                Response::sentence(
                    400,
                    "`from` must be `start`, `end`, `-N` (the last N lines) or a cursor",
                )
            })?),
        };
        let preferred = request.preferred_wait();
        let wait = match request.parameter("wait") {
            None => preferred,
            Some(text) => Some(whole_number(&text).ok_or_else(|| {
                Response::sentence(
                    400,
                    "`wait` must be a whole number of seconds; a poll is held for 60 at most",
                )
            })?),
        };
        let wait = Duration::from_secs(wait.unwrap_or(0).min(WAIT_MAX));
        Ok(Self {
            kind,
            from,
            wait,
            preferred: preferred.is_some(),
        })
    }
}

/// The stream, in the way that it is asked for.
async fn stream(site: &Rc<Site>, source: &Source, exchange: Exchange) -> io::Result<Answered> {
    let wanted = match Wanted::of(&exchange.request) {
        Ok(wanted) => wanted,
        Err(refusal) => return exchange.answer(refusal).await.map(Answered::Done),
    };
    if site.websocket_only && wanted.kind != Kind::WebSocket {
        return exchange
            .answer(upgrade_required())
            .await
            .map(Answered::Done);
    }
    // The place is taken here, before anything of the answer goes out.
    let from = match (wanted.kind, wanted.from) {
        (Kind::Plain, _) => From::End,
        (_, from) => from.unwrap_or(From::Lines(site.lines)),
    };
    let context = site.context.clone();
    context.metrics.asked(wanted.kind);
    context
        .metrics
        .resumed
        .add(u64::from(matches!(from, From::Cursor(_))));
    let reader = match source.open(from).await {
        Ok(reader) => reader,
        Err(error) => {
            let text = format!("`{}` can't be read: {error}", source.name);
            return exchange
                .answer(Response::sentence(500, &text))
                .await
                .map(Answered::Done);
        }
    };
    match wanted.kind {
        Kind::Plain => plain::whole(&context, source, exchange, reader)
            .await
            .map(Answered::Done),
        Kind::Poll => {
            let is_head = exchange.request.method == "HEAD";
            let wait = if is_head { Duration::ZERO } else { wanted.wait };
            let poll = async move {
                plain::poll(&context, exchange, reader, wait, wanted.preferred).await
            };
            Ok(Answered::Then(poll.boxed_local()))
        }
        Kind::WebSocket => websocket(context, source, exchange, reader).await,
        Kind::Follow | Kind::Events => endless(context, exchange, reader, wanted.kind).await,
    }
}

/// A stream to a client from here on, which counts how it ends.
fn live(context: Rc<Context>, stream: impl Future<Output = End> + 'static) -> Answered {
    let counted = async move {
        context.metrics.ended(stream.await);
        Ok(None)
    };
    Answered::Then(counted.boxed_local())
}

async fn websocket(
    context: Rc<Context>,
    source: &Source,
    exchange: Exchange,
    reader: Reader,
) -> io::Result<Answered> {
    let mut fields = match handshake(&exchange.request) {
        Ok(fields) => fields,
        Err(refusal) => return exchange.answer(refusal).await.map(Answered::Done),
    };
    let exact = exchange
        .request
        .list("Sec-WebSocket-Protocol")
        .any(|offer| offer == PROTOCOL);
    let form = if exact {
        fields.push(("Sec-WebSocket-Protocol", PROTOCOL.into()));
        let cursor = reader.cursor().await?;
        websocket::Form::Exact(event::open(
            &source.name,
            source.kind(),
            cursor,
            reader.size(),
        ))
    } else {
        websocket::Form::Text(Splitter::behind(&reader.before().await?))
    };
    let session = exchange.upgrade(&fields, MESSAGE_MAX).await?;
    let shared = context.clone();
    Ok(live(context, async move {
        websocket::serve(&shared, session, reader, form).await
    }))
}

async fn endless(
    context: Rc<Context>,
    exchange: Exchange,
    reader: Reader,
    kind: Kind,
) -> io::Result<Answered> {
    let cursor = reader.cursor().await?;
    let (media, form) = match kind {
        Kind::Events => (
            "text/event-stream",
            Endless::Events(Events::new(cursor, reader.before().await?)),
        ),
        _ => (TEXT, Endless::Bytes),
    };
    let chunked = exchange.request.one_one;
    let mut fields = vec![
        ("Content-Type", media.into()),
        ("Cache-Control", "no-store".into()),
        ("Tailcast-Cursor", cursor.to_string()),
        // nginx would collect what should go through at once.
        ("X-Accel-Buffering", "no".into()),
    ];
    if chunked {
        fields.push(("Transfer-Encoding", "chunked".into()));
    }
    let head = exchange.head(200, fields);
    write(&exchange.connection.socket, &head).await?;
    if exchange.request.method == "HEAD" {
        return Ok(Answered::Done(Some(exchange.connection)));
    }
    let socket = exchange.connection.socket;
    let shared = context.clone();
    Ok(live(context, async move {
        endless::serve(&shared, socket, reader, form, chunked).await
    }))
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
    /// How changes come to be known.
    watch: &'static str,
    /// How it stands at the engine that it is handed to; `null` where there is none.
    engine: Option<EngineState>,
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
            watch: extent.watch,
            engine: site
                .engine
                .as_ref()
                .map(|status| EngineState::new(status, &source.name, extent.size)),
        });
    }
    json::to_string(&list)
}

/// `None` for a time that the format has no room for: a file's time can be anything.
pub(crate) fn rfc3339(time: SystemTime) -> Option<String> {
    use std::fmt::Write;
    time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let mut text = String::new();
    write!(text, "{}", humantime::format_rfc3339_millis(time)).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

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
