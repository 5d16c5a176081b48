//! Tasks wait: the same node in the same queue, with a Waker instead of a thread.
//!
//! The future owns its key and its node, allocates nothing and depends on no runtime. Threads and
//! tasks that wait for one key are woken in one order.
//!
//! **States** of a future: idle (no place) -> queued (a place, its node linked, or chosen and not
//! looked at) -> idle, with an outcome. A finished future may be polled again: that is a new wait.
//!
//! **Invariants**: N1 holds because the future is pinned while it has a place, and its drop takes
//! the place away first. Waker: W5.
//!
//! **Lock order**: one slot lock. **Orderings**: DEKKER side A, LOCK, UNLINK.

use core::cell::UnsafeCell;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use crate::inspect::Caller;
use crate::leave::{Reason, Was};
use crate::node::Name;
use crate::options::{Order, ParkOptions, Parked};
use crate::place::Place;
use crate::platform::Platform;
use crate::reentry;
use crate::slot::SlotGuard;
use crate::table::Table;
use crate::waiter::Verdict;

impl<K: Eq, P: Platform> Table<K, P> {
    /// Waits on `key` as [`park`](Self::park) does, as a future. The deadline of `options` is not
    /// looked at: an async deadline is the caller's timer, see [`Wait::time_out`].
    ///
    /// Nothing happens before the first poll, or before [`Wait::enable`].
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let table = Table::<u64>::new();
    /// let mut wait = pin!(table.wait_async(1, 7, ParkOptions::new(), || true));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(wait.as_mut().poll(&mut context).is_pending());
    /// assert_eq!(table.unpark(1, &7, 1, 42), 1);
    /// assert_eq!(wait.as_mut().poll(&mut context), Poll::Ready(Parked::Woken { token: 42 }));
    /// ```
    pub const fn wait_async<F: FnMut() -> bool>(
        &self,
        hash: u64,
        key: K,
        options: ParkOptions,
        validate: F,
    ) -> Wait<'_, K, F, P> {
        Wait {
            table: self,
            hash,
            key,
            tag: options.tag,
            order: options.order,
            caller: options.caller,
            validated: options.validated,
            validate,
            room: UnsafeCell::new(MaybeUninit::uninit()),
            place: None,
            _pinned: PhantomPinned,
        }
    }
}

/// A wait as a future, made by [`Table::wait_async`]. Its output is how it ended.
///
/// **Cancel safety.** Dropping it is safe at any moment and never waits. If a wake of a given
/// number had chosen it and it was not polled since, the wake goes on to the first waiter that it
/// fits (a wake of the last: to the last one then), with its token, as if it were made then; if
/// there is none, the wake has counted a wait that was dropped. A wake of everybody, one with a
/// filter or a policy, that of a requeue, and a closing are not passed on.
///
/// **A leaked future** (`mem::forget` of a pinned box) keeps its place: wakes may be spent on it.
///
/// Once finished it may be polled again, and then waits anew: poll it in a loop to look at a
/// condition after every wake.
///
/// `validate` runs as it does for a thread: outside and under the lock of the key's slot, at each
/// start of a wait. Under the lock it must not call a table, nor poll, drop or make such futures.
///
/// ```
/// use slotpark_core::{ParkOptions, Parked, Table};
/// let table = Table::<String>::new();
/// let wait = table.wait_async(1, "job".to_string(), ParkOptions::new(), || false);
/// assert!(format!("{wait:?}").starts_with("Wait"));
/// ```
#[must_use = "a future waits when it is polled"]
pub struct Wait<'t, K: Eq, F, P: Platform> {
    table: &'t Table<K, P>,
    hash: u64,
    key: K,
    tag: u64,
    order: Order,
    caller: Caller,
    /// `validate` has just run.
    validated: bool,
    validate: F,
    /// Where a requeue writes the key that the wait was moved to.
    room: UnsafeCell<MaybeUninit<K>>,
    place: Option<Place<P>>,
    _pinned: PhantomPinned,
}

// SAFETY: a waiting future may be moved to another thread as a whole: what points into it are the
// queues, under their locks, whatever thread polls it. Other threads read its key through `&K`.
unsafe impl<K: Eq + Send + Sync, F: Send, P: Platform> Send for Wait<'_, K, F, P> {}

impl<K: Eq, F: FnMut() -> bool, P: Platform> Wait<'_, K, F, P> {
    /// Queues the wait now, before its first await: from here on no wake is missed. `None` if it
    /// waits (or did before), else how it ended without waiting.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Table};
    /// use std::pin::pin;
    /// let table = Table::<u64>::new();
    /// let mut wait = pin!(table.wait_async(1, 7, ParkOptions::new(), || true));
    /// assert_eq!(wait.as_mut().enable(), None);
    /// assert_eq!(table.waiters(1, &7), 1);
    /// ```
    pub fn enable(self: Pin<&mut Self>) -> Option<Parked> {
        let room = self.room.get().cast();
        self.enable_with(room)
    }

    /// As [`enable`](Self::enable), with a room for what wakers write.
    pub(crate) fn enable_with(self: Pin<&mut Self>, room: *mut ()) -> Option<Parked> {
        reentry::check();
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        if this.place.is_some() {
            return None;
        }
        this.begin(None, room)
    }

    /// As `poll`, with a room for what wakers write.
    #[inline]
    pub(crate) fn poll_with(
        self: Pin<&mut Self>,
        context: &Context<'_>,
        room: *mut (),
    ) -> Poll<Parked> {
        reentry::check();
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        let ended = match &mut this.place {
            None => this.begin(Some(context.waker()), room),
            Some(place) => {
                let ended = this.table.look(place, context);
                if ended.is_some() {
                    place.node.end();
                    this.place = None;
                }
                ended
            }
        };
        ended.map_or(Poll::Pending, Poll::Ready)
    }

    /// Validates and queues; `None` if it waits now.
    #[inline]
    fn begin(&mut self, waker: Option<&Waker>, room: *mut ()) -> Option<Parked> {
        if self.validated {
            self.validated = false;
        } else if !(self.validate)() {
            return Some(Parked::Stale);
        }
        let options = ParkOptions::new().tag(self.tag).order(self.order);
        let (at, options) = ((self.hash, &self.key), options.called(self.caller));
        let validate = |_: &SlotGuard<'_, P>| (self.validate)();
        // SAFETY: the future is pinned, and leaves before its place or its key ends.
        unsafe {
            self.table
                .queue_task(&mut self.place, at, room, options, waker, validate)
        }
    }
}

impl<K: Eq, F, P: Platform> Wait<'_, K, F, P> {
    /// Ends the wait because the caller's timer has fired: `TimedOut`, or how it ended before. It
    /// never waits, and a wait counted by a waker never times out.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// use std::pin::pin;
    /// let table = Table::<u64>::new();
    /// let mut wait = pin!(table.wait_async(1, 7, ParkOptions::new(), || true));
    /// assert_eq!(wait.as_mut().enable(), None);
    /// assert_eq!(wait.as_mut().time_out(), Parked::TimedOut);
    /// assert_eq!(table.waiters(1, &7), 0);
    /// ```
    pub fn time_out(self: Pin<&mut Self>) -> Parked {
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        let chosen = this.leave(Reason::TimedOut);
        chosen.map_or(Parked::TimedOut, |(verdict, _)| verdict.into())
    }

    pub(crate) fn is_queued(&self) -> bool {
        self.place.is_some()
    }

    /// What it waits for.
    pub(crate) fn at(&self) -> (u64, &K) {
        (self.hash, &self.key)
    }

    /// Gives the place up; what it was told if somebody had chosen it.
    pub(crate) fn cancel(self: Pin<&mut Self>) -> Option<Verdict> {
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        this.leave(Reason::Cancelled).map(|(verdict, _)| verdict)
    }

    /// Leaves the queue; the verdict if somebody had chosen the wait, and what it was called then.
    pub(crate) fn leave(&mut self, reason: Reason) -> Option<(Verdict, Name)> {
        let place = self.place.as_ref()?;
        reentry::check();
        let was = self.table.leave_place(place, reason, |_, _| {});
        let told = (was == Was::Chosen).then(|| told(place));
        self.place = None;
        told
    }
}

/// What a wait was told that has left its queue, and what it was called then.
#[cold]
fn told<P: Platform>(place: &Place<P>) -> (Verdict, Name) {
    // SAFETY: the node has left its slot.
    let verdict = unsafe { place.waiter.verdict_of_task() };
    // SAFETY: N1: the node is in no queue any more.
    let name = unsafe { place.node.last_name() };
    (verdict, name)
}

impl<K: Eq, F: FnMut() -> bool, P: Platform> Future for Wait<'_, K, F, P> {
    type Output = Parked;

    /// Any Waker will do, also another one at each poll: the last one is called.
    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Parked> {
        let room = self.room.get().cast();
        self.poll_with(context, room)
    }
}

impl<K: Eq, F, P: Platform> Drop for Wait<'_, K, F, P> {
    #[inline]
    fn drop(&mut self) {
        if self.place.is_some() {
            reentry::check_drop();
            self.give_up();
        }
    }
}

impl<K: Eq, F, P: Platform> Wait<'_, K, F, P> {
    /// Leaves the queue, and passes on what it had. Apart, so that a drop of what never waited, or
    /// waits no more, is one look.
    #[inline(never)]
    fn give_up(&mut self) {
        let Some(place) = &self.place else {
            return;
        };
        if self.table.leave_place(place, Reason::Cancelled, |_, _| {}) == Was::Chosen {
            let (verdict, name) = told(place);
            // SAFETY: it is the key or in the room of this future.
            unsafe { self.table.pass_on(name, verdict) };
        }
    }
}

impl<K: Eq, F, P: Platform> fmt::Debug for Wait<'_, K, F, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("queued", &self.place.is_some())
            .finish_non_exhaustive()
    }
}
