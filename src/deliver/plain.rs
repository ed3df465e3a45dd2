//! A stream over ordinary answers: the file as it is, a part of it, or what came after a cursor.

use std::future::poll_fn;
use std::io;
use std::time::{Duration, Instant};

use futures_lite::future;
use smol::Timer;

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
use crate::websocket::socket::Wire;

fn fields() -> Fields {
    vec![
        ("Content-Type", TEXT.into()),
        ("Cache-Control", "no-store".into()),
    ]
}

/// The file as it is now, at the end of which the reader stands, or the part of it that `Range` asks for (RFC 9110 section 14).
///
/// # Errors
/// When the connection is broken, or the file can't be read.
pub(crate) async fn whole(
    shared: &Shared,
    source: &Source,
    exchange: Exchange,
    mut reader: Reader,
) -> io::Result<Option<Connection>> {
    let missing = source.missing().or(source.failing());
    if reader.is_nowhere() || missing.is_some() {
        let missing = missing.unwrap_or(Missing::Absent);
        let what = match missing {
            Missing::Absent => "is not there now; its stream waits for it",
            Missing::Unreadable => "is there, but may not be read; its stream goes on once it may",
        };
        let cursor = reader.cursor().await?.to_string();
        let answer = Response::sentence(404, &format!("`{}` {what}", source.name))
            .with("Tailcast-Cursor", cursor)
            .with("Tailcast-Missing", missing.name());
        return exchange.answer(answer).await;
    }
    // A ring's oldest byte is not at 0.
    let (start, end) = (reader.start(), reader.raw());
    let length = end - start;
    // A validator is never sent, so none can match: `If-Range` asks for the whole (RFC 9110 section 13.1.5).
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
            let refusal = Response::sentence(416, &format!("`{}` has {length} bytes", source.name));
            let cursor = reader.cursor().await?.to_string();
            let refusal = refusal
                .with("Content-Range", format!("bytes */{length}"))
                .with("Tailcast-Cursor", cursor);
            return exchange.answer(refusal).await;
        }
        Asked::Invalid => {
            return exchange
                .answer(Response::sentence(
                    400,
                    "`Range` must be such as `bytes=0-99`, `bytes=100-` or `bytes=-10`",
                ))
                .await;
        }
    };
    reader.seek(start + part.start);
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

/// What came after a place: at once, or after a wait for it of at most `wait`.
///
/// # Errors
/// When the connection is broken, or the file can't be read.
pub(crate) async fn poll(
    shared: &Shared,
    exchange: Exchange,
    mut reader: Reader,
    wait: Duration,
    preferred: bool,
) -> io::Result<Option<Connection>> {
    let deadline = Instant::now() + wait;
    let mut changed = reader.changed();
    let (length, lost) = loop {
        let found = while_there(&exchange.connection.socket, reader.available()).await?;
        if found != (0, Lost::Nothing) || Instant::now() >= deadline {
            break found;
        }
        let again = async {
            changed.rung().await;
            true
        };
        let late = async {
            future::or(
                async { _ = Timer::at(deadline).await },
                shared.shutdown.wait(),
            )
            .await;
            true
        };
        let left = async {
            poll_fn(|cx| Wire::poll_left(&exchange.connection.socket, cx)).await;
            false
        };
        if !future::or(again, future::or(left, late)).await {
            return Ok(None);
        }
        if shared.shutdown.has_begun() {
            break (0, Lost::Nothing);
        }
    };
    let mut fields = fields();
    match lost {
        Lost::Nothing => {}
        Lost::Bytes(bytes) => fields.push(("Tailcast-Lost", bytes.to_string())),
        Lost::Unknown => fields.push(("Tailcast-Lost", "unknown".into())),
    }
    let missing = reader.missing();
    fields.extend(missing.map(|missing| ("Tailcast-Missing", missing.name().to_owned())));
    if preferred {
        fields.push(("Preference-Applied", format!("wait={}", wait.as_secs())));
    }
    if length == 0 {
        fields.push(("Tailcast-Cursor", reader.cursor().await?.to_string()));
        // There is no body to have a type.
        fields.remove(0);
        return exchange.answer(Response::new(204, fields, &[][..])).await;
    }
    send(shared, exchange, 200, fields, reader, length).await
}

/// Sends the next `length` bytes of the reader. What is appended meanwhile belongs to the next answer.
async fn send(
    shared: &Shared,
    exchange: Exchange,
    status: Status,
    mut fields: Fields,
    mut reader: Reader,
    length: u64,
) -> io::Result<Option<Connection>> {
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
        return Ok(Some(exchange.connection));
    }
    reader.raw();
    let mut piece = head;
    let mut left = length;
    while left > 0 {
        let next = {
            let mut scratch = shared.scratch.borrow_mut();
            let next = reader.next(&mut scratch)?;
            if let Next::Bytes = next {
                let most = usize::try_from(left)
                    .unwrap_or(usize::MAX)
                    .min(scratch.bytes().len());
                piece.extend_from_slice(&scratch.bytes()[..most]);
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
            // The file was cut under the answer; only the end of the connection can tell now.
            Next::Marker(_) | Next::End => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
    write(socket, &piece).await?;
    Ok(Some(exchange.connection))
}
