//! The places of a task in the queues of several keys, decided by one claim.
//!
//! The Waker of such a task stands in its one waiter, for the wakers of all its keys. It is
//! replaced under the locks of all its slots, in index order, after that of its interrupter (W5).
//!
//! **Lock order**: the interrupter's lock, then slot locks in index order. **Orderings**: HANDOFF,
//! LOCK, UNLINK.

use core::array;
use core::marker::PhantomPinned;
use core::ptr;
use core::task::Waker;

use crate::any::ParkedAny;
use crate::inspect::{Traced, WaitEnd, waited};
use crate::interrupt::Interrupter;
use crate::leave::{Reason, Was};
use crate::node::{Name, Node};
use crate::place::Known;
use crate::platform::Platform;
use crate::slot::{Slot, SlotGuard};
use crate::table::Table;
use crate::waiter::{Ending, Verdict, Waiter};

/// What others point to while the task waits.
pub(crate) struct Place<P: Platform, const N: usize> {
    pub(crate) waiter: Waiter<P>,
    /// All of them are made; those that were linked have a slot, or had one.
    pub(crate) nodes: [Node<P>; N],
    /// Which Waker stands in the waiter.
    pub(crate) known: Known,
    /// What the nodes may point to.
    pub(crate) traced: Traced,
    pub(crate) _pinned: PhantomPinned,
}

/// How a wait has ended: what it was told and by which entry, and what that was called.
pub(crate) struct Ended {
    pub(crate) verdict: Verdict,
    pub(crate) by: Option<(usize, Name)>,
}

impl<P: Platform, const N: usize> Place<P, N> {
    /// Whether this is the child of a fork made since it was queued.
    pub(crate) fn is_forked<K>(&self, table: &Table<K, P>) -> bool {
        self.nodes[0].generation() != table.generation()
    }

    /// Ends the wait and leaves all queues; how it ended if somebody else was first. An interrupt
    /// that the caller does not return stays pending. `end` is how it ends else.
    pub(crate) fn leave<K>(
        &self,
        table: &Table<K, P>,
        interrupter: Option<&Interrupter<P>>,
        (returns, end): (bool, WaitEnd),
    ) -> Option<Ended> {
        let ended = if self.is_forked(table) || self.waiter.claim.take(None) {
            None
        } else {
            Some(self.ended(table, interrupter))
        };
        let is_interrupted = |ended: &Ended| ended.verdict.ending == Ending::Interrupted;
        if let Some(interrupter) = interrupter {
            interrupter.exit(returns && ended.as_ref().is_some_and(is_interrupted));
        }
        for node in &self.nodes {
            table.leave(node, Reason::Cancelled, |_| {});
            node.end();
        }
        let by = ended.as_ref().and_then(|ended| ended.by);
        // SAFETY: N1: the nodes are in no queue any more.
        let first = unsafe { self.nodes[0].last_name() };
        let hash = by.map_or(first, |(_, name)| name).hash;
        let end = || match &ended {
            Some(ended) if returns => ended.verdict.ending.into(),
            _ => end,
        };
        // SAFETY: V1: nobody else knows the node.
        unsafe { waited::<P>(table.id(), hash, self.nodes[0].traced(), end) };
        ended
    }

    /// What ended the wait: somebody else has the claim.
    fn ended<K>(&self, table: &Table<K, P>, interrupter: Option<&Interrupter<P>>) -> Ended {
        let Some(entry) = self.waiter.claim.entry() else {
            // The interrupter tells its verdict under its lock.
            let _lock = interrupter.map(Interrupter::lock);
            return Ended {
                // SAFETY: told under the lock that is held.
                verdict: unsafe { self.waiter.verdict_of_task() },
                by: None,
            };
        };
        let node = &self.nodes[entry];
        // Under the slot lock of the waker, the node was claimed and marked; then it left, or will.
        let was = table.leave(node, Reason::Cancelled, |_| {});
        debug_assert!(was == Was::Chosen, "W4: the claim was this entry's");
        // SAFETY: N1: the node is in no queue any more.
        let name = unsafe { node.last_name() };
        Ended {
            // SAFETY: the node has left its slot.
            verdict: unsafe { self.waiter.verdict_of_task() },
            by: Some((entry, name)),
        }
    }

    /// Replaces the Waker; false if the wait is decided.
    pub(crate) fn replace_waker<K>(
        &self,
        table: &Table<K, P>,
        interrupter: Option<&Interrupter<P>>,
        waker: &Waker,
    ) -> bool {
        // Neither cloned nor dropped under a lock.
        let fresh = Some(waker.clone());
        let _critical = P::critical();
        let interrupts = interrupter.map(Interrupter::lock);
        let Some(guards) = self.lock_slots(table) else {
            return false;
        };
        if !self.waiter.claim.is_open() {
            return false;
        }
        // SAFETY: W5: the locks of all slots and of the interrupter are held, and nobody has the
        // claim.
        let old = unsafe { self.waiter.exchange_waker(fresh) };
        drop(guards);
        drop(interrupts);
        drop(old);
        true
    }

    /// Locks the slots of all nodes, in index order. `None` if one is in no slot: it has been
    /// chosen, or was never linked since another one had been.
    fn lock_slots<'t, K>(&self, _table: &'t Table<K, P>) -> Option<[Option<SlotGuard<'t, P>>; N]> {
        loop {
            let now: [*const Slot<P>; N] = array::from_fn(|entry| self.nodes[entry].slot());
            let mut order = now;
            order.sort_unstable();
            // Null comes first.
            if order[0].is_null() {
                return None;
            }
            let guards = array::from_fn(|at| {
                let is_new = at == 0 || !ptr::eq(order[at], order[at - 1]);
                // SAFETY: null, or T1: a slot of the table that this wait borrows.
                let slot = unsafe { order[at].as_ref() };
                slot.filter(|_| is_new).map(Slot::lock)
            });
            // A requeue may have moved one between the look and the locks.
            if (0..N).all(|entry| ptr::eq(self.nodes[entry].slot(), now[entry])) {
                return Some(guards);
            }
        }
    }
}

impl Ended {
    pub(crate) fn into_parked(self) -> ParkedAny {
        ParkedAny::new(self.verdict.into(), self.by.map(|(entry, _)| entry))
    }
}
