//! `FutexSpace`: Linux's futex operations on the words of one memory, in types.

use core::fmt;

#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
use crate::futex::{abi::FutexAbi, memory::NativeMemory};
use crate::hash::Seeded;
use crate::platform::{DefaultPlatform, Platform};
use crate::process::FutexKey;
use crate::table::Table;

/// How many waiters.
///
/// ```
/// use slotpark_core::WakeCount;
/// assert_eq!(WakeCount::default(), WakeCount::One);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WakeCount {
    /// The first.
    #[default]
    One,
    /// The first so many; 0 is nobody.
    N(u32),
    /// All.
    All,
}

impl WakeCount {
    pub(super) fn get(self) -> usize {
        match self {
            Self::One => 1,
            Self::N(count) => usize::try_from(count).unwrap_or(usize::MAX),
            Self::All => usize::MAX,
        }
    }
}

/// The futexes of one memory: Linux's operations, with its semantics, on words of 8 to 64 bits,
/// with counts, times and errors as types. Of a wasm memory, an emulated process, or a test.
///
/// Two instances meet if they have one table, one hasher and one space; those of different spaces
/// never do. What the operations are is in `futex(2)`; what differs:
///
/// - words of 8, 16 and 64 bits too, whose addresses are multiples of their size; a wait and a wake
///   meet by address, whatever the width;
/// - a count of 0 is nobody ([`WakeCount::N`]);
/// - of priority inheritance there is the word and the order, and nobody is lent a priority
///   ([`lock_pi`](Self::lock_pi)); the numbers of threads, and who lives, are the caller's to say;
/// - a requeued waiter always stands behind those who wait at the target already;
/// - waits can be interrupted by handle, and end with ECANCELED if the table, a key or a range of
///   addresses is closed.
///
/// The memory is read and changed under slot locks: see [`FutexMemory`](crate::FutexMemory).
///
/// ```
/// use slotpark_core::{FutexError, FutexSpace, FutexTimeout, LinearMemory, WakeCount};
/// use std::sync::atomic::AtomicU64;
/// let bytes = [const { AtomicU64::new(0) }; 512];
/// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
/// assert_eq!(guest.wait(0x10, 7_u32, FutexTimeout::Never), Err(FutexError::Again));
/// assert_eq!(guest.wait(0x12, 0_u32, FutexTimeout::Never), Err(FutexError::Invalid));
/// assert_eq!(guest.wait(0x1000, 0_u32, FutexTimeout::Never), Err(FutexError::Fault));
/// assert_eq!(guest.wake(0x10, WakeCount::All), Ok(0));
/// ```
pub struct FutexSpace<'t, M, P: Platform = DefaultPlatform> {
    pub(super) table: &'t Table<FutexKey, P>,
    pub(super) hasher: &'t Seeded,
    pub(super) space: Space,
    pub(super) memory: M,
}

/// Whose addresses they are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Space {
    /// This process's own.
    Process,
    Guest(u64),
}

#[cfg(not(slotpark_loom))]
impl<M> FutexSpace<'static, M> {
    /// On the process-wide table. Spaces from 2^63 upward are those of domains.
    ///
    /// ```
    /// use slotpark_core::{FutexSpace, LinearMemory, WakeCount};
    /// let guest = FutexSpace::process(1, LinearMemory::new(&[]));
    /// assert!(guest.wake(0x10, WakeCount::One).is_err());
    /// ```
    #[must_use]
    pub fn process(space: u64, memory: M) -> Self {
        Self::over(
            crate::process_table(),
            &crate::PROCESS_HASHER,
            space,
            memory,
        )
    }
}

impl<'t, M, P: Platform> FutexSpace<'t, M, P> {
    /// On a table of the caller's.
    ///
    /// ```
    /// use slotpark_core::{FutexKey, FutexSpace, LinearMemory, Seeded, Table};
    /// let (table, hasher) = (Table::<FutexKey>::with_slots(64), Seeded::new());
    /// let guest = FutexSpace::over(&table, &hasher, 1, LinearMemory::new(&[]));
    /// assert_eq!(guest.key(0x10), FutexKey::new(1, 0x10));
    /// ```
    #[must_use]
    pub const fn over(
        table: &'t Table<FutexKey, P>,
        hasher: &'t Seeded,
        space: u64,
        memory: M,
    ) -> Self {
        Self {
            table,
            hasher,
            space: Space::Guest(space),
            memory,
        }
    }

    /// The key that waits at `address` have.
    ///
    /// ```
    /// use slotpark_core::{FutexKey, FutexSpace, LinearMemory};
    /// let guest = FutexSpace::process(1, LinearMemory::new(&[]));
    /// assert_eq!(guest.key(0x10), FutexKey::new(1, 0x10));
    /// ```
    #[must_use]
    #[inline]
    pub const fn key(&self, address: u64) -> FutexKey {
        match self.space {
            Space::Process => FutexKey::at(address),
            Space::Guest(space) => FutexKey::new(space, address),
        }
    }
}

#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
impl<'t, P: Platform> FutexAbi<'t, P> {
    /// The typed operations on the same words: what waits by either is woken by either.
    ///
    /// # Safety
    /// As [`NativeMemory::new`]: whoever is given this passes only such addresses.
    ///
    /// ```
    /// use slotpark_core::{FutexAbi, FutexError, FutexTimeout};
    /// let word = std::sync::atomic::AtomicU32::new(7);
    /// let address = word.as_ptr().expose_provenance() as u64;
    /// // SAFETY: the address below is that of a word that lives.
    /// let words = unsafe { FutexAbi::process().words() };
    /// assert_eq!(words.wait(address, 6_u32, FutexTimeout::Never), Err(FutexError::Again));
    /// ```
    #[must_use]
    pub const unsafe fn words(&self) -> FutexSpace<'t, NativeMemory, P> {
        self.words
    }
}

impl<M: Copy, P: Platform> Clone for FutexSpace<'_, M, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<M: Copy, P: Platform> Copy for FutexSpace<'_, M, P> {}

impl<M, P: Platform> fmt::Debug for FutexSpace<'_, M, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutexSpace")
            .field("space", &self.space)
            .finish_non_exhaustive()
    }
}
