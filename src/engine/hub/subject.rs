//! One subject as a file that grows: where it ends, and what comes live.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant, SystemTime};

use futures_lite::future;
use smol::Timer;

use crate::bell::Bell;
use crate::bytes::cursor::Cursor;
use crate::engine::hub::link::Link;
use crate::engine::hub::message::Piece;
use crate::engine::nats::client::Client;
use crate::engine::nats::failure::Failure;
use crate::engine::nats::jetstream::{BYTES, CURSOR, SEQUENCE, STREAM, found};
use crate::engine::nats::protocol::Message;
use crate::source::marker::Missing;

/// How long a visitor waits for a hub that is not there.
const HUB_TIME: Duration = Duration::from_secs(3);

/// How long it is doubted that a subject ends before where it was: in a cluster one who has not
/// heard the last of it may answer, and a board fills up again what an older copy lacks.
const BACK_TIME: Duration = Duration::from_secs(3);

/// Where a subject ends.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    /// The offset behind its last byte.
    pub end: u64,
    /// That place in the board's file.
    pub cursor: Cursor,
    /// The sequence of its last message; 0: not known, it came live.
    pub(super) sequence: u64,
    /// When that came.
    pub time: SystemTime,
}

/// A subject, shared by all who read it.
pub(crate) struct Subject {
    /// As NATS knows it.
    pub name: String,
    /// The number that stands in cursors, the same at every hub.
    pub id: u64,
    /// Tells what caches hold; another one after the subject was set back.
    serial: Cell<u64>,
    tail: RefCell<Option<Tail>>,
    pub(super) start: Cell<Option<(u64, Instant)>>,
    /// A message told of bytes up to here that the stream did not have yet.
    pub expected: Cell<u64>,
    /// How often that was asked for.
    pub tries: Cell<u32>,
    /// The subscription for those who listen.
    pub sid: Cell<Option<u64>>,
    /// The tail is that of the stream, and what comes is heard.
    pub fresh: Cell<bool>,
    /// The tail has to be asked for.
    pub doubtful: Cell<bool>,
    /// Since when it is said to end before where it was.
    back: Cell<Option<Instant>>,
    listeners: Cell<usize>,
    /// Something is new for readers.
    pub changed: Rc<Bell>,
    pub(super) link: Rc<Link>,
}

impl Subject {
    pub(crate) fn new(name: String, link: Rc<Link>) -> Rc<Self> {
        Rc::new(Self {
            id: number(&name),
            name,
            serial: Cell::new(link.runtime.serial()),
            tail: RefCell::default(),
            start: Cell::new(None),
            expected: Cell::new(0),
            tries: Cell::new(0),
            sid: Cell::new(None),
            fresh: Cell::new(false),
            doubtful: Cell::new(false),
            back: Cell::new(None),
            listeners: Cell::new(0),
            changed: Rc::default(),
            link,
        })
    }

    /// Tells what caches hold.
    pub(crate) fn serial(&self) -> u64 {
        self.serial.get()
    }

    /// Where it ends, if there is anything of it.
    pub(crate) fn tail(&self) -> Option<Tail> {
        self.tail.borrow().clone()
    }

    /// The offset behind its last byte.
    pub(crate) fn end(&self) -> u64 {
        self.tail.borrow().as_ref().map_or(0, |tail| tail.end)
    }

    /// The offset of its oldest byte, as it was known last.
    pub(crate) fn start(&self) -> u64 {
        self.start.get().map_or(0, |start| start.0).min(self.end())
    }

    /// Why there is nothing to read.
    pub(crate) fn missing(&self) -> Option<Missing> {
        self.tail.borrow().is_none().then_some(Missing::Absent)
    }

    /// How many listen.
    pub(crate) fn listeners(&self) -> usize {
        self.listeners.get()
    }

    /// Listens from now on.
    pub(crate) fn listen(self: &Rc<Self>) -> Listening {
        self.listeners.set(self.listeners.get() + 1);
        self.link.work.ring();
        Listening(self.clone())
    }

    /// The connection, once there is one.
    pub(crate) async fn client(&self) -> io::Result<Rc<Client>> {
        self.within(HUB_TIME, || self.link.client()).await
    }

    /// Resolves once the tail is that of the stream, where somebody listens.
    pub(crate) async fn freshen(&self) -> io::Result<()> {
        self.within(HUB_TIME, || self.fresh.get().then_some(()))
            .await
    }

    async fn within<T>(&self, time: Duration, look: impl Fn() -> Option<T>) -> io::Result<T> {
        let mut came = self.link.came.listen();
        let there = async {
            loop {
                if let Some(found) = look() {
                    return Ok(found);
                }
                came.rung().await;
            }
        };
        let late = async {
            Timer::after(time).await;
            Err(io::Error::other(self.link.absence()))
        };
        future::or(there, late).await
    }

    /// Asks where it ends.
    pub(crate) async fn refresh(self: &Rc<Self>, client: &Client) -> Result<(), Failure> {
        self.doubtful.set(false);
        let asked = format!("$JS.API.DIRECT.GET.{STREAM}.{}", self.name);
        let reply = client.request(&asked, &[], &[]).await?;
        let Some(headers) = found(&reply)? else {
            if self.tail().is_some() && !self.is_doubted() {
                *self.tail.borrow_mut() = None;
                self.set_back();
            }
            return Ok(());
        };
        let time = headers.get("Nats-Time-Stamp");
        let time = time.and_then(|text| humantime::parse_rfc3339(text).ok());
        let tail = || {
            Some(Tail {
                end: headers.number(BYTES)?,
                cursor: headers.get(CURSOR)?.parse().ok()?,
                sequence: headers.number(SEQUENCE)?,
                time: time.unwrap_or_else(SystemTime::now),
            })
        };
        let tail = tail().ok_or_else(|| {
            Failure::Refused(format!(
                "the last message of `{}` is none of Tailcast's",
                self.name
            ))
        })?;
        let is_less = tail.end < self.end();
        if is_less && self.is_doubted() {
            return Ok(());
        }
        let is_back = is_less || self.back.get().is_some();
        let is_new = is_back || tail.end > self.end();
        if let Some(piece) = Piece::read(&headers, &reply.payload) {
            self.link.keep(self.serial(), Rc::new(piece));
        }
        *self.tail.borrow_mut() = Some(tail);
        if is_back {
            self.set_back();
        }
        if is_new {
            self.changed.ring();
        }
        Ok(())
    }

    /// Whether it is too early to believe that it ends before where it was.
    fn is_doubted(&self) -> bool {
        let since = self.back.get().unwrap_or_else(Instant::now);
        self.back.set(Some(since));
        since.elapsed() < BACK_TIME
    }

    /// Whether it was said to end before where it was, and has to be asked again.
    pub(crate) fn is_back(&self) -> bool {
        self.back.get().is_some()
    }

    /// It ended before where it was: an older copy was put back, or it was emptied. What caches
    /// hold of it may be wrong.
    fn set_back(&self) {
        self.back.set(None);
        self.serial.set(self.link.runtime.serial());
        self.start.set(None);
        self.changed.ring();
    }

    /// Takes a message that came live: it is the next one where it begins where the last one ended.
    /// Else somebody has to ask: what came may be old, or refused by the stream, or not the next
    /// one.
    pub(crate) fn hear(&self, message: &Message<'_>) {
        let Some(piece) = Piece::read(&message.headers, message.payload) else {
            return;
        };
        let fits = self.tail.borrow().as_ref().is_some_and(|tail| {
            (tail.end, tail.cursor) == (piece.start, piece.from)
                && (tail.sequence == 0 || tail.sequence == piece.previous)
        });
        if !fits || !self.fresh.get() {
            self.expected.set(self.expected.get().max(piece.end()));
            self.tries.set(0);
            self.doubtful.set(true);
            self.link.work.ring();
            return;
        }
        // Now it is known what the one before it is numbered.
        if let Some(before) = self.link.ending(self.serial(), piece.start) {
            before.sequence.set(piece.previous);
        }
        *self.tail.borrow_mut() = Some(Tail {
            end: piece.end(),
            cursor: piece.cursor,
            sequence: 0,
            time: SystemTime::now(),
        });
        self.link.keep(self.serial(), Rc::new(piece));
        self.changed.ring();
    }

    /// The place at `offset`, without a check.
    pub(crate) fn place(&self, offset: u64) -> Cursor {
        Cursor {
            inode: self.id,
            offset,
            check: None,
        }
    }

    /// What hears for it; it ends with it.
    pub(crate) fn hearer(self: &Rc<Self>) -> impl Fn(&Message<'_>) + use<> {
        let me: Weak<Self> = Rc::downgrade(self);
        move |message| {
            if let Some(me) = me.upgrade() {
                me.hear(message);
            }
        }
    }
}

/// One who listens.
pub(crate) struct Listening(Rc<Subject>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.listeners.set(self.0.listeners.get() - 1);
        self.0.link.work.ring();
    }
}

/// The number that stands for a subject in cursors: FNV-1a over 52 bits, which JavaScript can count
/// with, and never 0.
fn number(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 12) ^ (hash & 0xfff)).max(1)
}
