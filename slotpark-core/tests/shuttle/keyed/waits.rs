//! Waits for conditions of a key, and notifications.

use std::cell::Cell;
use std::future::{Future, poll_fn};

use slotpark_core::{Condition, ConditionOutcome};

use super::books::Notified;
use super::program::Which;
use super::{Guard, World, at};
use crate::crew::Plan;
use crate::oracle;

impl World {
    fn condition(&self, key: usize, which: Which) -> (&Condition, &Notified) {
        match which {
            Which::Counted { .. } => (&self.counted, &self.books.counted[key]),
            Which::All => (&self.all, &self.books.all[key]),
        }
    }

    pub(super) fn wait(&self, key: usize, which: Which, deadline: Option<u64>) {
        let Some(guard) = self.hold(key, self.capacity, None) else {
            return;
        };
        self.books.hold(key, self.capacity, self.capacity, 0);
        self.books.give_up(key, self.capacity);
        let (condition, books) = self.condition(key, which);
        let wait = || guard.wait(condition, deadline.map(at));
        let (guard, outcome) = match deadline {
            Some(_) => wait(),
            None => self.crew.waits(wait),
        };
        if outcome == ConditionOutcome::Notified {
            books.received();
            oracle::saw("a thread was notified", 1);
        } else {
            assert!(deadline.is_some(), "nobody asked for that");
            oracle::saw("a thread was not notified in time", 1);
        }
        self.held_again(key, guard);
    }

    pub(super) fn wait_task(&self, key: usize, which: Which, plan: Plan) {
        let Some(guard) = self.hold(key, self.capacity, None) else {
            return;
        };
        let (condition, books) = self.condition(key, which);
        self.books.hold(key, self.capacity, self.capacity, 0);
        self.books.give_up(key, self.capacity);
        let is_counted = which != Which::All;
        let number = Cell::new(None);
        let mut wait = Box::pin(guard.wait_async(condition));
        let wait = poll_fn(|context| {
            let polled = wait.as_mut().poll(context);
            if is_counted && polled.is_pending() && number.get().is_none() {
                number.set(Some(self.books.queued(key)));
            }
            polled
        });
        let ended = self.crew.follow(Box::pin(wait), plan);
        match ended {
            Some(guard) => {
                books.received();
                oracle::saw("a task was notified", 1);
                self.held_again(key, guard);
            }
            None => books.dropped(),
        }
        if let Some(number) = number.get() {
            self.books.gone(number);
        }
    }

    fn held_again(&self, key: usize, guard: Guard<'_>) {
        self.books.hold(key, self.capacity, self.capacity, 1);
        self.books.give_up(key, self.capacity);
        drop(guard);
    }

    pub(super) fn notify(&self, key: usize, which: Which, holds: bool) {
        let (condition, books) = self.condition(key, which);
        let count = match which {
            Which::Counted { count } => count,
            Which::All => usize::MAX,
        };
        let hash = self.hashes[key];
        // Nobody else waits than the threads of the program.
        let count_max = count.min(100);
        let notify = || books.sends(count_max, || self.lock.notify(hash, &key, condition, count));
        if !holds {
            oracle::saw("a notification was counted", notify());
            return;
        }
        if let Some(guard) = self.hold(key, 1, None) {
            self.books.hold(key, 1, self.capacity, 1);
            oracle::saw("a holder's notification was counted", notify());
            self.books.give_up(key, 1);
            drop(guard);
        }
    }
}
