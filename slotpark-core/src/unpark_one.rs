//! Unpark one: the first in the queue as it stands, or the last.
//!
//! **Lock order**: one slot lock. **Orderings**: DEKKER side B, LOCK, HANDOFF, SLEEP, UNLINK.

use core::borrow::Borrow;
use core::ptr;
use core::task::Waker;

use crate::choose::{Filter, is_claimed};
use crate::inspect::stamp_woken;
use crate::node::{NodeRef, Role};
use crate::platform::{Event, Platform};
use crate::reentry;
use crate::slot::SlotGuard;
use crate::spin::Moment;
use crate::table::Table;
use crate::waiter::{Run, Verdict, Waiter};
use crate::wakers::{let_go, tell};

impl<K, P: Platform> Table<K, P> {
    /// Wakes the waiter of `key` that is last in the queue, and hands it `token`: the youngest, if
    /// all came with [`Order::Fifo`](crate::Order::Fifo). Returns 1, or 0 if nobody waits. It takes
    /// one step, and one more for each node behind it whose wait is decided already.
    ///
    /// Make the condition false first, then call, as for [`unpark`](Self::unpark). If the one it
    /// has chosen is a future that is dropped, or a prepared thread that leaves, the wake goes on
    /// to who is the last in the queue then.
    ///
    /// # Panics
    /// Passes panics of `Eq` on; the queue stays sound. In debug builds, if called from a closure
    /// that runs under a slot lock.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// use std::pin::pin;
    /// let table = Table::<u64>::new();
    /// let [mut old, mut young] = [(), ()]
    ///     .map(|()| Box::pin(table.wait_async(1, 7, ParkOptions::new(), || true)));
    /// assert_eq!((old.as_mut().enable(), young.as_mut().enable()), (None, None));
    /// assert_eq!(table.unpark_last(1, &7, 42), 1);
    /// assert_eq!(young.as_mut().time_out(), Parked::Woken { token: 42 });
    /// assert_eq!(old.as_mut().time_out(), Parked::TimedOut);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn unpark_last<Q>(&self, hash: u64, key: &Q, token: u64) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        if !self.slot(hash).announced.any() {
            return 0;
        }
        self.wake_last(hash, key, Verdict::of_last(token))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn wake_last<Q>(&self, hash: u64, key: &Q, verdict: Verdict) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let slot = self.slot(hash);
        let critical = P::critical();
        let guard = slot.lock();
        let Some(head) = self.find(&guard, hash, key) else {
            return 0;
        };
        let mut nodes = guard
            .ring_back(head)
            .inspect(|_| self.observe(Event::NodeVisited, slot));
        // A claim may be lost between the look and the attempt: then the next one's turn has come.
        let last = nodes.find(|node| node.waits() && is_claimed(*node));
        drop(nodes);
        let Some(last) = last else {
            return 0;
        };
        let detached = self.detach(&guard, last, verdict);
        drop(guard);
        drop(critical);
        detached.release();
        1
    }

    /// A wake of the first, in a third of the instructions of `wake`: as a rule the head of the
    /// queue is chosen as it stands.
    pub(crate) fn wake_head<Q>(&self, hash: u64, key: &Q, verdict: Verdict) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let slot = self.slot(hash);
        let critical = P::critical();
        let guard = slot.lock();
        let Some(head) = self.find(&guard, hash, key) else {
            return 0;
        };
        if head.entry().is_some() || !head.waits() {
            let head = head.as_ptr();
            return self.wake_locked((guard, critical), hash, head, 1, verdict, |_| {
                Filter::Unpark
            });
        }
        self.observe(Event::NodeVisited, slot);
        let detached = self.detach(&guard, head, verdict);
        drop(guard);
        drop(critical);
        detached.release();
        1
    }

    /// Chooses a node that waits, and whose claim we have if there is one.
    #[inline(always)]
    fn detach<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        node: NodeRef<'g, P>,
        verdict: Verdict,
    ) -> Detached<P> {
        self.count(guard, node, verdict.ending);
        stamp_woken(node);
        guard.unlink(node);
        guard.leave_one();
        if node.role() == Role::Task {
            tell(node, verdict);
            Detached::Task(let_go(node))
        } else {
            self.teach(guard, node, Moment::now::<P>(self.spin()));
            node.set_slot(ptr::null());
            Detached::Thread(node.waiter(), verdict)
        }
    }
}

/// One who was chosen, to be released once the slot is unlocked.
#[must_use]
enum Detached<P: Platform> {
    Thread(*const Waiter<P>, Verdict),
    Task(Option<Waker>),
}

impl<P: Platform> Detached<P> {
    #[inline(always)]
    fn release(self) {
        match self {
            Self::Task(None) => {}
            Self::Task(Some(waker)) => waker.wake(),
            Self::Thread(waiter, verdict) => {
                let mut run = Run::new();
                // SAFETY: W1: its node was detached by the wake that holds this, which borrows the
                // table with its home, and releases it once.
                unsafe { run.release(waiter, verdict) };
                run.flush();
            }
        }
    }
}
