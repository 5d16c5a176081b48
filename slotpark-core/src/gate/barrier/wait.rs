//! Members wait for each other, as threads and as tasks.
//!
//! **Lock order**: one slot lock. **Orderings**: those of `park` and `task`.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use crate::gate::barrier::Member;
use crate::inspect::Caller;
use crate::leave::Reason;
use crate::options::{ParkOptions, Parked};
use crate::park::Linked;
use crate::place::Place;
use crate::platform::{Deadline, DefaultPlatform, Platform};
use crate::reentry;
use crate::slot::SlotGuard;
use crate::sync::Guarded;

/// How a wait at a barrier came to its end.
///
/// ```
/// use slotpark_core::{Barrier, BarrierOutcome};
/// let barrier = Barrier::<u64>::new();
/// let mut alone = barrier.register(1, 7).unwrap();
/// assert_eq!(alone.wait(None), BarrierOutcome::Leader);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "others may not have arrived"]
#[non_exhaustive]
pub enum BarrierOutcome {
    /// All have arrived, and of all this is the one who leads: the last to arrive, as a rule.
    Leader,
    /// All have arrived.
    Follower,
    /// The deadline passed. This member has not arrived any more.
    TimedOut,
}

impl BarrierOutcome {
    /// Whether this is the one of its phase who leads.
    ///
    /// ```
    /// assert!(slotpark_core::BarrierOutcome::Leader.is_leader());
    /// ```
    #[must_use]
    pub const fn is_leader(self) -> bool {
        matches!(self, Self::Leader)
    }

    #[track_caller]
    const fn passed(leads: bool) -> Self {
        if leads { Self::Leader } else { Self::Follower }
    }
}

impl<'b, K: Eq, P: Platform> Member<'b, K, P> {
    /// Arrives, and waits until all members of the key have arrived, or until the deadline. The
    /// next wait is that of the next phase. What each did before it arrived is visible to all
    /// afterwards.
    ///
    /// Past the deadline it has not arrived: nobody passes the barrier without it. A deadline
    /// already past makes no syscall.
    ///
    /// ```
    /// use slotpark_core::{Barrier, BarrierOutcome, Deadline};
    /// let barrier = Barrier::<u64>::new();
    /// let mut first = barrier.register(1, 7).unwrap();
    /// let second = barrier.register(1, 7).unwrap();
    /// assert_eq!(first.wait(Some(Deadline::PAST)), BarrierOutcome::TimedOut);
    /// drop(second);
    /// assert_eq!(first.wait(Some(Deadline::PAST)), BarrierOutcome::Leader);
    /// ```
    #[track_caller]
    pub fn wait(&mut self, deadline: Option<Deadline>) -> BarrierOutcome {
        reentry::check();
        loop {
            if self.held.is_forked() {
                return BarrierOutcome::Follower;
            }
            if self.arrive_last() {
                return BarrierOutcome::Leader;
            }
            if deadline.is_some_and(Deadline::is_past::<P>) {
                return BarrierOutcome::TimedOut;
            }
            let leads = Guarded::new(false);
            match self.arrive_and_sleep(&leads, deadline) {
                // SAFETY: B2: it was released.
                Parked::Woken { .. } => return BarrierOutcome::passed(unsafe { leads.get() }),
                Parked::TimedOut => return BarrierOutcome::TimedOut,
                // Only this one was awaited; or the wait has forked.
                Parked::Stale | Parked::Closed | Parked::Interrupted => {}
            }
        }
    }

    #[track_caller]
    fn arrive_and_sleep(&self, leads: &Guarded<bool>, deadline: Option<Deadline>) -> Parked {
        let (hash, key) = (self.held.hash, self.held.key());
        let unqueued = Unqueued(self);
        let arrive = |guard: &SlotGuard<'_, P>| Ok::<_, Infallible>(self.arrive(guard));
        let sleep = |linked: Linked<'_, K, P>, spin_ns| {
            let take_back = |guard: &SlotGuard<'_, P>, _| self.take_back(guard);
            linked.wait_with(spin_ns, deadline, take_back)
        };
        let room = ptr::from_ref(leads).cast_mut().cast();
        let table = &self.held.gate.table;
        let queued = table.queue(hash, key, ParkOptions::new(), room, arrive, sleep);
        core::mem::forget(unqueued);
        match queued {
            Ok(parked) => parked.unwrap_or_else(|refused| refused),
            Err(never) => match never {},
        }
    }

    /// Waits as [`wait`](Self::wait) does, as a future. A deadline is the caller's timer: drop the
    /// future, and this has not arrived. Nothing happens before the first poll.
    ///
    /// ```
    /// use slotpark_core::{Barrier, BarrierOutcome};
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let barrier = Barrier::<u64>::new();
    /// let mut first = barrier.register(1, 7).unwrap();
    /// let mut second = barrier.register(1, 7).unwrap();
    /// let mut wait = pin!(first.wait_async());
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(wait.as_mut().poll(&mut context).is_pending());
    /// assert_eq!(second.wait(None), BarrierOutcome::Leader);
    /// assert_eq!(wait.as_mut().poll(&mut context), Poll::Ready(BarrierOutcome::Follower));
    /// ```
    #[track_caller]
    pub fn wait_async(&mut self) -> MemberWait<'_, 'b, K, P> {
        MemberWait {
            member: self,
            caller: Caller::here(),
            leads: Guarded::new(false),
            place: None,
            _pinned: PhantomPinned,
        }
    }
}

/// A member that has arrived and is not queued, by a panic of `Eq`: it has not arrived.
struct Unqueued<'m, 'b, K, P: Platform>(&'m Member<'b, K, P>);

impl<K, P: Platform> Drop for Unqueued<'_, '_, K, P> {
    fn drop(&mut self) {
        let held = &self.0.held;
        held.gate
            .decide(held.hash, |guard, _| self.0.take_back(guard));
    }
}

/// A wait at a barrier as a future, made by [`Member::wait_async`]. It allocates nothing; its
/// output is never [`TimedOut`](BarrierOutcome::TimedOut).
///
/// **Cancel safety.** Dropping it is safe at any moment and never waits. If others are still
/// awaited, its member has not arrived any more; else the phase is complete with it, and if it was
/// to lead, which can be when the last one awaited was dropped, nobody does.
///
/// **A leaked future** (`mem::forget` of a pinned box) has arrived, and keeps the place of its
/// member as long as the barriers live.
///
/// Once finished it may be polled again, and then waits for the next phase.
///
/// ```
/// let barrier = slotpark_core::Barrier::<u64>::new();
/// let mut member = barrier.register(1, 7).unwrap();
/// assert!(format!("{:?}", member.wait_async()).starts_with("MemberWait"));
/// ```
#[must_use = "a future waits when it is polled"]
pub struct MemberWait<'m, 'b, K, P: Platform = DefaultPlatform> {
    member: &'m mut Member<'b, K, P>,
    caller: Caller,
    /// Its room (B2).
    leads: Guarded<bool>,
    place: Option<Place<P>>,
    _pinned: PhantomPinned,
}

// SAFETY: it may be moved to another thread as a whole, as `Wait`: what points into it are the
// queues, under their locks. Other threads read the key of its member through `&K`.
unsafe impl<K: Send + Sync, P: Platform> Send for MemberWait<'_, '_, K, P> {}

impl<K: Eq, P: Platform> MemberWait<'_, '_, K, P> {
    /// Arrives; `None` if it waits now.
    fn begin(&mut self, context: &Context<'_>) -> Option<BarrierOutcome> {
        loop {
            let member = &*self.member;
            if member.held.is_forked() {
                return Some(BarrierOutcome::Follower);
            }
            if member.arrive_last() {
                return Some(BarrierOutcome::Leader);
            }
            // SAFETY: B2: it is in no queue.
            unsafe { self.leads.set(false) };
            let unqueued = Unqueued(member);
            let at = (member.held.hash, member.held.key());
            let arrive = |guard: &SlotGuard<'_, P>| member.arrive(guard);
            let room = (&raw const self.leads).cast_mut().cast();
            let (options, waker) = (
                ParkOptions::new().tag(0).called(self.caller),
                Some(context.waker()),
            );
            let table = &member.held.gate.table;
            // SAFETY: the future is pinned, and leaves before its place ends; the key is that of
            // its member's entry, which outlives all waits that were not taken back (G3).
            let refused =
                unsafe { table.queue_task(&mut self.place, at, room, options, waker, arrive) };
            core::mem::forget(unqueued);
            if refused.is_none() {
                self.member.held.waits += 1;
                return None;
            }
        }
    }

    /// Looks how the wait has ended; `None` if it has not.
    fn look(&mut self, context: &Context<'_>) -> Option<BarrierOutcome> {
        let place = self.place.as_mut()?;
        let parked = self.member.held.gate.table.look(place, context)?;
        place.node.end();
        self.place = None;
        self.member.held.waits -= 1;
        let is_passed = matches!(parked, Parked::Woken { .. });
        // SAFETY: B2: its node has left its queue.
        Some(BarrierOutcome::passed(
            is_passed && unsafe { self.leads.get() },
        ))
    }
}

impl<K: Eq, P: Platform> Future for MemberWait<'_, '_, K, P> {
    type Output = BarrierOutcome;

    /// Any Waker will do, also another one at each poll: the last one is called.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<BarrierOutcome> {
        reentry::check();
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        let ended = if this.place.is_some() {
            this.look(context)
        } else {
            this.begin(context)
        };
        ended.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<K, P: Platform> Drop for MemberWait<'_, '_, K, P> {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            let member = &*self.member;
            let take_back = |guard: &SlotGuard<'_, P>, _| member.take_back(guard);
            let table = &member.held.gate.table;
            let _was = table.leave_place(place, Reason::Cancelled, take_back);
            self.member.held.waits -= 1;
        }
    }
}

impl<K, P: Platform> fmt::Debug for MemberWait<'_, '_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberWait")
            .field("queued", &self.place.is_some())
            .finish_non_exhaustive()
    }
}
