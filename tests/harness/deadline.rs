//! Waiting for an event under a deadline, never for time.

use std::time::{Duration, Instant};

/// Long enough for a debug build on a busy machine or under an emulator; only a failing test ever
/// waits it out.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Between two looks at something that cannot wake us.
const LOOK: Duration = Duration::from_millis(10);

/// Looks until `look` finds something; panics with `what` was waited for when the deadline is over.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            Instant::now() < end,
            "waited {DEADLINE:?} in vain for {what}"
        );
        std::thread::sleep(LOOK);
    }
}

/// Looks until `look` is true.
pub fn until_true(what: &str, mut look: impl FnMut() -> bool) {
    until(what, || look().then_some(()));
}
