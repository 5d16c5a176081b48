//! Whose turn it is: the first waiter of a key, looked at by its tag, and woken if the caller's
//! word can be made its own.
//!
//! What a caller does with the word and who is woken is one step for all who take the slot lock.
//!
//! **Lock order**: one slot lock at a time. **Orderings**: DEKKER side B, LOCK, HANDOFF, SLEEP.

use core::slice;

use crate::choose::{Chosen, Filter};
use crate::node::NodeRef;
use crate::platform::Platform;
use crate::reentry;
use crate::slot::{Slot, SlotGuard};
use crate::sync::full_fence;
use crate::table::Table;
use crate::waiter::Verdict;
use crate::wakers::Wakers;

impl<K: Eq, P: Platform> Table<K, P> {
    /// The tags of the waiters of a key whose slot is locked, in their order.
    pub(crate) fn tags_of<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        hash: u64,
        key: &K,
    ) -> impl Iterator<Item = u64> + use<'g, K, P> {
        let ring = self.find(guard, hash, key).map(|head| guard.ring(head));
        let waiting = ring.into_iter().flatten().filter(|node| node.waits());
        waiting.map(NodeRef::tag)
    }

    /// Under the slot lock, whoever waits: `decide` is told the tag of the key's first waiter. If
    /// it says yes, that waiter is woken.
    pub(crate) fn unpark_first_if<E>(
        &self,
        hash: u64,
        key: &K,
        decide: impl FnOnce(&SlotGuard<'_, P>, Option<u64>) -> Result<bool, E>,
    ) -> Result<bool, E> {
        reentry::check();
        let slot = self.slot(hash);
        // In the order of `wake`: the slot is unlocked first, also by a panic.
        let mut wakers = Wakers::new(slice::from_ref(slot), Some(hash));
        let _critical = P::critical();
        let mut chosen = Chosen::new(&mut wakers, Verdict::woken(0));
        let guard = slot.lock();
        let first = self.tags_of(&guard, hash, key).next();
        let is_due = decide(&guard, first)?;
        if let Some(head) = self.find(&guard, hash, key).filter(|_| is_due) {
            self.choose(&guard, head, 1, |_| Filter::Unpark, &mut chosen);
            chosen.collect(&guard);
        }
        drop(guard);
        Ok(chosen.count > 0)
    }

    /// Wakes the first waiter of each key for which `is_due`, told its tag, says yes: slot after
    /// slot, and each under its lock. Returns how many.
    pub(crate) fn unpark_first_where(&self, mut is_due: impl FnMut(&K, u64) -> bool) -> usize {
        reentry::check();
        let mut count = 0;
        for slot in self.slots_with_waiters() {
            let mut wakers = Wakers::new(slice::from_ref(slot), None);
            let _critical = P::critical();
            let mut chosen = Chosen::new(&mut wakers, Verdict::woken(0));
            let guard = slot.lock();
            let mut group = guard.first();
            while let Some(head) = group {
                // Read first: the whole ring may leave.
                group = guard.next_key(head);
                let first = guard.ring(head).find(|node| node.waits());
                // SAFETY: N3 and T2: the key of a linked node is a live `K`.
                let key = unsafe { &*head.name().key.cast::<K>() };
                if first.is_some_and(|first| is_due(key, first.tag())) {
                    self.choose(&guard, head, 1, |_| Filter::Unpark, &mut chosen);
                    chosen.collect(&guard);
                }
            }
            drop(guard);
            count += chosen.count;
        }
        count
    }

    /// What `look` says of the first waiter of whom it says something, by key and tag. It runs
    /// under the lock of the waiter's slot, and no two slots are looked at in one moment.
    pub(crate) fn find_waiter<R>(&self, mut look: impl FnMut(&K, u64) -> Option<R>) -> Option<R> {
        reentry::check();
        self.slots_with_waiters().find_map(|slot| {
            let _critical = P::critical();
            let guard = slot.lock();
            let mut group = guard.first();
            while let Some(head) = group {
                group = guard.next_key(head);
                // SAFETY: N3 and T2: the key of a linked node is a live `K`.
                let key = unsafe { &*head.name().key.cast::<K>() };
                let mut waiting = guard.ring(head).filter(|node| node.waits());
                let found = waiting.find_map(|node| look(key, node.tag()));
                if found.is_some() {
                    return found;
                }
            }
            None
        })
    }

    /// The slots in which somebody may wait: of whoever was queued before the call, the slot is
    /// among them.
    fn slots_with_waiters(&self) -> impl Iterator<Item = &Slot<P>> {
        // ORDERING: DEKKER side B: what the caller changed comes before the reads of all counts.
        full_fence();
        let mut slots = self.all_slots().iter();
        core::iter::from_fn(move || slots.find(|slot| slot.announced.any_by_now()))
    }
}
