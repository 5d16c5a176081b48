//! Conditions of keys: threads and tasks wait for them, others notify some or all.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::PoisonError;

use slotpark::Clock;
use slotpark::core::{Condition, ConditionOutcome};

use super::books::{Note, Notified};
use super::{Keyed, Site};
use crate::stress::actor::{Actor, Ended};
use crate::stress::drive::{Course, Driven, Plain};
use crate::stress::tally::Operation;

impl Keyed {
    fn condition<'s>(&'s self, site: &'s Site, is_counted: bool) -> (&'s Condition, &'s Notified) {
        match is_counted {
            true => (&self.counted, &site.books.counted),
            false => (&self.all, &site.books.all),
        }
    }

    /// Holds a key and waits for one of its conditions.
    pub(super) fn wait(&self, actor: &mut Actor<'_>, number: usize) {
        let site = &self.sites[number];
        let capacity = self.lock(site).capacity();
        let Some(guard) = self.hold(actor, number, capacity) else {
            return;
        };
        self.counts(actor, site, capacity);
        site.books.give_up(capacity);
        let is_counted = !actor.one_in(4);
        let (condition, notified) = self.condition(site, is_counted);
        let (patience, at, mut held) = (actor.patience(), self.place(number), None);
        let ended = if actor.one_in(2) {
            let deadline = patience.deadline(Clock::Monotonic);
            actor.wait(Operation::WaitCondition, at, patience, || {
                let (guard, outcome) = guard.wait(condition, deadline);
                held = Some(guard);
                match outcome {
                    ConditionOutcome::Notified => Ended::Woken { token: 0 },
                    _ => Ended::TimedOut,
                }
            })
        } else {
            let course = Course::draw(actor, patience).of_plain();
            let note = &self.notes[actor.number()];
            let mut wait = Box::pin(guard.wait_async(condition));
            let mut is_noted = !is_counted;
            // Moved in: what waits is dropped before the note is.
            let wait = poll_fn(move |context| {
                let polled = wait.as_mut().poll(context);
                if polled.is_pending() && !is_noted {
                    is_noted = true;
                    set(note, Some((number, notified.lost_max())));
                }
                polled
            });
            let ended = actor.wait(Operation::WaitConditionAsync, at, patience, || match course
                .drive(pin!(Plain(Box::pin(wait))))
            {
                Driven::AtStart(guard) | Driven::Ended(guard) => {
                    held = Some(guard);
                    Ended::Woken { token: 0 }
                }
                Driven::GivenUp { .. } => Ended::GivenUp,
            });
            set(note, None);
            ended
        };
        match ended {
            Ended::Woken { .. } => notified.received(),
            Ended::GivenUp => notified.dropped(),
            _ => {}
        }
        if let Some(guard) = held {
            self.counts(actor, site, capacity);
            site.books.give_up(capacity);
            drop(guard);
        }
    }

    /// Notifies some, or all, of those who wait; holds the key, or does not.
    pub(super) fn notify(&self, actor: &mut Actor<'_>, number: usize) {
        let site = &self.sites[number];
        let guard = match actor.one_in(4) {
            true => self.hold(actor, number, 1),
            false => None,
        };
        let notified = if actor.one_in(4) {
            self.notify_all(site, false)
        } else {
            let (condition, notified) = self.condition(site, true);
            let (lock, hash, count) = (self.lock(site), self.hash(site), actor.below(1..=2));
            notified.sends(count, || lock.notify(hash, &site.key, condition, count))
        };
        drop(guard);
        actor.woke(Operation::Notify, notified);
    }

    pub(super) fn notify_all(&self, site: &Site, is_counted: bool) -> usize {
        let (condition, notified) = self.condition(site, is_counted);
        let (lock, hash) = (self.lock(site), self.hash(site));
        notified.sends(self.notes.len(), || {
            lock.notify(hash, &site.key, condition, usize::MAX)
        })
    }

    /// Nobody acts: no notification has come to nothing while somebody waited for one.
    pub(super) fn check_notes(&self) -> Result<(), String> {
        for note in &self.notes {
            let Some((number, lost_max)) = *note.lock().unwrap_or_else(PoisonError::into_inner)
            else {
                continue;
            };
            let lost = self.sites[number].books.counted.lost_max();
            if lost > lost_max {
                return Err(format!(
                    "a notification was lost: {lost} of key {number} came to nothing, all is \
                     quiet, and a task waits for one since there were {lost_max}"
                ));
            }
        }
        Ok(())
    }
}

fn set(note: &Note, what: Option<(usize, i64)>) {
    *note.lock().unwrap_or_else(PoisonError::into_inner) = what;
}
