//! Who holds a key may hold more of it: a reader that becomes a writer.
//!
//! **States** of the future: new -> queued, in front of all others; its guard is *awaited* -> done.
//! **Invariants**: H6. **Lock order**: one slot lock. **Orderings**: HOLDER, and those of `park`
//! and `task`.

use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::panic::Location;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use crate::inspect::Caller;
use crate::keyed::guard::Holding;
use crate::keyed::lock::KeyedLock;
use crate::keyed::options::{HoldError, HoldOptions};
use crate::leave::{Reason, Was};
use crate::node::{Node, NodeRef};
use crate::options::{Order, ParkOptions, Parked};
use crate::place::Place;
use crate::platform::{Deadline, Platform};
use crate::reentry;
use crate::slot::SlotGuard;

impl<'l, K: Eq, P: Platform> Holding<'l, K, P> {
    /// Holds `more` in addition, if it is free: those who wait are not asked.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// let lock = KeyedLock::<u64>::new(10);
    /// let mut guard = lock.try_hold(1, 7, HoldOptions::new(1)).unwrap();
    /// assert!(guard.try_grow(9));
    /// assert_eq!(lock.held(1, &7), 10);
    /// assert!(!guard.try_grow(1));
    /// ```
    #[must_use = "false says that it holds what it held"]
    pub fn try_grow(&mut self, more: u32) -> bool {
        let grown =
            self.change(|lock, guard, head, holder, _| lock.grow_node(guard, head, holder, more));
        grown.unwrap_or(false)
    }

    /// Waits until it can hold `more` in addition: before all others who wait, and nobody is let in
    /// meanwhile, whatever the preference of the lock is. Two who hold and wait for more of one key
    /// wait for each other: make sure that there is one at most.
    ///
    /// # Errors
    /// [`HoldError::TimedOut`]; then it holds what it held.
    ///
    /// # Panics
    /// If it would hold more than the [`capacity`](KeyedLock::capacity), and in the child of a
    /// fork, where it holds nothing.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// let lock = KeyedLock::<u64>::new(10);
    /// let mut guard = lock.try_hold(1, 7, HoldOptions::new(1)).unwrap();
    /// assert_eq!(guard.grow(9, None), Ok(()));
    /// ```
    #[track_caller]
    pub fn grow(&mut self, more: u32, deadline: Option<Deadline>) -> Result<(), HoldError> {
        if self.grow_now(more) {
            return Ok(());
        }
        if deadline.is_some_and(Deadline::is_past::<P>) {
            return Err(HoldError::TimedOut);
        }
        let (lock, hash) = (self.place.lock, self.place.hash);
        let (node, key) = (self.place.node(), self.place.key());
        let admit = |guard: &SlotGuard<'_, P>| lock.admit_more(guard, node, more);
        let options = HoldOptions::new(more).deadline(deadline);
        match lock.sleep(hash, key, node, options, Order::Lifo, admit) {
            Parked::Stale | Parked::Woken { .. } => Ok(()),
            Parked::TimedOut | Parked::Closed | Parked::Interrupted => {
                lock.serve_key(hash, key);
                Err(HoldError::TimedOut)
            }
        }
    }

    /// Waits until it can hold `more` in addition as [`grow`](Self::grow) does, as a future. A
    /// deadline is the caller's timer: drop the future, and the guard holds what it held.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let (lock, one) = (KeyedLock::<u64>::new(10), HoldOptions::new(1));
    /// let mut guard = lock.try_hold(1, 7, one).unwrap();
    /// let other = lock.try_hold(1, 7, one).unwrap();
    /// let mut grow = pin!(guard.grow_async(9));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(grow.as_mut().poll(&mut context).is_pending());
    /// assert!(lock.try_hold(1, 7, one).is_err());
    /// drop(other);
    /// assert_eq!(grow.poll(&mut context), Poll::Ready(()));
    /// assert_eq!(lock.held(1, &7), 10);
    /// ```
    #[track_caller]
    pub const fn grow_async(&mut self, more: u32) -> Grow<'_, 'l, K, P> {
        Grow {
            holding: self,
            more,
            caller: Caller::here(),
            is_done: false,
            place: None,
            _pinned: PhantomPinned,
        }
    }

    /// As `try_grow`, for who would wait else.
    #[track_caller]
    fn grow_now(&mut self, more: u32) -> bool {
        let grown = self.change(|lock, guard, head, holder, _| {
            let can_fit = more <= lock.capacity - holder.weight();
            can_fit.then(|| lock.grow_node(guard, head, holder, more))
        });
        let grown = grown.expect("slotpark: a guard from before a fork holds nothing");
        grown.expect("slotpark: more of a key than there is")
    }
}

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    /// Lets a holder hold `more` if it is free. The slot is seized.
    fn grow_node<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        holder: NodeRef<'g, P>,
        more: u32,
    ) -> bool {
        let fits = more <= self.capacity - head.group().total;
        if fits {
            guard.set_held(head, holder, holder.weight() + more);
        }
        fits
    }

    /// As `grow_node`, of the caller's own node.
    fn admit_more(&self, guard: &SlotGuard<'_, P>, holder: &Node<P>, more: u32) -> bool {
        // SAFETY: H1: it is the caller's own, and linked since the slot was seized, if not before.
        let holder = unsafe { NodeRef::from_raw(holder) };
        holder.is_some_and(|holder| {
            let head = self.head_of_holder(guard, holder);
            self.grow_node(guard, head, holder, more)
        })
    }
}

/// An attempt to hold more of a key, as a future made by [`Holding::grow_async`]. It allocates
/// nothing.
///
/// **Cancel safety.** Dropping it is safe at any moment and never waits. Unless it was polled to
/// its end, its guard holds afterwards what it held before.
///
/// **A future that is not polled** keeps others out, in a barging lock too: who wants more stands
/// in front of them.
///
/// **A leaked future** (`mem::forget` of a pinned box) that was polled keeps its place, and its
/// guard holds the key as long as the lock lives, also when the guard is dropped.
///
/// # Panics
/// If polled after it is done, and as [`Holding::grow`].
///
/// ```
/// use slotpark_core::{HoldOptions, KeyedLock};
/// let lock = KeyedLock::<u64>::new(2);
/// let mut guard = lock.try_hold(1, 7, HoldOptions::new(1)).unwrap();
/// assert!(format!("{:?}", guard.grow_async(1)).starts_with("Grow"));
/// ```
#[must_use = "a future waits when it is polled"]
pub struct Grow<'g, 'l, K: Eq, P: Platform> {
    holding: &'g mut Holding<'l, K, P>,
    more: u32,
    caller: Caller,
    is_done: bool,
    place: Option<Place<P>>,
    _pinned: PhantomPinned,
}

// SAFETY: a waiting future may be moved to another thread as a whole, as `Hold`.
unsafe impl<K: Eq + Send + Sync, P: Platform> Send for Grow<'_, '_, K, P> {}

impl<K: Eq, P: Platform> Grow<'_, '_, K, P> {
    /// Asked for there, as those who look are shown. Before the first poll.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// let here = std::panic::Location::caller();
    /// let lock = KeyedLock::<u64>::new(2);
    /// let mut guard = lock.try_hold(1, 7, HoldOptions::new(1)).unwrap();
    /// let grow = guard.grow_async(1).called_from(here);
    /// ```
    pub const fn called_from(mut self, location: &'static Location<'static>) -> Self {
        self.caller = Caller::at(location);
        self
    }

    /// Takes what it wants, or queues; `None` if it waits now.
    fn begin(&mut self, context: &Context<'_>) -> Option<()> {
        if self.holding.grow_now(self.more) {
            return Some(());
        }
        let (lock, hash, more) = (self.holding.place.lock, self.holding.place.hash, self.more);
        let (holder, key) = (self.holding.place.node(), self.holding.place.key());
        let admit = |guard: &SlotGuard<'_, P>| {
            lock.seize(guard);
            !lock.admit_more(guard, holder, more)
        };
        let options = ParkOptions::new().tag(u64::from(more)).order(Order::Lifo);
        let options = options.called(self.caller);
        let room = ptr::from_ref(holder).cast_mut().cast();
        let (place, waker) = (&mut self.place, Some(context.waker()));
        // SAFETY: the future is pinned and leaves before its place ends; the key is in the pool,
        // and stays there if the future is forgotten (H6).
        let refused =
            unsafe { (lock.table).queue_task(place, (hash, key), room, options, waker, admit) };
        self.holding.place.is_awaited = refused.is_none();
        refused.map(|_stale| ())
    }

    /// Looks whether it was granted; `None` if it still waits.
    fn look(&mut self, context: &Context<'_>) -> Option<()> {
        let place = self.place.as_mut()?;
        let parked = self.holding.place.lock.table.look(place, context)?;
        self.forget_place();
        match parked {
            Parked::Woken { .. } => Some(()),
            // Queued by the parent of this process, before it forked.
            _ => self.begin(context),
        }
    }

    /// It stands in no queue any more.
    fn forget_place(&mut self) {
        if let Some(place) = self.place.take() {
            place.node.end();
        }
        self.holding.place.is_awaited = false;
    }

    /// Leaves the queue; gives up what was granted.
    fn give_up(&mut self) {
        let Some(place) = &self.place else {
            return;
        };
        reentry::check_drop();
        let (lock, hash, more) = (self.holding.place.lock, self.holding.place.hash, self.more);
        let was = (lock.table).leave_place(place, Reason::Cancelled, |_, _| {});
        self.forget_place();
        if was == Was::Chosen {
            self.holding.change(|lock, guard, head, holder, chosen| {
                lock.shrink_node((guard, head), holder, holder.weight() - more, chosen);
            });
        } else {
            // Those behind may be let in.
            lock.serve_key(hash, self.holding.place.key());
        }
    }
}

impl<K: Eq, P: Platform> Future for Grow<'_, '_, K, P> {
    type Output = ();

    /// Any Waker will do, also another one at each poll: the last one is called.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        reentry::check();
        // SAFETY: nothing is moved out of the future but what is not pinned any more.
        let this = unsafe { self.get_unchecked_mut() };
        assert!(!this.is_done, "slotpark: polled after it was done");
        let grown = if this.place.is_some() {
            this.look(context)
        } else {
            this.begin(context)
        };
        this.is_done = grown.is_some();
        grown.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<K: Eq, P: Platform> Drop for Grow<'_, '_, K, P> {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl<K: Eq, P: Platform> fmt::Debug for Grow<'_, '_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grow")
            .field("more", &self.more)
            .field("queued", &self.place.is_some())
            .finish_non_exhaustive()
    }
}
