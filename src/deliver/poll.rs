//! What came after a cursor: at once, or after a wait for it; all of it, or the lines that are
//! wanted.

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_lite::future;
use smol::Timer;

use crate::bell::Listener;
use crate::bytes::lines::LineEnd;
use crate::bytes::sieve::{Piece, Sieve, WHOLE_MAX};
use crate::deliver::matching::Pattern;
use crate::deliver::plain::{Sent, fields, send};
use crate::deliver::{Context as Shared, while_there};
use crate::http::close::{part, write};
use crate::http::connection::{Connection, Exchange};
use crate::http::response::{Fields, Response};
use crate::source::cache::CHUNK;
use crate::source::marker::{Lost, Next};
use crate::source::reader::Reader;
use crate::websocket::socket::Wire;

/// A poll that may be held.
pub(crate) struct Held {
    /// For how long.
    pub(crate) wait: Duration,
    /// The wait was asked for by `Prefer`.
    pub(crate) preferred: bool,
}

/// What ended a wait.
enum Wake {
    Changed,
    Late,
    Left,
}

/// What came after a place: at once, or after a wait for it.
///
/// # Errors
/// When the connection is broken, or the file can't be read.
pub(crate) async fn poll(
    shared: &Shared,
    mut exchange: Exchange,
    mut reader: Reader,
    held: Held,
    pattern: Option<Rc<Pattern>>,
) -> io::Result<Option<Connection>> {
    if let Some(pattern) = pattern {
        // Boxed, so that the space for it is not a part of every client's task.
        return Box::pin(matching(shared, exchange, reader, held, &pattern)).await;
    }
    let deadline = Instant::now() + held.wait;
    let mut changed = reader.changed();
    let mut lost = Lost::Nothing;
    loop {
        let (length, gone) = while_there(&exchange.connection.socket, reader.available()).await?;
        lost = lost.plus(gone);
        if length == 0 && lost == Lost::Nothing {
            match wait(shared, &exchange, &mut changed, deadline).await {
                Wake::Changed => continue,
                Wake::Late => {}
                Wake::Left => return Ok(None),
            }
        }
        let fields = told(&held, lost, &reader);
        if length == 0 {
            return nothing(exchange, &reader, fields).await;
        }
        match send(shared, exchange, 200, fields, reader, length).await? {
            Sent::All(connection) => return Ok(connection),
            Sent::Cut(again, gone) => {
                (exchange, reader) = *again;
                lost = lost.plus(gone);
            }
        }
    }
}

/// Waits for news until `deadline`.
async fn wait(
    shared: &Shared,
    exchange: &Exchange,
    changed: &mut Listener,
    deadline: Instant,
) -> Wake {
    if Instant::now() >= deadline || shared.shutdown.has_begun() {
        return Wake::Late;
    }
    let again = async {
        changed.rung().await;
        Wake::Changed
    };
    let late = async {
        let timer = async { _ = Timer::at(deadline).await };
        future::or(timer, shared.shutdown.wait()).await;
        Wake::Late
    };
    let left = async {
        poll_fn(|cx| Wire::poll_left(&exchange.connection.socket, cx)).await;
        Wake::Left
    };
    future::or(again, future::or(left, late)).await
}

/// The fields of an answer that tell what was lost, what is missing and how long it was waited for.
fn told(held: &Held, lost: Lost, reader: &Reader) -> Fields {
    let mut fields = fields();
    match lost {
        Lost::Nothing => {}
        Lost::Bytes(bytes) => fields.push(("Tailcast-Lost", bytes.to_string())),
        Lost::Unknown => fields.push(("Tailcast-Lost", "unknown".into())),
    }
    let missing = reader.missing();
    fields.extend(missing.map(|missing| ("Tailcast-Missing", missing.name().to_owned())));
    if held.preferred {
        let applied = format!("wait={}", held.wait.as_secs());
        fields.push(("Preference-Applied", applied));
    }
    fields
}

/// Nothing came.
async fn nothing(
    exchange: Exchange,
    reader: &Reader,
    mut fields: Fields,
) -> io::Result<Option<Connection>> {
    fields.push(("Tailcast-Cursor", reader.cursor().await?.to_string()));
    // There is no body to have a type.
    fields.remove(0);
    exchange.answer(Response::new(204, fields, &[][..])).await
}

/// The wanted lines that came after a place. The cursor stands behind the last line that was looked
/// at: a line without an end is looked at when it has one.
async fn matching(
    shared: &Shared,
    exchange: Exchange,
    reader: Reader,
    held: Held,
    pattern: &Pattern,
) -> io::Result<Option<Connection>> {
    let deadline = Instant::now() + held.wait;
    let mut changed = reader.changed();
    let mut lost = Lost::Nothing;
    let ends = reader.line_end();
    let mut looking = Looking {
        shared,
        pattern,
        reader,
        ends,
        sieve: Sieve::new(ends),
        left: 0,
    };
    loop {
        let (length, gone) =
            while_there(&exchange.connection.socket, looking.reader.available()).await?;
        lost = lost.plus(gone);
        looking.left = length;
        let mut body = Vec::new();
        let (mut cursor, mut broken) = (None, None);
        if length > 0 && !looking.reader.is_over().await {
            broken = looking.leave_half_line().await?;
        }
        if broken.is_none() && looking.left > 0 {
            cursor = Some(looking.reader.cursor_behind(looking.left).await?);
            broken = looking.on(&exchange, &mut body).await?;
        }
        if let Some(gone) = broken {
            // Cut while it was looked at: it begins again behind that.
            lost = lost.plus(gone);
            continue;
        }
        if let (Some(cursor), false) = (cursor, body.is_empty()) {
            let mut fields = told(&held, lost, &looking.reader);
            fields.push(("Tailcast-Cursor", cursor.to_string()));
            return looking.answer(exchange, fields, body).await;
        }
        if lost != Lost::Nothing {
            break;
        }
        if cursor.is_some() {
            continue;
        }
        match wait(shared, &exchange, &mut changed, deadline).await {
            Wake::Changed => {}
            Wake::Late => break,
            Wake::Left => return Ok(None),
        }
    }
    nothing(
        exchange,
        &looking.reader,
        told(&held, lost, &looking.reader),
    )
    .await
}

/// A look at the lines of one file, up to a place in it.
struct Looking<'a> {
    shared: &'a Shared,
    pattern: &'a Pattern,
    reader: Reader,
    ends: LineEnd,
    sieve: Sieve,
    /// How much is to be looked at, in bytes.
    left: u64,
}

impl Looking<'_> {
    /// What the reader has next, wherever it has to come from; where it was cut, what was lost by
    /// that.
    async fn next(&mut self) -> io::Result<Result<Vec<u8>, Lost>> {
        loop {
            let next = {
                let mut cache = self.shared.cache.borrow_mut();
                match self.reader.next(&mut cache)? {
                    Next::Bytes => return Ok(Ok(cache.bytes().to_vec())),
                    next => next,
                }
            };
            match next {
                Next::Cold => self.reader.warm().await?,
                Next::Marker(marker) => return Ok(Err(Lost::Nothing.and(&marker))),
                // Nobody has seen yet that it was.
                Next::Bytes | Next::End => {
                    future::yield_now().await;
                    return Ok(Err(Lost::Nothing));
                }
            }
        }
    }

    /// Leaves out a line at the end that has no end yet, unless it is longer than what is looked at
    /// as a whole.
    async fn leave_half_line(&mut self) -> io::Result<Option<Lost>> {
        let start = self.reader.offset();
        let mut end = start + self.left;
        let lowest = end.saturating_sub(WHOLE_MAX as u64).max(start);
        while end > lowest {
            let from = end.saturating_sub(CHUNK as u64).max(lowest);
            self.reader.seek(from);
            let bytes = match self.next().await? {
                Ok(bytes) => bytes,
                Err(gone) => return Ok(Some(gone)),
            };
            // What was appended meanwhile does not count.
            let length = usize::try_from(end - from).unwrap_or(CHUNK);
            let bytes = &bytes[..length.min(bytes.len())];
            if let Some(newline) = self.ends.last(bytes) {
                self.reader.seek(start);
                self.left = from + newline as u64 + 1 - start;
                return Ok(None);
            }
            end = from;
        }
        self.reader.seek(start);
        if lowest == start {
            self.left = 0;
        }
        Ok(None)
    }

    /// Looks on until there is a chunk of wanted lines in `body`, or nothing is left.
    async fn on(&mut self, exchange: &Exchange, body: &mut Vec<u8>) -> io::Result<Option<Lost>> {
        while self.left > 0 && body.len() < CHUNK {
            let mut bytes = match self.next().await? {
                Ok(bytes) => bytes,
                Err(gone) => return Ok(Some(gone)),
            };
            let most = usize::try_from(self.left).unwrap_or(CHUNK);
            let surplus = bytes.len().saturating_sub(most);
            bytes.truncate(most);
            // What stands behind that is for the next poll.
            self.reader.seek(self.reader.offset() - surplus as u64);
            let (mut rest, mut looked) = (&bytes[..], 0);
            while !rest.is_empty() {
                let share = self.sieve.most(rest, &self.pattern.matcher);
                let lines = |block: &[u8], hit: &mut dyn FnMut(Range<usize>)| {
                    self.pattern.matcher.lines(block, self.ends, hit);
                };
                self.sieve
                    .push(&rest[..share], lines, |piece| add(body, piece));
                (rest, looked) = (&rest[share..], looked + share as u64);
                future::yield_now().await;
            }
            self.left -= looked;
            if self.left == 0 {
                self.sieve
                    .finish(&self.pattern.matcher, |piece| add(body, piece));
            }
            let left = poll_fn(|cx| {
                Poll::Ready(Wire::poll_left(&exchange.connection.socket, cx).is_ready())
            });
            if left.await || self.shared.shutdown.has_begun() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        Ok(None)
    }

    /// Sends the wanted lines, of which the first are in `body`.
    async fn answer(
        mut self,
        mut exchange: Exchange,
        mut fields: Fields,
        mut body: Vec<u8>,
    ) -> io::Result<Option<Connection>> {
        if self.left == 0 || exchange.request.method == "HEAD" {
            self.shared.metrics.bytes.add(body.len() as u64);
            return exchange.answer(Response::new(200, fields, body)).await;
        }
        // How many there will be nobody knows yet. A client of HTTP/1.0 reads to the end of the
        // connection.
        let chunked = exchange.request.one_one;
        match chunked {
            true => fields.push(("Transfer-Encoding", "chunked".into())),
            false => exchange.request.keep_alive = false,
        }
        let mut piece = exchange.head(200, fields);
        loop {
            self.shared.metrics.bytes.add(body.len() as u64);
            if chunked {
                piece.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
            }
            piece.append(&mut body);
            if chunked {
                piece.extend_from_slice(b"\r\n");
            }
            write(&exchange.connection.socket, &piece).await?;
            piece.clear();
            if self.on(&exchange, &mut body).await?.is_some() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if body.is_empty() {
                break;
            }
        }
        let socket = &exchange.connection.socket;
        if !chunked {
            part(socket).await;
            return Ok(None);
        }
        write(socket, b"0\r\n\r\n").await?;
        Ok(Some(exchange.connection))
    }
}

fn add(body: &mut Vec<u8>, piece: Piece<'_>) {
    if let Piece::Wanted(bytes) = piece {
        body.extend_from_slice(bytes);
    }
}
