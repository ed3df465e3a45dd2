//! The lines that hold something, newest first: where they stand, for a viewer that scrolls there.
//! And where the last N of them begin.

use std::fmt::Write;
use std::future::poll_fn;
use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_lite::future;
use smol::lock::SemaphoreGuard;

use crate::bytes::backward::Backward;
use crate::bytes::cursor::Cursor;
use crate::bytes::matcher::Matcher;
use crate::deliver::Context as Shared;
use crate::deliver::endless::endless_fields;
use crate::deliver::matching::Pattern;
use crate::deliver::part::gone;
use crate::deliver::request::Search;
use crate::http::close::{part, write};
use crate::http::connection::{Connection, Exchange};
use crate::source::Source;
use crate::source::cache::CHUNK;
use crate::source::past::Past;
use crate::websocket::socket::Wire;

/// How many search at the same time. A memory card serves one after another, and there is one
/// processor for all.
pub(crate) const SEARCHES_MAX: usize = 2;

/// How often a search that finds nothing says how far it is.
const PROGRESS: Duration = Duration::from_millis(250);

/// How much is read and looked at before the others have their turn, in bytes.
const PIECE: usize = CHUNK;

/// How much of an answer is gathered before it is sent, in bytes.
const GATHERED: usize = 16 * 1024;

/// Why a search is over.
#[derive(Clone, Copy)]
enum End {
    Limit,
    Budget,
    Start,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Budget => "budget",
            Self::Start => "start",
        }
    }
}

/// Answers with a line of JSON for each hit, newest first, over the file and its family.
///
/// # Errors
/// When the connection is broken; that ends the search within a piece.
pub(crate) async fn find(
    shared: &Shared,
    source: &Source,
    mut exchange: Exchange,
    pattern: &Pattern,
    search: Search,
) -> io::Result<Option<Connection>> {
    // What there is now: what is appended or rotated from here on is not looked for.
    let generations = source.generations().await.into_iter();
    let mut inodes: Vec<u64> = generations.map(|one| one.inode).collect();
    let place = match search.before {
        Some(before) => match source.past(Some(before.inode)).await {
            Some(past) if past.holds(before).await? => Some((past, before.offset)),
            _ => return exchange.answer(gone(before)).await,
        },
        None => next(source, &mut inodes).await,
    };
    let start = match &place {
        Some((past, end)) => past.cursor(*end).await?,
        None => Cursor::NOWHERE,
    };
    let chunked = exchange.request.one_one;
    let mut fields = vec![
        ("Content-Type", "application/x-ndjson".into()),
        ("Cache-Control", "no-store".into()),
        ("Tailcast-Cursor", start.to_string()),
    ];
    fields.extend(endless_fields(chunked));
    exchange.request.keep_alive &= chunked;
    let head = exchange.head(200, fields);
    write(&exchange.connection.socket, &head).await?;
    if exchange.request.method == "HEAD" {
        return Ok(Some(exchange.connection));
    }
    let mut finding = Finding {
        shared,
        exchange: &exchange,
        matcher: &pattern.matcher,
        chunked,
        text: String::new(),
        told: Instant::now(),
        limit: search.limit,
        budget: search.budget,
    };
    finding.run(source, place, inodes).await?;
    if !chunked {
        part(&exchange.connection.socket).await;
        return Ok(None);
    }
    Ok(Some(exchange.connection))
}

/// The next one of these generations that is still there, and its end.
async fn next(source: &Source, inodes: &mut Vec<u64>) -> Option<(Past, u64)> {
    while !inodes.is_empty() {
        if let Some(past) = source.past(Some(inodes.remove(0))).await {
            let end = past.end();
            return Some((past, end));
        }
    }
    None
}

/// A search, and what is to be sent of its answer.
struct Finding<'a> {
    shared: &'a Shared,
    exchange: &'a Exchange,
    matcher: &'a Matcher,
    chunked: bool,
    text: String,
    /// When the client was told something last.
    told: Instant,
    /// How many more lines are wanted.
    limit: u64,
    /// How many more bytes may be looked at.
    budget: u64,
}

impl Finding<'_> {
    async fn run(
        &mut self,
        source: &Source,
        mut place: Option<(Past, u64)>,
        mut inodes: Vec<u64>,
    ) -> io::Result<()> {
        let mut turn = self.shared.searches.try_acquire();
        if turn.is_none() {
            self.text.push_str("{\"waiting\":true}\n");
            self.send().await?;
            turn = Some(turn_of(self.shared, self.exchange).await?);
        }
        let mut end = End::Start;
        while let Some((past, from)) = place {
            if let Some(over) = self.look(&past, from).await? {
                end = over;
                break;
            }
            // On with the next older one.
            if let Some(at) = inodes.iter().position(|inode| *inode == past.inode()) {
                inodes.drain(..=at);
            }
            place = next(source, &mut inodes).await;
        }
        drop(turn);
        let end = end.name();
        _ = writeln!(self.text, "{{\"end\":\"{end}\"}}");
        self.send().await?;
        if self.chunked {
            write(&self.exchange.connection.socket, b"0\r\n\r\n").await?;
        }
        Ok(())
    }

    /// Looks at one generation from `end` back to its start. `None`: there was nothing that ended
    /// the search.
    async fn look(&mut self, past: &Past, end: u64) -> io::Result<Option<End>> {
        let inode = past.inode();
        let mut backward = Backward::new(end, past.line_end());
        let mut hits = Vec::new();
        let over = loop {
            if backward.at() <= past.start() {
                break None;
            }
            if self.budget == 0 {
                break Some(End::Budget);
            }
            let Some((piece, first)) = before(past, backward.at()).await? else {
                break None;
            };
            self.budget = self.budget.saturating_sub(piece.len() as u64);
            backward.feed(&piece, first, self.matcher, |hit| hits.push(hit));
            for hit in hits.drain(..) {
                if self.limit == 0 {
                    break;
                }
                self.limit -= 1;
                let (at, length) = (hit.at, hit.length);
                _ = writeln!(
                    self.text,
                    "{{\"at\":\"{inode:x}-{at:x}\",\"length\":{length}}}"
                );
            }
            if self.limit == 0 {
                return Ok(Some(End::Limit));
            }
            if self.told.elapsed() >= PROGRESS {
                self.scanned(inode, backward.looked());
            }
            if self.text.len() >= GATHERED || self.told.elapsed() >= PROGRESS {
                self.send().await?;
            }
            stay(self.shared, self.exchange).await?;
        };
        self.scanned(inode, backward.looked());
        Ok(over)
    }

    /// All lines from here on have been looked at: a `before` for who asks for more.
    fn scanned(&mut self, inode: u64, offset: u64) {
        _ = writeln!(self.text, "{{\"scanned\":\"{inode:x}-{offset:x}\"}}");
    }

    async fn send(&mut self) -> io::Result<()> {
        self.told = Instant::now();
        let text = std::mem::take(&mut self.text);
        if text.is_empty() {
            return Ok(());
        }
        let piece = match self.chunked {
            true => format!("{:x}\r\n{text}\r\n", text.len()),
            false => text,
        };
        write(&self.exchange.connection.socket, piece.as_bytes()).await
    }
}

/// The bytes before `end`, at most a piece of them, and whether nothing stands before those; `None`
/// where they are gone.
async fn before(past: &Past, end: u64) -> io::Result<Option<(Vec<u8>, bool)>> {
    let oldest = past.start();
    let start = end.saturating_sub(PIECE as u64).max(oldest);
    let length = usize::try_from(end.saturating_sub(start)).unwrap_or(PIECE);
    let piece = past.read(start, length).await?;
    // Cut meanwhile, or given way to newer bytes.
    let is_whole = length > 0 && piece.len() == length;
    Ok(is_whole.then_some((piece, start == oldest)))
}

/// Waits for a turn to search, as long as the client does.
async fn turn_of<'a>(shared: &'a Shared, exchange: &Exchange) -> io::Result<SemaphoreGuard<'a>> {
    let turn = async { Ok(shared.searches.acquire().await) };
    let left = async {
        let left = poll_fn(|cx| Wire::poll_left(&exchange.connection.socket, cx));
        future::or(left, shared.shutdown.wait()).await;
        Err(io::ErrorKind::ConnectionAborted.into())
    };
    future::or(turn, left).await
}

/// Between two pieces: everybody else has a turn, and the search ends where the client has left.
async fn stay(shared: &Shared, exchange: &Exchange) -> io::Result<()> {
    future::yield_now().await;
    let socket = &exchange.connection.socket;
    let left = poll_fn(|cx| Poll::Ready(Wire::poll_left(socket, cx).is_ready()));
    if left.await || shared.shutdown.has_begun() {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    Ok(())
}

/// The place where the last `count` wanted lines begin: of the current file, or of what is kept. A
/// last line without a newline counts, and where it is not wanted yet, the place is not behind it.
/// `None` where there is no file.
///
/// # Errors
/// When the file can't be read, or the client has left.
pub(crate) async fn last(
    shared: &Shared,
    source: &Source,
    exchange: &Exchange,
    pattern: &Pattern,
    count: u64,
) -> io::Result<Option<Cursor>> {
    let Some(past) = source.past(None).await else {
        return Ok(None);
    };
    let _turn = turn_of(shared, exchange).await?;
    let mut backward = Backward::new(past.end(), past.line_end());
    let (mut left, mut oldest) = (count, None);
    while left > 0 && backward.at() > past.start() {
        let Some((piece, first)) = before(&past, backward.at()).await? else {
            break;
        };
        backward.feed(&piece, first, &pattern.matcher, |hit| {
            if left > 0 {
                left -= 1;
                oldest = Some(hit.at);
            }
        });
        stay(shared, exchange).await?;
    }
    let offset = oldest.or(backward.last_line()).unwrap_or(past.end());
    Ok(Some(Cursor {
        inode: past.inode(),
        offset,
        check: None,
    }))
}
