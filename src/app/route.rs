//! One request, one answer.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::FutureExt;

use crate::app::state::App;
use crate::app::{live, page, sources};
use crate::bytes::cursor::From;
use crate::deliver::matching::Pattern;
use crate::deliver::poll::Held;
use crate::deliver::request::Wanted;
use crate::deliver::{Context, in_time, while_there};
use crate::deliver::{find, part, plain, poll};
use crate::http::connection::{Answered, Connection, Exchange};
use crate::http::head::decode;
use crate::http::response::{Response, TEXT};
use crate::metrics::Kind;
use crate::source::Source;
use crate::websocket::handshake::upgrade_required;

/// Answers one request; gives the connection back if it may be kept. `refreshed`: the sources are
/// known as they are now. `without_key`: who asks has shown none, and gets only what everybody on
/// this machine may read.
///
/// # Errors
/// When the connection is broken, or what is being sent can't be read any more.
pub(crate) async fn route(
    app: Rc<App>,
    exchange: Exchange,
    refreshed: bool,
    without_key: bool,
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
        app.sources.refresh().await;
    }
    let source = match path.as_str() {
        "/stream" => {
            let wanted = Wanted::of(&exchange.request).ok();
            let cursor = wanted.and_then(|wanted| match wanted.from {
                Some(From::Cursor(cursor)) => Some(cursor),
                _ => None,
            });
            // Boxed, so that the space for it is not a part of every client's task.
            Box::pin(app.sources.newest(cursor)).await
        }
        _ => path
            .strip_prefix("/stream/")
            .and_then(|name| app.sources.find(name)),
    };
    let asset = path.strip_prefix('/').and_then(page::asset);
    let listed = matches!(path.as_str(), "/sources" | "/health" | "/metrics" | "*");
    let answer = if source.is_none() && asset.is_none() && !listed {
        not_found(&path)
    } else if !matches!(exchange.request.method.as_str(), "GET" | "HEAD") {
        Response::bare(405).with("Allow", "GET, HEAD")
    } else if let Some(source) = source {
        return stream(&app, source, exchange, without_key).await;
    } else if let Some(asset) = asset {
        asset.answer(&exchange.request)
    } else {
        match path.as_str() {
            "/sources" => content(
                "application/json",
                "no-store",
                sources::list(&app.sources, app.engine.as_deref())
                    .await
                    .into_bytes(),
            ),
            "/metrics" => content(
                "text/plain; version=0.0.4",
                "no-store",
                app.metrics().into_bytes(),
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

/// The stream, in the way that it is asked for.
async fn stream(
    app: &Rc<App>,
    source: Rc<Source>,
    exchange: Exchange,
    without_key: bool,
) -> io::Result<Answered> {
    let wanted = match Wanted::of(&exchange.request) {
        Ok(wanted) => wanted,
        Err(refusal) => return exchange.answer(refusal).await.map(Answered::Done),
    };
    if app.websocket_only && wanted.kind != Kind::WebSocket {
        return exchange
            .answer(upgrade_required())
            .await
            .map(Answered::Done);
    }
    let context = app.context.clone();
    context.metrics.asked(wanted.kind);
    let pattern = match context.patterns.get(&wanted.terms) {
        Ok(pattern) => pattern,
        Err(why) => {
            let refusal = Response::sentence(400, &why.to_string());
            return exchange.answer(refusal).await.map(Answered::Done);
        }
    };
    if matches!(wanted.kind, Kind::Part | Kind::Generations | Kind::Find) {
        // Boxed, so that the space for it is not a part of every client's task.
        let browse = Box::pin(browse(
            &context,
            &source,
            exchange,
            wanted,
            pattern,
            without_key,
        ));
        return browse.await.map(Answered::Done);
    }
    let mut from = match (wanted.kind, wanted.from) {
        (Kind::Plain, _) => From::End,
        _ if wanted.endless.is_some() => From::Start,
        (_, from) => from.unwrap_or(From::Lines(app.lines)),
    };
    context
        .metrics
        .resumed
        .add(u64::from(matches!(from, From::Cursor(_))));
    if let (From::Lines(count @ 1..), Some(pattern)) = (from, &pattern) {
        if without_key && source.has_private().await {
            return exchange.answer(key_needed()).await.map(Answered::Done);
        }
        // Boxed for the same reason.
        let last = Box::pin(find::last(&context, &source, &exchange, pattern, count));
        from = last.await?.map_or(from, From::Cursor);
    }
    // The place is taken here, before anything of the answer goes out.
    let opened = while_there(&exchange.connection.socket, source.open(from)).await;
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => return Err(error),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            let text = format!("the file system of `{}` does not answer", source.name);
            let answer = Response::sentence(503, &text).with("Retry-After", "10");
            return exchange.answer(answer).await.map(Answered::Done);
        }
        Err(error) => {
            let text = format!("`{}` can't be read: {error}", source.name);
            return exchange
                .answer(Response::sentence(500, &text))
                .await
                .map(Answered::Done);
        }
    };
    if without_key && reader.only_public() {
        return exchange.answer(key_needed()).await.map(Answered::Done);
    }
    if let Some(first) = wanted.endless {
        let refusal = plain::seek(&source, &mut reader, first).await?;
        if let Some(refusal) = refusal {
            return exchange.answer(refusal).await.map(Answered::Done);
        }
    }
    if wanted.kind == Kind::Poll && matches!(from, From::Lines(_)) && source.failing().is_some() {
        // The last lines are asked for as news, and there are none.
        reader.seek(reader.start() + reader.size());
    }
    match wanted.kind {
        Kind::WebSocket => live::websocket(context, &source, exchange, reader, pattern).await,
        Kind::Follow | Kind::Events => {
            live::endless(context, exchange, reader, wanted, pattern).await
        }
        Kind::Poll => {
            let is_head = exchange.request.method == "HEAD";
            let held = Held {
                wait: if is_head { Duration::ZERO } else { wanted.wait },
                preferred: wanted.preferred,
            };
            let poll = async move { poll::poll(&context, exchange, reader, held, pattern).await };
            Ok(Answered::Then(poll.boxed_local()))
        }
        Kind::Plain | Kind::Part | Kind::Generations | Kind::Find => {
            plain::whole(&context, &source, exchange, reader)
                .await
                .map(Answered::Done)
        }
    }
}

/// 401: not everybody on this machine may read what is asked for.
fn key_needed() -> Response {
    let text = "a file that not everybody on this machine may read needs the key, also from here";
    Response::sentence(401, text).with("WWW-Authenticate", "Bearer")
}

/// What a viewer needs to go about in a stream.
async fn browse(
    context: &Context,
    source: &Source,
    exchange: Exchange,
    wanted: Wanted,
    pattern: Option<Rc<Pattern>>,
    without_key: bool,
) -> io::Result<Option<Connection>> {
    match (wanted.kind, pattern) {
        (Kind::Find, _) if without_key && source.has_private().await => {
            exchange.answer(key_needed()).await
        }
        (Kind::Find, Some(pattern)) => {
            find::find(context, source, exchange, &pattern, wanted.search).await
        }
        (Kind::Part, _) => match wanted.place() {
            Ok(place) if without_key && source.is_private(place.inode).await => {
                exchange.answer(key_needed()).await
            }
            Ok(place) => part::part(context, source, exchange, place, wanted.max).await,
            Err(refusal) => exchange.answer(refusal).await,
        },
        _ => {
            let list = async { Ok(sources::generations(source).await) };
            let list = in_time(&exchange.connection.socket, list).await?;
            let body = list.into_bytes();
            let answer = content("application/json", "no-store", body);
            exchange.answer(answer).await
        }
    }
}
