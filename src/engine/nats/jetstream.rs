//! What JetStream keeps of a subject: where it stands, and publishing on the condition that it
//! still does.

use miniserde::{Deserialize, json};

use crate::bytes::cursor::Cursor;
use crate::engine::nats::client::{Client, Reply};
use crate::engine::nats::failure::Failure;
use crate::engine::nats::protocol::Headers;
use crate::engine::nats::subject::token;
use crate::source::marker::Lost;

/// The stream that holds all boards' subjects, as its owner has to name it.
pub(crate) const STREAM: &str = "TAILCAST";

/// What all subjects begin with.
pub(crate) const PREFIX: &str = "tailcast";

/// JetStream's number for "the subject does not stand where you think".
const WRONG_LAST_SEQUENCE: u32 = 10071;
/// For a stream that does not exist.
const STREAM_NOT_FOUND: u32 = 10059;
/// For a server, and for an account, without JetStream.
const NOT_ENABLED: u32 = 10076;
const NOT_ENABLED_FOR_ACCOUNT: u32 = 10039;

/// The place before the payload, in the board's file.
pub(crate) const FROM: &str = "Tailcast-From";
/// The place behind it.
pub(crate) const CURSOR: &str = "Tailcast-Cursor";
/// How many bytes the subject has had so far, this message's included.
pub(crate) const BYTES: &str = "Tailcast-Bytes";
/// How many were lost before the payload: a number, or `unknown`.
pub(crate) const LOST: &str = "Tailcast-Lost";
/// What happened to the file before it, in words with a blank between them: `rotated` or
/// `truncated`, and `skipped` where NULs were passed over, as many as the places do not account
/// for.
pub(crate) const MARK: &str = "Tailcast-Mark";
/// The word for it among the marks.
pub(crate) const SKIPPED: &str = "skipped";
/// The sequence of the message before it on the same subject; 0: it is the first.
pub(crate) const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";
/// Its own sequence, in what JetStream gives back.
pub(crate) const SEQUENCE: &str = "Nats-Sequence";

/// The subject of the stream `name` of `board`.
pub(crate) fn subject(board: &str, name: &str) -> String {
    format!("{PREFIX}.{}.{}", token(board), token(name))
}

/// Where a subject stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The place in the board's file.
    pub cursor: Cursor,
    /// The bytes of the subject so far.
    pub bytes: u64,
    /// The sequence of its last message; 0: there is none.
    pub sequence: u64,
}

/// Asks where `subject` stands; `None`: nothing was ever published there.
pub(crate) async fn position(client: &Client, subject: &str) -> Result<Option<Position>, Failure> {
    let asked = format!("$JS.API.DIRECT.GET.{STREAM}.{subject}");
    let reply = client.request(&asked, &[], &[]).await;
    let reply = reply.map_err(|failure| match failure {
        // Where there is no such stream, nobody feels asked.
        Failure::Away(cause) => Failure::Away(format!("{cause} for its stream `{STREAM}`")),
        failure => failure,
    })?;
    let Some(headers) = found(&reply)? else {
        return Ok(None);
    };
    let position = || {
        Some(Position {
            cursor: headers.get(CURSOR)?.parse().ok()?,
            bytes: headers.number(BYTES)?,
            sequence: headers.number(SEQUENCE)?,
        })
    };
    position().map(Some).ok_or_else(|| {
        Failure::Refused(format!(
            "the last message of `{subject}` is none of Tailcast's; let nobody else publish there, and purge it"
        ))
    })
}

/// The headers of a message that was asked for; `None`: there is no such message.
pub(crate) fn found(reply: &Reply) -> Result<Option<Headers<'_>>, Failure> {
    match reply.headers().status() {
        None => Ok(Some(reply.headers())),
        Some((404, _)) => Ok(None),
        Some((503, _)) => Err(nobody()),
        Some((code, words)) => Err(Failure::Refused(format!(
            "it says {code} {}",
            words.escape_debug()
        ))),
    }
}

fn no_stream() -> Failure {
    Failure::Refused(format!(
        "it has no stream `{STREAM}`; the README has the command that makes it (`More than one board`)"
    ))
}

/// The stream was there when the connection was made.
fn nobody() -> Failure {
    Failure::Refused(format!(
        "nobody answers for its stream `{STREAM}`: its cluster has no leader now, or somebody has deleted it"
    ))
}

fn no_jetstream() -> Failure {
    Failure::Refused(
        "it has no JetStream for this user; put `jetstream {}` into its configuration".to_owned(),
    )
}

#[derive(Deserialize)]
struct Ack {
    seq: Option<u64>,
    error: Option<ApiError>,
}

/// What JetStream says of a failure.
#[derive(Deserialize)]
pub(crate) struct ApiError {
    err_code: Option<u32>,
    description: Option<String>,
}

impl ApiError {
    fn failure(self) -> Failure {
        if self.err_code == Some(WRONG_LAST_SEQUENCE) {
            return Failure::Elsewhere;
        }
        let description = self.description.unwrap_or_default();
        Failure::Refused(format!("it says: {}", description.escape_debug()))
    }
}

/// What is told with a payload.
pub(crate) struct Told {
    /// The place behind it.
    pub cursor: Cursor,
    /// Bytes lost before it.
    pub lost: Lost,
    /// What happened to the file before it.
    pub mark: Option<&'static str>,
    /// NULs before it were passed over.
    pub skipped: bool,
}

/// Publishes `payload`, if `subject` still stands where `last` says. Where it stands then.
pub(crate) async fn publish(
    client: &Client,
    subject: &str,
    payload: &[u8],
    told: &Told,
    last: Position,
) -> Result<Position, Failure> {
    let bytes = last.bytes + payload.len() as u64;
    let mut headers = vec![
        (EXPECTED, last.sequence.to_string()),
        ("Nats-Expected-Stream", STREAM.to_owned()),
        (FROM, last.cursor.to_string()),
        (CURSOR, told.cursor.to_string()),
        (BYTES, bytes.to_string()),
    ];
    match told.lost {
        Lost::Nothing => {}
        Lost::Bytes(lost) => headers.push((LOST, lost.to_string())),
        Lost::Unknown => headers.push((LOST, "unknown".to_owned())),
    }
    let marks = told.mark.into_iter().chain(told.skipped.then_some(SKIPPED));
    let marks: Vec<&str> = marks.collect();
    if !marks.is_empty() {
        headers.push((MARK, marks.join(" ")));
    }
    let reply = client.request(subject, &headers, payload).await?;
    if reply.headers().status().is_some() {
        return Err(nobody());
    }
    let ack: Option<Ack> = str::from_utf8(&reply.payload)
        .ok()
        .and_then(|text| json::from_str(text).ok());
    match ack {
        Some(Ack {
            error: Some(error), ..
        }) => Err(error.failure()),
        Some(Ack { seq: Some(seq), .. }) => Ok(Position {
            cursor: told.cursor,
            bytes,
            sequence: seq,
        }),
        _ => Err(Failure::Refused(format!(
            "somebody else than JetStream answers for `{subject}` there"
        ))),
    }
}

#[derive(Deserialize)]
struct StreamInfo {
    config: Option<StreamConfig>,
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct StreamConfig {
    max_age: Option<u64>,
    allow_direct: Option<bool>,
}

/// Looks whether the stream is there and as it should be; how old a message may get, in
/// nanoseconds, where that is limited and may be asked.
pub(crate) async fn check(client: &Client) -> Result<Option<u64>, Failure> {
    let asked = format!("$JS.API.STREAM.INFO.{STREAM}");
    let reply = match client.request(&asked, &[], &[]).await {
        Ok(reply) => reply,
        // Who may not ask that may publish all the same.
        Err(Failure::Refused(_)) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    if reply.headers().status().is_some() {
        return Err(no_jetstream());
    }
    let info = str::from_utf8(&reply.payload).ok();
    let info: Option<StreamInfo> = info.and_then(|text| json::from_str(text).ok());
    match info {
        Some(StreamInfo {
            error: Some(error), ..
        }) => Err(match error.err_code {
            Some(STREAM_NOT_FOUND) => no_stream(),
            Some(NOT_ENABLED | NOT_ENABLED_FOR_ACCOUNT) => no_jetstream(),
            _ => error.failure(),
        }),
        Some(StreamInfo {
            config: Some(config),
            ..
        }) if config.allow_direct == Some(true) => Ok(config.max_age.filter(|&age| age > 0)),
        _ => Err(Failure::Refused(format!(
            "its stream `{STREAM}` does not give messages directly; `nats stream edit {STREAM} --allow-direct` lets it"
        ))),
    }
}

#[derive(Deserialize)]
struct StreamState {
    state: Option<Subjects>,
}

#[derive(Deserialize)]
struct Subjects {
    last_seq: Option<u64>,
    subjects: Option<std::collections::BTreeMap<String, u64>>,
}

/// The subjects that `pattern` matches, and the last sequence of the whole stream.
pub(crate) async fn subjects(
    client: &Client,
    pattern: &str,
) -> Result<(u64, Vec<String>), Failure> {
    let asked = format!("$JS.API.STREAM.INFO.{STREAM}");
    let question = format!("{{\"subjects_filter\":{}}}", json::to_string(pattern));
    let reply = client.request(&asked, &[], question.as_bytes()).await?;
    let info = str::from_utf8(&reply.payload).ok();
    let info: Option<StreamState> = info.and_then(|text| json::from_str(text).ok());
    let state = info.and_then(|info| info.state).ok_or_else(no_stream)?;
    let names = state.subjects.unwrap_or_default().into_keys().collect();
    Ok((state.last_seq.unwrap_or(0), names))
}
