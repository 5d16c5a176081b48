//! Relays: one thread alone with a semaphore, in a slot that others use. Who gives up hands on what
//! it stood before, or had been granted.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use slotpark::core::RawSemaphore;

use super::Semaphores;
use crate::stress::actor::Actor;
use crate::stress::tally::Operation;

impl Semaphores {
    /// The first of two futures that wait is dropped: the second has its permit.
    pub(super) fn relay(&self, actor: &mut Actor<'_>) {
        let is_barging = actor.one_in(2);
        let is_granted = actor.one_in(2);
        let key = self.private[actor.number()];
        let semaphore = match is_barging {
            true => RawSemaphore::barging(usize::from(!is_granted)),
            false => RawSemaphore::new(usize::from(!is_granted)),
        };
        let at = self.at_key(key);
        // The first is granted one that comes, or wants more than is there.
        let first_wants = if is_granted { 1 } else { 2 };
        let mut first = Box::pin(semaphore.acquire_async(at, first_wants));
        let mut second = pin!(semaphore.acquire_async(at, 1));
        let waits = poll(first.as_mut()).is_pending();
        // One permit is free, but a barging one takes it at once.
        let takes = poll(second.as_mut());
        let mut is_right = waits && takes.is_ready() == (is_barging && !is_granted);
        if is_granted {
            semaphore.release(at, 1);
        } else if !is_barging {
            // Looked through, and the second is not next.
            semaphore.release(at, 0);
            is_right &= poll(second.as_mut()).is_pending();
        }
        drop(first);
        let ended = match takes {
            Poll::Ready(_) => takes,
            Poll::Pending => poll(second),
        };
        let left = semaphore.available();
        if !is_right || ended != Poll::Ready(Ok(())) || left != 0 {
            actor.found(&format!(
                "who stood before another one for permits of {key:?} has gone (barging: \
                 {is_barging}, granted: {is_granted}), and the other one is told {ended:?}, with \
                 {left} left"
            ));
        }
        actor.tally.row(Operation::RelayOfPermits).calls += 1;
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
