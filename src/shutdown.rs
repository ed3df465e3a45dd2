//! The end of the server: a moment that all tasks may wait for.

use std::cell::Cell;

use event_listener::Event;

/// A moment that comes once and stays.
#[derive(Default)]
pub struct Shutdown {
    begun: Cell<bool>,
    event: Event,
}

impl Shutdown {
    /// Resolves when the server shuts down.
    pub async fn wait(&self) {
        let begun = self.event.listen();
        if !self.begun.get() {
            begun.await;
        }
    }

    /// Whether it does.
    pub fn has_begun(&self) -> bool {
        self.begun.get()
    }

    /// It comes.
    pub fn begin(&self) {
        self.begun.set(true);
        self.event.notify(usize::MAX);
    }
}
