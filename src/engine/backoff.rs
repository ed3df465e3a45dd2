//! How long to wait before an engine is tried again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// The first wait, by count: a server that was restarted is found soon.
const FIRST: Duration = Duration::from_secs(2);

/// The longest one: a board whose engine is away all night wakes once a minute.
const LONGEST: Duration = Duration::from_secs(60);

/// Waits that double, up to a minute.
pub(crate) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// It went well: the next wait is a short one.
    pub(crate) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// The next wait: from half of what it is by count up to all of it. By chance, so that boards
    /// that lost their engine together do not come back together.
    pub(crate) fn wait(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(LONGEST);
        let chance = RandomState::new().build_hasher().finish() % 1024;
        let share = u32::try_from(chance).unwrap_or(0);
        whole / 2 + whole * share / 2048
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let mut backoff = Backoff::default();
        for whole in [2, 4, 8, 16, 32, 60, 60] {
            let wait = backoff.wait();
            let whole = Duration::from_secs(whole);
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
        }
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
    }
}
