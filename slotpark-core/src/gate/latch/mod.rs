//! Latches by key: closed while something is left to count down.
//!
//! **Lock order**: one slot lock. **Orderings**: those of `gate`.

mod guard;
mod wait;

use core::borrow::Borrow;
use core::fmt;

use crate::gate::Gate;
use crate::keyed::{KeyedOptions, PoolStats};
use crate::platform::{DefaultPlatform, Platform};
use crate::reentry;
use crate::slots::SlotCountError;

pub use guard::{ArmError, ArmedLatch};
pub use wait::{LatchOutcome, LatchWait};

/// Latches by key. A key is open, unless somebody has [armed](Self::arm) it: then it is closed
/// until so many have counted it down. The hash is the caller's, as for [`Table`](crate::Table).
///
/// # Panics
/// All operations: in debug builds, if called from a closure that runs under a slot lock; and with
/// panics of `Eq`, before anything has changed.
///
/// ```
/// use slotpark_core::{Latch, LatchOutcome};
/// let latch = Latch::<u64>::new();
/// let armed = latch.arm(1, 7, 2).unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(|| assert_eq!(latch.wait(1, &7, None), LatchOutcome::Opened));
///     for _ in 0..2 {
///         scope.spawn(|| latch.count_down(1, &7, 1));
///     }
/// });
/// assert!(latch.is_open(1, &7));
/// # drop(armed);
/// ```
pub struct Latch<K, P: Platform = DefaultPlatform> {
    gate: Gate<K, P>,
}

impl<K, P: Platform> Latch<K, P> {
    /// Latches with the default [`KeyedOptions`].
    ///
    /// ```
    /// assert!(slotpark_core::Latch::<u64>::new().is_open(1, &7));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        match Self::with_options(KeyedOptions::new()) {
            Ok(latch) => latch,
            Err(error) => unreachable!("the default is not absurd, and yet: {error}"),
        }
    }

    /// Latches as the options say, whose preference is not looked at.
    ///
    /// # Errors
    /// If the options name 0 slots, or more than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// use slotpark_core::{KeyedOptions, Latch};
    /// assert!(Latch::<u64>::with_options(KeyedOptions::new().slots(0)).is_err());
    /// ```
    pub fn with_options(options: KeyedOptions) -> Result<Self, SlotCountError> {
        let gate = Gate::with_options(options)?;
        Ok(Self { gate })
    }

    /// How the places for guards are used. Walks over all of them.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Latch::<u64>::new().pool_stats().taken, 0);
    /// ```
    #[must_use]
    pub fn pool_stats(&self) -> PoolStats {
        self.gate.pool_stats()
    }

    /// Opens all latches in the child of a fork. Guards from before count nothing down there.
    ///
    /// # Safety
    /// This is the only thread of the process, and it is not inside a closure that runs under a
    /// slot lock.
    ///
    /// ```
    /// let latch = slotpark_core::Latch::<u64>::new();
    /// // SAFETY: nobody uses this latch.
    /// unsafe { latch.reset_after_fork() };
    /// ```
    pub unsafe fn reset_after_fork(&self) {
        // SAFETY: the caller's contract, and no other table is over these slots.
        unsafe { self.gate.table.reset_after_fork() };
    }
}

impl<K: Eq, P: Platform> Latch<K, P> {
    /// Counts `key` down by `count`, to 0 at most: then all who wait are released, in one wake.
    /// What is left; `None` if the key is not armed.
    ///
    /// ```
    /// let latch = slotpark_core::Latch::<u64>::new();
    /// assert_eq!(latch.count_down(1, &7, 1), None);
    /// let armed = latch.arm(1, 7, 3).unwrap();
    /// assert_eq!(latch.count_down(1, &7, 1), Some(2));
    /// assert_eq!(latch.count_down(1, &7, 5), Some(0));
    /// # drop(armed);
    /// ```
    pub fn count_down<Q>(&self, hash: u64, key: &Q, count: u32) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        self.gate.decide(hash, |guard, chosen| {
            let head = self.gate.table.find(guard, hash, key)?;
            let holder = guard.first_holder(head)?;
            let left = holder.weight().saturating_sub(count);
            guard.set_held(head, holder, left);
            if left == 0 {
                self.gate.release_all(guard, head, chosen);
            }
            Some(left)
        })
    }

    /// How often `key` must be counted down until it is open; 0 if it is, armed or not.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Latch::<u64>::new().remaining(1, &7), 0);
    /// ```
    #[must_use]
    pub fn remaining<Q>(&self, hash: u64, key: &Q) -> u32
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        self.gate
            .decide(hash, |guard, _| self.gate.total(guard, hash, key))
    }

    /// Whether `key` is open now: counted down, or not armed.
    ///
    /// ```
    /// assert!(slotpark_core::Latch::<u64>::new().is_open(1, &7));
    /// ```
    #[must_use]
    pub fn is_open<Q>(&self, hash: u64, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.remaining(hash, key) == 0
    }

    /// How many threads and tasks wait for `key` now.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Latch::<u64>::new().waiters(1, &7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, hash: u64, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.gate.table.waiters(hash, key)
    }
}

impl<K, P: Platform> Default for Latch<K, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, P: Platform> fmt::Debug for Latch<K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latch")
            .field("slots", &self.gate.table.slot_count())
            .finish_non_exhaustive()
    }
}

crate::looks_by!([K: Send + Sync, P: Platform] Latch<K, P>, gate.table);

crate::keys_by!(
    "slotpark_core::Latch::<u64>::new()",
    [K: fmt::Debug, P: Platform] Latch<K, P>,
    gate.table
);
