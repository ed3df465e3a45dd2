//! Where in the stream an offset of a subject is found, and what stands there.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use miniserde::{Serialize, json};

use crate::bytes::cursor::{CHECK_SPAN, Cursor, fnv1a};
use crate::engine::hub::message::Piece;
use crate::engine::hub::subject::Subject;
use crate::engine::nats::client::Client;
use crate::engine::nats::failure::Failure;
use crate::engine::nats::jetstream::{SEQUENCE, STREAM, found};

/// How long it is believed where a subject begins, while old messages give way.
const START_TIME: Duration = Duration::from_secs(1);

/// Steps from one message to the next before the place is searched for.
const STEPS_MAX: usize = 3;

#[derive(Serialize)]
struct NextBySubject<'a> {
    seq: u64,
    next_by_subj: &'a str,
}

impl Subject {
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

    /// The first piece that ends behind `offset`: it holds that byte, or what was there is gone.
    /// `None`: there is none yet. `near`: a message before it and the offset behind that, where one
    /// is known.
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
            // By the share of the bytes, for messages are of one kind; each second step by half,
            // for sometimes they are not.
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
}

pub(crate) fn io_error(failure: Failure) -> io::Error {
    io::Error::other(failure.sentence())
}
