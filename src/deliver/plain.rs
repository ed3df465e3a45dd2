//! A stream over ordinary answers: the file as it is, or a part of it.

use std::io;

use futures_lite::future;

use crate::deliver::{Context as Shared, while_there};
use crate::http::close::write;
use crate::http::connection::{Connection, Exchange};
use crate::http::range;
use crate::http::range::Asked;
use crate::http::response::{Fields, Status};
use crate::http::response::{Response, TEXT};
use crate::source::Source;
use crate::source::marker::{Lost, Missing, Next};
use crate::source::reader::Reader;

pub(super) fn fields() -> Fields {
    vec![
        ("Content-Type", TEXT.into()),
        ("Cache-Control", "no-store".into()),
    ]
}

/// What became of an answer.
pub(super) enum Sent {
    /// It went out. The connection goes on with the next request, if there is one.
    All(Option<Connection>),
    /// The file was cut before anything of it went out: what there is now can be sent. What was
    /// lost is told.
    Cut(Box<(Exchange, Reader)>, Lost),
}

/// The file as it is now, at the end of which the reader stands, or the part of it that `Range`
/// asks for (RFC 9110 section 14).
///
/// # Errors
/// When the connection is broken, or the file can't be read.
pub(crate) async fn whole(
    shared: &Shared,
    source: &Source,
    mut exchange: Exchange,
    mut reader: Reader,
) -> io::Result<Option<Connection>> {
    loop {
        match as_it_is(shared, source, exchange, reader).await? {
            Sent::All(connection) => return Ok(connection),
            Sent::Cut(again, _) => (exchange, reader) = *again,
        }
    }
}

async fn as_it_is(
    shared: &Shared,
    source: &Source,
    exchange: Exchange,
    mut reader: Reader,
) -> io::Result<Sent> {
    if let Some(refusal) = missing(source, &reader).await? {
        return exchange.answer(refusal).await.map(Sent::All);
    }
    // A ring's oldest byte is not at 0.
    let (start, end) = (reader.start(), reader.raw());
    let length = end - start;
    // A validator is never sent, so none can match: `If-Range` asks for the whole (RFC 9110 section
    // 13.1.5).
    let range = match exchange
        .request
        .field("Range")
        .filter(|_| exchange.request.field("If-Range").is_none())
    {
        Some(value) if exchange.request.method == "GET" => range::parse(value, length),
        _ => Asked::Whole,
    };
    let mut fields = fields();
    fields.push(("Accept-Ranges", "bytes".into()));
    let (status, part) = match range {
        Asked::Whole => (200, 0..length),
        Asked::Part(part) => {
            fields.push((
                "Content-Range",
                format!("bytes {}-{}/{length}", part.start, part.end - 1),
            ));
            (206, part)
        }
        Asked::Unsatisfiable => {
            let refusal = unsatisfiable(source, &reader, length).await?;
            return exchange.answer(refusal).await.map(Sent::All);
        }
        Asked::Invalid => {
            let text = "`Range` must be such as `bytes=0-99`, `bytes=100-` or `bytes=-10`";
            let refusal = Response::sentence(400, text);
            return exchange.answer(refusal).await.map(Sent::All);
        }
    };
    reader.seek(start + part.start);
    reader.only_bytes();
    send(
        shared,
        exchange,
        status,
        fields,
        reader,
        part.end - part.start,
    )
    .await
}

/// Goes to the byte that a range without an end begins at, from the start of the file: any that is
/// there, or the next one to come (RFC 8673 section 2). Else the refusal.
///
/// # Errors
/// When the file can't be read.
pub(crate) async fn seek(
    source: &Source,
    reader: &mut Reader,
    first: u64,
) -> io::Result<Option<Response>> {
    if let Some(refusal) = missing(source, reader).await? {
        return Ok(Some(refusal));
    }
    let length = reader.size();
    if first > length {
        return unsatisfiable(source, reader, length).await.map(Some);
    }
    reader.seek(reader.start() + first);
    Ok(None)
}

/// The refusal of a plain answer where there is nothing to be had now.
async fn missing(source: &Source, reader: &Reader) -> io::Result<Option<Response>> {
    let missing = source.missing().or(source.failing());
    let missing = missing.or(reader.is_nowhere().then_some(Missing::Absent));
    let what = match missing {
        None => return Ok(None),
        Some(Missing::Absent) => "is not there now; its stream waits for it",
        Some(Missing::Unreadable) => {
            "is there, but may not be read; its stream goes on once it may"
        }
    };
    let cursor = reader.cursor().await?.to_string();
    let answer = Response::sentence(404, &format!("`{}` {what}", source.name));
    let answer = answer.with("Tailcast-Cursor", cursor);
    Ok(missing.map(|missing| answer.with("Tailcast-Missing", missing.name())))
}

async fn unsatisfiable(source: &Source, reader: &Reader, length: u64) -> io::Result<Response> {
    let text = format!("`{}` has {length} bytes", source.name);
    let cursor = reader.cursor().await?.to_string();
    let refusal = Response::sentence(416, &text);
    Ok(refusal
        .with("Content-Range", format!("bytes */{length}"))
        .with("Tailcast-Cursor", cursor))
}

/// Sends the next `length` bytes of the reader. What is appended meanwhile belongs to the next
/// answer.
pub(super) async fn send(
    shared: &Shared,
    exchange: Exchange,
    status: Status,
    mut fields: Fields,
    mut reader: Reader,
    length: u64,
) -> io::Result<Sent> {
    fields.push((
        "Tailcast-Cursor",
        while_there(&exchange.connection.socket, reader.cursor_behind(length))
            .await?
            .to_string(),
    ));
    fields.push(("Content-Length", length.to_string()));
    let head = exchange.head(status, fields);
    let socket = &exchange.connection.socket;
    if exchange.request.method == "HEAD" {
        write(socket, &head).await?;
        return Ok(Sent::All(Some(exchange.connection)));
    }
    reader.raw();
    let mut piece = head;
    let mut left = length;
    while left > 0 {
        let next = {
            let mut cache = shared.cache.borrow_mut();
            let next = reader.next(&mut cache)?;
            if let Next::Bytes = next {
                let most = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(cache.bytes().len());
                piece.extend_from_slice(&cache.bytes()[..most]);
                left -= most as u64;
                shared.metrics.bytes.add(most as u64);
            }
            next
        };
        match next {
            Next::Bytes => {
                write(socket, &piece).await?;
                piece.clear();
                future::yield_now().await;
            }
            Next::Cold => while_there(socket, reader.warm()).await?,
            // Cut, though nobody may have seen yet that it was.
            Next::Marker(_) | Next::End if left == length => {
                let lost = match next {
                    Next::Marker(marker) => Lost::Nothing.and(&marker),
                    _ => Lost::Nothing,
                };
                future::yield_now().await;
                return Ok(Sent::Cut(Box::new((exchange, reader)), lost));
            }
            // Under the answer: only the end of the connection can tell now.
            Next::Marker(_) | Next::End => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
    write(socket, &piece).await?;
    Ok(Sent::All(Some(exchange.connection)))
}
