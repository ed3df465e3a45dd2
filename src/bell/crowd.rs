//! Those who are called when a bell rings, one after another by one task, instead of being woken
//! each: to wake a thousand tasks costs as much as what each of them does then.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use futures_lite::{FutureExt, future};
use slab::Slab;
use smol::{LocalExecutor, Task};

use super::{Bell, Listener};

/// How many are called before everybody else has a turn: as long as some turns of others take.
const AT_ONCE: usize = 8;

/// One who is called.
pub(crate) trait Attend {
    /// It has rung, at least once. Nobody may be called from in here.
    fn called(&self);

    /// A bug has ended the call.
    fn failed(&self);
}

/// All of them.
#[derive(Default)]
pub(super) struct Crowd {
    seats: Slab<Rc<dyn Attend>>,
    /// Calls them, as long as there is anybody.
    calling: Option<Task<()>>,
}

/// A seat, for as long as it is kept.
pub(crate) struct Seat {
    bell: Rc<Bell>,
    number: usize,
}

impl Listener {
    /// Has `who` called from now on.
    pub(crate) fn seat(&self, who: Rc<dyn Attend>, executor: &LocalExecutor<'static>) -> Seat {
        let bell = self.bell.clone();
        let crowd = &mut *self.bell.crowd.borrow_mut();
        let number = crowd.seats.insert(who);
        // It listens from here on, not from its first turn.
        let calls = || call(bell.clone(), bell.listen()).boxed_local();
        crowd.calling.get_or_insert_with(|| executor.spawn(calls()));
        Seat { bell, number }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut crowd = self.bell.crowd.borrow_mut();
        let who = crowd.seats.remove(self.number);
        // A crowd that has gone leaves no memory behind, and no task.
        let is_last = crowd.seats.is_empty();
        let all = is_last.then(|| std::mem::take(&mut *crowd));
        drop(crowd);
        // What goes with them may be listening, too.
        drop((who, all));
    }
}

/// Calls everybody at each ring. Who is called looks for itself whether it has been there before.
async fn call(bell: Rc<Bell>, mut listener: Listener) {
    loop {
        listener.rung().await;
        let mut number = 0;
        // Nobody sits beyond it.
        while number < bell.crowd.borrow().seats.capacity() {
            for _ in 0..AT_ONCE {
                let who = bell.crowd.borrow().seats.get(number).cloned();
                number += 1;
                if let Some(who) = who
                    && catch_unwind(AssertUnwindSafe(|| who.called())).is_err()
                {
                    who.failed();
                }
            }
            future::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// One who counts its calls, and has a bug from one of them on.
    #[derive(Default)]
    struct Counts {
        calls: Cell<u32>,
        bug_at: Option<u32>,
        failures: Cell<u32>,
    }

    impl Attend for Counts {
        fn called(&self) {
            self.calls.set(self.calls.get() + 1);
            assert!(self.bug_at.is_none_or(|at| self.calls.get() < at), "a bug");
        }

        fn failed(&self) {
            self.failures.set(self.failures.get() + 1);
        }
    }

    fn settle(executor: &LocalExecutor<'_>) -> usize {
        std::iter::from_fn(|| executor.try_tick().then_some(())).count()
    }

    #[test]
    fn all_are_called_at_a_ring_and_others_have_turns_between_them() {
        let (bell, executor) = (Rc::<Bell>::default(), LocalExecutor::new());
        let listener = bell.listen();
        let all: Vec<_> = (0..3 * AT_ONCE).map(|_| Rc::<Counts>::default()).collect();
        let mut seats = Vec::new();
        for one in &all {
            seats.push(listener.seat(one.clone(), &executor));
        }
        let calls = || all.iter().map(|one| one.calls.get()).collect::<Vec<_>>();
        bell.ring();
        assert!(executor.try_tick(), "it rang before the task had a turn");
        assert_eq!(calls().iter().sum::<u32>() as usize, AT_ONCE);
        settle(&executor);
        assert_eq!(calls(), vec![1; all.len()]);
        assert_eq!(settle(&executor), 0, "nothing to do");
        bell.ring();
        bell.ring();
        settle(&executor);
        assert_eq!(calls(), vec![2; all.len()], "two rings are one call");
        drop(seats.split_off(1));
        bell.ring();
        settle(&executor);
        assert_eq!(calls().iter().sum::<u32>() as usize, 2 * all.len() + 1);
        drop(seats);
        settle(&executor);
        assert_eq!(Rc::strong_count(&bell), 2, "the bell's, the listener's");
        bell.ring();
        assert_eq!(settle(&executor), 0, "nobody is there");
        let _seat = listener.seat(all[0].clone(), &executor);
        bell.ring();
        settle(&executor);
        assert_eq!(all[0].calls.get(), 4, "and there is one again");
    }

    #[test]
    fn a_bug_that_one_meets_is_that_ones() {
        let (bell, executor) = (Rc::<Bell>::default(), LocalExecutor::new());
        let listener = bell.listen();
        let bad = Rc::new(Counts {
            bug_at: Some(2),
            ..Counts::default()
        });
        let good = Rc::<Counts>::default();
        let _seats = [
            listener.seat(bad.clone(), &executor),
            listener.seat(good.clone(), &executor),
        ];
        for ring in 1..=3 {
            bell.ring();
            settle(&executor);
            assert_eq!(good.calls.get(), ring);
            assert_eq!(bad.failures.get(), ring - 1);
        }
    }
}
