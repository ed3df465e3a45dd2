//! Places for connections: how many there are in all, and how many one address may take.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;

use event_listener::{Event, EventListener};

use crate::http::peer::network;

/// One address may take a quarter of all slots: it costs itself, and the others still find one.
const PART_OF_ALL: usize = 4;

/// The least that one address may take: the browsers of one desk, or of one household behind a
/// proxy.
const EACH_MIN: usize = 8;

/// The connections that a server has room for.
pub(crate) struct Slots {
    all: usize,
    each: usize,
    taken: Cell<usize>,
    /// The networks of those who have one, and how many of each; no more rows than slots.
    by_address: RefCell<Vec<(IpAddr, usize)>>,
    left: Event,
}

impl Slots {
    /// A server with `all` slots.
    pub(crate) fn new(all: usize) -> Rc<Self> {
        Rc::new(Self {
            all,
            each: (all / PART_OF_ALL).max(EACH_MIN),
            taken: Cell::new(0),
            by_address: RefCell::default(),
            left: Event::new(),
        })
    }

    /// A slot for a connection from `address`, until it is dropped. The board itself, a proxy on it
    /// say, may take all.
    pub(crate) fn take(self: &Rc<Self>, address: IpAddr) -> Option<Slot> {
        if self.taken.get() >= self.all {
            return None;
        }
        let counted = (!address.is_loopback()).then(|| network(address));
        if let Some(address) = counted {
            let mut by_address = self.by_address.borrow_mut();
            match by_address.iter_mut().find(|row| row.0 == address) {
                Some((_, count)) if *count >= self.each => return None,
                Some((_, count)) => *count += 1,
                None => by_address.push((address, 1)),
            }
        }
        self.taken.set(self.taken.get() + 1);
        Some(Slot {
            slots: self.clone(),
            counted,
        })
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.get()
    }

    /// Tells when the next one leaves.
    pub(crate) fn next_leaving(&self) -> EventListener {
        self.left.listen()
    }

    /// Resolves when nobody is here.
    pub(crate) async fn all_left(&self) {
        loop {
            let left = self.left.listen();
            if self.taken.get() == 0 {
                return;
            }
            left.await;
        }
    }
}

/// A connection's slot, given back when dropped.
pub(crate) struct Slot {
    slots: Rc<Slots>,
    counted: Option<IpAddr>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let slots = &self.slots;
        if let Some(address) = self.counted {
            let mut by_address = slots.by_address.borrow_mut();
            if let Some(row) = by_address.iter().position(|row| row.0 == address) {
                by_address[row].1 -= 1;
                if by_address[row].1 == 0 {
                    by_address.swap_remove(row);
                }
            }
        }
        slots.taken.set(slots.taken.get() - 1);
        slots.left.notify(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_for_each_address_and_all_for_the_board_itself() {
        let slots = Slots::new(40);
        let address = |number: u8| IpAddr::from([192, 168, 1, number]);
        let mut first: Vec<Slot> = (0..10).filter_map(|_| slots.take(address(1))).collect();
        assert_eq!(first.len(), 10);
        assert!(slots.take(address(1)).is_none());
        let second = slots.take(address(2));
        assert!(second.is_some());
        drop(first.pop());
        first.extend(slots.take(address(1)));
        assert_eq!(first.len(), 10);
        let here: Vec<Slot> = std::iter::from_fn(|| slots.take([127, 0, 0, 1].into())).collect();
        assert_eq!(here.len(), 29);
        assert!(slots.take(address(3)).is_none(), "all are taken");
        drop((first, second, here));
        assert!(slots.by_address.borrow().is_empty());
        assert_eq!(slots.taken.get(), 0);
    }

    #[test]
    fn a_neighbour_with_a_network_of_addresses_is_one() {
        let slots = Slots::new(40);
        let address = |number: u16| IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, number]);
        let taken: Vec<Slot> = (0..40).filter_map(|n| slots.take(address(n))).collect();
        assert_eq!(taken.len(), 10);
        let other = IpAddr::from([0x2001, 0xdb8, 1, 3, 0, 0, 0, 1]);
        assert!(slots.take(other).is_some());
    }

    #[test]
    fn a_small_server_gives_an_address_eight() {
        let slots = Slots::new(10);
        let taken: Vec<Slot> = std::iter::from_fn(|| slots.take([10, 0, 0, 1].into())).collect();
        assert_eq!(taken.len(), 8);
    }
}
