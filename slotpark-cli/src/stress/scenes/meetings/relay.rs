//! Relays: one thread alone with a key, in a slot that others use. Of two members the first waits,
//! and the second goes: then the first has passed, and leads.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use slotpark::core::BarrierOutcome;

use super::Meetings;
use crate::stress::actor::Actor;
use crate::stress::drive::Rung;
use crate::stress::tally::Operation;

impl Meetings {
    pub(super) fn relay(&self, actor: &mut Actor<'_>) {
        let key = self.private[actor.number()];
        let hash = self.numbers.hash(key);
        let register = || self.barriers.register(hash, key);
        let (Ok(mut first), Ok(second)) = (register(), register()) else {
            actor.found("a full pool allocates");
            return;
        };
        let (rung, waker) = Rung::new();
        let mut wait = pin!(first.wait_async());
        let waits = poll(wait.as_mut(), &waker).is_pending();
        drop(second);
        // By this thread, which has dropped the member.
        let is_woken = rung.is_rung();
        let ended = poll(wait, Waker::noop());
        if !waits || !is_woken || ended != Poll::Ready(BarrierOutcome::Leader) {
            actor.found(&format!(
                "the last member that was awaited at {key:?} has gone, and who waits is woken: \
                 {is_woken}, and told {ended:?}"
            ));
        }
        actor.tally.row(Operation::RelayOfPhase).calls += 1;
    }
}

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}
