//! `ShardedWait`: block on any key of any type.

mod ends;
mod many;
mod tasks;
mod waits;
mod wakes;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use slotpark_core::{
    DefaultPlatform, Platform, Seeded, SlotCountError, SlotStats, Slots, Spin, Table,
};

use crate::hash_of;

/// Blocks threads on keys. 512 slots of 64 bytes by default, whatever the number of keys; waiting
/// and waking allocate nothing, and a key that nobody waits on takes no memory.
///
/// A wait passes `validate`, which says whether there is something to wait for; a waker changes
/// that first and wakes afterwards. Then no wake is lost and none is spent on another key, whatever
/// the keys collide with:
///
/// ```
/// use slotpark::ShardedWait;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let waits = ShardedWait::<(u32, &str)>::new();
/// let done = AtomicU32::new(0);
/// std::thread::scope(|scope| {
///     scope.spawn(|| waits.wait_while(&(7, "upload"), || done.load(Ordering::Relaxed) == 0));
///     done.store(1, Ordering::Relaxed);
///     let _woken = waits.wake_one(&(7, "upload"));
/// });
/// ```
///
/// **What holds while your closures run.** `validate` runs at most twice: outside and under the
/// lock of the key's slot. Under it, it must not call a table (debug builds panic), should be
/// short, and may read the word it watches with relaxed ordering: the fences are ours. So must the
/// `Eq` and `Hash` of `K` behave. If one panics the panic is yours and the table stays sound.
///
/// **Guarantees.** FIFO per key. A wake's count is exact. What a waker did before its wake is
/// visible to the waits that it ends. Not async-signal-safe: a handler must not call a table.
pub struct ShardedWait<K, S = Seeded, P: Platform = DefaultPlatform> {
    table: Table<K, P>,
    hasher: S,
}

impl<K> ShardedWait<K> {
    /// 512 slots: 32 KiB, allocated now, and nothing ever after.
    ///
    /// ```
    /// let waits = slotpark::ShardedWait::<u64>::new();
    /// assert_eq!((waits.slots(), waits.memory_bytes()), (512, 32 * 1024));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with_hasher(Seeded::new())
    }

    /// At least `count` slots, rounded up to a power of two. More slots mean fewer collisions,
    /// which cost a comparison each; the number of keys is not limited by it.
    ///
    /// # Panics
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::with_slots(1000).slots(), 1024);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn with_slots(count: usize) -> Self {
        Self::from_table(Table::with_slots(count), Seeded::new())
    }

    /// As [`with_slots`](Self::with_slots), with an error instead of a panic.
    ///
    /// # Errors
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert!(slotpark::ShardedWait::<u64>::try_with_slots(0).is_err());
    /// ```
    pub fn try_with_slots(count: usize) -> Result<Self, SlotCountError> {
        Ok(Self::from_table(
            Table::try_with_slots(count)?,
            Seeded::new(),
        ))
    }

    /// Over static slots, for a `static`: usable before `main` and from any thread.
    ///
    /// ```
    /// use slotpark::{ShardedWait, Slots};
    /// static SLOTS: Slots<u64> = Slots::new();
    /// static WAITS: ShardedWait<u64> = ShardedWait::over(&SLOTS);
    /// assert_eq!(WAITS.wake_all(&7), 0);
    /// ```
    #[must_use]
    pub const fn over<const N: usize>(slots: &'static Slots<K, N>) -> Self {
        Self {
            table: Table::over(slots),
            hasher: Seeded::new(),
        }
    }
}

impl<K, S> ShardedWait<K, S> {
    /// 512 slots and a hasher of your own. Its hashes are spread over the slots by a finalizer, but
    /// only the default one is seeded against hostile keys.
    ///
    /// ```
    /// use slotpark::ShardedWait;
    /// use std::hash::RandomState;
    /// let waits = ShardedWait::<String, _>::with_hasher(RandomState::new());
    /// assert_eq!(waits.wake_one("nobody"), 0);
    /// ```
    #[must_use]
    pub fn with_hasher(hasher: S) -> Self {
        Self::from_table(Table::new(), hasher)
    }
}

impl<K, S, P: Platform> ShardedWait<K, S, P> {
    /// On a table of the engine, which chooses the number of slots, the spin policy and the
    /// platform.
    ///
    /// ```
    /// use slotpark::core::Table;
    /// use slotpark::{Seeded, ShardedWait, Spin};
    /// let table = Table::<u64>::with_slots(64).with_spin(Spin::Never);
    /// assert_eq!(ShardedWait::from_table(table, Seeded::new()).slots(), 64);
    /// ```
    #[must_use]
    pub const fn from_table(table: Table<K, P>, hasher: S) -> Self {
        Self { table, hasher }
    }

    /// The engine's table: its verbs with filters and policies, and `reset_after_fork`.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().table().slot_count(), 512);
    /// ```
    #[must_use]
    pub const fn table(&self) -> &Table<K, P> {
        &self.table
    }

    /// The number of slots.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::with_slots(5).slots(), 8);
    /// ```
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.table.slot_count()
    }

    /// The bytes of the slots: all the memory that waiting will ever take.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::with_slots(5).memory_bytes(), 8 * 64);
    /// ```
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.table.memory_bytes()
    }

    /// The counters of the slot with this index.
    ///
    /// # Panics
    /// If there is no such slot.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().slot_stats(511).wakes, 0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn slot_stats(&self, index: usize) -> SlotStats {
        self.table.slot_stats(index)
    }

    /// Whether and how long waits spin before they sleep.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().spin(), slotpark::Spin::DEFAULT);
    /// ```
    #[must_use]
    pub const fn spin(&self) -> Spin {
        self.table.spin()
    }

    pub(crate) const fn hasher(&self) -> &S {
        &self.hasher
    }
}

impl<K: Hash + Eq, S: BuildHasher, P: Platform> ShardedWait<K, S, P> {
    #[inline]
    pub(crate) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        hash_of(&self.hasher, key)
    }

    /// The index of the slot of `key`: two keys with the same index collide.
    ///
    /// ```
    /// let waits = slotpark::ShardedWait::<u64>::with_slots(1);
    /// assert_eq!(waits.slot_of(&7), waits.slot_of(&8));
    /// ```
    #[must_use]
    pub fn slot_of<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table.slot_index(self.hash(key))
    }
}

impl<K, S: Default, P: Platform> Default for ShardedWait<K, S, P> {
    fn default() -> Self {
        Self::from_table(Table::new(), S::default())
    }
}

impl<K, S, P: Platform> fmt::Debug for ShardedWait<K, S, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardedWait")
            .field("slots", &self.slots())
            .finish_non_exhaustive()
    }
}

slotpark_core::looks_by!([K: Sync, S: Send + Sync, P: Platform] ShardedWait<K, S, P>, table);

slotpark_core::keys_by!(
    "slotpark::ShardedWait::<u64>::new()",
    [K: fmt::Debug, S, P: Platform] ShardedWait<K, S, P>,
    table
);
