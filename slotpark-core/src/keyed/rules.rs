//! Who may hold a key: what is decided under the slot lock.
//!
//! Every function here first *seizes* the slot: the only holder, if it stood in the holder word
//! alone, becomes a node in the queue of its key. From then on there are nodes only, and one set of
//! rules. Before the slot lock is given back the word is *settled*: free again if no node holds.
//!
//! **Invariants**
//! - H3 The total of a key never exceeds the capacity, and each holder is counted in it: by its node,
//!   or alone in the word.
//! - H4 A fair lock leaves no waiter behind that could be served: after every change that could
//!   serve one (a release, a shrinking, a waiter that leaves) the queue is served.
//! - H5 A grant links the holder's node, to which the waiter's node points, before the waiter is
//!   released. So whoever asks next finds the key held.
//!
//! **Lock order**: one slot lock. **Orderings**: HOLDER, and those of `unpark`.

use core::slice;

use crate::choose::{Chosen, Filter};
use crate::keyed::{KeyedLock, Preference, word};
use crate::node::{Node, NodeRef, Role};
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
        settle(&guard);
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
        settle(&guard);
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
        struct Undo<'g, 't, P: Platform>(&'g SlotGuard<'t, P>, *const Node<P>);
        impl<P: Platform> Drop for Undo<'_, '_, P> {
            fn drop(&mut self) {
                let Self(guard, holder) = self;
                guard.slot.holder.put_back(*holder, left(guard));
            }
        }
        let undo = Undo(guard, holder.as_ptr());
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
            let queues = self.preference != Preference::Barging && has_waiters(guard, head);
            holder.weight() <= free && !queues
        });
        if is_admitted {
            guard.push_holder(head, holder);
        }
        is_admitted
    }

    /// The owner of `holder` gives the key up.
    pub(super) fn release(&self, slot: &Slot<P>, hash: u64, holder: &Node<P>) {
        let critical = P::critical();
        let guard = slot.lock();
        self.seize(&guard);
        // SAFETY: H1: it is the caller's own, and was linked when the slot was seized, if not before.
        let Some(holder) = (unsafe { NodeRef::from_raw(holder) }) else {
            return;
        };
        let was_exclusive = holder.weight() == self.capacity;
        let head = self.head_of_holder(&guard, holder);
        guard.unlink_holder(head, holder);
        if head == holder {
            // Nobody waits.
            settle(&guard);
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

    /// Lets those in who can be let in now. The slot is seized, and `head` represents the key.
    pub(super) fn serve<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        after_exclusive: bool,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        let free = self.capacity - head.group().total;
        match self.preference {
            Preference::Barging => {
                let fits = |waiter: &crate::choose::Candidate| {
                    if waiter.tag as u32 <= free {
                        Filter::Unpark
                    } else {
                        Filter::Skip
                    }
                };
                self.table.choose(guard, head, 1, fits, chosen);
            }
            Preference::Fifo => self.grant(guard, head, false, chosen),
            Preference::PhaseFair => {
                let before = chosen.count;
                if after_exclusive {
                    self.grant(guard, head, true, chosen);
                }
                if chosen.count == before {
                    self.grant(guard, head, false, chosen);
                }
            }
        }
    }

    /// Grants what is free to those who wait, in their order, until the first who wants more; with
    /// `shared_only`, to all who want 1.
    fn grant<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        shared_only: bool,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        let mut head = head;
        let mut now = None;
        for node in guard.ring(head) {
            if node.role() == Role::Holder {
                return;
            }
            let wanted = node.tag() as u32;
            if !node.waits() || (shared_only && wanted != 1) {
                continue;
            }
            if wanted > self.capacity - head.group().total {
                return;
            }
            // SAFETY: H5, N1: a waiter of a keyed lock points to the node of a holder, which its
            // owner keeps as long as it waits.
            let Some(holder) = (unsafe { NodeRef::from_raw(node.room().cast_const().cast()) })
            else {
                continue;
            };
            if holder.is_linked() {
                guard.set_held(head, holder, holder.weight() + wanted);
            } else {
                guard.push_holder(Some(head), holder);
            }
            self.table.end_one(guard, node, &mut now, chosen);
            head = guard.head_of(holder);
        }
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

/// Brings the holder word up to date.
fn settle<P: Platform>(guard: &SlotGuard<'_, P>) {
    guard.slot.holder.settle(left(guard));
}

/// What stands in the queues of the slot.
fn left<P: Platform>(guard: &SlotGuard<'_, P>) -> word::Left {
    let mut left = word::Left::Nothing;
    let mut group = guard.first();
    while let Some(head) = group {
        if guard.first_holder(head).is_some() {
            return word::Left::Holders;
        }
        left = word::Left::Waiters;
        group = guard.next_key(head);
    }
    left
}

fn has_waiters<P: Platform>(guard: &SlotGuard<'_, P>, head: NodeRef<'_, P>) -> bool {
    let mut waiters = guard
        .ring(head)
        .take_while(|node| node.role() != Role::Holder);
    waiters.any(NodeRef::waits)
}
