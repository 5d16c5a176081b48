//! Gates by key: latches and barriers, whose state is how much the holders of a key hold together.
//!
//! A key is a gate while somebody holds it: a latch by one node that holds what is left to count
//! down, a barrier by one node per member that holds 1 until it has arrived. Who waits at a gate
//! waits in the queue of its key; when the total comes to 0 all are released in one wake. The nodes
//! of holders lie in a pool, since their guards may be moved. All is decided under the slot lock.
//!
//! **Invariants**
//! - G1 The table is the gates' alone, and no holder word of it is ever used: a holder is a node.
//! - G2 Who waits has found the total above 0 under the slot lock, and whoever brings it to 0
//!   chooses all who wait in the same hold: nobody waits at an open gate.
//! - G3 A guard's entry ends when its node is in no queue, and no node of a waiter carries its key.
//!
//! **Lock order**: one slot lock. **Orderings**: ENTRY, and those of `park`, `task` and `unpark`.

mod barrier;
mod latch;

use core::borrow::Borrow;
use core::mem::ManuallyDrop;
use core::slice;

use crate::choose::{Chosen, Filter};
use crate::inspect::Caller;
use crate::keyed::{Entry, KeyedOptions, Pool, PoolStats, WhenFull};
use crate::node::{Name, Node, NodeRef};
use crate::platform::Platform;
use crate::slot::SlotGuard;
use crate::slots::SlotCountError;
use crate::table::Table;
use crate::waiter::Verdict;
use crate::wakers::Wakers;

pub use barrier::{Barrier, BarrierOutcome, Member, MemberWait};
pub use latch::{ArmError, ArmedLatch, Latch, LatchOutcome, LatchWait};

/// What latches and barriers are made of.
struct Gate<K, P: Platform> {
    /// Nobody else reaches it (G1).
    table: Table<K, P>,
    pool: Pool<K, P>,
}

impl<K, P: Platform> Gate<K, P> {
    fn with_options(options: KeyedOptions) -> Result<Self, SlotCountError> {
        Ok(Self {
            table: Table::try_with_slots(options.slots)?,
            pool: Pool::new(options.pool, options.when_full == WhenFull::Allocate),
        })
    }

    fn pool_stats(&self) -> PoolStats {
        PoolStats {
            places: self.pool.len(),
            taken: self.pool.taken_count(),
            full: self.pool.full_count(),
        }
    }

    /// A holder of `key` that is linked nowhere yet; the key, if the pool is full.
    #[track_caller]
    fn holder(&self, hash: u64, key: K, weight: u32) -> Result<Held<'_, K, P>, K> {
        let generation = self.table.generation();
        let renew = |node: &mut Node<P>, key: *const K, label| {
            let key = key.cast();
            node.renew(Name { hash, key }, weight, generation, label);
        };
        let entry = self.pool.take(key, None, renew)?;
        // SAFETY: E1: it was just filled.
        let node = unsafe { entry.node() };
        // SAFETY: V1: nobody knows the node yet.
        let says = unsafe { entry.traced().record::<P>(Caller::here(), None, false) };
        if !says.is_null() {
            // SAFETY: V1: nobody else knows the node.
            unsafe { node.set_traced(says) };
        }
        Ok(Held {
            gate: self,
            hash,
            entry,
            waits: 0,
        })
    }

    /// Runs `change` in one hold of the lock of a slot, then releases whom it has chosen. Drops
    /// call it, which must not panic before their node is unlinked: no check of re-entry here.
    fn decide<R>(
        &self,
        hash: u64,
        change: impl FnOnce(&SlotGuard<'_, P>, &mut Chosen<'_, '_, P>) -> R,
    ) -> R {
        let slot = self.table.slot(hash);
        // In this order, so that also by a panic first the slot is unlocked, then threads are
        // released, then tasks' Wakers called.
        let mut wakers = Wakers::new(slice::from_ref(slot), Some(hash));
        let _critical = P::critical();
        let mut chosen = Chosen::new(&mut wakers, Verdict::woken(0));
        let guard = slot.lock();
        let result = change(&guard, &mut chosen);
        chosen.collect(&guard);
        drop(guard);
        result
    }

    /// Chooses all who wait for the key that `head` represents.
    fn release_all<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        let all = |_: &_| Filter::Unpark;
        self.table.choose(guard, head, usize::MAX, all, chosen);
    }

    /// How much the holders of `key` hold together.
    fn total<Q>(&self, guard: &SlotGuard<'_, P>, hash: u64, key: &Q) -> u32
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let head = self.table.find(guard, hash, key);
        head.map_or(0, |head| head.group().total)
    }
}

/// What a guard owns: an entry of the pool with the node that it holds by. Its owner unlinks that
/// before this is dropped.
struct Held<'g, K, P: Platform> {
    gate: &'g Gate<K, P>,
    hash: u64,
    entry: &'g Entry<K, P>,
    /// How many nodes of futures carry the key of the entry: more than 0 at the end if one was
    /// leaked, and then the entry is, too.
    waits: u32,
}

// SAFETY: an entry has one owner, which may move to another thread with its key; the node is shared
// under the rules of `node`.
unsafe impl<K: Send + Sync, P: Platform> Send for Held<'_, K, P> {}
// SAFETY: others may look at the key only; everything else is under the slot lock.
unsafe impl<K: Send + Sync, P: Platform> Sync for Held<'_, K, P> {}

impl<'g, K, P: Platform> Held<'g, K, P> {
    fn key(&self) -> &K {
        // SAFETY: E1: this owns the entry.
        unsafe { self.entry.key() }
    }

    fn node(&self) -> &Node<P> {
        // SAFETY: E1: this owns the entry.
        unsafe { self.entry.node() }
    }

    /// The node, for who holds the lock of its slot.
    fn locked<'h>(&'h self, _guard: &'h SlotGuard<'_, P>) -> Option<NodeRef<'h, P>> {
        // SAFETY: N1: it is linked in the slot of the key, or about to be, and this outlives it.
        unsafe { NodeRef::from_raw(self.node()) }
    }

    /// Whether this is the child of a fork made since: then the node is in no queue.
    fn is_forked(&self) -> bool {
        self.node().generation() != self.gate.table.generation()
    }

    /// Takes the key back from a holder that was never linked.
    fn into_key(self) -> K {
        let this = ManuallyDrop::new(self);
        // SAFETY: this owns the entry, whose node is linked nowhere.
        unsafe { this.entry.end_and_take() }
    }
}

impl<K, P: Platform> Drop for Held<'_, K, P> {
    fn drop(&mut self) {
        let is_linked = !self.is_forked() && !self.node().slot().is_null();
        debug_assert!(!is_linked, "G3: a guard unlinks its node first");
        if self.waits == 0 && !is_linked {
            // SAFETY: G3: this owns the entry, and nobody else knows its node or its key.
            unsafe { self.entry.end() };
        }
    }
}
