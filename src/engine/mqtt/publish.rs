//! One stream to its topic: asks the broker where it was, and goes on from there.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;

use smol::Timer;

use crate::bytes::cursor::From;
use crate::bytes::lines::{LINE_MAX, LineEnd};
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
use crate::source::{Runtime, Source};

/// A stream, its topic, and what is remembered of it from one connection to the next.
pub(crate) struct Stream {
    /// What is published.
    pub(crate) source: Rc<Source>,
    /// Where to.
    topic: String,
    runtime: Runtime,
    /// How it goes.
    status: Rc<Status>,
    /// What Home Assistant is told of it, once enough of it was seen.
    configs: RefCell<Option<Rc<[Config]>>>,
    /// Where this process began. A broker that has forgotten what it kept, in a power cut, gets
    /// everything again from here.
    begun: Cell<Option<Position>>,
    /// Those of this connection, oldest first: at most as many as can be on their way, and one that
    /// is confirmed.
    recent: RefCell<VecDeque<Position>>,
    /// The most bytes that were ever published.
    most: Cell<u64>,
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
        runtime: &Runtime,
        status: &Rc<Status>,
    ) -> Self {
        Self {
            source,
            topic,
            runtime: runtime.clone(),
            status: status.clone(),
            configs: RefCell::default(),
            begun: Cell::new(None),
            recent: RefCell::default(),
            most: Cell::new(0),
        }
    }

    /// Tells Home Assistant of it: on each connection, for a broker may have forgotten what it
    /// kept.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn announce(&self, client: &Client, board: &Board) -> Result<(), Gone> {
        let known = self.configs.borrow().clone();
        let configs = match known {
            Some(configs) => configs,
            None => announce::configs(&self.source, &self.topic, board, &self.runtime)
                .await
                .into(),
        };
        *self.configs.borrow_mut() = Some(configs.clone());
        for config in configs.iter() {
            let (topic, payload) = (&config.topic, &config.payload);
            client.publish(topic, payload, Vec::new(), 0).await?;
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
        let floor = again.map_or(0, |_| self.most.get());
        let resumed = known.or(again);
        let from = resumed.map_or(From::Start, |position| From::Cursor(position.cursor));
        let reader = self.source.open(from).await?;
        let mut lines = Lines::behind(&reader.before().await?, reader.line_end());
        let mut batcher = Batcher::new(reader, self.runtime.cache.clone()).await?;
        let mut position = resumed.unwrap_or(Position {
            cursor: batcher.cursor(),
            bytes: 0,
        });
        let mut mark = resumed.is_none().then_some(BEGUN);
        self.begun.set(self.begun.get().or(Some(position)));
        // What is still in there of an older connection may never have arrived.
        *self.recent.borrow_mut() = VecDeque::from([position]);
        self.status.trouble(&self.source.name, None);
        let mut changed = batcher.changed();
        loop {
            // The start of a line waits for its end: cut otherwise, it would be another message
            // when it comes again.
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
            for raw in lines.split(&batcher.bytes) {
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
                let length = next.bytes - position.bytes;
                client.publish(&self.topic, &text, words, length).await?;
                (position, mark) = (next, None);
                self.remember(position);
            }
            if !batcher.bytes.is_empty() {
                if let Lost::Bytes(bytes) = batcher.lost {
                    self.status.lost.add(bytes);
                }
                batcher.done();
            }
            if cut == Cut::Marker {
                lines.last = Last::Ended;
            }
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
        self.most.set(self.most.get().max(position.bytes));
        let mut recent = self.recent.borrow_mut();
        recent.push_back(position);
        if recent.len() > usize::from(IN_FLIGHT) + 1 {
            recent.pop_front();
        }
    }
}

/// Lines as messages.
struct Lines {
    /// A lone CR ends a line, too.
    returns: bool,
    last: Last,
}

/// How what came last has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// With a newline, or with its file.
    Ended,
    /// With a CR, to which a newline may belong.
    Returned,
    /// Not yet: it was a part of a long line.
    Open,
}

impl Lines {
    /// Lines that come behind the bytes `before`.
    fn behind(before: &[u8], ends: LineEnd) -> Self {
        let mut lines = Self {
            returns: ends == LineEnd::Return,
            last: Last::Ended,
        };
        lines.text(before);
        lines
    }

    /// The lines of `bytes` as the file has them.
    fn split<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let returns = self.returns;
        bytes.split_inclusive(move |&byte| byte == b'\n' || returns && byte == b'\r')
    }

    /// What is published of a line. `None`: it is the newline of one that went in parts, or behind
    /// a CR.
    fn text(&mut self, raw: &[u8]) -> Option<String> {
        let (line, end) = match raw {
            [line @ .., b'\n'] => (line.strip_suffix(b"\r").unwrap_or(line), Last::Ended),
            [line @ .., b'\r'] if self.returns => (line, Last::Returned),
            [] => return None,
            line => (line, Last::Open),
        };
        let before = std::mem::replace(&mut self.last, end);
        match line {
            [] if before == Last::Open || before == Last::Returned && raw == b"\n" => None,
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
        let mut lines = Lines::behind(b"", LineEnd::Newline);
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
        assert_eq!(Lines::behind(b"x", LineEnd::Newline).text(b"\n"), None);
    }

    #[test]
    fn instruments_end_their_lines_with_a_return() {
        let texts = |pieces: &[&[u8]]| -> Vec<String> {
            let mut lines = Lines::behind(b"", LineEnd::Return);
            let split = pieces.iter().flat_map(|piece| lines.split(piece));
            let split: Vec<&[u8]> = split.collect();
            split
                .into_iter()
                .filter_map(|raw| lines.text(raw))
                .collect()
        };
        assert_eq!(texts(&[b"a\rb\r\nc\n\r"]), ["a", "b", "c", "\n"]);
        assert_eq!(texts(&[b"a\r", b"\nb\r", b"\r"]), ["a", "b", "\n"]);
        assert_eq!(Lines::behind(b"x\r", LineEnd::Return).text(b"\n"), None);
    }
}
