//! The array of a table: how many slots, static ones, and what was counted in one.

use core::fmt;
use core::marker::PhantomData;

use crate::platform::{DefaultPlatform, Platform};
use crate::slot::Slot;

/// The slots of a table that has no name for another number: 512 cache lines, 32 KiB.
///
/// ```
/// assert_eq!(slotpark_core::SLOTS_DEFAULT, 512);
/// ```
pub const SLOTS_DEFAULT: usize = 512;

/// The most slots a table can have: 2^24, which is 1 GiB.
///
/// ```
/// assert!(slotpark_core::Table::<u64>::try_with_slots(slotpark_core::SLOTS_MAX + 1).is_err());
/// ```
pub const SLOTS_MAX: usize = 1 << 24;

/// A number of slots that no table can have: 0, or more than [`SLOTS_MAX`]; or more than there is
/// memory for.
///
/// ```
/// use slotpark_core::Table;
/// let error = Table::<u64>::try_with_slots(0).unwrap_err();
/// assert_eq!(error.to_string(), "a table has 1 to 16777216 slots, not 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotCountError {
    count: usize,
    out_of_memory: bool,
}

impl SlotCountError {
    #[cfg(feature = "alloc")]
    pub(crate) const fn new(count: usize) -> Self {
        Self {
            count,
            out_of_memory: false,
        }
    }

    #[cfg(feature = "alloc")]
    pub(crate) const fn out_of_memory(count: usize) -> Self {
        Self {
            count,
            out_of_memory: true,
        }
    }

    /// Whether a table can have so many slots, but there is no memory for them.
    ///
    /// ```
    /// let error = slotpark_core::Table::<u64>::try_with_slots(0).unwrap_err();
    /// assert!(!error.is_out_of_memory());
    /// ```
    #[must_use]
    pub const fn is_out_of_memory(&self) -> bool {
        self.out_of_memory
    }
}

impl fmt::Display for SlotCountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.out_of_memory {
            return write!(f, "there is no memory for {} slots", self.count);
        }
        write!(f, "a table has 1 to {SLOTS_MAX} slots, not {}", self.count)
    }
}

impl core::error::Error for SlotCountError {}

/// The slots of a static table: all zero, so that they lie in `.bss`.
///
/// ```
/// use slotpark_core::{Slots, Table};
/// static SLOTS: Slots<u64> = Slots::new();
/// static TABLE: Table<u64> = Table::over(&SLOTS);
/// assert_eq!(TABLE.slot_count(), 512);
/// ```
pub struct Slots<K, const N: usize = SLOTS_DEFAULT, P: Platform = DefaultPlatform> {
    slots: [Slot<P>; N],
    key: PhantomData<fn(K) -> K>,
}

// SAFETY: slots are shared by design; other threads read keys of waiters, hence `K: Sync`.
unsafe impl<K: Sync, const N: usize, P: Platform> Sync for Slots<K, N, P> {}

#[cfg(not(slotpark_loom))]
impl<K, const N: usize, P: Platform> Slots<K, N, P> {
    /// Empty slots. `N` is a power of two from 1 to [`SLOTS_MAX`], or this does not compile.
    ///
    /// ```
    /// use slotpark_core::Slots;
    /// static SLOTS: Slots<u64, 64> = Slots::new();
    /// assert_eq!(size_of_val(&SLOTS), 64 * 64);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N.is_power_of_two(), "the number of slots is a power of two") };
        const { assert!(N <= SLOTS_MAX, "a table has at most 2^24 slots") };
        Self {
            slots: [const { Slot::new() }; N],
            key: PhantomData,
        }
    }

    pub(crate) const fn as_ptr(&self) -> *const Slot<P> {
        self.slots.as_ptr()
    }
}

#[cfg(not(slotpark_loom))]
impl<K, const N: usize, P: Platform> Default for Slots<K, N, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, const N: usize, P: Platform> fmt::Debug for Slots<K, N, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots")
            .field("count", &self.slots.len())
            .finish_non_exhaustive()
    }
}

/// What happened in one slot since its table was made.
///
/// ```
/// use slotpark_core::{SlotStats, Table};
/// assert_eq!(Table::<u64>::new().slot_stats(0), SlotStats::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotStats {
    /// Waiters linked.
    pub parks: u32,
    /// Waiters woken.
    pub wakes: u32,
    /// Waiters that left because their deadline passed, of those on one key without an interrupter.
    pub timeouts: u32,
    /// Waiters that left for another reason: closed, dropped, or, of those on several keys or with
    /// an interrupter, whatever but a wake of this key has ended them.
    pub cancels: u32,
    /// Waiters moved here from another key.
    pub requeues: u32,
    /// Waiters linked while only other keys were in the slot.
    pub collisions: u32,
}
