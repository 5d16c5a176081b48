//! A duel: a future waits for two keys; its own thread and another one end it at the same moment,
//! each in its own way, and exactly one of them is told that it did.

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
const LOOKS: u32 = 2_000;
/// Somebody has taken the challenge.
const TAKEN: u64 = 1;

/// The place where two threads meet: one at a time challenges.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// 0: nobody; or the key that is to be woken; or taken.
    challenge: AtomicU64,
    /// What its wake returned, and one more; 0 until then.
    answer: AtomicU64,
}

impl Ring {
    /// Waits for another thread; false if none came.
    fn call(&self, key: Key) -> bool {
        if !exchange(&self.challenge, 0, key.0) {
            return false;
        }
        for _ in 0..LOOKS {
            if self.challenge.load(Ordering::Acquire) == TAKEN {
                return true;
            }
            spin_loop();
        }
        // Unless somebody comes in this moment.
        !exchange(&self.challenge, key.0, 0)
    }

    /// Whether this thread is the other one.
    fn take(&self, key: u64) -> bool {
        exchange(&self.challenge, key, TAKEN)
    }

    /// What the other's wake has returned. The ring is free again.
    fn answer(&self) -> usize {
        let woken = loop {
            match self.answer.swap(0, Ordering::AcqRel).checked_sub(1) {
                Some(woken) => break woken,
                None => std::thread::yield_now(),
            }
        };
        self.challenge.store(0, Ordering::Release);
        woken as usize
    }
}

fn exchange(state: &AtomicU64, from: u64, to: u64) -> bool {
    let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
    state.compare_exchange(from, to, success, failure).is_ok()
}

impl Ends {
    /// Takes a challenge, if there is one.
    pub(super) fn answer(&self, actor: &mut Actor<'_>) {
        let key = self.ring.challenge.load(Ordering::Acquire);
        if key <= TAKEN {
            return;
        }
        let token = actor.token(0);
        if self.ring.take(key) {
            let woken = self
                .ground
                .numbers
                .waits
                .wake_with_token(&Key(key), 1, token);
            self.woken.sent(woken, token);
            self.ring.answer.store(1 + woken as u64, Ordering::Release);
        }
    }

    pub(super) fn duel(&self, actor: &mut Actor<'_>) {
        let (waits, own) = (&self.ground.numbers.waits, 2 * actor.number());
        let keys = [self.private[own], self.private[own + 1]];
        let interrupter = Interrupter::new();
        let mut wait = pin!(waits.wait_any_async(keys, Some(&interrupter), |_| true));
        let (way, token) = (actor.below(0..4), actor.token(0));
        if wait.as_mut().enable().is_some() {
            return actor.found("a duel has not begun");
        }
        if !self.ring.call(keys[1]) {
            // Nobody has come: it is dropped.
            return self.woken.spent();
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
        let others = self.ring.answer();
        actor.tally.row(Operation::Duel).calls += 1;
        let ended = match way {
            3 => (outcome, None),
            _ => match wait.poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(ended) => (ended.parked, ended.entry),
                Poll::Pending => return actor.found("a duel has ended, and the wait has not"),
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
