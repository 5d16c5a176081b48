//! Who may hold a key: what is decided under the slot lock.
//!
//! Every function here first *seizes* the slot: the only holder, if it stood in the holder word
//! alone, becomes a node in the queue of its key. From then on there are nodes only, and one set of
//! rules. Before the slot lock is given back the word is *settled*: free again if no node holds.
//! Who comes next is said in `serve`.
//!
//! **Invariants**
//! - H3 The total of a key never exceeds the capacity, and each holder is counted in it: by its
//!   node, or alone in the word.
//! - H4 A fair lock leaves no waiter behind that could be served: after every change that could
//!   serve one (a release, a shrinking, a waiter that leaves) the queue is served.
//! - H5 A grant links the holder's node, to which the waiter's node points, before the waiter is
//!   released. So whoever asks next finds the key held.
//! - H6 The node of a holder stays as long as a waiter points to it: a guard whose growth was
//!   forgotten never gives its place back.
//!
//! **Lock order**: one slot lock. **Orderings**: HOLDER, and those of `unpark`.

use core::slice;

use crate::choose::Chosen;
use crate::inspect::is_timed;
use crate::keyed::{KeyedLock, Preference, word};
use crate::node::{Node, NodeRef};
use crate::platform::Platform;
use crate::slot::{Slot, SlotGuard};
use crate::waiter::Verdict;
use crate::wakers::Wakers;

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    /// Runs `change` in one hold of the slot's lock, after the slot was seized and before it is
    /// settled. It chooses nobody.
    pub(super) fn decide<R>(
        &self,
        slot: &Slot<P>,
        change: impl FnOnce(&SlotGuard<'_, P>) -> R,
    ) -> R {
        let _critical = P::critical();
        let guard = slot.lock();
        self.seize(&guard);
        let result = change(&guard);
        self.settle(&guard);
        result
    }

    /// As [`decide`](Self::decide); then releases whom `change` has chosen.
    pub(super) fn decide_and_release<R>(
        &self,
        slot: &Slot<P>,
        hash: u64,
        change: impl FnOnce(&SlotGuard<'_, P>, &mut Chosen<'_, '_, P>) -> R,
    ) -> R {
        let critical = P::critical();
        let guard = slot.lock();
        self.seize(&guard);
        self.choose_and_release((guard, critical), hash, change)
    }

    fn choose_and_release<'t, R>(
        &'t self,
        (guard, critical): (SlotGuard<'t, P>, P::Critical),
        hash: u64,
        change: impl FnOnce(&SlotGuard<'_, P>, &mut Chosen<'_, '_, P>) -> R,
    ) -> R {
        // In this order, so that also by a panic first the slot is unlocked, then threads are
        // released, then tasks' Wakers called.
        let mut wakers = Wakers::new(slice::from_ref(guard.slot), Some(hash));
        let _critical = critical;
        let mut chosen = Chosen::new(&mut wakers, Verdict::woken(0));
        let guard = guard;
        let result = change(&guard, &mut chosen);
        chosen.collect(&guard);
        self.settle(&guard);
        drop(guard);
        result
    }

    /// From here on all holders of the slot are nodes.
    pub(super) fn seize(&self, guard: &SlotGuard<'_, P>) {
        let holder = guard.slot.holder.seize();
        // SAFETY: H1, N1: its owner takes the slot lock before the node ends.
        let Some(holder) = (unsafe { NodeRef::from_raw(holder) }) else {
            return;
        };
        /// A panic of `Eq`: the holder stays alone in the word.
        struct Undo<'g, 't, P: Platform>(&'g SlotGuard<'t, P>, *const Node<P>, word::Left);
        impl<P: Platform> Drop for Undo<'_, '_, P> {
            fn drop(&mut self) {
                self.0.slot.holder.put_back(self.1, self.2);
            }
        }
        let undo = Undo(guard, holder.as_ptr(), self.left(guard));
        let name = holder.name();
        // SAFETY: N3: the key of a holder lives as long as its node is known.
        let key = unsafe { &*name.key.cast::<K>() };
        let head = self.table.find(guard, name.hash, key);
        core::mem::forget(undo);
        guard.push_holder(head, holder);
    }

    /// Lets the owner of `holder` have the key, if there is enough of it and nobody is before it.
    /// The slot is seized.
    pub(super) fn admit(&self, guard: &SlotGuard<'_, P>, holder: &Node<P>, key: &K) -> bool {
        // SAFETY: N1: it is the caller's own, who keeps it until the key is released.
        let Some(holder) = (unsafe { NodeRef::from_raw(holder) }) else {
            return false;
        };
        let head = self.table.find(guard, holder.name().hash, key);
        let is_admitted = head.is_none_or(|head| {
            let free = self.capacity - head.group().total;
            let others_first = self.first_waiter(guard, head).is_some_and(|first| {
                self.preference != Preference::Barging || self.holder_of(first).is_linked()
            });
            holder.weight() <= free && !others_first
        });
        if is_admitted {
            guard.push_holder(head, holder);
            holder.holds_now();
        }
        is_admitted
    }

    /// The owner of `holder` gives the key up.
    pub(super) fn release(&self, slot: &Slot<P>, hash: u64, holder: &Node<P>) {
        let critical = P::critical();
        let guard = slot.lock();
        self.seize(&guard);
        // SAFETY: H1: it is the caller's own, and linked since the slot was seized, if not before.
        let Some(holder) = (unsafe { NodeRef::from_raw(holder) }) else {
            return;
        };
        let was_exclusive = holder.weight() == self.capacity;
        let head = self.head_of_holder(&guard, holder);
        guard.unlink_holder(head, holder);
        if head == holder {
            // Nobody waits.
            self.settle(&guard);
            return;
        }
        let head = head.as_ptr();
        self.choose_and_release((guard, critical), hash, |guard, chosen| {
            // SAFETY: N1: it is linked, under this hold of the lock.
            if let Some(head) = unsafe { NodeRef::from_raw(head) } {
                self.serve(guard, head, was_exclusive, chosen);
            }
        });
    }

    /// The head of a holder's key: its successor if it is the last holder, without a comparison of
    /// keys.
    pub(super) fn head_of_holder<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        holder: NodeRef<'g, P>,
    ) -> NodeRef<'g, P> {
        if holder.is_head() {
            return holder;
        }
        let next = holder.next();
        if next.is_head() {
            return next;
        }
        let name = holder.name();
        // SAFETY: N3: the key of a linked node is a live `K`.
        let key = unsafe { &*name.key.cast::<K>() };
        let head = self.table.find(guard, name.hash, key);
        head.unwrap_or_else(|| guard.head_of(holder))
    }

    /// Brings the holder word up to date. Where owners are recorded it stays with the slot lock to
    /// decide, also if nobody holds.
    fn settle(&self, guard: &SlotGuard<'_, P>) {
        if !is_timed() {
            guard.slot.holder.settle(self.left(guard));
        }
    }

    /// What stands in the queues of the slot. In a fair lock who waits and is not served waits for
    /// a condition, or for what is held.
    fn left(&self, guard: &SlotGuard<'_, P>) -> word::Left {
        let mut left = word::Left::Nothing;
        let mut group = guard.first();
        while let Some(head) = group {
            if guard.first_holder(head).is_some() {
                return word::Left::Holders;
            }
            if self.preference == Preference::Barging {
                left = word::Left::Waiters;
            }
            group = guard.next_key(head);
        }
        left
    }

    /// A waiter has left: those behind it may want less.
    pub(super) fn serve_key(&self, hash: u64, key: &K) {
        self.decide_and_release(self.table.slot(hash), hash, |guard, chosen| {
            if let Some(head) = self.table.find(guard, hash, key) {
                self.serve(guard, head, false, chosen);
            }
        });
    }
}
