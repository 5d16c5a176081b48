//! Keys are held: by threads and tasks, one or several, more and less of them.

use std::pin::pin;
use std::sync::atomic::Ordering;

use slotpark::Clock;
use slotpark::core::{HoldError, HoldOptions, Merge, Wanted};

use super::{Guard, Keyed, Site};
use crate::stress::actor::{Actor, Ended};
use crate::stress::drive::{Course, Driven, Plain};
use crate::stress::planned::panic_as_planned;
use crate::stress::tally::Operation;

/// The most keys that are held at once.
const MANY_MAX: usize = 4;

impl Keyed {
    /// Waits for so much of a key, as a thread or as a task.
    pub(super) fn hold(
        &self,
        actor: &mut Actor<'_>,
        number: usize,
        amount: u32,
    ) -> Option<Guard<'_>> {
        let site = &self.sites[number];
        let (lock, hash) = (self.lock(site), self.hash(site));
        let (patience, mut held) = (actor.patience(), None);
        if actor.one_in(2) {
            let deadline = patience.deadline(Clock::Monotonic);
            let options = HoldOptions::new(amount).deadline(deadline);
            actor.wait(Operation::Hold, self.place(number), patience, || {
                told(lock.hold(hash, site.key, options), &mut held)
            });
        } else {
            let course = Course::draw(actor, patience).of_plain();
            let hold = Box::pin(lock.hold_async(hash, site.key, HoldOptions::new(amount)));
            actor.wait(
                Operation::HoldAsync,
                self.place(number),
                patience,
                || match course.drive(pin!(Plain(hold))) {
                    Driven::AtStart(ended) | Driven::Ended(ended) => told(ended, &mut held),
                    Driven::GivenUp { .. } => Ended::GivenUp,
                },
            );
        }
        held
    }

    /// In the frame of a closure, which may panic.
    pub(super) fn with(&self, actor: &mut Actor<'_>, number: usize) {
        let site = &self.sites[number];
        let (lock, hash) = (self.lock(site), self.hash(site));
        let amount = actor.below(1..=lock.capacity());
        let (patience, spins, panics) = (actor.patience(), actor.below(0..64), actor.one_in(16));
        let deadline = patience.deadline(Clock::Monotonic);
        let options = HoldOptions::new(amount).deadline(deadline);
        let mut is_right = true;
        actor.wait(Operation::HoldWith, self.place(number), patience, || {
            let held = lock.with(hash, &site.key, options, || {
                is_right = site.books.hold(amount, lock.capacity(), spins);
                site.books.give_up(amount);
                if panics {
                    panic_as_planned();
                }
            });
            told(held, &mut None)
        });
        if !is_right {
            actor.found(&format!("more is held than there is: {:?}", site.books));
        }
    }

    /// Holds a key, and then perhaps more or less of it.
    pub(super) fn hold_and_change(&self, actor: &mut Actor<'_>, number: usize) {
        let site = &self.sites[number];
        let capacity = self.lock(site).capacity();
        let amount = actor.below(1..=capacity);
        let Some(mut guard) = self.hold(actor, number, amount) else {
            return;
        };
        self.counts(actor, site, amount);
        match actor.below(0..6) {
            0 => {
                site.books.give_up(amount - 1);
                guard.shrink(1);
                self.counts(actor, site, 0);
                site.books.give_up(1);
            }
            1 | 2 => {
                let more = actor.below(0..=capacity - amount);
                let grown = self.grow(actor, (number, site), &mut guard, more);
                self.counts(actor, site, grown);
                if guard.amount() != amount + grown {
                    actor.found("a guard does not hold what it was told");
                }
                site.books.give_up(amount + grown);
            }
            _ => site.books.give_up(amount),
        }
        drop(guard);
    }

    /// How much it has grown.
    fn grow(
        &self,
        actor: &mut Actor<'_>,
        (number, site): (usize, &Site),
        guard: &mut Guard<'_>,
        more: u32,
    ) -> u32 {
        if actor.one_in(4) || site.books.growing.swap(true, Ordering::Relaxed) {
            return if guard.try_grow(more) { more } else { 0 };
        }
        let (patience, at) = (actor.patience(), self.place(number));
        let ended = if actor.one_in(2) {
            let deadline = patience.deadline(Clock::Monotonic);
            actor.wait(Operation::Grow, at, patience, || {
                told(guard.grow(more, deadline), &mut None)
            })
        } else {
            let course = Course::draw(actor, patience).of_plain();
            actor.wait(Operation::GrowAsync, at, patience, || {
                match course.drive(pin!(Plain(Box::pin(guard.grow_async(more))))) {
                    Driven::AtStart(()) | Driven::Ended(()) => Ended::Woken { token: 0 },
                    Driven::GivenUp { .. } => Ended::GivenUp,
                }
            })
        };
        site.books.growing.store(false, Ordering::Relaxed);
        match ended {
            Ended::Woken { .. } => more,
            _ => 0,
        }
    }

    /// Some keys of one lock at once.
    pub(super) fn many(&self, actor: &mut Actor<'_>, number: usize) {
        let kind = self.sites[number].lock;
        let lock = &self.locks[kind].lock;
        let mut numbers = vec![number];
        let sites = self.sites.iter().enumerate();
        let of_kind = sites.filter(|(_, site)| site.lock == kind);
        let of_kind: Vec<usize> = of_kind.map(|(number, _)| number).collect();
        for _ in 0..actor.below(1..MANY_MAX) {
            let other = *actor.pick(&of_kind);
            if !numbers.contains(&other) {
                numbers.push(other);
            }
        }
        let named: Vec<(&Site, u32)> = numbers
            .iter()
            .map(|number| (&self.sites[*number], actor.below(1..=lock.capacity())))
            .collect();
        let wanted: Vec<_> = named
            .iter()
            .map(|(site, amount)| Wanted::new(self.hash(site), site.key, *amount))
            .collect();
        let (patience, at, mut held) = (actor.patience(), self.place(number), None);
        if actor.one_in(2) {
            let deadline = patience.deadline(Clock::Monotonic);
            actor.wait(Operation::HoldMany, at, patience, || {
                told(lock.hold_many(wanted, Merge::Max, deadline), &mut held)
            });
        } else {
            let course = Course::draw(actor, patience).of_plain();
            actor.wait(Operation::HoldManyAsync, at, patience, || {
                let Ok(hold) = lock.hold_many_async(wanted, Merge::Max) else {
                    unreachable!("a full pool allocates");
                };
                match course.drive(pin!(Plain(Box::pin(hold)))) {
                    Driven::AtStart(ended) | Driven::Ended(ended) => told(ended, &mut held),
                    Driven::GivenUp { .. } => Ended::GivenUp,
                }
            });
        }
        let Some(held) = held else {
            return;
        };
        for (site, amount) in &named {
            self.counts(actor, site, *amount);
        }
        for (site, amount) in &named {
            site.books.give_up(*amount);
        }
        drop(held);
    }
}

fn told<T>(ended: Result<T, HoldError>, held: &mut Option<T>) -> Ended {
    match ended {
        Ok(guard) => {
            *held = Some(guard);
            Ended::Woken { token: 0 }
        }
        Err(HoldError::TimedOut) => Ended::TimedOut,
        Err(error) => unreachable!("a full pool allocates: {error}"),
    }
}
