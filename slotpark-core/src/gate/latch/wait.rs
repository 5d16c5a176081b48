//! Threads and tasks wait for a latch.
//!
//! **Lock order**: one slot lock. **Orderings**: those of `park` and `task`.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use crate::gate::latch::Latch;
use crate::inspect::Caller;
use crate::leave::Reason;
use crate::options::{ParkOptions, Parked};
use crate::park::Linked;
use crate::place::Place;
use crate::platform::{Deadline, DefaultPlatform, Platform};
use crate::reentry;
use crate::slot::SlotGuard;

/// What waiters of a latch are told whose guard was dropped before it was counted down.
pub(super) const ABANDONED: u64 = 1;

/// How a wait for a latch came to its end.
///
/// ```
/// use slotpark_core::{Latch, LatchOutcome};
/// assert_eq!(Latch::<u64>::new().wait(1, &7, None), LatchOutcome::Opened);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it may not be open"]
#[non_exhaustive]
pub enum LatchOutcome {
    /// It was open, or was counted down to 0.
    Opened,
    /// Its guard was dropped before that.
    Abandoned,
    /// The deadline passed.
    TimedOut,
}

impl LatchOutcome {
    /// Of a wait that was queued, or refused because the latch is open.
    fn of(parked: Parked) -> Self {
        match parked {
            Parked::Woken { token: ABANDONED } => Self::Abandoned,
            Parked::TimedOut => Self::TimedOut,
            // In the child of a fork nothing is armed.
            Parked::Woken { .. } | Parked::Stale | Parked::Closed | Parked::Interrupted => {
                Self::Opened
            }
        }
    }
}

impl<K: Eq, P: Platform> Latch<K, P> {
    /// Waits until `key` is open, or until the deadline. One already past costs no syscall. What
    /// was done before the counting down is visible afterwards.
    ///
    /// ```
    /// use slotpark_core::{Deadline, Latch, LatchOutcome};
    /// let latch = Latch::<u64>::new();
    /// let armed = latch.arm(1, 7, 1).unwrap();
    /// assert_eq!(latch.wait(1, &7, Some(Deadline::PAST)), LatchOutcome::TimedOut);
    /// # drop(armed);
    /// ```
    #[track_caller]
    pub fn wait(&self, hash: u64, key: &K, deadline: Option<Deadline>) -> LatchOutcome {
        reentry::check();
        if self.is_open(hash, key) {
            return LatchOutcome::Opened;
        }
        if deadline.is_some_and(Deadline::is_past::<P>) {
            return LatchOutcome::TimedOut;
        }
        let table = &self.gate.table;
        let is_closed =
            |guard: &SlotGuard<'_, P>| Ok::<_, Infallible>(self.gate.total(guard, hash, key) > 0);
        let sleep = |linked: Linked<'_, K, P>, spin_ns| linked.wait(spin_ns, deadline, |_| {});
        let options = ParkOptions::new();
        match table.queue(hash, key, options, ptr::null_mut(), is_closed, sleep) {
            Ok(parked) => LatchOutcome::of(parked.unwrap_or_else(|refused| refused)),
            Err(never) => match never {},
        }
    }

    /// Waits as [`wait`](Self::wait) does, as a future. A deadline is the caller's timer: drop the
    /// future. Nothing happens before the first poll.
    ///
    /// ```
    /// use slotpark_core::{Latch, LatchOutcome};
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let latch = Latch::<u64>::new();
    /// let armed = latch.arm(1, 7, 1).unwrap();
    /// let mut wait = pin!(latch.wait_async(1, 7));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(wait.as_mut().poll(&mut context).is_pending());
    /// drop(armed);
    /// assert_eq!(wait.as_mut().poll(&mut context), Poll::Ready(LatchOutcome::Abandoned));
    /// ```
    #[track_caller]
    pub const fn wait_async(&self, hash: u64, key: K) -> LatchWait<'_, K, P> {
        LatchWait {
            latch: self,
            hash,
            key,
            caller: Caller::here(),
            place: None,
            _pinned: PhantomPinned,
        }
    }
}

/// A wait for a latch as a future, made by [`Latch::wait_async`]. It owns its key and allocates
/// nothing; its output is never [`TimedOut`](LatchOutcome::TimedOut).
///
/// **Cancel safety.** Dropping it is safe at any moment, never waits, and concerns nobody else.
/// Once finished it may be polled again, and then waits anew.
///
/// ```
/// let latch = slotpark_core::Latch::<u64>::new();
/// assert!(format!("{:?}", latch.wait_async(1, 7)).starts_with("LatchWait"));
/// ```
#[must_use = "a future waits when it is polled"]
pub struct LatchWait<'l, K, P: Platform = DefaultPlatform> {
    latch: &'l Latch<K, P>,
    hash: u64,
    key: K,
    caller: Caller,
    place: Option<Place<P>>,
    _pinned: PhantomPinned,
}

// SAFETY: it may be moved to another thread as a whole, as `Wait`: what points into it are the
// queues, under their locks. Other threads read its key through `&K`.
unsafe impl<K: Send + Sync, P: Platform> Send for LatchWait<'_, K, P> {}

impl<K: Eq, P: Platform> Future for LatchWait<'_, K, P> {
    type Output = LatchOutcome;

    /// Any Waker will do, also another one at each poll: the last one is called.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<LatchOutcome> {
        reentry::check();
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        let gate = &this.latch.gate;
        let ended = match &mut this.place {
            Some(place) => {
                let ended = gate.table.look(place, context);
                if ended.is_some() {
                    place.node.end();
                    this.place = None;
                }
                ended
            }
            None => {
                let (hash, key) = (this.hash, &this.key);
                let is_closed = |guard: &SlotGuard<'_, P>| gate.total(guard, hash, key) > 0;
                let (options, waker) = (
                    ParkOptions::new().tag(0).called(this.caller),
                    Some(context.waker()),
                );
                let (place, room) = (&mut this.place, ptr::null_mut());
                // SAFETY: the future is pinned, and leaves before its place or its key ends.
                unsafe {
                    (gate.table).queue_task(place, (hash, key), room, options, waker, is_closed)
                }
            }
        };
        ended.map_or(Poll::Pending, |parked| {
            Poll::Ready(LatchOutcome::of(parked))
        })
    }
}

impl<K, P: Platform> Drop for LatchWait<'_, K, P> {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            let table = &self.latch.gate.table;
            let _was = table.leave_place(place, Reason::Cancelled, |_, _| {});
        }
    }
}

impl<K, P: Platform> fmt::Debug for LatchWait<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatchWait")
            .field("queued", &self.place.is_some())
            .finish_non_exhaustive()
    }
}
