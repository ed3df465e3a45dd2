//! What all subjects of a hub share: the connection, and what was read over it.

use std::cell::RefCell;
use std::rc::Rc;

use smol::lock::Semaphore;

use crate::bell::Bell;
use crate::engine::hub::cache::Cache;
use crate::engine::hub::message::Piece;
use crate::engine::nats::client::Client;
use crate::engine::status::{State, Status};
use crate::source::Runtime;

/// Pieces that are asked for at once: each may have 256 KiB, and they come over one connection.
const TURNS: usize = 8;

/// The connection, and what was read over it.
pub(crate) struct Link {
    client: RefCell<Option<Rc<Client>>>,
    /// The connection is there, or a subject is known as it is.
    pub came: Rc<Bell>,
    /// Somebody begins or ceases to listen, or a subject's end is doubtful.
    pub work: Rc<Bell>,
    cache: RefCell<Cache>,
    /// Who may ask for a piece.
    pub turns: Semaphore,
    /// What all sources share.
    pub runtime: Runtime,
    /// How it goes.
    pub status: Rc<Status>,
}

impl Link {
    pub(crate) fn new(runtime: Runtime, status: Rc<Status>) -> Self {
        Self {
            client: RefCell::default(),
            came: Rc::default(),
            work: Rc::default(),
            cache: RefCell::default(),
            turns: Semaphore::new(TURNS),
            runtime,
            status,
        }
    }

    /// The connection, if there is one.
    pub(crate) fn client(&self) -> Option<Rc<Client>> {
        self.client.borrow().clone()
    }

    /// There is another one, or none.
    pub(crate) fn set_client(&self, client: Option<Rc<Client>>) {
        *self.client.borrow_mut() = client;
        self.came.ring();
    }

    /// In a sentence, that there is none.
    pub(crate) fn absence(&self) -> String {
        match self.status.state().0 {
            State::Away(cause) => format!("`{}` is away: {cause}", self.status.name),
            _ => format!("`{}` does not answer", self.status.name),
        }
    }

    /// Keeps a piece of the subject with this `serial`.
    pub(crate) fn keep(&self, serial: u64, piece: Rc<Piece>) {
        self.cache.borrow_mut().put(serial, piece);
    }

    /// The piece that holds the byte at `offset`, if it is kept.
    pub(crate) fn find(&self, serial: u64, offset: u64) -> Option<Rc<Piece>> {
        self.cache.borrow().find(serial, offset)
    }

    /// The piece that ends at `offset`, if it is kept.
    pub(crate) fn ending(&self, serial: u64, offset: u64) -> Option<Rc<Piece>> {
        self.cache.borrow().ending(serial, offset)
    }
}
