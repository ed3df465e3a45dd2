//! The end of the server: a moment that comes once and stays. A leaf.

use std::cell::Cell;
use std::rc::Rc;

use crate::bell::{Bell, Listener};

/// The moment at which the server shuts down.
#[derive(Default)]
pub(crate) struct Shutdown {
    begun: Cell<bool>,
    bell: Rc<Bell>,
}

impl Shutdown {
    /// Resolves when the server shuts down.
    pub(crate) async fn wait(&self) {
        let mut bell = self.bell.listen();
        while !self.begun.get() {
            bell.rung().await;
        }
    }

    /// Rings when it does: for who waits for several things at once.
    pub(crate) fn listen(&self) -> Listener {
        self.bell.listen()
    }

    /// Whether it does.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.get()
    }

    /// It comes.
    pub(crate) fn begin(&self) {
        self.begun.set(true);
        self.bell.ring();
    }
}
