//! How several keys are waited for.

use std::pin::pin;

use slotpark::{Clock, Deadline};

use super::Ends;
use super::wait::{How, Wait};
use crate::stress::actor::{Actor, Ended};
use crate::stress::drive::{Course, Driven};
use crate::stress::planned::Key;
use crate::stress::scenes::try_take;
use crate::stress::stage::LANES;
use crate::stress::tally::Operation;

impl Ends {
    /// Takes a permit of one of several keys: which one, if there was one in time.
    pub(super) fn acquire(&self, actor: &mut Actor<'_>, number: usize) -> Option<usize> {
        let site = &self.sites[number];
        while !actor.is_sealed() {
            let wait = self.draw(actor, number);
            let (ended, entry) = self.wait(actor, &wait);
            let (Ended::Woken { .. } | Ended::Stale, Some(entry)) = (ended, entry) else {
                return None;
            };
            let lane = wait.lanes[entry];
            if try_take(&site.counts[lane]) {
                return Some(lane);
            }
        }
        None
    }

    fn draw(&self, actor: &mut Actor<'_>, number: usize) -> Wait<'_> {
        let mut lanes = vec![0];
        // A key may be named twice.
        for _ in 0..actor.below(0..LANES) {
            lanes.push(actor.below(1..LANES));
        }
        let own = &self.interrupters[actor.number()];
        let interrupter = actor.one_in(2).then_some(own);
        Wait::new(&self.sites[number], number, lanes, interrupter)
    }

    fn wait(&self, actor: &mut Actor<'_>, wait: &Wait<'_>) -> (Ended, Option<usize>) {
        let mut at = self.place(wait.number, &wait.lanes);
        at.interruptible = wait.interrupter.is_some();
        let (patience, by_thread) = (actor.patience(), actor.one_in(2));
        let course = Course::draw(actor, patience);
        let operation = match (by_thread, wait.interrupter) {
            (true, Some(_)) if wait.lanes.len() == 1 => Operation::WaitInterruptible,
            (true, _) => Operation::WaitAny,
            (false, _) => Operation::WaitAnyAsync,
        };
        let mut how = How::GivenUp { queued: false };
        let ended = actor.wait(operation, at, patience, || {
            how = if by_thread {
                let deadline = patience.deadline(Clock::Monotonic);
                self.wait_by_thread(wait, deadline)
            } else {
                self.wait_by_task(wait, course)
            };
            how.ended()
        });
        self.book(actor, wait, how);
        (ended, how.entry())
    }

    fn wait_by_thread(&self, wait: &Wait<'_>, deadline: Option<Deadline>) -> How {
        let waits = &self.ground.numbers.waits;
        let keys: Vec<Key> = wait.keys().collect();
        let is_empty = |entry| wait.is_empty(entry);
        match wait.interrupter {
            Some(interrupter) if keys.len() == 1 => {
                let is_empty = || wait.is_empty(0);
                let parked = waits.wait_interruptible(&keys[0], interrupter, deadline, is_empty);
                How::of_one(parked)
            }
            Some(interrupter) => {
                let ended = waits.wait_any_interruptible(&keys, interrupter, deadline, is_empty);
                How::OfThread(ended.parked, ended.entry)
            }
            None => {
                let ended = waits.wait_any(&keys, deadline, is_empty);
                How::OfThread(ended.parked, ended.entry)
            }
        }
    }

    fn wait_by_task(&self, wait: &Wait<'_>, course: Course) -> How {
        match wait.lanes.len() {
            1 => self.wait_async::<1>(wait, course),
            2 => self.wait_async::<2>(wait, course),
            3 => self.wait_async::<3>(wait, course),
            _ => self.wait_async::<4>(wait, course),
        }
    }

    fn wait_async<const N: usize>(&self, wait: &Wait<'_>, course: Course) -> How {
        let keys: [Key; N] = std::array::from_fn(|entry| wait.site.keys[wait.lanes[entry]]);
        let waits = &self.ground.numbers.waits;
        let future = waits.wait_any_async(keys, wait.interrupter, |entry| wait.is_empty(entry));
        match course.drive(pin!(future)) {
            Driven::AtStart(ended) => How::AtStart(ended.parked, ended.entry),
            Driven::Ended(ended) => How::Ended(ended.parked, ended.entry),
            Driven::GivenUp { queued } => How::GivenUp { queued },
        }
    }
}
