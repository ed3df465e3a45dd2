//! One stream to its topic: asks the broker where it was, and goes on from there.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;

use smol::Timer;

use crate::bytes::cursor::From;
use crate::bytes::lines::LINE_MAX;
use crate::engine::backoff::Backoff;
use crate::engine::batch::{Batcher, Cut};
use crate::engine::mqtt::announce;
use crate::engine::mqtt::board::Board;
use crate::engine::mqtt::client::{Client, Gone, IN_FLIGHT};
use crate::engine::mqtt::discovery::Config;
use crate::engine::mqtt::packet::Version;
use crate::engine::mqtt::position::{BEGUN, News, Position};
use crate::engine::status::Status;
use crate::source::error::cause;
use crate::source::marker::Lost;
use crate::source::{Ground, Source};

/// A stream, its topic, and what is remembered of it from one connection to the next.
pub(crate) struct Stream {
    /// What is published.
    pub(crate) source: Rc<Source>,
    /// Where to.
    topic: String,
    ground: Ground,
    /// How it goes.
    status: Rc<Status>,
    /// What Home Assistant is told of it, once enough of it was seen.
    configs: RefCell<Option<Rc<[Config]>>>,
    /// Where this process began. A broker that has forgotten what it kept, in a power cut, gets everything again from here.
    begun: Cell<Option<Position>>,
    /// The last ones, oldest first: at most as many as can be on their way, and one that is confirmed.
    recent: RefCell<VecDeque<Position>>,
}

/// Why publishing stops.
enum End {
    Gone(Gone),
    Unreadable(io::Error),
}

impl std::convert::From<Gone> for End {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

impl std::convert::From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl Stream {
    pub(crate) fn new(
        source: Rc<Source>,
        topic: String,
        ground: &Ground,
        status: &Rc<Status>,
    ) -> Self {
        Self {
            source,
            topic,
            ground: ground.clone(),
            status: status.clone(),
            configs: RefCell::default(),
            begun: Cell::new(None),
            recent: RefCell::default(),
        }
    }

    /// Tells Home Assistant of it: on each connection, for a broker may have forgotten what it kept.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn announce(&self, client: &Client, board: &Board) -> Result<(), Gone> {
        let known = self.configs.borrow().clone();
        let configs = match known {
            Some(configs) => configs,
            None => announce::configs(&self.source, &self.topic, board, &self.ground)
                .await
                .into(),
        };
        *self.configs.borrow_mut() = Some(configs.clone());
        for config in configs.iter() {
            let (topic, payload) = (&config.topic, &config.payload);
            client.publish(topic, payload, Vec::new()).await?;
        }
        Ok(())
    }

    /// Publishes until the connection is over.
    pub(crate) async fn publish(&self, client: &Client) -> Gone {
        let mut backoff = Backoff::default();
        loop {
            let Err(end) = self.follow(client).await;
            match end {
                End::Gone(gone) => return gone,
                End::Unreadable(error) => {
                    let trouble = format!("it can't be read: {}", cause(&error));
                    self.status.trouble(&self.source.name, Some(trouble));
                }
            }
            Timer::after(backoff.wait()).await;
        }
    }

    async fn follow(&self, client: &Client) -> Result<Infallible, End> {
        let kept = client.kept(&self.topic).await?;
        let known = match client.version {
            Version::Five => kept.and_then(|kept| Position::read(&kept.properties)),
            Version::Three => self.recent.borrow().front().copied(),
        };
        let again = known.is_none().then(|| self.begun.get()).flatten();
        // Numbers that the broker has forgotten are not given to other bytes.
        let last = self.recent.borrow().back().copied();
        let floor = again.and(last).map_or(0, |position| position.bytes);
        let resumed = known.or(again);
        let from = resumed.map_or(From::Start, |position| From::Cursor(position.cursor));
        let reader = self.source.open(from).await?;
        let before = reader.before().await?;
        let mut batcher = Batcher::new(reader, self.ground.scratch.clone()).await?;
        let mut position = resumed.unwrap_or(Position {
            cursor: batcher.cursor(),
            bytes: 0,
        });
        let mut mark = resumed.is_none().then_some(BEGUN);
        self.begun.set(self.begun.get().or(Some(position)));
        self.status.trouble(&self.source.name, None);
        let mut lines = Lines {
            is_open: before.last().is_some_and(|&byte| byte != b'\n'),
        };
        let mut changed = batcher.changed();
        loop {
            // The start of a line waits for its end: cut otherwise, it would be another message when it comes again.
            let cut = batcher.fill(LINE_MAX, false).await?;
            let mut place = batcher.begin().clone();
            let mut news = News {
                lost: batcher.lost,
                mark: mark.or(batcher.mark),
            };
            let mut bytes = match batcher.lost {
                Lost::Nothing => position.bytes,
                _ => position.bytes.max(floor),
            };
            for raw in batcher.bytes.split_inclusive(|&byte| byte == b'\n') {
                place.advance(raw);
                bytes += raw.len() as u64;
                let Some(text) = lines.text(raw) else {
                    continue;
                };
                let next = Position {
                    cursor: place.cursor,
                    bytes,
                };
                let words = position.words(next, std::mem::replace(&mut news, News::NONE));
                client.publish(&self.topic, &text, words).await?;
                (position, mark) = (next, None);
                self.remember(position);
                self.status.bytes.add(raw.len() as u64);
            }
            if !batcher.bytes.is_empty() {
                if let Lost::Bytes(bytes) = batcher.lost {
                    self.status.lost.add(bytes);
                }
                batcher.done();
            }
            lines.is_open &= cut != Cut::Marker;
            self.status.update(&self.source.name, |progress| {
                progress.at = Some(position.cursor);
                progress.behind = batcher.behind();
            });
            if cut == Cut::End {
                changed.rung().await;
            }
        }
    }

    fn remember(&self, position: Position) {
        let mut recent = self.recent.borrow_mut();
        recent.push_back(position);
        if recent.len() > usize::from(IN_FLIGHT) + 1 {
            recent.pop_front();
        }
    }
}

/// Lines as messages.
struct Lines {
    /// The last one was a part that had no newline.
    is_open: bool,
}

impl Lines {
    /// What is published of a line as the file has it. `None`: it is the newline of one that went in parts.
    fn text(&mut self, raw: &[u8]) -> Option<String> {
        let line = raw.strip_suffix(b"\n");
        let was_open = std::mem::replace(&mut self.is_open, line.is_none());
        let line = line.map_or(raw, |line| line.strip_suffix(b"\r").unwrap_or(line));
        match line {
            [] if was_open => None,
            // An empty message would make the broker forget the last one, and the position with it.
            [] => Some("\n".to_owned()),
            line => Some(String::from_utf8_lossy(line).into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_message() {
        let mut lines = Lines { is_open: false };
        for (raw, want) in [
            (&b"line\n"[..], Some("line")),
            (b"windows\r\n", Some("windows")),
            (b"\n", Some("\n")),
            (b"\r\n", Some("\n")),
            (b"\xff\n", Some("\u{fffd}")),
            (b"half of", Some("half of")),
            (b"\n", None),
            (b"\n", Some("\n")),
            (b"half", Some("half")),
            (b" a line\n", Some(" a line")),
            (b"a\rb\n", Some("a\rb")),
        ] {
            assert_eq!(lines.text(raw).as_deref(), want, "{raw:?}");
        }
    }
}
