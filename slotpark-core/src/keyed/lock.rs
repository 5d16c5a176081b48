//! The keyed lock itself: what it is made of, and the one word that most operations touch.

use core::borrow::Borrow;
use core::fmt;

use crate::inspect::{Kind, Traced, held, is_timed};
use crate::keyed::options::{KeyedOptions, PoolStats, Preference, WhenFull};
use crate::keyed::pool::{Entry, Pool};
use crate::node::{Name, Node, Role};
use crate::platform::{DefaultPlatform, Platform};
use crate::reentry;
use crate::slots::SlotCountError;
use crate::table::Table;

/// Locks by key. Each key has the same capacity; who holds a key holds an amount of it, and an
/// absent key is free. A mutex has capacity 1; a semaphore as many as it has permits; in a
/// read-write lock a reader holds 1 and a writer all.
///
/// It exists per key only while the key is held or awaited: nothing is allocated for a key, and
/// nothing has to be removed. Keys are told apart by full equality: keys that meet in a slot cost a
/// comparison, and never exclude each other. The hash is the caller's, as for [`Table`].
///
/// # Panics
/// All operations: in debug builds, if called from a closure that runs under a slot lock; and with
/// panics of `Eq`: then the key is not held, or, in an unlocking that must compare (several holders
/// of one key, others waiting), stays held.
///
/// ```
/// use slotpark_core::{HoldOptions, KeyedLock, finalize};
/// let lock = KeyedLock::<u64>::new(1);
/// let one = HoldOptions::new(1);
/// let guard = lock.hold(finalize(7), 7, one).unwrap();
/// assert_eq!(lock.held(finalize(7), &7), 1);
/// assert_eq!(lock.with(finalize(8), &8, one, || "free"), Ok("free"));
/// drop(guard);
/// assert_eq!(lock.held(finalize(7), &7), 0);
/// ```
pub struct KeyedLock<K, P: Platform = DefaultPlatform> {
    /// Nobody else reaches it.
    pub(super) table: Table<K, P>,
    pub(super) capacity: u32,
    pub(super) preference: Preference,
    pub(super) pool: Pool<K, P>,
    /// What an amount is to those who look.
    pub(super) kind_of: Option<fn(u32) -> Kind>,
}

impl<K, P: Platform> KeyedLock<K, P> {
    /// A lock with `capacity` for each key, with the default [`KeyedOptions`].
    ///
    /// # Panics
    /// If `capacity` is 0.
    ///
    /// ```
    /// assert_eq!(slotpark_core::KeyedLock::<u64>::new(1).slot_count(), 512);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new(capacity: u32) -> Self {
        match Self::with_options(capacity, KeyedOptions::new()) {
            Ok(lock) => lock,
            Err(error) => panic!("{error}"),
        }
    }

    /// A lock with `capacity` for each key.
    ///
    /// # Errors
    /// If the options name 0 slots, or more than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// # Panics
    /// If `capacity` is 0.
    ///
    /// ```
    /// use slotpark_core::{KeyedLock, KeyedOptions};
    /// assert!(KeyedLock::<u64>::with_options(1, KeyedOptions::new().slots(0)).is_err());
    /// ```
    #[track_caller]
    pub fn with_options(capacity: u32, options: KeyedOptions) -> Result<Self, SlotCountError> {
        assert!(capacity > 0, "slotpark: a keyed lock of no capacity");
        let table = Table::try_with_slots(options.slots)?;
        if is_timed() {
            for index in 0..table.slot_count() {
                // Nobody holds: it is the slot lock that decides from the start.
                let nobody = table.slot_at(index).holder.seize();
                debug_assert!(nobody.is_null(), "a new lock has no holders");
            }
        }
        Ok(Self {
            table,
            capacity,
            preference: options.preference.unwrap_or_default(),
            pool: Pool::new(options.pool, options.when_full == WhenFull::Allocate),
            kind_of: None,
        })
    }

    /// How much of each key there is.
    ///
    /// ```
    /// assert_eq!(slotpark_core::KeyedLock::<u64>::new(3).capacity(), 3);
    /// ```
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// The number of slots, a power of two.
    ///
    /// ```
    /// assert_eq!(slotpark_core::KeyedLock::<u64>::new(1).slot_count(), 512);
    /// ```
    #[must_use]
    pub const fn slot_count(&self) -> usize {
        self.table.slot_count()
    }

    /// The bytes of the slots and of the pool: all the memory that the lock will ever take, unless
    /// a full pool allocates.
    ///
    /// ```
    /// assert!(slotpark_core::KeyedLock::<u64>::new(1).memory_bytes() <= 96 * 1024);
    /// ```
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.table.memory_bytes() + self.pool.len() * size_of::<Entry<K, P>>()
    }

    /// How the places for guards and futures are used. Walks over all of them.
    ///
    /// ```
    /// assert_eq!(slotpark_core::KeyedLock::<u64>::new(1).pool_stats().taken, 0);
    /// ```
    #[must_use]
    pub fn pool_stats(&self) -> PoolStats {
        PoolStats {
            places: self.pool.len(),
            taken: self.pool.taken_count(),
            full: self.pool.full_count(),
        }
    }

    /// Frees all keys in the child of a fork: who held or awaited them are threads of the parent.
    /// The one that forked is none of them either: its guards from before unlock nothing.
    ///
    /// # Safety
    /// This is the only thread of the process, and it is not inside a closure that runs under a
    /// slot lock.
    ///
    /// ```
    /// let lock = slotpark_core::KeyedLock::<u64>::new(1);
    /// // SAFETY: nobody uses this lock.
    /// unsafe { lock.reset_after_fork() };
    /// ```
    pub unsafe fn reset_after_fork(&self) {
        // SAFETY: the caller's contract, and no other table is over these slots.
        unsafe { self.table.reset_after_fork() };
    }
}

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    /// How much of `key` is held now, by all its holders.
    ///
    /// ```
    /// assert_eq!(slotpark_core::KeyedLock::<u64>::new(1).held(1, &7), 0);
    /// ```
    #[must_use]
    pub fn held<Q>(&self, hash: u64, key: &Q) -> u32
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        let slot = self.table.slot(hash);
        if slot.holder.is_empty() {
            return 0;
        }
        self.decide(slot, |guard| {
            let head = self.table.find(guard, hash, key);
            head.map_or(0, |head| head.group().total)
        })
    }

    /// What a holder of `key` says of itself: the one that has held it longest of those with a
    /// label. For messages and debuggers: it is old when it arrives.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock};
    /// let lock = KeyedLock::<u64>::new(1);
    /// let guard = lock.hold(1, 7, HoldOptions::new(1).label("compaction")).unwrap();
    /// assert_eq!(lock.label(1, &7), Some("compaction"));
    /// ```
    #[must_use]
    pub fn label<Q>(&self, hash: u64, key: &Q) -> Option<&'static str>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        let slot = self.table.slot(hash);
        if slot.holder.is_empty() {
            return None;
        }
        self.decide(slot, |guard| {
            let head = self.table.find(guard, hash, key)?;
            let mut holders = guard.ring(head).filter(|node| node.role() == Role::Holder);
            // SAFETY: V1: the lock of its slot is held.
            holders.find_map(|holder| unsafe { holder.traced()?.label() })
        })
    }

    /// How many threads and tasks wait for `key` now.
    ///
    /// ```
    /// assert_eq!(slotpark_core::KeyedLock::<u64>::new(1).waiters(1, &7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, hash: u64, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.table.waiters(hash, key)
    }

    /// # Panics
    /// If nobody could ever hold so much.
    #[inline]
    #[track_caller]
    pub(super) fn check(&self, amount: u32) {
        assert!(
            amount <= self.capacity,
            "slotpark: more of a key than there is"
        );
        reentry::check();
    }

    /// The node of a holder of `key`, with what it says.
    #[inline]
    pub(super) fn holder(
        &self,
        hash: u64,
        key: *const K,
        amount: u32,
        says: *const Traced,
    ) -> Node<P> {
        let name = Name {
            hash,
            key: key.cast(),
        };
        Node::holder_of(name, amount, self.table.generation(), says)
    }

    /// Begins the node of a holder of a key.
    #[inline]
    pub(super) fn renew(
        &self,
        node: &mut Node<P>,
        (hash, key): (u64, *const K),
        amount: u32,
        says: *const Traced,
    ) {
        let name = Name {
            hash,
            key: key.cast(),
        };
        node.renew(name, amount, self.table.generation(), says);
    }

    /// Takes the key by the slot's holder word, if nobody holds or awaits a key of the slot.
    #[inline(always)]
    pub(super) fn take(&self, hash: u64, holder: &Node<P>) -> bool {
        self.table.slot(hash).holder.take(holder)
    }

    /// Takes the key if it is free, looking at the queues.
    #[cold]
    pub(super) fn take_node(&self, hash: u64, holder: &Node<P>, key: &K) -> bool {
        self.decide(self.table.slot(hash), |guard| {
            self.admit(guard, holder, key)
        })
    }

    /// Gives the key up. Afterwards nobody knows the node any more.
    #[inline]
    pub(super) fn unlock(&self, hash: u64, holder: &Node<P>) {
        if !self.table.slot(hash).holder.give_back(holder) {
            self.unlock_node(hash, holder);
        }
    }

    #[cold]
    fn unlock_node(&self, hash: u64, holder: &Node<P>) {
        if holder.generation() != self.table.generation() {
            return;
        }
        reentry::check_drop();
        let says = holder.traced();
        self.release(self.table.slot(hash), hash, holder);
        if !says.is_null() {
            let holder = core::ptr::from_ref(holder).addr() as u64;
            // SAFETY: V1: the node is in no queue any more.
            unsafe { held::<P>((self.table.id(), hash), holder, says) };
        }
    }
}

impl<K, P: Platform> fmt::Debug for KeyedLock<K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedLock")
            .field("slots", &self.table.slot_count())
            .field("capacity", &self.capacity)
            .field("preference", &self.preference)
            .finish_non_exhaustive()
    }
}
