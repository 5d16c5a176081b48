//! Who leads: taking the lead, handing values over, handing the lead on.
//!
//! **Lock order**: one slot lock. **Orderings**: those of `unpark`.

use core::slice;

use crate::choose::Chosen;
use crate::flight::{CLONES_MAX, Seat, SingleFlight};
use crate::node::{Node, NodeRef};
use crate::platform::Platform;
use crate::slot::SlotGuard;
use crate::waiter::Verdict;
use crate::wakers::Wakers;

impl<K: Eq, V, P: Platform> SingleFlight<K, V, P> {
    /// Leads, if nobody does.
    pub(super) fn try_lead(&self, hash: u64, key: &K, holder: &Node<P>) -> bool {
        let _critical = P::critical();
        let guard = self.table.slot(hash).lock();
        self.try_lead_locked(&guard, hash, key, holder)
    }

    /// As [`try_lead`](Self::try_lead); the lock of the key's slot is held.
    pub(super) fn try_lead_locked(
        &self,
        guard: &SlotGuard<'_, P>,
        hash: u64,
        key: &K,
        holder: &Node<P>,
    ) -> bool {
        let head = self.table.find(guard, hash, key);
        if head.is_some_and(|head| guard.first_holder(head).is_some()) {
            return false;
        }
        // SAFETY: N1: it is the caller's own, who keeps it as long as it leads.
        if let Some(holder) = unsafe { NodeRef::from_raw(holder) } {
            guard.push_holder(head, holder);
            holder.holds_now();
        }
        true
    }
}

/// This leads its key as long as its holder is linked. Dropped before, it hands the lead on.
pub(super) struct Lead<'f, K, V, P: Platform> {
    flights: &'f SingleFlight<K, V, P>,
    hash: u64,
    holder: &'f Node<P>,
}

impl<'f, K, V, P: Platform> Lead<'f, K, V, P> {
    /// # Safety
    /// `seat` holds its key, unless this process was forked since, and stays where it is until this
    /// is dropped.
    pub(super) unsafe fn new(
        flights: &'f SingleFlight<K, V, P>,
        hash: u64,
        seat: &'f Seat<V, P>,
    ) -> Self {
        Self {
            flights,
            hash,
            holder: &seat.holder,
        }
    }

    /// Hands clones of the value to those who follow, and ends the flight.
    pub(super) fn land(self, value: &V)
    where
        V: Clone,
    {
        let mut left = self.end_or_count();
        while left > 0 {
            let count = left.min(CLONES_MAX);
            left -= count;
            let mut clones = [const { None }; CLONES_MAX];
            for clone in &mut clones[..count] {
                *clone = Some(value.clone());
            }
            if self.serve(&mut clones[..count], left == 0) {
                return;
            }
        }
    }

    /// How many follow. If nobody does the flight ends.
    fn end_or_count(&self) -> usize {
        self.decide(|guard, holder, _| {
            let ring = guard.ring(guard.head_of(holder));
            let count = ring.filter(|node| node.waits()).count();
            if count == 0 {
                guard.unlink_holder(guard.head_of(holder), holder);
            }
            count
        })
    }

    /// Moves the clones to the first who follow; what is left of them is the caller's. True if the
    /// flight has ended by this: nobody is left, or who is left came too late for it.
    fn serve(&self, clones: &mut [Option<V>], is_last: bool) -> bool {
        self.decide(|guard, holder, chosen| {
            let mut now = None;
            let mut clones = clones.iter_mut();
            let mut remain = false;
            for node in guard.ring(guard.head_of(holder)) {
                if !node.waits() {
                    continue;
                }
                let Some(clone) = clones.next() else {
                    remain = true;
                    break;
                };
                // SAFETY: F1: it is the seat of a follower.
                let seat = unsafe { &*node.room().cast_const().cast::<Seat<V, P>>() };
                // SAFETY: F2: it follows, and is chosen in this hold of the lock.
                let _none = unsafe { seat.room.replace(clone.take()) };
                self.flights.table.end_one(guard, node, &mut now, chosen);
            }
            if is_last || !remain {
                self.hand_on_locked(guard, holder, chosen);
            }
            is_last || !remain
        })
    }

    /// The first who follows leads from now on; with nobody there the flight ends.
    fn hand_on_locked<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        holder: NodeRef<'g, P>,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        let old_head = guard.head_of(holder);
        guard.unlink_holder(old_head, holder);
        if old_head == holder {
            return;
        }
        let Some(heir) = guard.ring(old_head).find(|node| node.waits()) else {
            return;
        };
        // SAFETY: F1: it is the seat of a follower.
        let seat = unsafe { &*heir.room().cast_const().cast::<Seat<V, P>>() };
        // SAFETY: F1, N1: the follower keeps its seat as long as it waits, and then as it leads.
        if let Some(next) = unsafe { NodeRef::from_raw(&raw const seat.holder) } {
            guard.push_holder(Some(old_head), next);
            next.holds_now();
        }
        self.flights.table.end_one(guard, heir, &mut None, chosen);
    }

    /// Runs `change` in one hold of the slot lock with the holder's node, then releases whom it has
    /// chosen. In the child of a fork nobody is there.
    fn decide<R: Default>(
        &self,
        change: impl FnOnce(&SlotGuard<'_, P>, NodeRef<'_, P>, &mut Chosen<'_, '_, P>) -> R,
    ) -> R {
        let table = &self.flights.table;
        if self.holder.generation() != table.generation() {
            return R::default();
        }
        let slot = table.slot(self.hash);
        // In this order, so that also by a panic first the slot is unlocked, then threads are
        // released, then tasks' Wakers called.
        let mut wakers = Wakers::new(slice::from_ref(slot), Some(self.hash));
        let _critical = P::critical();
        let mut chosen = Chosen::new(&mut wakers, Verdict::woken(0));
        let guard = slot.lock();
        // SAFETY: N1: it is our own, and linked as long as this leads.
        let Some(holder) = (unsafe { NodeRef::from_raw(self.holder) }) else {
            return R::default();
        };
        let result = change(&guard, holder, &mut chosen);
        chosen.collect(&guard);
        result
    }
}

impl<K, V, P: Platform> Drop for Lead<'_, K, V, P> {
    fn drop(&mut self) {
        // Ours to read: nobody else unlinks it.
        if !self.holder.slot().is_null() {
            self.decide(|guard, holder, chosen| self.hand_on_locked(guard, holder, chosen));
        }
    }
}
