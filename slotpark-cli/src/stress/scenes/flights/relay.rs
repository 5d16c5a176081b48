//! Relays: one thread alone with a key, in a slot that others use. Of two futures the first leads,
//! and goes away before it has made anything: the second is its heir.

use std::future::{Future, pending, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use super::{Flights, Makes, Value};
use crate::stress::actor::Actor;
use crate::stress::drive::Rung;
use crate::stress::tally::Operation;

/// A leader that succeeds at once.
const MAKES: Makes = Makes {
    spins: 0,
    pauses: 0,
    fails: false,
    panics: false,
};

impl Flights {
    pub(super) fn relay(&self, actor: &mut Actor<'_>) {
        let key = self.private[actor.number()];
        let hash = self.numbers.hash(key);
        let mut first = Box::pin(
            self.flights
                .fly_async(hash, key, pending::<Result<Value, ()>>()),
        );
        let made = self.make(MAKES);
        let mut second = pin!(self.flights.fly_async(hash, key, ready(made)));
        let (rung, waker) = Rung::new();
        let leads = poll(first.as_mut(), Waker::noop()).is_pending();
        let is_right = leads && poll(second.as_mut(), &waker).is_pending();
        drop(first);
        // By this thread, which has dropped the leader.
        let is_woken = rung.is_rung();
        let ended = poll(second, Waker::noop());
        if !is_right || !is_woken || !matches!(ended, Poll::Ready(Ok(_))) {
            let is_ready = ended.is_ready();
            actor.found(&format!(
                "who led {key:?} has gone, and who followed it is woken: {is_woken}, and has come \
                 home: {is_ready}"
            ));
        }
        actor.tally.row(Operation::RelayOfLead).calls += 1;
    }
}

fn poll<F: Future>(future: Pin<&mut F>, waker: &Waker) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}
