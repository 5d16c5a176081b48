//! A duel: a future waits for two keys; its own thread and another one end it at the same moment,
//! each in its own way, and exactly one of them is told that it did.

use std::cell::Cell;
use std::hint::spin_loop;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use slotpark::{Interrupter, WaitOutcome};

use super::Ends;
use crate::stress::actor::Actor;
use crate::stress::drive::Wait;
use crate::stress::planned::Key;
use crate::stress::tally::Operation;

/// How often one looks for another before it goes on without.
const LOOKS: u32 = 100;
/// How many duels follow one another, if the other one stays.
const ROUNDS: u32 = 32;
/// Somebody has taken the challenge, and waits for the start.
const TAKEN: u64 = 1;
const STARTED: u64 = 2;

/// The place where two threads meet: one at a time challenges. Relaxed: nothing travels with it.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// 0: nobody; or the key that is to be woken; or taken, or started.
    challenge: AtomicU64,
    /// What its wake returned, and one more; 0 until then.
    answer: AtomicU64,
}

impl Ring {
    /// Starts with another thread; false if none came.
    fn call(&self, key: Key) -> bool {
        if !exchange(&self.challenge, 0, key.0) {
            return false;
        }
        let is_taken = || self.challenge.load(Ordering::Relaxed) == TAKEN;
        // Taken back unless somebody comes in this moment.
        let starts = look_for(LOOKS, is_taken) || !exchange(&self.challenge, key.0, 0);
        if starts {
            self.challenge.store(STARTED, Ordering::Relaxed);
        }
        starts
    }

    /// The key of a challenge that this thread has taken, at its start.
    fn take(&self) -> Option<Key> {
        let key = self.challenge.load(Ordering::Relaxed);
        if key <= STARTED || !exchange(&self.challenge, key, TAKEN) {
            return None;
        }
        let is_started = || self.challenge.load(Ordering::Relaxed) == STARTED;
        while !look_for(LOOKS, is_started) {}
        Some(Key(key))
    }

    /// What the other's wake has returned. The ring is free again.
    fn answer(&self) -> u64 {
        let woken = Cell::new(0);
        let is_there = || {
            woken.set(self.answer.swap(0, Ordering::Relaxed));
            woken.get() > 0
        };
        while !look_for(LOOKS, is_there) {}
        self.challenge.store(0, Ordering::Relaxed);
        woken.get() - 1
    }
}

/// Looks at most `looks` times, and lets others run in between.
fn look_for(looks: u32, is_there: impl Fn() -> bool) -> bool {
    for _ in 0..looks {
        for _ in 0..64 {
            if is_there() {
                return true;
            }
            spin_loop();
        }
        std::thread::yield_now();
    }
    false
}

fn exchange(state: &AtomicU64, from: u64, to: u64) -> bool {
    let order = Ordering::Relaxed;
    state.compare_exchange(from, to, order, order).is_ok()
}

impl Ends {
    /// Takes challenges, as long as some are there.
    pub(super) fn answer(&self, actor: &mut Actor<'_>) {
        for round in 0..ROUNDS {
            let is_called = || self.ring.challenge.load(Ordering::Relaxed) > STARTED;
            if round > 0 && !look_for(LOOKS / 10, is_called) {
                return;
            }
            let Some(key) = self.ring.take() else {
                return;
            };
            let token = actor.token(0);
            let woken = self.ground.numbers.waits.wake_with_token(&key, 1, token);
            self.ring.answer.store(1 + woken as u64, Ordering::Relaxed);
            self.woken.sent(woken, token);
        }
    }

    pub(super) fn duel(&self, actor: &mut Actor<'_>) {
        for _ in 0..ROUNDS {
            if !self.duel_once(actor) {
                return;
            }
        }
    }

    /// False if nobody came.
    fn duel_once(&self, actor: &mut Actor<'_>) -> bool {
        let (waits, own) = (&self.ground.numbers.waits, 2 * actor.number());
        let keys = [self.private[own], self.private[own + 1]];
        let interrupter = Interrupter::new();
        let mut wait = pin!(waits.wait_any_async(keys, Some(&interrupter), |_| true));
        let (way, token) = (actor.below(0..4), actor.token(0));
        if wait.as_mut().enable().is_some() {
            actor.found("a duel has not begun");
            return false;
        }
        if !self.ring.call(keys[1]) {
            // Nobody has come: it is dropped.
            self.woken.spent();
            return false;
        }
        let (mine, outcome) = match way {
            0 => {
                let woken = waits.wake_with_token(&keys[0], 1, token);
                self.woken.sent(woken, token);
                (woken, WaitOutcome::Woken { token })
            }
            1 => (
                usize::from(interrupter.interrupt()),
                WaitOutcome::Interrupted,
            ),
            2 => (waits.close_key(&keys[0]), WaitOutcome::Closed),
            _ => (self.time_out(wait.as_mut()), WaitOutcome::TimedOut),
        };
        let others = self.ring.answer() as usize;
        actor.tally.row(Operation::Duel).calls += 1;
        let ended = match way {
            3 => (outcome, None),
            _ => match wait.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(ended) => (ended.parked, ended.entry),
                Poll::Pending => {
                    actor.found("a duel has ended, and the wait has not");
                    return false;
                }
            },
        };
        if let (WaitOutcome::Woken { token }, true) = (ended.0, way != 3) {
            self.woken.received(token);
        }
        let by_other = ended.1 == Some(1);
        if mine + others != 1 || (way != 3 && by_other != (others == 1)) {
            actor.found(&format!(
                "a duel at {keys:?}: one was told {mine}, the other {others}; it ended as {ended:?}"
            ));
        }
        true
    }

    /// 1 if it has timed out.
    fn time_out<W>(&self, wait: Pin<&mut W>) -> usize
    where
        W: Wait<Output = slotpark::AnyOutcome>,
    {
        match wait.give_in().parked {
            WaitOutcome::Woken { token } => {
                self.woken.received(token);
                0
            }
            _ => 1,
        }
    }
}
