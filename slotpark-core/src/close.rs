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
use core::fmt;
use core::marker::PhantomPinned;
use core::mem::{self, ManuallyDrop};
use core::pin::Pin;
use core::ptr;
use core::slice;

use crate::choose::{Chosen, Filter};
use crate::node::{Group, Name, Node, NodeRef, Role};
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
    /// slot of the table, whoever waits.
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

    fn all_slots(&self) -> &[Slot<P>] {
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
    fn close_key_with<'t, Q>(
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

    /// A key that is closed from [`ClosedKey::close`] until it is dropped: waits of it end with
    /// Closed at once. Several of one key may live at a time. Keys are looked up under the slot
    /// lock: a wait that does not come so far, since its deadline is past or it was interrupted
    /// before it began, says that instead.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// use std::pin::pin;
    /// let table = Table::<u64>::new();
    /// {
    ///     let mut closed = pin!(table.closed_key(1, 7));
    ///     assert_eq!(closed.as_mut().close(), 0);
    ///     assert_eq!(table.park(1, &7, ParkOptions::new(), || true), Parked::Closed);
    /// }
    /// assert_eq!(table.park(1, &7, ParkOptions::new(), || false), Parked::Stale);
    /// ```
    pub const fn closed_key(&self, hash: u64, key: K) -> ClosedKey<'_, K, P> {
        ClosedKey {
            table: self,
            hash,
            key,
            node: None,
            _pinned: PhantomPinned,
        }
    }
}

/// Keeps a key closed while it lives. It is a node in the caller's frame: nothing is allocated, and
/// nothing stays when it goes. One that is leaked keeps its key closed.
///
/// ```
/// use std::pin::pin;
/// let table = slotpark_core::Table::<String>::new();
/// let mut closed = pin!(table.closed_key(1, "job".to_string()));
/// let _ended = closed.as_mut().close();
/// assert_eq!(table.waiters(1, "job"), 0);
/// ```
#[must_use = "the key is closed by `close`, and open again when this is dropped"]
pub struct ClosedKey<'t, K: Eq, P: Platform> {
    table: &'t Table<K, P>,
    hash: u64,
    key: K,
    /// Linked from `close` on, unless that panicked before.
    node: Option<Node<P>>,
    _pinned: PhantomPinned,
}

// SAFETY: the node is touched under its slot's lock, whatever thread that is; other threads read
// the key through `&K`.
unsafe impl<K: Eq + Send + Sync, P: Platform> Send for ClosedKey<'_, K, P> {}
// SAFETY: a shared reference reaches nothing.
unsafe impl<K: Eq + Sync, P: Platform> Sync for ClosedKey<'_, K, P> {}

impl<K: Eq, P: Platform> ClosedKey<'_, K, P> {
    /// Closes the key and ends its waits with Closed, in one moment; returns how many. Called again
    /// it does nothing.
    ///
    /// # Panics
    /// As [`Table::close_key`].
    ///
    /// ```
    /// use std::pin::pin;
    /// let table = slotpark_core::Table::<u64>::new();
    /// assert_eq!(pin!(table.closed_key(1, 7)).close(), 0);
    /// ```
    pub fn close(self: Pin<&mut Self>) -> usize {
        reentry::check();
        // SAFETY: nothing is moved out of the pinned object.
        let this = unsafe { self.get_unchecked_mut() };
        if this.linked().is_some() {
            return 0;
        }
        let name = Name {
            hash: this.hash,
            key: ptr::from_ref(&this.key).cast(),
        };
        let generation = this.table.generation();
        let node = Node::new(name, ptr::null_mut(), 0, generation, ptr::null());
        let node = &*this.node.insert(node.with_role(Role::Closer));
        this.table
            .close_key_with(this.hash, &this.key, |guard, head| {
                // SAFETY: N1: it is pinned, and unlinked before it is dropped.
                let Some(node) = (unsafe { NodeRef::from_raw(node) }) else {
                    return;
                };
                guard.push(head, node);
                let head = head.unwrap_or(node);
                head.set_group(Group {
                    closers: head.group().closers + 1,
                    ..head.group()
                });
            })
    }
}

impl<K: Eq, P: Platform> ClosedKey<'_, K, P> {
    /// Its node, while that keeps the key closed.
    fn linked(&self) -> Option<&Node<P>> {
        self.node.as_ref().filter(|node| !node.slot().is_null())
    }
}

impl<K: Eq, P: Platform> Drop for ClosedKey<'_, K, P> {
    fn drop(&mut self) {
        let Some(node) = self.linked() else {
            return;
        };
        if node.generation() != self.table.generation() {
            // Forked: no queue of this process ever held it.
            return;
        }
        reentry::check();
        let _critical = P::critical();
        let guard = self.table.slot(self.hash).lock();
        // SAFETY: N1: it is our own node, linked in the slot whose lock is held.
        let Some(node) = (unsafe { NodeRef::from_raw(node) }) else {
            return;
        };
        // Keys are not compared, which may panic: nobody waits in this ring, so it is short.
        if let Some(head) = guard.ring(node).find(|other| other.is_head()) {
            head.set_group(Group {
                closers: head.group().closers - 1,
                ..head.group()
            });
        }
        guard.unlink(node);
        node.set_slot(ptr::null());
    }
}

impl<K: Eq, P: Platform> fmt::Debug for ClosedKey<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClosedKey")
            .field("closed", &self.linked().is_some())
            .finish_non_exhaustive()
    }
}
