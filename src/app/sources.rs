//! What streams there are, and what each of them holds, in JSON.

use std::time::SystemTime;

use miniserde::{Serialize, json};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::app::engine::EngineState;
use crate::engine::status::Status;
use crate::source::marker::Missing;
use crate::source::{Source, Sources};

/// What is left as it is in a URL's path (RFC 3986 section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One source in `/sources`.
#[derive(Serialize)]
struct Listed {
    name: String,
    kind: &'static str,
    /// In bytes; `null` while there is no file.
    size: Option<u64>,
    /// Why there is nothing to read, `absent` or `unreadable`; else `null`.
    missing: Option<&'static str>,
    /// RFC 3339.
    modified: Option<String>,
    /// Relative to the page, so that any sub-path of a proxy works.
    url: String,
    clients: usize,
    /// How changes come to be known.
    watch: &'static str,
    /// How it stands at the engine that it is handed to; `null` where there is none.
    engine: Option<EngineState>,
}

/// What `/sources` answers, in JSON.
pub(crate) async fn list(sources: &Sources, engine: Option<&Status>) -> String {
    let mut list = Vec::new();
    for source in sources.list() {
        let extent = source.extent().await;
        list.push(Listed {
            name: source.name.clone(),
            kind: source.kind(),
            size: extent.size,
            missing: extent.missing.map(Missing::name),
            modified: extent.modified.and_then(rfc3339),
            url: format!("stream/{}", utf8_percent_encode(&source.name, UNRESERVED)),
            clients: source.clients(),
            watch: extent.watch,
            engine: match source.standing() {
                Some(standing) => Some(EngineState::of(standing)),
                None => engine.map(|engine| EngineState::new(engine, &source.name, extent.size)),
            },
        });
    }
    json::to_string(&list)
}

/// One generation in `?generations`.
#[derive(Serialize)]
struct Generation {
    /// In hexadecimal, as in a cursor: it may have more digits than a JavaScript number.
    inode: String,
    /// The offset of the oldest byte that is there: not 0 only where but the last bytes are kept.
    start: u64,
    /// The offset behind the last byte.
    size: u64,
    /// RFC 3339.
    modified: Option<String>,
    /// Another file has its name now.
    sealed: bool,
}

/// What `?generations` answers, in JSON, newest first.
pub(crate) async fn generations(source: &Source) -> String {
    let generations = source.generations().await.into_iter();
    let list: Vec<Generation> = generations
        .map(|one| Generation {
            inode: format!("{:x}", one.inode),
            start: one.start,
            size: one.size,
            modified: one.modified.and_then(rfc3339),
            sealed: one.sealed,
        })
        .collect();
    json::to_string(&list)
}

/// `None` for a time that the format has no room for: a file's time can be anything.
pub(crate) fn rfc3339(time: SystemTime) -> Option<String> {
    use std::fmt::Write;
    time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let mut text = String::new();
    write!(text, "{}", humantime::format_rfc3339_millis(time)).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_out_of_range() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(rfc3339(at(0)).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(rfc3339(at(1 << 40)), None);
        assert_eq!(
            rfc3339(SystemTime::UNIX_EPOCH - Duration::from_secs(1)),
            None
        );
    }
}
