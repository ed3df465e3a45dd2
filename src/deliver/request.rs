//! How a stream is asked for: the query, the fields, what is refused and why.

use std::time::Duration;

use crate::bytes::cursor::{Cursor, From};
use crate::bytes::matcher::Sense;
use crate::deliver::websocket::PROTOCOL;
use crate::http::head::{Request, whole_number};
use crate::http::range;
use crate::http::response::Response;
use crate::metrics::Kind;

/// The longest that a poll is held, in seconds: proxies give up a silent answer after as much.
const WAIT_MAX: u64 = 60;

/// How a stream is asked for.
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    /// Where it begins; the form's own default where that is left out.
    pub(crate) from: Option<From>,
    /// How long a poll may be held.
    pub(crate) wait: Duration,
    /// The wait was asked for by `Prefer`.
    pub(crate) preferred: bool,
    /// The most bytes to send, for [`Kind::Part`].
    pub(crate) max: u64,
    /// A range without an end: the first of its bytes (RFC 8673).
    pub(crate) endless: Option<u64>,
    /// What lines have to hold and what not; empty: all bytes are sent, as they always are by forms
    /// that send no lines.
    pub(crate) terms: Vec<(Sense, String)>,
    /// For [`Kind::Find`].
    pub(crate) search: Search,
}

/// How far a search goes.
pub(crate) struct Search {
    /// Lines that begin before this place.
    pub(crate) before: Option<Cursor>,
    /// The most lines to be found.
    pub(crate) limit: u64,
    /// The most bytes to look at.
    pub(crate) budget: u64,
}

/// How many lines a search finds at most, where it is not asked for more.
const LIMIT: u64 = 200;

/// How much a search looks at, in bytes, where it is not asked for more: a second of work on a Pi.
const BUDGET: u64 = 64 * 1024 * 1024;

impl Wanted {
    /// Reads the request, or refuses it with a sentence.
    ///
    /// # Errors
    /// The refusal: 400.
    pub(crate) fn of(request: &Request) -> Result<Self, Response> {
        let has = |name| request.parameter(name).is_some();
        let kind = if request.asks_for_websocket() {
            Kind::WebSocket
        } else if has("generations") {
            Kind::Generations
        } else if has("find") {
            Kind::Find
        } else if request.accepts("text/event-stream") {
            Kind::Events
        } else if has("follow") {
            Kind::Follow
        } else if has("max") {
            Kind::Part
        } else if has("from") {
            Kind::Poll
        } else {
            Kind::Plain
        };
        // `If-Range` asks for the whole, as no validator is ever sent; HEAD has no ranges (RFC 9110
        // section 14.2).
        let range = request
            .field("Range")
            .filter(|_| request.method == "GET" && request.field("If-Range").is_none());
        let endless = range
            .and_then(range::endless)
            .filter(|_| kind == Kind::Plain);
        let kind = if endless.is_some() {
            Kind::Follow
        } else {
            kind
        };
        let last_id = request
            .field("Last-Event-ID")
            .filter(|_| kind == Kind::Events);
        let from = last_id
            .map(Into::into)
            .or_else(|| request.parameter("from"))
            .map(|text| text.parse())
            .transpose()
            .map_err(|_| {
                refused("`from` must be `start`, `end`, `-N` (the last N lines) or a cursor")
            })?;
        let number = |name, what: &str| {
            let text = request.parameter(name);
            let number = text.map(|text| whole_number(&text).ok_or_else(|| refused(what)));
            number.transpose()
        };
        let preferred = request.preferred_wait();
        let wait = number(
            "wait",
            "`wait` must be a whole number of seconds; a poll is held for 60 at most",
        )?;
        let wait = wait.or(preferred).unwrap_or(0).min(WAIT_MAX);
        let max = number("max", "`max` must be a whole number of bytes, 1 at least")?;
        if max == Some(0) {
            return Err(refused("`max` must be a whole number of bytes, 1 at least"));
        }
        let terms = request.parameters(|name| match name {
            "match" => Some(Sense::Wanted),
            "not" => Some(Sense::Unwanted),
            _ => None,
        });
        if kind == Kind::Find && terms.is_empty() {
            return Err(refused("`find` needs `match=TEXT`: what is looked for"));
        }
        let before = request.parameter("before").map(|text| text.parse());
        let before = before.transpose().map_err(|_| {
            refused("`before` must be a cursor: lines that begin before it are looked for")
        })?;
        let limit = number("limit", "`limit` must be a whole number of lines")?;
        let budget = number("budget", "`budget` must be a whole number of bytes")?;
        let search = Search {
            before,
            limit: limit.unwrap_or(LIMIT),
            budget: budget.unwrap_or(BUDGET),
        };
        let is_exact = kind == Kind::WebSocket
            && request
                .list("Sec-WebSocket-Protocol")
                .any(|offer| offer == PROTOCOL);
        // These are the file's own bytes, all of them.
        let terms = match is_exact || endless.is_some() || kind == Kind::Plain {
            true => Vec::new(),
            false => terms,
        };
        Ok(Self {
            terms,
            endless,
            search,
            kind,
            from,
            wait: Duration::from_secs(wait),
            preferred: preferred.is_some(),
            max: max.unwrap_or(u64::MAX),
        })
    }

    /// The place that [`Kind::Part`] begins at.
    ///
    /// # Errors
    /// The refusal: 400.
    pub(crate) fn place(&self) -> Result<Cursor, Response> {
        match self.from {
            Some(From::Cursor(cursor)) => Ok(cursor),
            _ => Err(refused(
                "`max` needs `from=INODE-OFFSET`, the place of the first byte; `?generations` lists the inodes",
            )),
        }
    }
}

fn refused(sentence: &str) -> Response {
    Response::sentence(400, sentence)
}
