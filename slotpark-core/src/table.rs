//! The table: a fixed array of slots, chosen by hash.
//!
//! **Invariants**: T1 the slots never move and outlive every wait and wake, which borrow the table.
//! T2 all keys linked in the slots of one table have its key type. The table is invariant in it: a
//! table of long-lived keys must not be used with short-lived ones, nor the other way round.

use core::fmt;
use core::marker::PhantomData;

use crate::inspect::{Seen, forget, owners};
use crate::platform::{DefaultPlatform, Platform};
use crate::slot::Slot;
use crate::slots::SlotStats;
#[cfg(not(slotpark_loom))]
use crate::slots::Slots;
#[cfg(feature = "alloc")]
use crate::slots::{SLOTS_DEFAULT, SLOTS_MAX, SlotCountError};
use crate::spin::Spin;
use crate::sync::{AtomicU32, Ordering};

/// A fixed array of slots in which threads park on keys. See the crate's page for the protocol and
/// for what holds while your closures run.
///
/// The table does not hash: callers pass a 64-bit hash whose low bits are good
/// ([`finalize`](crate::finalize)d), the same for equal keys. A wrong hash loses wakes; it is never
/// unsound.
///
/// ```
/// use slotpark_core::{ParkOptions, Parked, Table, finalize, word};
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let table = Table::<u64>::new();
/// let value = AtomicU32::new(0);
/// let hash = finalize(7);
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         while word::load(&value) == 0 {
///             let outcome = table.park(hash, &7, ParkOptions::new(), || word::load(&value) == 0);
///             assert!(matches!(outcome, Parked::Woken { token: 42 } | Parked::Stale));
///         }
///     });
///     value.store(1, Ordering::Relaxed);
///     table.unpark(hash, &7, 1, 42);
/// });
/// ```
///
/// Its key type is invariant: a table whose keys live long cannot pose as one for short-lived keys.
///
/// ```compile_fail
/// use slotpark_core::Table;
/// fn shorten<'a>(table: &'a Table<&'static str>) -> &'a Table<&'a str> {
///     table
/// }
/// ```
pub struct Table<K, P: Platform = DefaultPlatform> {
    pub(crate) slots: *const Slot<P>,
    mask: usize,
    /// The slots are a box of ours, not a static.
    owned: bool,
    spin: Spin,
    generation: AtomicU32,
    /// What a key says of itself to those who look.
    pub(crate) describe: Option<Describe<K>>,
    key: PhantomData<fn(K) -> K>,
}

/// Adds what a key knows to what was seen of a node. Its text is there already if another node of
/// the queue was seen before.
pub(crate) type Describe<K> = fn(&K, &mut Seen);

// SAFETY: slots are shared by design; other threads read keys of waiters through `&K`.
unsafe impl<K: Sync, P: Platform> Sync for Table<K, P> {}
// SAFETY: as above: a new owner's thread may read keys of waiters that are still linked.
unsafe impl<K: Sync, P: Platform> Send for Table<K, P> {}

impl<K, P: Platform> Table<K, P> {
    /// A table of [`SLOTS_DEFAULT`] slots: one allocation of 32 KiB, and no other ever.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<String>::new().slot_count(), 512);
    /// ```
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn new() -> Self {
        Self::with_slots(SLOTS_DEFAULT)
    }

    /// A table of at least `count` slots, rounded up to a power of two.
    ///
    /// # Panics
    /// If `count` is 0 or greater than [`SLOTS_MAX`], or there is no memory for so many; see
    /// [`try_with_slots`](Self::try_with_slots).
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::with_slots(100).slot_count(), 128);
    /// ```
    #[cfg(feature = "alloc")]
    #[must_use]
    #[track_caller]
    pub fn with_slots(count: usize) -> Self {
        match Self::try_with_slots(count) {
            Ok(table) => table,
            Err(error) => panic!("{error}"),
        }
    }

    /// A table of at least `count` slots, rounded up to a power of two.
    ///
    /// # Errors
    /// If `count` is 0 or greater than [`SLOTS_MAX`], or there is no memory for so many.
    ///
    /// ```
    /// use slotpark_core::{SLOTS_MAX, Table};
    /// assert!(Table::<u64>::try_with_slots(1).is_ok());
    /// assert!(Table::<u64>::try_with_slots(SLOTS_MAX + 1).is_err());
    /// ```
    #[cfg(feature = "alloc")]
    pub fn try_with_slots(count: usize) -> Result<Self, SlotCountError> {
        if count == 0 || count > SLOTS_MAX {
            return Err(SlotCountError::new(count));
        }
        let count = count.next_power_of_two();
        let mut slots: alloc::vec::Vec<Slot<P>> = alloc::vec::Vec::new();
        slots
            .try_reserve_exact(count)
            .map_err(|_| SlotCountError::out_of_memory(count))?;
        slots.extend((0..count).map(|_| Slot::new()));
        let slots = alloc::boxed::Box::into_raw(slots.into_boxed_slice()).cast::<Slot<P>>();
        Ok(Self {
            slots,
            mask: count - 1,
            owned: true,
            spin: Spin::DEFAULT,
            generation: AtomicU32::new(0),
            describe: None,
            key: PhantomData,
        })
    }

    /// A table over static slots, for a `static` of its own. Tables over the same slots are one.
    ///
    /// ```
    /// use slotpark_core::{Slots, Table};
    /// static SLOTS: Slots<u64, 64> = Slots::new();
    /// static TABLE: Table<u64> = Table::over(&SLOTS);
    /// assert_eq!(TABLE.slot_count(), 64);
    /// ```
    #[cfg(not(slotpark_loom))]
    #[must_use]
    pub const fn over<const N: usize>(slots: &'static Slots<K, N, P>) -> Self {
        Self {
            slots: slots.as_ptr(),
            mask: N - 1,
            owned: false,
            spin: Spin::DEFAULT,
            generation: AtomicU32::new(0),
            describe: None,
            key: PhantomData,
        }
    }

    /// The same table with another spin policy.
    ///
    /// ```
    /// use slotpark_core::{Spin, Table};
    /// let table = Table::<u64>::new().with_spin(Spin::Never);
    /// assert_eq!(table.spin(), Spin::Never);
    /// ```
    #[must_use]
    pub const fn with_spin(mut self, spin: Spin) -> Self {
        self.spin = spin;
        self
    }

    /// The same table, whose keys say more.
    pub(crate) const fn with_describe(mut self, describe: Describe<K>) -> Self {
        self.describe = Some(describe);
        self
    }

    /// The spin policy.
    ///
    /// ```
    /// use slotpark_core::{Spin, Table};
    /// assert_eq!(Table::<u64>::new().spin(), Spin::DEFAULT);
    /// ```
    #[must_use]
    pub const fn spin(&self) -> Spin {
        self.spin
    }

    /// The number of slots, a power of two.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::with_slots(3).slot_count(), 4);
    /// ```
    #[must_use]
    pub const fn slot_count(&self) -> usize {
        self.mask + 1
    }

    /// The bytes of the slots: all the memory that waiting will ever take.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::new().memory_bytes(), 32 * 1024);
    /// ```
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.slot_count() * size_of::<Slot<P>>()
    }

    /// The slot of a hash, for those who show or test the spread of keys.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::new().slot_index(513), 1);
    /// ```
    #[inline]
    #[must_use]
    pub const fn slot_index(&self, hash: u64) -> usize {
        hash as usize & self.mask
    }

    /// The counters of one slot since the table was made; each wraps at 2^32. Read without the
    /// slot's lock: they may be of slightly different moments.
    ///
    /// # Panics
    /// If `index` is not below [`slot_count`](Self::slot_count).
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::new().slot_stats(0).parks, 0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn slot_stats(&self, index: usize) -> SlotStats {
        let tallies = &self.slot_at(index).tallies;
        SlotStats {
            parks: tallies.parks.get(),
            wakes: tallies.wakes.get(),
            timeouts: tallies.timeouts.get(),
            cancels: tallies.cancels.get(),
            requeues: tallies.requeues.get(),
            collisions: tallies.collisions.get(),
        }
    }

    /// Empties the table in the child of a fork: the waiters and lock holders in it are threads of
    /// the parent, of which the child has only the one that forked. A wait which that thread is in
    /// the middle of (it forked from `before_sleep`) is in no queue of the child: it ends with
    /// [`Parked::Closed`](crate::Parked::Closed), as a future does that was queued before, and
    /// `on_leave` does not run. A closed table stays closed.
    ///
    /// # Safety
    /// - This is the only thread of the process, and it is not inside a closure that runs under a
    ///   slot lock.
    /// - If it is in the middle of a wait through another table over the same static slots, that
    ///   table is reset too before the closure returns.
    ///
    /// ```
    /// let table = slotpark_core::Table::<u64>::new();
    /// // SAFETY: nobody uses this table.
    /// unsafe { table.reset_after_fork() };
    /// assert_eq!(table.waiters(1, &7), 0);
    /// ```
    pub unsafe fn reset_after_fork(&self) {
        owners::reset();
        forget();
        // ORDERING: none, relaxed: only one thread exists.
        let generation = self.generation.load(Ordering::Relaxed);
        self.generation
            .store(generation.wrapping_add(1), Ordering::Relaxed);
        for index in 0..self.slot_count() {
            // SAFETY: by the caller's contract this thread is alone and holds no slot lock; waits
            // of other threads do not come back, its own sees the new generation.
            unsafe { self.slot(index as u64).reset() };
        }
    }

    pub(crate) fn generation(&self) -> u32 {
        // ORDERING: none, relaxed: changes only while one thread exists.
        self.generation.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn slot(&self, hash: u64) -> &Slot<P> {
        // SAFETY: the masked index is below the number of slots.
        let slot = unsafe { self.slots.add(self.slot_index(hash)) };
        // SAFETY: T1: the slots live as long as the table.
        unsafe { &*slot }
    }
}

#[cfg(feature = "alloc")]
impl<K, P: Platform> Default for Table<K, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, P: Platform> Drop for Table<K, P> {
    /// Touches no node: nobody waits, since waits borrow the table.
    fn drop(&mut self) {
        #[cfg(feature = "alloc")]
        if self.owned {
            let slots =
                core::ptr::slice_from_raw_parts_mut(self.slots.cast_mut(), self.slot_count());
            // SAFETY: `owned` says that these slots came from a box, which is given back once.
            drop(unsafe { alloc::boxed::Box::from_raw(slots) });
        }
        #[cfg(not(feature = "alloc"))]
        debug_assert!(!self.owned, "only a box is owned");
    }
}

impl<K, P: Platform> fmt::Debug for Table<K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("slots", &self.slot_count())
            .field("spin", &self.spin)
            .finish_non_exhaustive()
    }
}

/// Named for the list of pitfalls: a covariant table would let a short-lived key outlive itself.
/// The first of these differs from the second in the key's lifetime alone, which is why it fails.
///
/// ```compile_fail
/// use slotpark_core::Table;
/// fn shorten<'a>(table: &'a Table<&'static str>) -> &'a Table<&'a str> {
///     table
/// }
/// ```
///
/// ```
/// use slotpark_core::Table;
/// fn keep<'a>(table: &'a Table<&'static str>) -> &'a Table<&'static str> {
///     table
/// }
/// ```
///
/// ```compile_fail
/// use slotpark_core::Table;
/// fn lengthen<'a>(table: &'a Table<&'a str>) -> &'a Table<&'static str> {
///     table
/// }
/// ```
#[cfg(doctest)]
mod table_is_invariant_in_its_key {}
