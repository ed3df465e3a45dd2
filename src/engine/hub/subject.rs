//! One subject as a file that grows: where it ends, what comes live, and where in the stream an offset is found.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant, SystemTime};

use futures_lite::future;
use miniserde::{Serialize, json};
use smol::Timer;

use crate::bell::Bell;
use crate::bytes::cursor::{CHECK_SPAN, Cursor, fnv1a};
use crate::engine::hub::link::Link;
use crate::engine::hub::message::Piece;
use crate::engine::nats::client::{Client, Failure};
use crate::engine::nats::jetstream::{BYTES, CURSOR, SEQUENCE, STREAM, found};
use crate::engine::nats::protocol::Message;
use crate::source::marker::Missing;

/// How long a visitor waits for a hub that is not there.
const HUB_TIME: Duration = Duration::from_secs(3);

/// How long it is believed where a subject begins, while old messages give way.
const START_TIME: Duration = Duration::from_secs(1);

/// How long it is doubted that a subject ends before where it was: in a cluster one who has not heard the last of it may
/// answer, and a board fills up again what an older copy lacks.
const BACK_TIME: Duration = Duration::from_secs(3);

/// Steps from one message to the next before the place is searched for.
const STEPS_MAX: usize = 3;

/// Where a subject ends.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    /// The offset behind its last byte.
    pub end: u64,
    /// That place in the board's file.
    pub cursor: Cursor,
    /// The sequence of its last message; 0: not known, it came live.
    sequence: u64,
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
    start: Cell<Option<(u64, Instant)>>,
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

#[derive(Serialize)]
struct NextBySubject<'a> {
    seq: u64,
    next_by_subj: &'a str,
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

    /// It ended before where it was: an older copy was put back, or it was emptied. What caches hold of it may be wrong.
    fn set_back(&self) {
        self.back.set(None);
        self.serial.set(self.link.runtime.serial());
        self.start.set(None);
        self.changed.ring();
    }

    /// Takes a message that came live: it is the next one where it begins where the last one ended. Else somebody has to ask:
    /// what came may be old, or refused by the stream, or not the next one.
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

    /// The first message of Tailcast's from `sequence` on.
    async fn ask(&self, client: &Client, mut sequence: u64) -> Result<Option<Piece>, Failure> {
        loop {
            let question = NextBySubject {
                seq: sequence,
                next_by_subj: &self.name,
            };
            let Some(piece) = self.get(client, &json::to_string(&question)).await? else {
                return Ok(None);
            };
            match piece {
                Ok(piece) => return Ok(Some(piece)),
                Err(foreign) => sequence = foreign + 1,
            }
        }
    }

    /// The message that `question` means; of one that is none of Tailcast's, its sequence.
    async fn get(
        &self,
        client: &Client,
        question: &str,
    ) -> Result<Option<Result<Piece, u64>>, Failure> {
        let asked = format!("$JS.API.DIRECT.GET.{STREAM}");
        let reply = client.request(&asked, &[], question.as_bytes()).await?;
        let Some(headers) = found(&reply)? else {
            return Ok(None);
        };
        let foreign = headers.number(SEQUENCE).unwrap_or(u64::MAX - 1);
        Ok(Some(Piece::read(&headers, &reply.payload).ok_or(foreign)))
    }

    /// The first piece that ends behind `offset`: it holds that byte, or what was there is gone. `None`: there is none yet.
    /// `near`: a message before it and the offset behind that, where one is known.
    pub(crate) async fn piece(
        self: &Rc<Self>,
        offset: u64,
        near: Option<(u64, u64)>,
    ) -> io::Result<Option<Rc<Piece>>> {
        if let Some(piece) = self.link.find(self.serial(), offset) {
            return Ok(Some(piece));
        }
        let client = self.client().await?;
        // Who waits here finds it in the cache, as a rule.
        let _turn = self.link.turns.acquire().await;
        let serial = self.serial();
        if let Some(piece) = self.link.find(serial, offset) {
            return Ok(Some(piece));
        }
        let found = self.search(&client, offset, near).await.map_err(io_error)?;
        let piece = found.map(Rc::new);
        if let Some(piece) = &piece
            && serial == self.serial()
        {
            self.link.keep(serial, piece.clone());
        }
        Ok(piece)
    }

    async fn search(
        self: &Rc<Self>,
        client: &Client,
        offset: u64,
        near: Option<(u64, u64)>,
    ) -> Result<Option<Piece>, Failure> {
        // A message that ends at `offset` or before it, and where it ends.
        let known = self.link.ending(self.serial(), offset);
        let known = known.map(|piece| (piece.sequence.get().max(piece.previous), offset));
        let near = known.or(near).filter(|near| near.1 <= offset);
        let (mut low, mut end) = near.unwrap_or((0, 0));
        for _ in 0..STEPS_MAX {
            match self.ask(client, low + 1).await? {
                Some(piece) if piece.end() <= offset => {
                    (low, end) = (piece.sequence.get(), piece.end());
                }
                found => return Ok(found),
            }
        }
        // One that begins behind it.
        self.refresh(client).await?;
        let Some(tail) = self.tail() else {
            return Ok(None);
        };
        let (mut high, mut start) = (tail.sequence, tail.end);
        let mut halve = false;
        while high > low + 1 {
            let span = u128::from(high - low - 1);
            // By the share of the bytes, for messages are of one kind; each second step by half, for sometimes they are not.
            let share = match halve {
                true => span / 2,
                false => span * u128::from(offset - end) / u128::from((start - end).max(1)),
            };
            halve = !halve;
            let guess = low + 1 + u64::try_from(share.min(span - 1)).unwrap_or(0);
            match self.ask(client, guess).await? {
                Some(piece) if piece.start > offset => (high, start) = (guess, piece.start),
                Some(piece) if piece.end() > offset => return Ok(Some(piece)),
                Some(piece) => (low, end) = (piece.sequence.get(), piece.end()),
                None => high = guess,
            }
        }
        loop {
            match self.ask(client, low + 1).await? {
                Some(piece) if piece.end() <= offset => low = piece.sequence.get(),
                found => return Ok(found),
            }
        }
    }

    /// The piece before `piece` that has bytes; `None`: it is the oldest one.
    pub(crate) async fn previous(&self, piece: &Piece) -> io::Result<Option<Rc<Piece>>> {
        if let Some(before) = self.link.ending(self.serial(), piece.start) {
            return Ok(Some(before));
        }
        let client = self.client().await?;
        let mut sequence = piece.previous;
        while sequence > 0 {
            let question = format!("{{\"seq\":{sequence}}}");
            match self.get(&client, &question).await.map_err(io_error)? {
                Some(Ok(before)) if before.bytes.is_empty() => sequence = before.previous,
                Some(Ok(before)) if before.end() == piece.start => {
                    let before = Rc::new(before);
                    self.link.keep(self.serial(), before.clone());
                    return Ok(Some(before));
                }
                _ => break,
            }
        }
        Ok(None)
    }

    /// Asks where it begins; both ends.
    pub(crate) async fn bounds(self: &Rc<Self>) -> io::Result<(u64, u64)> {
        let known = self
            .start
            .get()
            .filter(|start| start.1.elapsed() < START_TIME);
        let client = self.client().await?;
        if !self.fresh.get() {
            self.refresh(&client).await.map_err(io_error)?;
        }
        if known.is_none() {
            let first = self.ask(&client, 1).await.map_err(io_error)?;
            let start = first.map_or(self.end(), |first| first.start);
            self.start.set(Some((start, Instant::now())));
        }
        Ok((self.start(), self.end()))
    }

    /// Up to `length` bytes at `offset`, fewer only where there are no more.
    ///
    /// # Errors
    /// When the hub is away; `UnexpectedEof` where they are gone.
    pub(crate) async fn read(self: &Rc<Self>, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let at = offset + bytes.len() as u64;
            if at >= self.end() {
                break;
            }
            let Some(piece) = self.piece(at, None).await? else {
                break;
            };
            let found = piece.from(at);
            if !piece.holds(at) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes.extend_from_slice(&found[..found.len().min(length - bytes.len())]);
        }
        Ok(bytes)
    }

    /// The bytes before `offset` that a cursor's check covers, as far as they are there.
    pub(crate) async fn before(self: &Rc<Self>, offset: u64) -> io::Result<Vec<u8>> {
        let start = offset.saturating_sub(CHECK_SPAN).max(self.start());
        let length = usize::try_from(offset.saturating_sub(start)).unwrap_or(0);
        match self.read(start, length).await {
            // They have just given way.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Vec::new()),
            before => before,
        }
    }

    /// The place at `offset`, with its check where the bytes for it are there.
    pub(crate) async fn cursor(self: &Rc<Self>, offset: u64) -> io::Result<Cursor> {
        let before = self.before(offset).await?;
        let is_whole = before.len() as u64 == offset.min(CHECK_SPAN);
        Ok(Cursor {
            check: is_whole.then(|| fnv1a(&before)),
            ..self.place(offset)
        })
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

/// The number that stands for a subject in cursors: FNV-1a over 52 bits, which JavaScript can count with, and never 0.
fn number(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 12) ^ (hash & 0xfff)).max(1)
}

pub(crate) fn io_error(failure: Failure) -> io::Error {
    io::Error::other(failure.sentence())
}
