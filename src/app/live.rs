//! A stream to a client that stays: over a WebSocket, as events, as one answer that does not end.

use std::io;
use std::rc::Rc;

use futures_lite::FutureExt;

use crate::bytes::lines::Splitter;
use crate::deliver::endless::{Events, Form as Endless};
use crate::deliver::matching::Pattern;
use crate::deliver::request::Wanted;
use crate::deliver::websocket::PROTOCOL;
use crate::deliver::{Context, in_time};
use crate::deliver::{endless, event, websocket};
use crate::http::close::write;
use crate::http::connection::{Answered, Exchange};
use crate::http::range;
use crate::http::response::TEXT;
use crate::metrics::{End, Kind};
use crate::source::Source;
use crate::source::reader::Reader;
use crate::websocket::handshake::handshake;
use crate::websocket::session::MESSAGE_MAX;

/// A stream to a client from here on, which counts how it ends.
fn live(context: Rc<Context>, stream: impl Future<Output = End> + 'static) -> Answered {
    // In a box of its own: what an async block takes along and then awaits has its place in it
    // twice.
    let stream = stream.boxed_local();
    let counted = async move {
        context.metrics.ended(stream.await);
        Ok(None)
    };
    Answered::Then(counted.boxed_local())
}

/// Every message of the stream over a WebSocket.
pub(super) async fn websocket(
    context: Rc<Context>,
    source: &Source,
    exchange: Exchange,
    reader: Reader,
    pattern: Option<Rc<Pattern>>,
) -> io::Result<Answered> {
    let mut fields = match handshake(&exchange.request) {
        Ok(fields) => fields,
        Err(refusal) => return exchange.answer(refusal).await.map(Answered::Done),
    };
    let exact = exchange
        .request
        .list("Sec-WebSocket-Protocol")
        .any(|offer| offer == PROTOCOL);
    let socket = &exchange.connection.socket;
    let form = if exact {
        fields.push(("Sec-WebSocket-Protocol", PROTOCOL.into()));
        let cursor = in_time(socket, reader.cursor()).await?;
        websocket::Form::Exact(event::open(
            &source.name,
            source.kind(),
            cursor,
            reader.size(),
        ))
    } else {
        let before = in_time(socket, reader.before()).await?;
        let coding = in_time(socket, reader.coding()).await?;
        let splitter = Splitter::behind(&before, reader.line_end());
        websocket::Form::Text(splitter.coded(coding, &before, reader.offset()))
    };
    let session = exchange.upgrade(&fields, MESSAGE_MAX).await?;
    let stream = websocket::serve(context.clone(), session, reader, form, pattern);
    Ok(live(context, stream))
}

/// The stream as one answer that does not end: its bytes, or events.
pub(super) async fn endless(
    context: Rc<Context>,
    exchange: Exchange,
    reader: Reader,
    wanted: Wanted,
    pattern: Option<Rc<Pattern>>,
) -> io::Result<Answered> {
    let socket = &exchange.connection.socket;
    let cursor = in_time(socket, reader.cursor()).await?;
    let (media, form) = match wanted.kind {
        Kind::Events => {
            let before = in_time(socket, reader.before()).await?;
            let coding = in_time(socket, reader.coding()).await?;
            let events = Events::new(cursor, before, reader.line_end()).coded(coding);
            ("text/event-stream", Endless::Events(events))
        }
        _ => (TEXT, Endless::Bytes),
    };
    let chunked = exchange.request.one_one;
    let mut fields = vec![
        ("Content-Type", media.into()),
        ("Cache-Control", "no-store".into()),
        ("Tailcast-Cursor", cursor.to_string()),
    ];
    fields.extend(endless::endless_fields(chunked));
    let status = match wanted.endless {
        None => 200,
        Some(first) => {
            fields.push((
                "Content-Range",
                format!("bytes {first}-{}/*", range::ENDLESS),
            ));
            206
        }
    };
    let head = exchange.head(status, fields);
    write(&exchange.connection.socket, &head).await?;
    if exchange.request.method == "HEAD" {
        return Ok(Answered::Done(Some(exchange.connection)));
    }
    let socket = exchange.connection.socket;
    let stream = endless::serve(context.clone(), socket, reader, form, chunked, pattern);
    Ok(live(context, stream))
}
