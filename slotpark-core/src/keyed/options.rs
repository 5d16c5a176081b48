//! What keyed locks are made with, and how an attempt to hold a key ends.

use core::fmt;
use core::panic::Location;

use crate::inspect::Caller;
use crate::platform::Deadline;
use crate::slots::SLOTS_DEFAULT;

/// How many guards and futures of one keyed lock find their place without an allocation, unless
/// its options say otherwise.
///
/// ```
/// assert_eq!(slotpark_core::POOL_DEFAULT, 256);
/// ```
pub const POOL_DEFAULT: usize = 256;

/// Who comes first.
///
/// ```
/// use slotpark_core::{KeyedOptions, Preference};
/// let options = KeyedOptions::new().preference(Preference::Barging);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preference {
    /// First come, first served: who is granted a key holds it before it wakes, and nobody
    /// overtakes. Who asks for much is not overtaken by those who ask for little.
    #[default]
    Fifo,
    /// As `Fifo`, but when a holder of all gives up, all who wait for 1 come first, wherever they
    /// stand: the readers of a read-write lock. Who comes later queues behind a waiting writer, so
    /// that neither starves.
    PhaseFair,
    /// Who finds the key free takes it; who is woken tries again, and may have to queue again, at
    /// the end. Faster under contention, and nobody is promised anything; but who holds and waits
    /// for more comes first, and nobody overtakes it.
    Barging,
}

/// What to do when the pool has no place left for a guard or a future.
///
/// ```
/// use slotpark_core::{KeyedOptions, WhenFull};
/// let options = KeyedOptions::new().pool(64, WhenFull::Fail);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// Allocate a place, and free it with the guard.
    #[default]
    Allocate,
    /// Fail with [`HoldError::PoolFull`].
    Fail,
}

/// What a keyed lock is made with.
///
/// ```
/// use slotpark_core::{KeyedLock, KeyedOptions};
/// let lock = KeyedLock::<u64>::with_options(1, KeyedOptions::new().slots(64)).unwrap();
/// assert_eq!(lock.slot_count(), 64);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct KeyedOptions {
    pub(crate) slots: usize,
    pub(crate) pool: usize,
    pub(crate) when_full: WhenFull,
    /// None was chosen: the default of what is made.
    pub(crate) preference: Option<Preference>,
}

impl KeyedOptions {
    /// 512 slots, a pool of [`POOL_DEFAULT`] places that allocates when it is full, and the
    /// preference that is the default of what is made: first come, first served, unless it says
    /// otherwise.
    ///
    /// ```
    /// let options = slotpark_core::KeyedOptions::new();
    /// ```
    pub const fn new() -> Self {
        Self {
            slots: SLOTS_DEFAULT,
            pool: POOL_DEFAULT,
            when_full: WhenFull::Allocate,
            preference: None,
        }
    }

    /// At least so many slots, rounded up to a power of two.
    ///
    /// ```
    /// let options = slotpark_core::KeyedOptions::new().slots(64);
    /// ```
    pub const fn slots(mut self, count: usize) -> Self {
        self.slots = count;
        self
    }

    /// So many places for guards and futures, and what to do when all are taken.
    ///
    /// ```
    /// use slotpark_core::{KeyedOptions, WhenFull};
    /// let options = KeyedOptions::new().pool(64, WhenFull::Fail);
    /// ```
    pub const fn pool(mut self, count: usize, when_full: WhenFull) -> Self {
        self.pool = count;
        self.when_full = when_full;
        self
    }

    /// Who comes first.
    ///
    /// ```
    /// use slotpark_core::{KeyedOptions, Preference};
    /// let options = KeyedOptions::new().preference(Preference::Barging);
    /// ```
    pub const fn preference(mut self, preference: Preference) -> Self {
        self.preference = Some(preference);
        self
    }

    /// Who comes first, if [`preference`](Self::preference) is not called: for the makers of
    /// primitives, whose default is another than first come, first served.
    ///
    /// ```
    /// use slotpark_core::{KeyedOptions, Preference};
    /// let options = KeyedOptions::new().default_preference(Preference::PhaseFair);
    /// ```
    pub const fn default_preference(mut self, preference: Preference) -> Self {
        if self.preference.is_none() {
            self.preference = Some(preference);
        }
        self
    }
}

impl Default for KeyedOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What an attempt to hold a key brings: how much of it, and until when it waits.
///
/// ```
/// use slotpark_core::{Deadline, HoldOptions};
/// let options = HoldOptions::new(2).deadline(Some(Deadline::PAST));
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct HoldOptions {
    pub(super) amount: u32,
    pub(super) deadline: Option<Deadline>,
    pub(super) label: Option<&'static str>,
    pub(super) caller: Caller,
}

impl HoldOptions {
    /// So much of the key, whenever it comes. Who looks at the lock is shown the caller of this as
    /// where it was asked for.
    ///
    /// ```
    /// let options = slotpark_core::HoldOptions::new(1);
    /// ```
    #[track_caller]
    pub const fn new(amount: u32) -> Self {
        Self {
            amount,
            deadline: None,
            label: None,
            caller: Caller::here(),
        }
    }

    /// Asked for there, as those who look are shown: for who calls the engine on behalf of others.
    ///
    /// ```
    /// let here = std::panic::Location::caller();
    /// let options = slotpark_core::HoldOptions::new(1).called_from(here);
    /// ```
    pub const fn called_from(self, location: &'static Location<'static>) -> Self {
        self.called(Caller::at(location))
    }

    /// Asked for elsewhere.
    pub(super) const fn called(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    /// What the holder says of itself: see [`KeyedLock::label`](crate::KeyedLock::label).
    ///
    /// ```
    /// let options = slotpark_core::HoldOptions::new(1).label("compaction");
    /// ```
    pub const fn label(mut self, label: &'static str) -> Self {
        self.label = Some(label);
        self
    }

    /// When the attempt ends by itself; `None` is never. A future does not look at it.
    ///
    /// ```
    /// use slotpark_core::{Deadline, HoldOptions};
    /// let options = HoldOptions::new(1).deadline(Some(Deadline::PAST));
    /// ```
    pub const fn deadline(mut self, deadline: Option<Deadline>) -> Self {
        self.deadline = deadline;
        self
    }
}

/// Why a key is not held.
///
/// ```
/// use slotpark_core::HoldError;
/// assert_eq!(HoldError::TimedOut.to_string(), "the key was not free before the deadline");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HoldError {
    /// The deadline passed before the key was free.
    TimedOut,
    /// All places for guards are taken, and the lock was made to fail then.
    PoolFull,
}

impl fmt::Display for HoldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the key was not free before the deadline",
            Self::PoolFull => "all places for guards are taken",
        })
    }
}

impl core::error::Error for HoldError {}

/// Why a key is not held at once.
///
/// ```
/// use slotpark_core::TryHoldError;
/// assert_eq!(TryHoldError::Busy.to_string(), "the key is not free");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryHoldError {
    /// Others hold too much of the key, or wait for it.
    Busy,
    /// All places for guards are taken, and the lock was made to fail then.
    PoolFull,
}

impl From<HoldError> for TryHoldError {
    /// Past its deadline a key is busy.
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::TimedOut => Self::Busy,
            HoldError::PoolFull => Self::PoolFull,
        }
    }
}

impl fmt::Display for TryHoldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "the key is not free",
            Self::PoolFull => "all places for guards are taken",
        })
    }
}

impl core::error::Error for TryHoldError {}

/// How the pool of a keyed lock is used.
///
/// ```
/// let stats = slotpark_core::KeyedLock::<u64>::new(1).pool_stats();
/// assert_eq!((stats.places, stats.taken, stats.full), (256, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// How many places there are.
    pub places: usize,
    /// How many are taken at about this moment.
    pub taken: usize,
    /// How often all were taken when one was wanted; wraps at 2^32.
    pub full: u32,
}
