//! How a stream is asked for: the query, the fields, what is refused and why.

use std::time::Duration;

use crate::bytes::cursor::{Cursor, From};
use crate::http::head::{Request, whole_number};
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
}

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
        Ok(Self {
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
