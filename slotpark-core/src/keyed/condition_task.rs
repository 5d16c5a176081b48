//! Tasks wait for a condition of a key.
//!
//! **States** of the future: new (it holds the key) -> queued for the condition, or moved to the
//! queue of the key -> perhaps waiting for the key anew (barging) -> done. **Lock order**: one slot
//! lock. **Orderings**: those of `condition` and `task`.

use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use crate::inspect::Caller;
use crate::keyed::condition::Condition;
use crate::keyed::guard::{Holding, Unheld};
use crate::keyed::lock::KeyedLock;
use crate::keyed::options::{HoldOptions, Preference};
use crate::keyed::task::Hold;
use crate::leave::{Reason, Was};
use crate::node::Moved;
use crate::options::ParkOptions;
use crate::place::Place;
use crate::platform::Platform;
use crate::reentry;
use crate::slot::SlotGuard;

impl<'l, K: Eq, P: Platform> Holding<'l, K, P> {
    /// Gives the key up and waits for a condition of it as [`wait`](Self::wait) does, as a future,
    /// whose output is the guard. The key is given up by the first poll.
    ///
    /// # Panics
    /// When polled, as [`wait`](Self::wait).
    ///
    /// ```
    /// use slotpark_core::{Condition, HoldOptions, KeyedLock};
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let (lock, ready) = (KeyedLock::<u64>::new(1), Condition::new());
    /// let guard = lock.hold(1, 7, HoldOptions::new(1)).unwrap();
    /// let mut wait = pin!(guard.wait_async(&ready));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(wait.as_mut().poll(&mut context).is_pending());
    /// assert_eq!(lock.held(1, &7), 0);
    /// assert_eq!(lock.notify(1, &7, &ready, 1), 1);
    /// assert!(wait.as_mut().poll(&mut context).is_ready());
    /// ```
    #[track_caller]
    pub const fn wait_async(self, condition: &'l Condition) -> WaitCondition<'l, K, P> {
        WaitCondition {
            condition,
            caller: Caller::here(),
            stage: Stage::New(self),
            place: None,
            moved: Moved::No,
            _pinned: PhantomPinned,
        }
    }
}

/// A wait for a condition of a key, as a future made by [`Holding::wait_async`].
///
/// **Cancel safety.** Dropping it is safe at any moment and never waits; afterwards the key is not
/// held. If a notification of a given number had counted it, that goes on to the next who waits for
/// the condition then.
///
/// # Panics
/// If polled after it is done.
///
/// ```
/// use slotpark_core::{Condition, HoldOptions, KeyedLock};
/// let (lock, ready) = (KeyedLock::<u64>::new(1), Condition::new());
/// let guard = lock.hold(1, 7, HoldOptions::new(1)).unwrap();
/// assert!(format!("{:?}", guard.wait_async(&ready)).starts_with("WaitCondition"));
/// ```
#[must_use = "a future waits when it is polled"]
pub struct WaitCondition<'l, K: Eq, P: Platform> {
    condition: &'l Condition,
    caller: Caller,
    stage: Stage<'l, K, P>,
    place: Option<Place<P>>,
    moved: Moved,
    _pinned: PhantomPinned,
}

#[expect(
    clippy::large_enum_variant,
    reason = "it lies in the future, which has room for the largest"
)]
enum Stage<'l, K: Eq, P: Platform> {
    New(Holding<'l, K, P>),
    /// The place in the queue is `place`.
    Queued(&'l KeyedLock<K, P>, Unheld<'l, K, P>),
    /// Pinned with the whole.
    Relocking(Hold<'l, K, P>),
    Done,
}

// SAFETY: as `Hold`: what points into it are the queues, under their locks.
unsafe impl<K: Eq + Send + Sync, P: Platform> Send for WaitCondition<'_, K, P> {}

impl<'l, K: Eq, P: Platform> WaitCondition<'l, K, P> {
    /// Queues for the condition, then gives the key up (H8).
    fn begin(&mut self, holding: Holding<'l, K, P>, context: &Context<'_>) {
        let (lock, hash, entry) = holding.parts();
        // SAFETY: E1: the guard, and then this future, owns the entry.
        let holder = unsafe { entry.node() };
        // SAFETY: E1: as above, it is the owner's.
        let key = unsafe { entry.key() };
        let options = ParkOptions::new().tag(u64::from(holding.of_all()));
        let options = options.called(self.caller);
        let room = ptr::from_ref(holder).cast_mut().cast();
        let at = (self.condition.hash(hash), key);
        let yes = |_: &SlotGuard<'_, P>| true;
        let (place, waker) = (&mut self.place, Some(context.waker()));
        // SAFETY: the future is pinned and leaves before its place ends; the key is in the pool.
        let refused = unsafe { lock.table.queue_task(place, at, room, options, waker, yes) };
        debug_assert!(refused.is_none(), "such a table is never closed");
        self.stage = Stage::Queued(lock, holding.into_unheld());
    }

    /// Looks whether it was notified; the guard, if the key was granted to it.
    fn look(&mut self, context: &Context<'_>) -> Option<Holding<'l, K, P>> {
        let Stage::Queued(lock, _) = &self.stage else {
            return None;
        };
        let lock = *lock;
        let place = self.place.as_mut()?;
        let parked = lock.table.look(place, context)?;
        // SAFETY: N1: the node has left its slot.
        self.moved = unsafe { place.node.last_moved() };
        place.node.end();
        self.place = None;
        let Stage::Queued(_, unheld) = core::mem::replace(&mut self.stage, Stage::Done) else {
            return None;
        };
        if parked.is_woken() && lock.preference != Preference::Barging {
            // SAFETY: H5: it was granted, and this future has been told.
            unsafe { lock.came(unheld.node()) };
            return Some(unheld.into_held());
        }
        let options = HoldOptions::new(unheld.amount()).called(self.caller);
        self.stage = Stage::Relocking(Hold::by(lock, unheld, options));
        None
    }

    fn give_up(&mut self) {
        if let (Some(place), Stage::Queued(lock, unheld)) = (&self.place, &self.stage) {
            reentry::check_drop();
            let was = (lock.table).leave_place(place, Reason::Cancelled, |_, _| {});
            // SAFETY: N1: the node is in no queue any more.
            self.moved = unsafe { place.node.last_moved() };
            if was == Was::Chosen && lock.preference != Preference::Barging {
                lock.unlock(unheld.hash(), unheld.node());
            } else if self.moved != Moved::No {
                // Those behind may want less; or it was woken to try, and others may.
                lock.serve_key(unheld.hash(), unheld.key());
            }
            self.pass_on(lock, unheld);
            self.place = None;
        } else if let Stage::Relocking(hold) = &self.stage {
            // The key comes later, or never: it has not gone on. The wait for the key leaves next.
            if let Some(unheld) = hold.waits_with() {
                self.pass_on(unheld.lock, unheld);
            }
        }
    }

    /// If a notification by number has counted this wait, it counts another.
    fn pass_on(&self, lock: &KeyedLock<K, P>, unheld: &Unheld<'l, K, P>) {
        if self.moved == Moved::ByCount {
            // 0 says that nobody was there.
            let _count = lock.notify(unheld.hash(), unheld.key(), self.condition, 1);
        }
    }
}

impl<'l, K: Eq, P: Platform> Future for WaitCondition<'l, K, P> {
    type Output = Holding<'l, K, P>;

    /// Any Waker will do, also another one at each poll: the last one is called.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        reentry::check();
        // SAFETY: nothing is moved out of the future but what is not pinned: guard and place in the
        // pool. What waits for the key is dropped where it lies.
        let this = unsafe { self.get_unchecked_mut() };
        if let Stage::New(_) = &this.stage {
            if let Stage::New(holding) = core::mem::replace(&mut this.stage, Stage::Done) {
                this.begin(holding, context);
            }
            return Poll::Pending;
        }
        if let Some(holding) = this.look(context) {
            return Poll::Ready(holding);
        }
        match &mut this.stage {
            Stage::Relocking(hold) => {
                // SAFETY: it is pinned with the whole, and dropped where it lies.
                let hold = unsafe { Pin::new_unchecked(hold) };
                let Poll::Ready(held) = hold.poll(context) else {
                    return Poll::Pending;
                };
                this.stage = Stage::Done;
                match held {
                    Ok(holding) => Poll::Ready(holding),
                    Err(error) => unreachable!("it has its place: {error}"),
                }
            }
            Stage::Queued(..) | Stage::New(_) => Poll::Pending,
            Stage::Done => panic!("slotpark: polled after it was done"),
        }
    }
}

impl<K: Eq, P: Platform> Drop for WaitCondition<'_, K, P> {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl<K: Eq, P: Platform> fmt::Debug for WaitCondition<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitCondition")
            .field("queued", &self.place.is_some())
            .finish_non_exhaustive()
    }
}
