//! A part of one generation, whatever its name means by now: what a viewer scrolls by.

use std::io;

use futures_lite::future;

use crate::bytes::cursor::Cursor;
use crate::deliver::{Context as Shared, in_time, while_there};
use crate::http::close::write;
use crate::http::connection::{Connection, Exchange};
use crate::http::response::{Response, TEXT};
use crate::source::Source;
use crate::source::cache::CHUNK;
use crate::source::past::Past;

/// At most `max` bytes from `place` on, all of the file that it names: 204 at that file's end, 404
/// where it is gone.
///
/// # Errors
/// When the connection is broken, or the file can't be read.
pub(crate) async fn part(
    shared: &Shared,
    source: &Source,
    exchange: Exchange,
    place: Cursor,
    max: u64,
) -> io::Result<Option<Connection>> {
    let socket = &exchange.connection.socket;
    let found = async {
        match source.past(Some(place.inode)).await {
            Some(past) if past.holds(place).await? => Ok(Some(past)),
            _ => Ok(None),
        }
    };
    let Some(past) = in_time(socket, found).await? else {
        return exchange.answer(gone(place)).await;
    };
    let length = (past.end() - place.offset).min(max);
    let cursor = in_time(socket, past.cursor(place.offset + length))
        .await?
        .to_string();
    let mut fields = vec![
        ("Cache-Control", "no-store".into()),
        ("Tailcast-Cursor", cursor),
    ];
    if length == 0 {
        return exchange.answer(Response::new(204, fields, &[][..])).await;
    }
    fields.push(("Content-Type", TEXT.into()));
    fields.push(("Content-Length", length.to_string()));
    let head = exchange.head(200, fields);
    if exchange.request.method == "HEAD" {
        write(&exchange.connection.socket, &head).await?;
    } else if !send(shared, &exchange, head, &past, place.offset, length).await? {
        return exchange.answer(gone(place)).await;
    }
    Ok(Some(exchange.connection))
}

/// Sends `length` bytes behind the `head`. `false`: they were cut before anything went out.
async fn send(
    shared: &Shared,
    exchange: &Exchange,
    head: Vec<u8>,
    past: &Past,
    mut offset: u64,
    length: u64,
) -> io::Result<bool> {
    let start = offset;
    let end = offset + length;
    let mut piece = head;
    while offset < end {
        let most = usize::try_from(end - offset).unwrap_or(CHUNK).min(CHUNK);
        let socket = &exchange.connection.socket;
        let bytes = while_there(socket, past.read(offset, most)).await?;
        if bytes.is_empty() && offset == start {
            return Ok(false);
        }
        if bytes.is_empty() {
            // Cut under the answer: only the end of the connection can tell now.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        offset += bytes.len() as u64;
        shared.metrics.bytes.add(bytes.len() as u64);
        piece.extend_from_slice(&bytes);
        write(&exchange.connection.socket, &piece).await?;
        piece.clear();
        future::yield_now().await;
    }
    Ok(true)
}

/// There is no such place any more, or never was.
pub(crate) fn gone(place: Cursor) -> Response {
    let text = format!("`{place}` is gone; `?generations` lists what is there");
    Response::sentence(404, &text).with("Tailcast-Lost", "unknown")
}
