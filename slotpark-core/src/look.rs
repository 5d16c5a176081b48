//! Finding a key in its slot, and counting who waits for it.

use core::borrow::Borrow;
use core::ptr;

use crate::node::NodeRef;
use crate::platform::{Event, Platform};
use crate::reentry;
use crate::slot::{Slot, SlotGuard};
use crate::table::Table;

impl<K, P: Platform> Table<K, P> {
    /// Tells the platform; compiles to nothing where it does not listen.
    #[inline(always)]
    pub(crate) fn observe(&self, event: Event, slot: &Slot<P>) {
        P::observe(event, self.index_of(slot));
    }

    /// Tells the platform what happens to a waiter, whose slot is locked.
    #[inline(always)]
    pub(crate) fn observe_node(&self, event: Event, slot: &Slot<P>, node: NodeRef<'_, P>) {
        P::observe_waiter(event, self.index_of(slot), node.tag());
    }

    #[inline(always)]
    fn index_of(&self, slot: &Slot<P>) -> usize {
        (ptr::from_ref(slot).addr() - self.slots.addr()) / size_of::<Slot<P>>()
    }

    /// The head of the group of a key.
    pub(crate) fn find<'g, Q>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        hash: u64,
        key: &Q,
    ) -> Option<NodeRef<'g, P>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let mut group = guard.first();
        while let Some(head) = group {
            self.observe(Event::GroupVisited, guard.slot);
            let name = head.name();
            if name.hash == hash {
                // SAFETY: N3 and T2: the key of a linked node is a live `K`.
                let here = unsafe { &*name.key.cast::<K>() };
                if here.borrow() == key {
                    return Some(head);
                }
            }
            group = guard.next_key(head);
        }
        None
    }

    /// The number of waiters of `key` at this moment, exactly: those whose wait has begun and has
    /// neither been woken nor left. Never a hint: the group is walked under the slot lock.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::new().waiters(1, &7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, hash: u64, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        let slot = self.slot(hash);
        if !slot.announced.any() {
            return 0;
        }
        let _critical = P::critical();
        let guard = slot.lock();
        let Some(head) = self.find(&guard, hash, key) else {
            return 0;
        };
        let visited = guard
            .ring(head)
            .inspect(|_| self.observe(Event::NodeVisited, slot));
        visited.filter(|node| node.waits()).count()
    }
}
