//! The pieces that were read last or came last, of all subjects of a hub, within bounds. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::engine::hub::message::Piece;

/// How much is kept, in bytes: sixteen of the largest batches, or an hour of a talkative log.
const CACHE_MAX: usize = 4 * 1024 * 1024;

/// What a piece costs beside its bytes, about.
const PIECE_COST: usize = 256;

/// Pieces by the subject and the offset behind them.
#[derive(Default)]
pub(crate) struct Cache {
    pieces: BTreeMap<(u64, u64), Rc<Piece>>,
    /// The oldest first.
    order: VecDeque<(u64, u64)>,
    held: usize,
}

impl Cache {
    /// Keeps a piece of the subject with this `serial`; the oldest ones give way to it.
    pub(crate) fn put(&mut self, serial: u64, piece: Rc<Piece>) {
        if piece.bytes.is_empty() {
            return;
        }
        let key = (serial, piece.end());
        self.held += piece.bytes.len() + PIECE_COST;
        match self.pieces.insert(key, piece) {
            Some(old) => self.held -= old.bytes.len() + PIECE_COST,
            None => self.order.push_back(key),
        }
        while self.held > CACHE_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some(old) = self.pieces.remove(&oldest) {
                self.held -= old.bytes.len() + PIECE_COST;
            }
        }
    }

    /// The piece that holds the byte at `offset`.
    pub(crate) fn find(&self, serial: u64, offset: u64) -> Option<Rc<Piece>> {
        let from = (serial, offset.checked_add(1)?);
        let (key, piece) = self.pieces.range(from..).next()?;
        (key.0 == serial && piece.holds(offset)).then(|| piece.clone())
    }

    /// The piece that ends at `offset`.
    pub(crate) fn ending(&self, serial: u64, offset: u64) -> Option<Rc<Piece>> {
        self.pieces.get(&(serial, offset)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::nats::protocol::Headers;

    fn piece(end: u64, length: usize) -> Rc<Piece> {
        let headers = format!(
            "NATS/1.0\r\nTailcast-From: 1-0\r\nTailcast-Cursor: 1-0\r\nTailcast-Bytes: {end}\r\nNats-Expected-Last-Subject-Sequence: 0\r\n\r\n"
        );
        Rc::new(Piece::read(&Headers(headers.as_bytes()), &vec![b'x'; length]).unwrap())
    }

    #[test]
    fn the_oldest_give_way() {
        let mut cache = Cache::default();
        cache.put(1, piece(10, 10));
        cache.put(1, piece(30, 10));
        cache.put(1, piece(30, 0));
        cache.put(2, piece(25, 25));
        let found = |cache: &Cache, serial, offset| cache.find(serial, offset).map(|it| it.start);
        for (serial, offset, want) in [
            (1, 0, Some(0)),
            (1, 9, Some(0)),
            (1, 10, None),
            (1, 20, Some(20)),
            (1, 30, None),
            (2, 24, Some(0)),
            (3, 0, None),
            (1, u64::MAX, None),
        ] {
            assert_eq!(found(&cache, serial, offset), want, "{offset} of {serial}");
        }
        assert!(cache.ending(1, 30).is_some() && cache.ending(1, 29).is_none());
        for part in 1..=20 {
            cache.put(3, piece(part << 18, 1 << 18));
        }
        assert_eq!(found(&cache, 1, 0), None);
        assert_eq!(found(&cache, 3, 0), None);
        assert!(found(&cache, 3, (20 << 18) - 1).is_some());
        assert!(cache.held <= CACHE_MAX && cache.pieces.len() == cache.order.len());
    }
}
