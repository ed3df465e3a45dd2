//! One stream to its topic: asks the broker where it was, and goes on from there.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use smol::Timer;

use crate::bytes::cursor::From;
use crate::engine::mqtt::announce;
use crate::engine::mqtt::board::Board;
use crate::engine::mqtt::client::{Client, Gone, IN_FLIGHT};
use crate::engine::mqtt::discovery::Config;
use crate::engine::mqtt::lines::{Line, Lines};
use crate::engine::mqtt::packet::Version;
use crate::engine::mqtt::position::{BEGUN, News, Position};
use crate::source::marker::{Marker, Next};
use crate::source::reader::Reader;
use crate::source::{Ground, Source};

/// The most lines that are cut at once. Each has some hundred bytes beside its own while it waits for its message.
const LINES_MAX: usize = 256;

/// How long until a file that could not be read is tried again.
const UNREADABLE_TIME: Duration = Duration::from_secs(10);

/// A stream, its topic, and what is remembered of it from one connection to the next.
pub(crate) struct Stream {
    pub(crate) source: Rc<Source>,
    pub(crate) topic: String,
    ground: Ground,
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
    Unreadable,
}

impl std::convert::From<Gone> for End {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

impl std::convert::From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Unreadable
    }
}

impl Stream {
    pub(crate) fn new(source: Rc<Source>, topic: String, ground: &Ground) -> Self {
        Self {
            source,
            topic,
            ground: ground.clone(),
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
            client
                .publish(&config.topic, &config.payload, Vec::new())
                .await?;
        }
        Ok(())
    }

    /// Publishes until the connection is over.
    pub(crate) async fn publish(&self, client: &Client) -> Gone {
        loop {
            match self.follow(client).await {
                Err(End::Gone(gone)) => return gone,
                Err(End::Unreadable) | Ok(()) => _ = Timer::after(UNREADABLE_TIME).await,
            }
        }
    }

    async fn follow(&self, client: &Client) -> Result<(), End> {
        let kept = client.kept(&self.topic).await?;
        let known = match client.version {
            Version::Five => kept.and_then(|kept| Position::read(&kept.properties)),
            Version::Three => self.recent.borrow().front().copied(),
        };
        let mut news = News::default();
        let again = known.is_none().then(|| self.begun.get()).flatten();
        // Numbers that the broker has forgotten are not given to other bytes.
        let floor = again.and(self.recent.borrow().back().map(|position| position.bytes));
        let (mut reader, mut position) = match known.or(again) {
            Some(position) => (
                self.source.open(From::Cursor(position.cursor)).await?,
                position,
            ),
            None => {
                news.mark = Some(BEGUN);
                let reader = self.source.open(From::Start).await?;
                let cursor = reader.cursor().await?;
                (reader, Position { cursor, bytes: 0 })
            }
        };
        self.begun.set(self.begun.get().or(Some(position)));
        let mut lines = Lines::new(reader.cursor().await?, reader.before().await?);
        loop {
            let changed = reader.changed();
            let (cut, marker) = match self.turn(&mut reader, &mut lines)? {
                Turn::Lines(cut) => (cut, None),
                Turn::Marker(marker) => (self.end_of(&marker, &mut lines), Some(marker)),
                Turn::Cold => {
                    reader.warm().await?;
                    continue;
                }
                Turn::Nothing => {
                    changed.await;
                    continue;
                }
            };
            for line in cut {
                let (next, properties) = position.behind(&line, std::mem::take(&mut news));
                // An empty message would make the broker forget the last one.
                let payload = if line.text.is_empty() {
                    "\n"
                } else {
                    &line.text
                };
                client.publish(&self.topic, payload, properties).await?;
                position = next;
                self.remember(position);
            }
            if let Some(marker) = marker {
                tell(&marker, &mut news);
                if news.lost.is_some() {
                    position.bytes = position.bytes.max(floor.unwrap_or_default());
                }
            }
        }
    }

    /// Takes what the reader has next. Nothing awaits in here: all readers share the scratch buffer.
    fn turn(&self, reader: &mut Reader, lines: &mut Lines) -> io::Result<Turn> {
        let mut scratch = self.ground.scratch.borrow_mut();
        Ok(match reader.next(&mut scratch)? {
            Next::Bytes => {
                let bytes = scratch.bytes();
                let newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
                let end = newlines.map(|(at, _)| at + 1).nth(LINES_MAX - 1);
                let (bytes, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
                reader.seek(reader.offset() - rest.len() as u64);
                Turn::Lines(lines.push(bytes))
            }
            Next::Marker(marker) => Turn::Marker(marker),
            Next::Cold => Turn::Cold,
            Next::End => Turn::Nothing,
        })
    }

    /// The line that `marker` ends, where another file begins.
    fn end_of(&self, marker: &Marker, lines: &mut Lines) -> Vec<Line> {
        let Some(cursor) = marker.cursor() else {
            return Vec::new();
        };
        let last = lines.finish();
        *lines = Lines::new(cursor, Vec::new());
        last
    }

    fn remember(&self, position: Position) {
        let mut recent = self.recent.borrow_mut();
        recent.push_back(position);
        if recent.len() > usize::from(IN_FLIGHT) + 1 {
            recent.pop_front();
        }
    }
}

/// What a turn at the reader gave.
enum Turn {
    Lines(Vec<Line>),
    Marker(Marker),
    Nothing,
    Cold,
}

/// What is to be told of `marker` with the next message.
fn tell(marker: &Marker, news: &mut News) {
    match *marker {
        Marker::Lost(_, bytes) => news.lose(bytes),
        Marker::Truncated(_, bytes) => {
            news.mark = Some(marker.name());
            if bytes > 0 {
                news.lose(Some(bytes));
            }
        }
        Marker::Rotated(_) => news.mark = Some(marker.name()),
        _ => {}
    }
}
