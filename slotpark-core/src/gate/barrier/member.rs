//! A member of a barrier: it arrives, takes its arrival back, and goes.

use core::fmt;

use crate::choose::Chosen;
use crate::gate::Held;
use crate::node::{NodeRef, Role};
use crate::platform::{DefaultPlatform, Platform};
use crate::slot::SlotGuard;
use crate::sync::Guarded;

/// The others of its key wait for this as long as it lives. Made by
/// [`Barrier::register`](crate::Barrier::register).
///
/// It may be moved and sent to another thread. Dropped, it is awaited no more: if all others have
/// arrived, that completes the phase, and one of them is the leader. Forgotten (`mem::forget`), it
/// is awaited for ever, and keeps its place as long as the barriers live.
///
/// ```
/// use slotpark_core::{Barrier, BarrierOutcome};
/// let barrier = Barrier::<u64>::new();
/// let mut member = barrier.register(1, 7).unwrap();
/// assert_eq!(member.wait(None), BarrierOutcome::Leader);
/// ```
#[must_use = "it leaves the barrier when it is dropped"]
pub struct Member<'b, K, P: Platform = DefaultPlatform> {
    pub(super) held: Held<'b, K, P>,
}

impl<'b, K, P: Platform> Member<'b, K, P> {
    pub(super) const fn new(held: Held<'b, K, P>) -> Self {
        Self { held }
    }

    /// The key of its barrier.
    ///
    /// ```
    /// assert_eq!(*slotpark_core::Barrier::<u64>::new().register(1, 7).unwrap().key(), 7);
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        self.held.key()
    }

    /// Has not arrived any more. Whoever calls it leaves in the same hold of the lock (B1).
    pub(super) fn take_back(&self, guard: &SlotGuard<'_, P>) {
        if let Some(holder) = self.held.locked(guard) {
            guard.set_held(guard.head_of(holder), holder, 1);
        }
    }

    /// All have arrived: the next phase begins.
    fn complete<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        let members = guard.ring(head).filter(|node| node.role() == Role::Holder);
        for member in members {
            guard.set_held(head, member, 1);
        }
        self.held.gate.release_all(guard, head, chosen);
    }
}

impl<K: Eq, P: Platform> Member<'_, K, P> {
    /// Completes the phase, if only this one is awaited.
    #[track_caller]
    pub(super) fn arrive_last(&self) -> bool {
        let gate = self.held.gate;
        gate.decide(self.held.hash, |guard, chosen| {
            let Some(holder) = self.held.locked(guard) else {
                return false;
            };
            let head = self.head(guard, holder);
            let is_last = head.group().total == holder.weight();
            if is_last {
                self.complete(guard, head, chosen);
            }
            is_last
        })
    }

    /// Arrives, unless only this one is awaited: then false. Whoever calls it waits in the same
    /// hold of the lock (B1).
    #[track_caller]
    pub(super) fn arrive(&self, guard: &SlotGuard<'_, P>) -> bool {
        let Some(holder) = self.held.locked(guard) else {
            return false;
        };
        let head = self.head(guard, holder);
        let arrives = head.group().total > holder.weight();
        if arrives {
            guard.set_held(head, holder, 0);
        }
        arrives
    }

    /// The head of the key, in no more steps than the slot has keys.
    fn head<'g>(&self, guard: &'g SlotGuard<'_, P>, holder: NodeRef<'g, P>) -> NodeRef<'g, P> {
        if holder.is_head() {
            return holder;
        }
        let found = (self.held.gate.table).find(guard, self.held.hash, self.key());
        found.unwrap_or_else(|| guard.head_of(holder))
    }
}

impl<K, P: Platform> Drop for Member<'_, K, P> {
    fn drop(&mut self) {
        if self.held.is_forked() {
            return;
        }
        let gate = self.held.gate;
        gate.decide(self.held.hash, |guard, chosen| {
            let Some(holder) = self.held.locked(guard) else {
                return;
            };
            let (head, next) = (guard.head_of(holder), holder.next());
            guard.unlink_holder(head, holder);
            if next == holder {
                return;
            }
            let head = if head == holder { next } else { head };
            if guard.first_holder(head).is_none() || head.group().total > 0 {
                return;
            }
            // The others had all arrived, and wait (B1).
            if let Some(first) = guard.ring(head).find(|node| node.waits()) {
                // SAFETY: B2: it is the cell of a wait, which is chosen in this hold of the lock.
                let leads = unsafe { &*first.room().cast_const().cast::<Guarded<bool>>() };
                // SAFETY: B2: it is read after the release only.
                unsafe { leads.set(true) };
            }
            self.complete(guard, head, chosen);
        });
    }
}

impl<K: fmt::Debug, P: Platform> fmt::Debug for Member<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("key", self.key())
            .finish_non_exhaustive()
    }
}
