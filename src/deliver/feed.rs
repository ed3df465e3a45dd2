//! A feed: one client's transport and the reader that it is fed from, and what can be done between
//! them at once.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use smol::Timer;

use crate::bell::Listener;
use crate::deliver;
use crate::deliver::transport::{Transport, of_send};
use crate::metrics::End;
use crate::source::cache::CHUNK;
use crate::source::marker::Next;
use crate::source::reader::Reader;

/// How long the start of a line waits for its end, where lines are sent, from its first byte on.
const HALF_LINE_TIME: Duration = Duration::from_secs(1);

/// What a turn at the reader gave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// A full chunk: there is likely more.
    More,
    /// Something less, or a marker.
    Something,
    /// There is nothing, or nothing more.
    Nothing,
    /// What comes next is on the disk.
    Cold,
}

/// The one second of the start of a line.
struct HalfLine {
    /// Where the start of the line stands.
    at: u64,
    /// Until it is over.
    timer: Option<Timer>,
}

/// What is between one client and its stream.
pub(crate) struct Feed {
    shared: Rc<deliver::Context>,
    pub(super) transport: Box<dyn Transport>,
    pub(super) reader: Reader,
    /// Rings when the reader may have something new.
    pub(super) changed: Listener,
    half_line: Option<HalfLine>,
    /// What the last turn gave.
    pub(super) turn: Result<Turn, End>,
}

impl Feed {
    /// Between this client and the place where `reader` stands.
    pub(super) fn new(
        shared: Rc<deliver::Context>,
        transport: Box<dyn Transport>,
        reader: Reader,
    ) -> Self {
        Self {
            changed: reader.changed(),
            shared,
            transport,
            reader,
            half_line: None,
            turn: Ok(Turn::More),
        }
    }

    /// A turn. Where it gave something short, one more: that was most likely the end.
    pub(super) fn advance(&mut self) {
        self.turn = self.next();
        if self.turn == Ok(Turn::Something) && self.transport.is_drained() {
            self.turn = self.next();
        }
    }

    fn next(&mut self) -> Result<Turn, End> {
        let turn = self.hand_over()?;
        self.mind().map_err(of_send)?;
        Ok(turn)
    }

    /// Takes what the reader has next and hands it to the transport. Nothing awaits in here, for
    /// all clients share the read cache.
    fn hand_over(&mut self) -> Result<Turn, End> {
        let (transport, reader) = (&mut self.transport, &mut self.reader);
        if transport.more().map_err(of_send)? {
            return Ok(Turn::More);
        }
        let mut cache = self.shared.cache.borrow_mut();
        let mut turn = Turn::Something;
        let sent = match reader.next(&mut cache).map_err(|_| End::Unreadable)? {
            Next::Bytes => {
                let bytes = cache.bytes();
                let (taken, rest) = bytes.split_at(transport.most(bytes));
                if !rest.is_empty() || bytes.len() >= CHUNK {
                    turn = Turn::More;
                }
                reader.seek(reader.offset() - rest.len() as u64);
                self.shared.metrics.bytes.add(taken.len() as u64);
                transport.place(cache.place(), cache.filling());
                transport.bytes(taken)
            }
            Next::Marker(marker) => transport.marker(&marker),
            Next::Cold => return Ok(Turn::Cold),
            Next::End => return Ok(Turn::Nothing),
        };
        sent.map_err(of_send)?;
        if turn == Turn::Something && reader.is_at_end() {
            turn = Turn::Nothing;
        }
        Ok(turn)
    }

    /// Minds the second that the start of a line may wait: it begins with the first byte, whatever
    /// comes behind it, and once it is over what comes goes out at once.
    fn mind(&mut self) -> io::Result<()> {
        let Some(at) = self.transport.held() else {
            self.half_line = None;
            return Ok(());
        };
        match &self.half_line {
            Some(half) if half.at == at && half.timer.is_some() => Ok(()),
            Some(half) if half.at == at => self.transport.flush(),
            _ => {
                self.half_line = Some(HalfLine {
                    at,
                    timer: Some(Timer::after(HALF_LINE_TIME)),
                });
                Ok(())
            }
        }
    }

    /// The timer of that second, while it is not over.
    pub(super) fn half_line_timer(&mut self) -> Option<&mut Timer> {
        self.half_line.as_mut()?.timer.as_mut()
    }

    /// That second is over.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(super) fn end_half_line(&mut self) -> io::Result<()> {
        if let Some(half) = &mut self.half_line {
            half.timer = None;
        }
        self.transport.flush()
    }

    /// Whether all there is has gone out.
    pub(super) fn is_at_end(&self) -> bool {
        self.turn == Ok(Turn::Nothing) && self.transport.is_drained()
    }
}
