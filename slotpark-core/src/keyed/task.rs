//! Tasks wait for a key that others hold.
//!
//! **States** of the future: new (it has the key) -> queued (a place in the pool, and one in the
//! queue of the key) -> done. **Lock order**: one slot lock. **Orderings**: HOLDER, and those of
//! `task`.

use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use crate::keyed::guard::{Holding, Unheld};
use crate::keyed::lock::KeyedLock;
use crate::keyed::options::{HoldError, HoldOptions, Preference};
use crate::keyed::pool::Entry;
use crate::leave::{Reason, Was};
use crate::options::{ParkOptions, Parked};
use crate::place::Place;
use crate::platform::Platform;
use crate::reentry;
use crate::slot::SlotGuard;

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    /// Waits for the key as [`hold`](Self::hold) does, as a future. A deadline is the caller's
    /// timer: drop the future.
    ///
    /// Nothing happens before the first poll.
    ///
    /// # Panics
    /// If the amount is more than the [`capacity`](Self::capacity).
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let lock = KeyedLock::<u64>::new(1);
    /// let guard = lock.try_hold(1, 7, HoldOptions::new(1)).unwrap();
    /// let mut hold = pin!(lock.hold_async(1, 7, HoldOptions::new(1)));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(hold.as_mut().poll(&mut context).is_pending());
    /// drop(guard);
    /// assert!(matches!(hold.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
    /// ```
    #[inline]
    #[track_caller]
    pub fn hold_async(&self, hash: u64, key: K, options: HoldOptions) -> Hold<'_, K, P> {
        self.check(options.amount);
        Hold {
            lock: self,
            hash,
            options,
            key: Some(key),
            unheld: None,
            place: None,
            _pinned: PhantomPinned,
        }
    }
}

/// An attempt to hold a key, as a future made by [`KeyedLock::hold_async`]. Its output is the
/// guard. It allocates nothing, unless the pool is full and the lock was made to allocate then.
///
/// **Cancel safety.** Dropping it is safe at any moment and never waits. If the key was granted to
/// it and it was not polled since, the key is released as if a guard were dropped.
///
/// **A future that is not polled** holds up a fair lock: the key is granted to it in its turn, and
/// nobody overtakes. In a barging lock nothing is granted; but who is woken first must be polled
/// before another is.
///
/// **A leaked future** (`mem::forget` of a pinned box) may hold its key, and keeps its place in the
/// pool, as long as the lock lives.
///
/// # Panics
/// If polled after it is done.
///
/// ```
/// use slotpark_core::{HoldOptions, KeyedLock};
/// let lock = KeyedLock::<u64>::new(1);
/// assert!(format!("{:?}", lock.hold_async(1, 7, HoldOptions::new(1))).starts_with("Hold"));
/// ```
#[must_use = "a future waits when it is polled"]
pub struct Hold<'l, K: Eq, P: Platform> {
    lock: &'l KeyedLock<K, P>,
    hash: u64,
    options: HoldOptions,
    /// Until the first poll.
    key: Option<K>,
    /// From the first poll on.
    unheld: Option<Unheld<'l, K, P>>,
    place: Option<Place<P>>,
    _pinned: PhantomPinned,
}

// SAFETY: a waiting future may be moved to another thread as a whole, as `Wait`: what points into
// it are the queues, under their locks. Other threads read its key through `&K`.
unsafe impl<K: Eq + Send + Sync, P: Platform> Send for Hold<'_, K, P> {}

impl<'l, K: Eq, P: Platform> Hold<'l, K, P> {
    /// For the key of a place in the pool.
    pub(super) fn by(
        lock: &'l KeyedLock<K, P>,
        unheld: Unheld<'l, K, P>,
        options: HoldOptions,
    ) -> Self {
        Self {
            lock,
            hash: unheld.hash(),
            options,
            key: None,
            unheld: Some(unheld),
            place: None,
            _pinned: PhantomPinned,
        }
    }

    /// Takes a place in the pool, and the key, or queues.
    #[inline]
    fn first_poll(
        &mut self,
        key: K,
        context: &Context<'_>,
    ) -> Poll<Result<&'l Entry<K, P>, HoldError>> {
        match self.lock.near_entry(self.hash, key, self.options) {
            // SAFETY: E1: it was just filled, and is this call's.
            Ok(entry) if self.lock.take(self.hash, unsafe { entry.node() }) => {
                Poll::Ready(Ok(entry))
            }
            Ok(entry) => self.begin_by(entry, context),
            Err(key) => self.begin_elsewhere(key, context),
        }
    }

    /// Begins with another place than the nearest.
    #[cold]
    fn begin_elsewhere(
        &mut self,
        key: K,
        context: &Context<'_>,
    ) -> Poll<Result<&'l Entry<K, P>, HoldError>> {
        match self.lock.entry(self.hash, key, self.options) {
            Ok(entry) => self.begin_by(entry, context),
            Err(_key) => Poll::Ready(Err(HoldError::PoolFull)),
        }
    }

    /// Begins with a place that was just taken.
    #[cold]
    fn begin_by(
        &mut self,
        entry: &'l Entry<K, P>,
        context: &Context<'_>,
    ) -> Poll<Result<&'l Entry<K, P>, HoldError>> {
        self.unheld = Some(Holding::unheld(self.lock, self.hash, entry));
        self.next_poll(context)
    }

    /// Of a future that has a place in the pool.
    #[cold]
    fn next_poll(&mut self, context: &Context<'_>) -> Poll<Result<&'l Entry<K, P>, HoldError>> {
        assert!(self.unheld.is_some(), "slotpark: polled after it was done");
        let is_held = if self.place.is_some() {
            self.look(context)
        } else {
            self.begin(context, true)
        };
        let held = is_held.and_then(|()| self.unheld.take());
        held.map_or(Poll::Pending, |unheld| {
            // SAFETY: H5: it has come, and this future has been told.
            unsafe { self.lock.came(unheld.node()) };
            Poll::Ready(Ok(unheld.into_held().into_entry()))
        })
    }

    /// The place that it waits with, from the first poll until it is done.
    pub(super) const fn waits_with(&self) -> Option<&Unheld<'l, K, P>> {
        self.unheld.as_ref()
    }

    /// Takes the key, or queues; `None` if it waits now.
    fn begin(&mut self, context: &Context<'_>, is_first: bool) -> Option<()> {
        let (lock, hash, amount) = (self.lock, self.hash, self.options.amount);
        let unheld = self.unheld.as_ref()?;
        let (holder, key) = (unheld.node(), unheld.key());
        // SAFETY: V1: nobody knows the holder's node (any more).
        unsafe { lock.record(holder, unheld.traced(), self.options.caller, true) };
        if is_first {
            // SAFETY: V1: nobody knows the node yet.
            unsafe { lock.ask(holder, true) };
        }
        // SAFETY: V1: nobody knows the node yet.
        let is_recorded = unsafe { lock.is_recorded(holder) };
        if !is_recorded && lock.take(hash, holder) || lock.take_node(hash, holder, key) {
            return Some(());
        }
        let admit = |guard: &SlotGuard<'_, P>| {
            lock.seize(guard);
            !lock.admit(guard, holder, key)
        };
        let options = ParkOptions::new()
            .tag(u64::from(amount))
            .called(self.options.caller);
        let room = ptr::from_ref(holder).cast_mut().cast();
        let (place, waker) = (&mut self.place, Some(context.waker()));
        // SAFETY: the future is pinned and leaves before its place ends; the key is in the pool.
        let refused =
            unsafe { (lock.table).queue_task(place, (hash, key), room, options, waker, admit) };
        refused.map(|_stale| ())
    }

    /// Looks whether the key was granted; `None` if it still waits.
    fn look(&mut self, context: &Context<'_>) -> Option<()> {
        let place = self.place.as_mut()?;
        let parked = self.lock.table.look(place, context)?;
        place.node.end();
        self.place = None;
        match parked {
            Parked::Woken { .. } if self.lock.preference != Preference::Barging => Some(()),
            // Woken to try again; or queued by the parent of this process, before it forked.
            _ => self.begin_again(context),
        }
    }

    /// As `begin`; if it is too late again, what it was woken for may be enough for another.
    fn begin_again(&mut self, context: &Context<'_>) -> Option<()> {
        let begun = self.begin(context, false);
        if let (None, Some(unheld)) = (begun, &self.unheld) {
            if self.lock.capacity > 1 {
                self.lock.serve_key(self.hash, unheld.key());
            }
        }
        begun
    }

    /// Leaves the queue; gives up what was granted.
    #[cold]
    fn give_up(&mut self) {
        let (Some(place), Some(unheld)) = (&self.place, &self.unheld) else {
            return;
        };
        reentry::check_drop();
        let (lock, hash) = (self.lock, self.hash);
        let was = (lock.table).leave_place(place, Reason::Cancelled, |_, _| {});
        let is_granted = was == Was::Chosen && lock.preference != Preference::Barging;
        if is_granted {
            lock.unlock(hash, unheld.node());
        } else {
            // Those behind may want less; or it was woken to try, and others may.
            lock.serve_key(hash, unheld.key());
        }
        self.place = None;
    }
}

impl<'l, K: Eq, P: Platform> Future for Hold<'l, K, P> {
    type Output = Result<Holding<'l, K, P>, HoldError>;

    /// Any Waker will do, also another one at each poll: the last one is called.
    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        reentry::check();
        // SAFETY: nothing is moved out of the future but what is not pinned: its place in the pool.
        let this = unsafe { self.get_unchecked_mut() };
        let (lock, hash) = (this.lock, this.hash);
        // The guard is made once, in registers, of no more than its place.
        let held = match this.key.take() {
            Some(key) => this.first_poll(key, context),
            None => this.next_poll(context),
        };
        held.map_ok(|entry| Holding::unheld(lock, hash, entry).into_held())
    }
}

impl<K: Eq, P: Platform> Drop for Hold<'_, K, P> {
    #[inline]
    fn drop(&mut self) {
        if self.place.is_some() {
            self.give_up();
        }
    }
}

impl<K: Eq, P: Platform> fmt::Debug for Hold<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold")
            .field("queued", &self.place.is_some())
            .finish_non_exhaustive()
    }
}
