//! Ending waits for good: of a table, of a key, of all keys that something is true of.
//!
//! A closed table is closed slot by slot, by a bit that every wait looks at under the slot lock:
//! who was linked before is ended by the walk, who comes later sees the bit. A requeue looks at its
//! target's bit under both locks, so nobody is moved behind the walker. A closed key is a node in
//! the key's ring, and closed while that node lives. Who looks at all keys holds all slot locks
//! until the choice is made: no requeue moves a waiter from a slot not seen yet to one already
//! seen.
//!
//! **Lock order**: slot locks in index order. **Orderings**: LOCK.

use core::borrow::Borrow;
use core::mem;
use core::mem::ManuallyDrop;
use core::slice;

use crate::choose::{Chosen, Filter};
use crate::node::NodeRef;
use crate::platform::Platform;
use crate::reentry;
use crate::slot::{Slot, SlotGuard};
use crate::table::Table;
use crate::waiter::{Ending, Verdict};
use crate::wakers::Wakers;

impl<K, P: Platform> Table<K, P> {
    /// Ends all waits with Closed, now and for ever: no wait that has begun or will begin sleeps
    /// after this. Returns how many it ended; closing again ends nobody.
    ///
    /// Of waits that begin while this runs, each is ended by it or refuses by itself. Tables over
    /// the same slots are one, also in this. What holds otherwise is not changed: wakes of a closed
    /// table find nobody.
    ///
    /// # Panics
    /// In debug builds, if called from a closure that runs under a slot lock. Passes a panic of a
    /// task's Waker on, after the other Wakers are called.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// let table = Table::<u64>::new();
    /// assert_eq!(table.close(), 0);
    /// assert_eq!(table.park(1, &7, ParkOptions::new(), || true), Parked::Closed);
    /// ```
    pub fn close(&self) -> usize {
        reentry::check();
        let mut count = 0;
        for slot in self.all_slots() {
            let mut wakers = Wakers::new(slice::from_ref(slot), None);
            let _critical = P::critical();
            let mut chosen = Chosen::new(&mut wakers, Verdict::ended(Ending::Closed));
            let guard = slot.lock();
            slot.announced.close();
            self.choose_all(&guard, |_| true, &mut chosen);
            drop(guard);
            count += chosen.count;
        }
        count
    }

    /// Whether the table is closed, or is being closed at this moment.
    ///
    /// ```
    /// assert!(!slotpark_core::Table::<u64>::new().is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.slot(0).announced.is_closed()
    }

    /// Ends the waits of all keys that `is_gone` says yes to with Closed: of memory that is
    /// unmapped, of a process that died. Returns how many.
    ///
    /// It is one moment for all keys: all slot locks are held while it chooses, and `is_gone` runs
    /// under them, once for each key that somebody waits on. It must not call a table. If it
    /// panics, the waits chosen before are ended, then the panic goes on. Costs a lock for each
    /// slot of the table, whoever waits: so what was changed before the call is seen by the
    /// `validate`, under its lock, of every wait that was not yet queued. A flag set first and
    /// looked at there closes some keys for good.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::new().close_where(|key| *key < 100), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn close_where(&self, is_gone: impl FnMut(&K) -> bool) -> usize {
        self.end_where(is_gone, Verdict::ended(Ending::Closed))
    }

    /// Wakes the waiters of all keys that `is_wanted` says yes to, and hands each `token`. Returns
    /// how many. Else as [`close_where`](Self::close_where).
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::new().unpark_where(|key| *key < 100, 0), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn unpark_where(&self, is_wanted: impl FnMut(&K) -> bool, token: u64) -> usize {
        self.end_where(is_wanted, Verdict::woken(token))
    }

    fn end_where(&self, is_chosen: impl FnMut(&K) -> bool, verdict: Verdict) -> usize {
        reentry::check();
        let slots = self.all_slots();
        let mut wakers = Wakers::new(slots, None);
        let _critical = P::critical();
        let mut chosen = Chosen::new(&mut wakers, verdict);
        let mut is_chosen = is_chosen;
        let locked = AllLocked::new(slots);
        for slot in slots {
            let guard = locked.guard(slot);
            self.choose_all(&guard.0, &mut is_chosen, &mut chosen);
        }
        drop(locked);
        chosen.count
    }

    /// Chooses all waiters of the keys that `is_chosen` says yes to.
    fn choose_all(
        &self,
        guard: &SlotGuard<'_, P>,
        mut is_chosen: impl FnMut(&K) -> bool,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        let mut group = guard.first();
        while let Some(head) = group {
            // Read first: the whole ring may leave.
            group = guard.next_key(head);
            if !guard.ring(head).any(NodeRef::waits) {
                continue;
            }
            // SAFETY: N3 and T2: the key of a linked node is a live `K`.
            let key = unsafe { &*head.name().key.cast::<K>() };
            if is_chosen(key) {
                self.choose(guard, head, usize::MAX, |_| Filter::Unpark, chosen);
                chosen.collect(guard);
            }
        }
    }

    pub(crate) fn all_slots(&self) -> &[Slot<P>] {
        // SAFETY: T1: there are so many slots, and they live as long as the table.
        unsafe { slice::from_raw_parts(self.slots, self.slot_count()) }
    }
}

/// The locks of all slots, held.
struct AllLocked<'t, P: Platform>(&'t [Slot<P>]);

impl<'t, P: Platform> AllLocked<'t, P> {
    fn new(slots: &'t [Slot<P>]) -> Self {
        for slot in slots {
            mem::forget(slot.lock());
        }
        Self(slots)
    }

    /// The guard of one of them, which does not unlock.
    fn guard(&self, slot: &'t Slot<P>) -> Borrowed<'t, P> {
        // SAFETY: this thread has locked all slots and forgotten the guards; this one is dropped
        // before another is made.
        Borrowed(ManuallyDrop::new(unsafe { SlotGuard::of_locked(slot) }))
    }
}

impl<P: Platform> Drop for AllLocked<'_, P> {
    fn drop(&mut self) {
        for slot in self.0 {
            // SAFETY: locked in `new`, and no other guard is left.
            drop(unsafe { SlotGuard::of_locked(slot) });
        }
    }
}

/// A guard that settles the slot's count when it is dropped, and leaves it locked.
struct Borrowed<'t, P: Platform>(ManuallyDrop<SlotGuard<'t, P>>);

impl<P: Platform> Drop for Borrowed<'_, P> {
    fn drop(&mut self) {
        self.0.settle();
    }
}

impl<K: Eq, P: Platform> Table<K, P> {
    /// Ends the waits of `key` as they stand now with Closed; returns how many. Later waits are not
    /// concerned: see [`closed_key`](Self::closed_key) for that.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::new().close_key(1, &7), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn close_key<Q>(&self, hash: u64, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        let slot = self.slot(hash);
        if !slot.announced.any() {
            return 0;
        }
        self.close_key_with(hash, key, |_, _| {})
    }

    /// `keep` runs under the lock, after the choice.
    pub(crate) fn close_key_with<'t, Q>(
        &'t self,
        hash: u64,
        key: &Q,
        keep: impl FnOnce(&SlotGuard<'t, P>, Option<NodeRef<'_, P>>),
    ) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let slot = self.slot(hash);
        let mut wakers = Wakers::new(slice::from_ref(slot), Some(hash));
        let _critical = P::critical();
        let mut chosen = Chosen::new(&mut wakers, Verdict::ended(Ending::Closed));
        let guard = slot.lock();
        if let Some(head) = self.find(&guard, hash, key) {
            self.choose(&guard, head, usize::MAX, |_| Filter::Unpark, &mut chosen);
            chosen.collect(&guard);
        }
        keep(&guard, self.find(&guard, hash, key));
        drop(guard);
        chosen.count
    }
}
