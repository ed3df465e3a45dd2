//! How it goes with the engine: for `/sources`, and so for the page.

use miniserde::Serialize;

use crate::app::sources::rfc3339;
use crate::engine::status::{State, Status};
use crate::source::remote::Standing;

/// How one stream stands at an engine.
#[derive(Serialize)]
pub(crate) struct EngineState {
    /// Where the engine is.
    url: String,
    /// `connecting`, `publishing` (`receiving` of one that comes from there), `away`, or `refused`:
    /// the engine is there, but does not take this stream.
    state: &'static str,
    /// Since when, in RFC 3339.
    since: Option<String>,
    /// Bytes that the engine has not yet; `null` where nobody knows.
    behind: Option<u64>,
    /// Why it is not `publishing`.
    cause: Option<String>,
}

impl EngineState {
    /// Of a stream that comes from there.
    pub(crate) fn of(standing: Standing) -> Self {
        let state = match (standing.is_here, &standing.cause) {
            (None, _) => "connecting",
            (Some(true), None) => "receiving",
            (Some(true), Some(_)) => "refused",
            (Some(false), _) => "away",
        };
        Self {
            url: standing.url,
            state,
            since: rfc3339(standing.since),
            behind: None,
            cause: standing.cause,
        }
    }

    /// Of the stream `name`, which has `size` bytes now.
    pub(crate) fn new(status: &Status, name: &str, size: Option<u64>) -> Self {
        let (state, since) = status.state();
        let progress = status.progress(name).unwrap_or_default();
        let (word, cause) = match (state, progress.trouble) {
            (State::New, _) => ("connecting", None),
            (State::Away(cause), _) => ("away", Some(cause)),
            (State::Here, Some(trouble)) => ("refused", Some(trouble)),
            (State::Here, None) => ("publishing", None),
        };
        let at = progress.at.map(|cursor| cursor.offset);
        // Nobody reads while it is away, but the file grows: at least as far as it is known to be
        // the same file.
        let grown = size.zip(at).and_then(|(size, at)| size.checked_sub(at));
        Self {
            url: status.name.clone(),
            state: word,
            since: rfc3339(since),
            behind: match word {
                "publishing" => progress.behind,
                _ => progress.behind.and(grown),
            },
            cause,
        }
    }
}
