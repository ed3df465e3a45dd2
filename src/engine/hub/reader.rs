//! One client's way through a subject: an offset.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_lite::FutureExt;
use smol::Timer;

use crate::bell::Listener;
use crate::bytes::cursor::{Cursor, From};
use crate::bytes::lines::{LastLines, LineEnd};
use crate::engine::hub::message::Piece;
use crate::engine::hub::search::io_error;
use crate::engine::hub::subject::{Listening, Subject};
use crate::source::cache::{CHUNK, ReadCache};
use crate::source::marker::{Lost, Marker, Next};
use crate::source::remote::{Fetched, RemoteReader};

/// How long a cursor that lies behind the end is waited for: another hub may have heard of a
/// message a moment before us.
const AHEAD_TIME: Duration = Duration::from_secs(2);

/// How often it is asked meanwhile.
const AHEAD_STEP: Duration = Duration::from_millis(100);

/// How often a hub that is away is asked for what was asked for.
const AWAY_STEP: Duration = Duration::from_millis(500);

/// How many bytes a poll gives at most, about: they all have to be fetched before the first goes
/// out.
const POLL_MAX: u64 = 1024 * 1024;

/// A place in a subject.
pub(crate) struct HubReader {
    subject: Rc<Subject>,
    offset: u64,
    /// A message before it and the offset behind that.
    near: Option<(u64, u64)>,
    /// The same place in the board's file, by inode and offset, where it is known: two pieces that
    /// meet must agree on it.
    board: Option<(u64, u64)>,
    told: VecDeque<Marker>,
    /// What happened before this offset was told.
    told_at: Option<u64>,
    only_bytes: bool,
    /// Fetched for the next step.
    warmed: Option<Rc<Piece>>,
    _listening: Listening,
}

impl HubReader {
    /// Takes the place that `from` means.
    pub(crate) async fn open(subject: &Rc<Subject>, from: From) -> io::Result<Self> {
        let listening = subject.listen();
        subject.freshen().await?;
        let (start, end) = subject.bounds().await?;
        let mut reader = Self {
            subject: subject.clone(),
            offset: end,
            near: None,
            board: None,
            told: VecDeque::new(),
            told_at: None,
            only_bytes: false,
            warmed: None,
            _listening: listening,
        };
        match from {
            From::Start => reader.offset = start,
            From::End => {}
            From::Lines(count) => reader.offset = line_start(subject, count).await?,
            From::Cursor(cursor) => reader.resume(cursor).await?,
        }
        Ok(reader)
    }

    async fn resume(&mut self, cursor: Cursor) -> io::Result<()> {
        if cursor == Cursor::NOWHERE {
            self.offset = self.subject.start();
            return Ok(());
        }
        if cursor.inode == self.subject.id {
            let deadline = Instant::now() + AHEAD_TIME;
            while cursor.offset > self.subject.end() && Instant::now() < deadline {
                Timer::after(AHEAD_STEP).await;
                let client = self.subject.client().await?;
                self.subject.refresh(&client).await.map_err(io_error)?;
            }
        }
        let start = self.subject.start();
        let lost = match cursor.offset {
            _ if cursor.inode != self.subject.id => Some(None),
            offset if offset > self.subject.end() => Some(None),
            offset if offset < start => Some(Some(start - offset)),
            _ if self.differs(cursor).await? => Some(None),
            _ => None,
        };
        self.offset = match lost {
            None => cursor.offset,
            Some(bytes) => {
                let here = self.subject.place(start);
                self.told.push_back(Marker::Lost(here, bytes));
                start
            }
        };
        Ok(())
    }

    async fn differs(&self, cursor: Cursor) -> io::Result<bool> {
        let Some(check) = cursor.check else {
            return Ok(false);
        };
        let here = self.subject.cursor(cursor.offset).await?.check;
        // Where the bytes for it have given way nobody can tell.
        Ok(here.is_some_and(|here| here != check))
    }

    /// What was at `offset` of the subject is not what this reader came from.
    fn lose(&mut self, offset: u64, bytes: Option<u64>) {
        self.offset = offset;
        self.board = None;
        self.told
            .push_back(Marker::Lost(self.subject.place(offset), bytes));
    }

    /// Goes on to what `piece`, the next one, has here. `false`: there is something to be told
    /// first.
    fn enter(&mut self, piece: &Piece) -> bool {
        if piece.start > self.offset {
            let gone = piece.start - self.offset;
            self.lose(piece.start, Some(gone));
            return false;
        }
        if self
            .board
            .is_some_and(|board| board != piece.place(self.offset))
        {
            // The subject was emptied and has grown anew.
            self.lose(self.offset, None);
            return false;
        }
        self.board = Some(piece.place(self.offset));
        if self.offset == piece.start && self.told_at != Some(self.offset) {
            self.told_at = Some(self.offset);
            if !self.only_bytes {
                self.told
                    .extend(piece.markers(self.subject.place(self.offset)));
            }
        }
        self.told.is_empty()
    }

    /// Ahead of a subject that was set back: whether it is on its way here again.
    fn is_awaited(&self) -> bool {
        let (Some(board), Some(tail)) = (self.board, self.subject.tail()) else {
            return false;
        };
        tail.cursor.inode == board.0 && tail.cursor.offset < board.1
    }

    async fn fetch(&mut self) -> io::Result<()> {
        let piece = self.subject.piece(self.offset, self.near).await?;
        match piece {
            Some(piece) => self.warmed = Some(piece),
            // Its end was believed to be further on.
            None => {
                let client = self.subject.client().await?;
                self.subject.refresh(&client).await.map_err(io_error)?;
                Timer::after(AHEAD_STEP).await;
            }
        }
        Ok(())
    }

    async fn measure(&mut self) -> io::Result<(u64, Lost)> {
        let mut lost = Lost::Nothing;
        while let Some(marker) = self.told.pop_front() {
            lost = lost.and(&marker);
        }
        let mut at = self.offset;
        while at < self.subject.end() && at - self.offset < POLL_MAX {
            let Some(piece) = self.subject.piece(at, self.near).await? else {
                break;
            };
            if at == self.offset {
                if !self.enter(&piece) {
                    at = self.offset;
                    while let Some(marker) = self.told.pop_front() {
                        lost = lost.and(&marker);
                    }
                    continue;
                }
            } else if piece.start > at || piece.is_marked() {
                break;
            }
            at = piece.end();
        }
        Ok((at - self.offset, lost))
    }
}

impl RemoteReader for HubReader {
    fn next(&mut self, cache: &mut ReadCache) -> Next {
        loop {
            if let Some(marker) = self.told.pop_front() {
                return Next::Marker(marker);
            }
            let end = self.subject.end();
            if self.offset > end && !self.is_awaited() {
                self.lose(self.subject.start(), None);
                continue;
            }
            if self.offset >= end {
                return Next::End;
            }
            let serial = self.subject.serial();
            let kept = self.subject.link.find(serial, self.offset);
            let Some(piece) = kept.or_else(|| self.warmed.take()) else {
                return Next::Cold;
            };
            self.warmed = None;
            if piece.end() <= self.offset {
                return Next::Cold;
            }
            if !self.enter(&piece) {
                continue;
            }
            if !cache.holds(serial, self.offset) {
                let bytes = piece.from(self.offset);
                cache.put(serial, self.offset, &bytes[..bytes.len().min(CHUNK)]);
            }
            self.offset += cache.bytes().len() as u64;
            self.board = Some(piece.place(self.offset));
            if self.offset == piece.end() {
                self.near = Some((piece.sequence.get().max(piece.previous), piece.start));
            }
            return Next::Bytes;
        }
    }

    fn warm(&mut self) -> Fetched<'_, io::Result<()>> {
        async move {
            match self.fetch().await {
                // Until it is back, nobody is told more than that nothing comes.
                Err(error) if error.kind() == io::ErrorKind::Other => {
                    Timer::after(AWAY_STEP).await;
                    Ok(())
                }
                fetched => fetched,
            }
        }
        .boxed_local()
    }

    fn changed(&self) -> Listener {
        self.subject.changed.listen()
    }

    fn size(&self) -> u64 {
        self.subject.end()
    }

    fn seek(&mut self, offset: u64) {
        if offset != self.offset {
            self.offset = offset;
            self.board = None;
            self.warmed = None;
        }
    }

    fn start(&self) -> u64 {
        self.subject.start()
    }

    fn offset(&self) -> u64 {
        self.offset
    }

    fn cursor_behind(&self, length: u64) -> Fetched<'_, io::Result<Cursor>> {
        self.subject.cursor(self.offset + length).boxed_local()
    }

    fn before(&self) -> Fetched<'_, io::Result<Vec<u8>>> {
        self.subject.before(self.offset).boxed_local()
    }

    fn available(&mut self) -> Fetched<'_, io::Result<(u64, Lost)>> {
        self.measure().boxed_local()
    }

    fn only_bytes(&mut self) {
        self.only_bytes = true;
    }
}

/// Where the last `count` lines begin; where fewer are there whole, the first one of these.
async fn line_start(subject: &Rc<Subject>, count: u64) -> io::Result<u64> {
    let end = subject.end();
    let mut lines = LastLines::new(count, LineEnd::Newline);
    let mut piece = match end.checked_sub(1) {
        Some(last) => subject.piece(last, None).await?,
        None => None,
    };
    let mut start = end;
    while let Some(this) = piece {
        // It may have grown since.
        let length = usize::try_from(start.saturating_sub(this.start)).unwrap_or(0);
        if let Some(at) = lines.feed(&this.bytes[..length.min(this.bytes.len())]) {
            return Ok(this.start + at as u64);
        }
        start = this.start;
        piece = subject.previous(&this).await?;
        futures_lite::future::yield_now().await;
    }
    if start == 0 {
        return Ok(0);
    }
    // The oldest bytes are most often the end of a line whose start is gone; batches end where
    // lines do.
    Ok(start.min(end))
}
