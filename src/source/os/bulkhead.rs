//! Questions to a file system that may never answer: a network share whose server is gone, a bus
//! that hangs. One at a time: where no answer comes, one thread hangs, not one for each who asks
//! and leaves.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future;
use smol::Timer;
use smol::lock::Mutex;

use crate::source::os::unblock::unblock;

/// How long an answer is waited for: at the door a visitor waits for it. A disk that has to spin up
/// first takes longer, and has its answer the next time.
pub(crate) const ANSWER_TIME: Duration = Duration::from_millis(500);

/// The same where nothing is known yet, and a guess would be wrong for somebody: a busy board takes
/// long to start a thread.
pub(crate) const FIRST_ANSWER_TIME: Duration = Duration::from_secs(2);

/// How long a client waits for its place. A disk that has to spin up is faster; on a share whose
/// server is gone nobody must hold the place of others.
pub(crate) const OPEN_TIME: Duration = Duration::from_secs(10);

/// Asks on another thread, one question at a time.
#[derive(Default)]
pub(crate) struct Bulkhead {
    turn: Arc<Mutex<()>>,
    /// A question was waited for in vain, and has no answer yet.
    overdue: Cell<bool>,
}

impl Bulkhead {
    /// The answer to `question`; `None` where it does not come within `time`.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        time: Duration,
        question: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if self.overdue.get() && self.turn.try_lock_arc().is_none() {
            return None;
        }
        let answer = async { Some(self.answer(question).await) };
        let late = async {
            Timer::after(time).await;
            None
        };
        let answer = future::or(answer, late).await;
        self.overdue.set(answer.is_none());
        answer
    }

    /// The answer to `question`, however long it takes. Where nobody waits for it any more, its
    /// turn ends when it comes.
    pub(crate) async fn answer<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let turn = self.turn.lock_arc().await;
        unblock(move || {
            let answer = question();
            // Kept until here, whether or not anybody still waits.
            drop(turn);
            answer
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn who_asks_where_no_answer_comes_goes_on() {
        let bulkhead = Bulkhead::default();
        let (release, released) = channel::<()>();
        smol::block_on(async {
            assert_eq!(bulkhead.ask(ANSWER_TIME, || 1).await, Some(1));
            let held = bulkhead.ask(ANSWER_TIME, move || released.recv().is_err());
            assert_eq!(held.await, None);
            assert_eq!(
                bulkhead.ask(ANSWER_TIME, || 2).await,
                None,
                "not asked beside it"
            );
            drop(release);
            drop(bulkhead.turn.lock_arc().await);
            assert_eq!(bulkhead.ask(ANSWER_TIME, || 3).await, Some(3));
        });
    }
}
