//! Leaving: a waiter takes its own node out of the queue.
//!
//! The slot that the node is in *now* is locked, wherever a requeue has moved it: read, lock, read
//! again. A node that is in none has been chosen: its links are the waker's, and what ended the
//! wait is told by the release of a thread, or by the null itself to a task.
//!
//! **Lock order**: one slot lock. **Orderings**: LOCK, UNLINK.

use core::ptr;

use crate::node::{Moved, Node, NodeRef};
use crate::options::Left;
use crate::platform::{Event, Platform};
use crate::slot::SlotGuard;
use crate::table::Table;
use crate::waiter::GaveUp;

/// Why a waiter leaves by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    TimedOut,
    Cancelled,
}

impl From<GaveUp> for Reason {
    fn from(gave_up: GaveUp) -> Self {
        match gave_up {
            GaveUp::TimedOut => Self::TimedOut,
            GaveUp::Interrupted => Self::Cancelled,
        }
    }
}

/// What a leaver finds that it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Was {
    /// Nobody had chosen it, and now nobody will.
    Waiting,
    /// Somebody had chosen it. It is linked no more.
    Chosen,
}

impl<K, P: Platform> Table<K, P> {
    /// Unlinks a node of the caller's; `on_leave` runs under the slot lock if nobody had chosen it.
    #[inline]
    pub(crate) fn leave(&self, node: &Node<P>, reason: Reason, on_leave: impl FnOnce(Left)) -> Was {
        self.leave_with(node, reason, |_, left| on_leave(left))
    }

    /// As [`leave`](Self::leave), with the lock that `on_leave` runs under.
    pub(crate) fn leave_with(
        &self,
        node: &Node<P>,
        reason: Reason,
        on_leave: impl FnOnce(&SlotGuard<'_, P>, Left),
    ) -> Was {
        if node.generation() != self.generation() {
            // Forked: no queue of this process ever held the node.
            return Was::Waiting;
        }
        let _critical = P::critical();
        let Some(guard) = self.lock_slot_of(node) else {
            return Was::Chosen;
        };
        // SAFETY: N1: it is the caller's own node, and linked in the slot whose lock is held.
        let Some(node) = (unsafe { NodeRef::from_raw(node) }) else {
            return Was::Chosen;
        };
        if !node.mark().is_null() {
            guard.unlink(node);
            node.set_slot(ptr::null());
            return Was::Chosen;
        }
        let next = node.next();
        let last = guard.unlink(node) || !guard.ring(next).any(NodeRef::waits);
        node.set_slot(ptr::null());
        guard.leave_one();
        let tallies = &guard.slot.tallies;
        let (tally, event) = match reason {
            Reason::TimedOut => (&tallies.timeouts, Event::Timeout),
            Reason::Cancelled => (&tallies.cancels, Event::Cancel),
        };
        tally.add_locked(1);
        self.observe_node(event, guard.slot, node);
        let moved = node.moved() != Moved::No;
        on_leave(&guard, Left { last, moved });
        Was::Waiting
    }

    /// Locks the slot that a node of the caller's is in now; `None` if it is in none.
    pub(crate) fn lock_slot_of(&self, node: &Node<P>) -> Option<SlotGuard<'_, P>> {
        loop {
            let slot = node.slot();
            // SAFETY: null, or T1: a slot of the table that this wait borrows.
            let Some(slot) = (unsafe { slot.as_ref() }) else {
                let has_left = node.has_left();
                debug_assert!(has_left, "N4: who has left does not come back");
                return None;
            };
            let guard = slot.lock();
            // A requeue may have moved it between the look and the lock.
            if ptr::eq(node.slot(), slot) {
                return Some(guard);
            }
        }
    }
}
