//! One stream to its subject: asks where that stands, goes on there, a batch at a time.
//!
//! Exactly once, for two reasons. Each message goes on the condition that the subject's last one is
//! still the one that was asked for or confirmed last; and the place that it brings is the engine's
//! only memory of it, and ours. Whatever is doubtful (no answer, a cut, another one's message) is
//! asked for again, never assumed.

use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_lite::future;
use smol::Timer;
use smol::lock::Semaphore;

use crate::bytes::cursor::From;
use crate::engine::backoff::Backoff;
use crate::engine::batch::{BATCH_MAX, Batcher, Cut};
use crate::engine::nats::client::Client;
use crate::engine::nats::failure::Failure;
use crate::engine::nats::jetstream::{self, Position, Told};
use crate::engine::status::Status;
use crate::source::error::cause;
use crate::source::marker::Lost;
use crate::source::{Runtime, Source};

/// How long the start of a line waits for its end.
const HALF_LINE_TIME: Duration = Duration::from_secs(1);

/// After so long without a message the last place is published once more, so that the engine never
/// forgets it for its age.
const IDLE_TIME: Duration = Duration::from_secs(60 * 60);

/// The most bytes of a connection's first batch.
const BATCH_FIRST: usize = 16 * 1024;

/// What our headers take of a payload's limit, at most, in bytes.
const HEADERS_MAX: u64 = 4 * 1024;

/// Conflicts over a subject that are further apart than this have nothing to do with one another.
const CONFLICT_TIME: Duration = Duration::from_secs(5 * 60);

/// One stream on its way to one connection.
pub(crate) struct Publisher {
    /// What is published.
    pub source: Rc<Source>,
    /// Where to.
    pub subject: String,
    /// The connection.
    pub client: Rc<Client>,
    /// How long a subject may be silent before its last place is published once more.
    pub idle: Duration,
    /// Batches that are on their way at once, of all streams.
    pub permits: Rc<Semaphore>,
    /// What all sources share.
    pub runtime: Runtime,
    /// How it goes.
    pub status: Rc<Status>,
}

/// How long a subject may be silent, where a message may get so many nanoseconds old.
pub(crate) fn idle_time(max_age: Option<u64>) -> Duration {
    max_age.map_or(IDLE_TIME, |age| {
        IDLE_TIME.min(Duration::from_nanos(age) / 3)
    })
}

impl Publisher {
    /// Publishes until the connection is over.
    pub(crate) async fn run(self) {
        let mut backoff = Backoff::default();
        let mut conflicts = 0;
        let mut conflicted: Option<Instant> = None;
        let mut rival = 0;
        loop {
            let rivalry = (conflicts > 0).then_some(&mut rival);
            let Err(failure) = self.publish(rivalry).await;
            match failure {
                Failure::Away(_) => {
                    self.client.end(failure);
                    return;
                }
                Failure::Elsewhere => {
                    if conflicted.is_none_or(|at| at.elapsed() > CONFLICT_TIME) {
                        (backoff, conflicts) = (Backoff::default(), 0);
                    }
                    (conflicts, conflicted) = (conflicts + 1, Some(Instant::now()));
                    // Once is an old message of ours that came in first.
                    if conflicts > 1 {
                        self.trouble(&failure.sentence());
                    }
                }
                Failure::Refused(cause) => self.trouble(&cause),
            }
            Timer::after(backoff.wait()).await;
        }
    }

    /// `rival`, after a conflict: the last sequence that was somebody else's.
    async fn publish(&self, rival: Option<&mut u64>) -> Result<Infallible, Failure> {
        let name = &self.source.name;
        let position = jetstream::position(&self.client, &self.subject).await?;
        let from = position.map_or(From::Start, |position| From::Cursor(position.cursor));
        let mut batcher = self.open(from).await.map_err(|error| unreadable(&error))?;
        if let (Some(rival), Some(position)) = (rival, position) {
            // Another file than ours, and it grows: who comes second is silent, or they would take
            // turns for ever.
            let is_foreign = batcher.cursor().inode != position.cursor.inode;
            if is_foreign && std::mem::replace(rival, position.sequence) != position.sequence {
                return Err(Failure::Elsewhere);
            }
        }
        let mut last = position.unwrap_or(Position {
            cursor: batcher.cursor(),
            bytes: 0,
            sequence: 0,
        });
        let limit = self.client.info.max_payload.unwrap_or(u64::MAX);
        let limit = usize::try_from(limit.saturating_sub(HEADERS_MAX)).unwrap_or(BATCH_MAX);
        let limit = limit.clamp(1, BATCH_MAX);
        // Small ones at first: over a line that breaks again and again a large one would never
        // arrive.
        let mut most = limit.min(BATCH_FIRST);
        let mut changed = batcher.changed();
        let mut published = Instant::now();
        // Since when the start of a line waits for its end.
        let mut half: Option<Instant> = None;
        loop {
            // Who waits here for its turn is behind: the bytes wait in their file.
            let permit = self.permits.acquire().await;
            let halves = half.is_some_and(|since| since.elapsed() >= HALF_LINE_TIME);
            let cut = batcher.fill(most, halves).await;
            let cut = cut.map_err(|error| unreadable(&error))?;
            let is_idle = batcher.bytes.is_empty();
            if !is_idle {
                let told = Told {
                    cursor: batcher.cursor(),
                    lost: batcher.lost,
                    mark: batcher.mark,
                    skipped: batcher.skipped,
                };
                last = self.send(&batcher.bytes, &told, last).await?;
                self.count(&told, batcher.bytes.len());
                batcher.done();
                most = (most * 2).min(limit);
                (published, half) = (Instant::now(), None);
                self.status.trouble(name, None);
            } else if last.sequence > 0 && published.elapsed() >= self.idle {
                let told = Told {
                    cursor: last.cursor,
                    lost: Lost::Nothing,
                    mark: None,
                    skipped: false,
                };
                last = self.send(&[], &told, last).await?;
                published = Instant::now();
            }
            drop(permit);
            self.status.update(name, |progress| {
                progress.at = Some(last.cursor);
                progress.behind = batcher.behind();
            });
            if cut != Cut::End {
                continue;
            }
            let wait = match batcher.behind() {
                Some(behind) if behind > 0 && !halves => {
                    let since = *half.get_or_insert_with(Instant::now);
                    HALF_LINE_TIME.saturating_sub(since.elapsed())
                }
                _ => self.idle.saturating_sub(published.elapsed()),
            };
            future::or(changed.rung(), async { _ = Timer::after(wait).await }).await;
        }
    }

    async fn send(&self, payload: &[u8], told: &Told, last: Position) -> Result<Position, Failure> {
        let sent = jetstream::publish(&self.client, &self.subject, payload, told, last).await;
        sent.inspect_err(|failure| {
            let is_refused = *failure == Failure::Elsewhere;
            self.status.refused.add(u64::from(is_refused));
        })
    }

    async fn open(&self, from: From) -> io::Result<Batcher> {
        let reader = self.source.open(from).await?;
        Batcher::new(reader, self.runtime.cache.clone()).await
    }

    fn trouble(&self, cause: &str) {
        self.status
            .trouble(&self.source.name, Some(cause.to_owned()));
    }

    fn count(&self, told: &Told, length: usize) {
        self.status.bytes.add(length as u64);
        self.status.messages.add(1);
        if let Lost::Bytes(bytes) = told.lost {
            self.status.lost.add(bytes);
        }
    }
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::Refused(format!("it can't be read: {}", cause(error)))
}
