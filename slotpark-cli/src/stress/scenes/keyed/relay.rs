//! Relays: one thread alone with a key, in a slot that others use. Of two who wait for it, or for
//! its condition, the first is woken and goes away: then the second is.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use slotpark::core::{HoldOptions, Preference};

use super::Keyed;
use crate::stress::actor::Actor;
use crate::stress::drive::Rung;
use crate::stress::tally::Operation;

impl Keyed {
    pub(super) fn relay(&self, actor: &mut Actor<'_>) {
        let locks = actor.pick(&self.locks);
        let (lock, key) = (&locks.lock, self.private[actor.number()]);
        let (hash, condition) = (self.numbers.hash(key), &self.counted);
        let all = HoldOptions::new(lock.capacity());
        let hold = || lock.try_hold(hash, key, all);
        let (Ok(guard), is_barging) = (hold(), locks.preference == Preference::Barging) else {
            actor.found("a key that nobody else uses is held");
            return;
        };
        let mut first = Box::pin(guard.wait_async(condition));
        let mut is_right = poll(first.as_mut()).is_pending();
        let Ok(guard) = hold() else {
            actor.found("who waits for a condition holds the key");
            return;
        };
        let mut second = pin!(guard.wait_async(condition));
        is_right &= poll(second.as_mut()).is_pending();
        is_right &= lock.notify(hash, &key, condition, 1) == 1;
        // A barging lock grants nothing.
        let barging = hold().ok();
        is_right &= barging.is_some() == is_barging;
        if is_barging && actor.one_in(2) {
            is_right &= poll(first.as_mut()).is_pending();
        }
        drop(first);
        drop(barging);
        let ended = poll(second);
        if !is_right || ended.is_pending() {
            actor.found(&format!(
                "who was notified of {key:?} has gone (barging: {is_barging}), and the next one is \
                 told {ended:?}"
            ));
        }
        drop(ended);
        if lock.held(hash, &key) > 0 {
            actor.found("a key that nobody uses any more is held");
        }
        actor.tally.row(Operation::RelayOfNotification).calls += 1;
    }

    /// Of two futures that wait for a key the first is dropped when the key is released.
    pub(super) fn relay_key(&self, actor: &mut Actor<'_>) {
        let locks = actor.pick(&self.locks);
        let (lock, key) = (&locks.lock, self.private[actor.number()]);
        let (hash, all) = (self.numbers.hash(key), HoldOptions::new(lock.capacity()));
        let Ok(guard) = lock.try_hold(hash, key, all) else {
            actor.found("a key that nobody else uses is held");
            return;
        };
        let (rung, waker) = Rung::new();
        let mut first = Box::pin(lock.hold_async(hash, key, all));
        let mut second = pin!(lock.hold_async(hash, key, HoldOptions::new(1)));
        let waits = poll(first.as_mut()).is_pending();
        let mut context = Context::from_waker(&waker);
        let is_right = waits && second.as_mut().poll(&mut context).is_pending();
        drop(guard);
        drop(first);
        // By this thread, which has dropped them.
        let is_woken = rung.is_rung();
        let ended = poll(second);
        if !is_right || !is_woken || ended.is_pending() {
            actor.found(&format!(
                "who stood before another one for {key:?} has gone ({:?}), and the other one is \
                 woken: {is_woken}, and told {ended:?}",
                locks.preference
            ));
        }
        actor.tally.row(Operation::RelayOfKey).calls += 1;
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
