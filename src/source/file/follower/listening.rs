//! Who listens to a follower: from the first to the last of them it works.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use crate::source::file::follower::Follower;

/// One who listens. The last one to go puts the follower to sleep.
pub struct Listening {
    pub(super) follower: Rc<Follower>,
    /// How often it had failed before.
    pub(super) failures: u64,
    pub(super) placed: Cell<bool>,
}

impl Listening {
    /// # Errors
    /// Where the follower has failed since.
    pub fn check(&self) -> io::Result<()> {
        if self.follower.failures.get() == self.failures {
            Ok(())
        } else {
            Err(io::Error::other("following it has failed"))
        }
    }

    /// It has its place now, and counts as a reader.
    pub fn place(&self) {
        if !self.placed.replace(true) {
            self.follower.readers.set(self.follower.readers.get() + 1);
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if self.placed.get() {
            self.follower.readers.set(self.follower.readers.get() - 1);
        }
        let left = self.follower.listeners.get() - 1;
        self.follower.listeners.set(left);
        if left == 0 {
            let chain = self.follower.chain.take();
            drop(chain);
        }
    }
}
