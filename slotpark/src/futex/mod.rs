//! `FutexWait`: a value-checked wait on a word, by address or by an explicit key.

mod keys;
mod words;

use std::fmt;

use slotpark_core::{
    At, DefaultPlatform, FutexAbi, FutexKey, FutexSpace, PROCESS_HASHER, PROCESS_SLOTS, Platform,
    SLOTS_DEFAULT, Seeded, Slots, Table,
};

use crate::ShardedWait;

/// A futex in user space: waits compare a word and queue in one step, wakes return exact counts,
/// requeues move waiters between words.
///
/// The word is the caller's; a wait borrows it, a wake only names it. Change the word first, then
/// wake:
///
/// ```
/// use slotpark::FutexWait;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// static WORD: AtomicU32 = AtomicU32::new(0);
/// let futex = FutexWait::process();
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         while WORD.load(Ordering::Acquire) == 0 {
///             let _outcome = futex.wait(&WORD, 0);
///         }
///     });
///     WORD.store(1, Ordering::Release);
///     let _woken = futex.wake(&WORD, 1);
/// });
/// ```
///
/// The semantics are those of Linux's private futexes (`futex(2)`), with enums and counts instead
/// of errno: `Stale` is EAGAIN, `TimedOut` is ETIMEDOUT. A wake of 0 wakes nobody.
pub struct FutexWait<P: Platform = DefaultPlatform> {
    waits: ShardedWait<FutexKey, Seeded, P>,
}

/// Over the slots of the process-wide table, which the locks wait in too.
static PROCESS: FutexWait = FutexWait {
    waits: ShardedWait::from_table(
        Table::over(&PROCESS_SLOTS).with_futex_text(),
        Seeded::like(&PROCESS_HASHER),
    ),
};

impl FutexWait {
    /// The process-wide instance, for words of this process.
    ///
    /// ```
    /// use slotpark::FutexWait;
    /// assert!(std::ptr::eq(FutexWait::process(), FutexWait::process()));
    /// ```
    #[must_use]
    pub fn process() -> &'static Self {
        &PROCESS
    }

    /// An instance of its own, with [`SLOTS_DEFAULT`] slots.
    ///
    /// ```
    /// use slotpark::FutexWait;
    /// use std::sync::atomic::AtomicU32;
    /// assert_eq!(FutexWait::new().wake(&AtomicU32::new(0), 1), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with_slots(SLOTS_DEFAULT)
    }

    /// An instance of its own with at least `count` slots.
    ///
    /// # Panics
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert_eq!(slotpark::FutexWait::with_slots(64).table().slot_count(), 64);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn with_slots(count: usize) -> Self {
        Self {
            waits: ShardedWait::from_table(
                Table::with_slots(count).with_futex_text(),
                Seeded::new(),
            ),
        }
    }
}

/// Where the waiters of an object of this process wait: in the process-wide table.
#[inline]
pub(crate) fn at(key: FutexKey) -> At<'static, FutexKey, DefaultPlatform> {
    At {
        table: PROCESS.table(),
        hash: PROCESS.waits.hash(&key),
        key,
    }
}

impl<P: Platform> FutexWait<P> {
    /// Over static slots and with a platform of choice, for a `static`.
    ///
    /// ```
    /// use slotpark::{FutexKey, FutexWait, Slots};
    /// static SLOTS: Slots<FutexKey, 64> = Slots::new();
    /// static FUTEX: FutexWait = FutexWait::over(&SLOTS);
    /// assert_eq!(FUTEX.wake_key(FutexKey::new(1, 0x1000), 1, u32::MAX), 0);
    /// ```
    #[must_use]
    pub const fn over<const N: usize>(slots: &'static Slots<FutexKey, N, P>) -> Self {
        Self {
            waits: ShardedWait::from_table(Table::over(slots).with_futex_text(), Seeded::new()),
        }
    }

    /// The engine's table: counters of the slots, and `reset_after_fork`.
    ///
    /// ```
    /// assert_eq!(slotpark::FutexWait::process().table().slot_count(), 512);
    /// ```
    #[must_use]
    pub const fn table(&self) -> &Table<FutexKey, P> {
        self.waits.table()
    }

    /// The waits that this is a skin on.
    ///
    /// ```
    /// assert_eq!(slotpark::FutexWait::process().waits().slots(), 512);
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn waits(&self) -> &ShardedWait<FutexKey, Seeded, P> {
        &self.waits
    }

    /// The kernel's calls by number on this table: the arguments of `futex(2)`, its result or
    /// `-errno`. Its waits and wakes on words of this process meet those by type.
    ///
    /// ```
    /// use slotpark::FutexWait;
    /// use std::sync::atomic::AtomicU32;
    /// let abi = FutexWait::process().abi();
    /// let word = AtomicU32::new(0);
    /// assert_eq!(abi.futex2_wake(word.as_ptr(), 1, 1, 0x82), 0);
    /// ```
    #[must_use]
    pub const fn abi(&self) -> FutexAbi<'_, P> {
        FutexAbi::over(self.table(), self.waits.hasher())
    }

    /// The words of a guest's memory in this table, by their addresses, with Linux's operations and
    /// errors. Spaces from 2^63 upward are those of [`WaitDomain`](crate::WaitDomain)s: by the
    /// [`space`](crate::WaitDomain::space) of one, its waits are met.
    ///
    /// ```
    /// use slotpark::{FutexError, FutexTimeout, FutexWait, LinearMemory};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [const { AtomicU64::new(0) }; 512];
    /// let guest = FutexWait::process().space(1, LinearMemory::new(&bytes));
    /// let waited = guest.wait(0x10, 7_u32, FutexTimeout::Never);
    /// assert_eq!(waited, Err(FutexError::Again));
    /// ```
    #[must_use]
    pub const fn space<M>(&self, space: u64, memory: M) -> FutexSpace<'_, M, P> {
        FutexSpace::over(self.table(), self.waits.hasher(), space, memory)
    }
}

impl Default for FutexWait {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Platform> fmt::Debug for FutexWait<P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutexWait")
            .field("slots", &self.waits.slots())
            .finish_non_exhaustive()
    }
}

slotpark_core::looks_by!([P: Platform] FutexWait<P>, waits);
