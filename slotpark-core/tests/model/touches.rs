//! What is done to the tasks of a program, on the table and in the model.

use std::rc::Rc;

use slotpark_core::Platform;

use crate::expected::Start;
use crate::host;
use crate::machine::Machine;
use crate::outcomes::{Ended, Progress};
use crate::program::{Manner, Plan, Touch};
use crate::waits::Who;

impl<P: Platform> Machine<'_, P> {
    pub(crate) fn add_task(&mut self, plan: &Plan, panicking: Option<u8>) {
        let (Manner::Task(first) | Manner::TaskAny(first)) = plan.manner else {
            unreachable!("no task: {plan:?}");
        };
        let who = self.who(plan);
        let task = who.wait;
        self.guests.add(who, host::now_ns());
        self.touch(task, first, panicking);
    }

    pub(crate) fn which_task(&self, who: usize) -> Option<u64> {
        let is_told = |task: &u64| {
            let wait = self.expected.waits.get(task);
            wait.is_some_and(|wait| wait.told.is_some())
        };
        let all: Vec<u64> = self.guests.tasks.keys().copied().collect();
        let told: Vec<u64> = all.iter().copied().filter(is_told).collect();
        let tasks = if who % 2 == 0 || told.is_empty() {
            all
        } else {
            told
        };
        tasks.get(who / 2 % tasks.len().max(1)).copied()
    }

    /// Does something to a task.
    pub(crate) fn touch(&mut self, task: u64, touch: Touch, panicking: Option<u8>) {
        let who = self.guests.tasks[&task].who.clone();
        let (interrupter, asked) = (who.interrupter, &who.asked);
        let is_queued = self.expected.waits.contains_key(&task);
        let begins = !is_queued && matches!(touch, Touch::Enable | Touch::Poll(_));
        let is_used = |at: usize| self.expected.interrupters[at].user.is_some();
        if begins && interrupter.is_some_and(is_used) {
            return;
        }
        let is_told = is_queued && self.expected.waits[&task].told.is_some();
        let before = self.expected.waits.get(&task).cloned();
        let (found, panicked) = host::comparing(panicking, || self.guests.touch(task, touch));
        self.seen.when("a comparison panicked", panicked);
        let panicked_at = panicked.then(|| asked.borrow().len());
        let expected = self.expect_touch(&who, touch, panicked_at);
        assert_eq!(found, expected, "{touch:?} of task {task}");
        if touch != Touch::Drop {
            let entries = self.expected.asked.entry(task).or_default();
            assert_eq!(*asked.borrow(), *entries, "task {task} validates");
        }
        self.tally(expected);
        let is_moved = before.as_ref().is_some_and(|wait| wait.is_moved);
        let ended = expected.ended();
        let is_woken = matches!(ended, Some(Ended::Woken(_)));
        let seen = &mut *self.seen;
        seen.when("a task was woken", is_woken);
        seen.when("a task was woken after a move", is_woken && is_moved);
        seen.when("a task timed out", ended == Some(Ended::TimedOut));
        seen.when("a task panicked", ended == Some(Ended::Panicked));
        seen.when("a task was dropped while it waited", {
            touch == Touch::Drop && is_queued && !is_told
        });
        seen.when("a chosen task was dropped", touch == Touch::Drop && is_told);
        let is_again =
            begins && expected == Progress::Waits && asked.borrow().len() > 2 * who.plan.keys.len();
        seen.when("a task waited again", is_again);
        let waker = before.filter(|_| expected == Progress::Waits);
        if let (Touch::Poll(bell), Some(wait)) = (touch, waker) {
            seen.when("a Waker stayed", wait.waker == Some(bell));
            seen.when("a Waker was replaced", wait.waker != Some(bell));
        }
    }

    /// In the model.
    fn expect_touch(&mut self, who: &Who, touch: Touch, panicked_at: Option<usize>) -> Progress {
        let (task, expected) = (who.wait, &mut self.expected);
        let is_queued = expected.waits.contains_key(&task);
        let waker = match touch {
            Touch::Drop => {
                let is_whole = panicked_at.is_none();
                if is_queued {
                    expected.drop_out(task, Ended::Left, !is_whole);
                }
                expected.asked.remove(&task);
                expected.rings.remove(&task);
                let panicked = Progress::Ended(Ended::Panicked.into());
                return if is_whole {
                    Progress::Dropped
                } else {
                    panicked
                };
            }
            Touch::TimeOut => return expected.time_out_task(task),
            Touch::Enable => None,
            Touch::Poll(bell) => Some(bell),
        };
        if !is_queued {
            let start = Start {
                plan: Rc::clone(&who.plan),
                interrupter: who.interrupter,
                waker,
                now: host::now_ns(),
                panicked_at,
            };
            let ended = expected.begin(task, &start);
            return ended.map_or(Progress::Waits, Progress::Ended);
        }
        if waker.is_none() {
            return Progress::Waits;
        }
        if let Some(ended) = expected.end_task(task) {
            return ended;
        }
        if let Some(wait) = expected.waits.get_mut(&task) {
            wait.waker = waker;
        }
        Progress::Waits
    }
}
