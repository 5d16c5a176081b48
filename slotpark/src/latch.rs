//! `Latch`: keys that open when they were counted down.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{
    ArmError, ArmedLatch, Deadline, DefaultPlatform, KeyedOptions, LatchOutcome, LatchWait,
    Platform, PoolStats, Seeded, SlotCountError,
};

use crate::{hash_of, until};

/// Latches by key: threads and tasks wait until what they need has happened so many times. A key is
/// open, unless somebody has armed it; there is nothing to make for a key and nothing to remove.
///
/// ```
/// use slotpark::{Latch, LatchOutcome};
///
/// let loaded = Latch::<String>::new();
/// let armed = loaded.arm("tiles".to_string(), 3).unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         assert_eq!(loaded.wait(&"tiles".to_string()), LatchOutcome::Opened);
///         // All three are there.
///     });
///     for _tile in 0..3 {
///         scope.spawn(|| loaded.count_down("tiles", 1));
///     }
/// });
/// drop(armed); // from here on the key can be armed anew
/// ```
///
/// **Once**: counted down, a key stays open as long as its guard lives, and cannot be armed.
/// Dropped before that, the guard opens the key too: who waits then is told that it was abandoned,
/// so that nobody waits for ever for one who has died; who comes later finds a key that nobody has
/// armed.
///
/// Nothing is allocated to wait or to count down. A guard takes a place of a pool of
/// [`POOL_DEFAULT`](crate::POOL_DEFAULT), and one allocation if all are taken, unless the
/// [options](KeyedOptions) say otherwise.
///
/// # Panics
/// All operations: in debug builds, if called from a closure that runs under a slot lock; and with
/// panics of `Eq` and `Hash`, before anything has changed.
pub struct Latch<K, S = Seeded, P: Platform = DefaultPlatform> {
    engine: slotpark_core::Latch<K, P>,
    hasher: S,
}

impl<K> Latch<K> {
    /// 512 slots and a pool of [`POOL_DEFAULT`](crate::POOL_DEFAULT) places, allocated now.
    ///
    /// ```
    /// assert!(slotpark::Latch::<u64>::new().is_open(&7));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::from_engine(slotpark_core::Latch::new(), Seeded::new())
    }

    /// As the options say, whose preference is not looked at.
    ///
    /// # Errors
    /// If the options name 0 slots, or more than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// use slotpark::{KeyedOptions, Latch, WhenFull};
    /// let options = KeyedOptions::new().slots(64).pool(16, WhenFull::Fail);
    /// assert!(Latch::<u64>::with_options(options).is_ok());
    /// ```
    pub fn with_options(options: KeyedOptions) -> Result<Self, SlotCountError> {
        let engine = slotpark_core::Latch::with_options(options)?;
        Ok(Self::from_engine(engine, Seeded::new()))
    }
}

impl<K, S, P: Platform> Latch<K, S, P> {
    /// On latches of the engine, with a hasher of your own.
    ///
    /// ```
    /// use slotpark::Latch;
    /// use std::hash::RandomState;
    /// let engine = slotpark::core::Latch::<String>::new();
    /// assert!(Latch::from_engine(engine, RandomState::new()).is_open("door"));
    /// ```
    #[must_use]
    pub const fn from_engine(engine: slotpark_core::Latch<K, P>, hasher: S) -> Self {
        Self { engine, hasher }
    }

    /// The engine's latches, which have `reset_after_fork`.
    ///
    /// ```
    /// assert!(slotpark::Latch::<u64>::new().engine().is_open(1, &7));
    /// ```
    #[must_use]
    pub const fn engine(&self) -> &slotpark_core::Latch<K, P> {
        &self.engine
    }

    /// How the places for guards are used.
    ///
    /// ```
    /// let latch = slotpark::Latch::<u64>::new();
    /// let armed = latch.arm(7, 1);
    /// assert_eq!(latch.pool_stats().taken, 1);
    /// ```
    #[must_use]
    pub fn pool_stats(&self) -> PoolStats {
        self.engine.pool_stats()
    }
}

impl<K: Hash + Eq, S: BuildHasher, P: Platform> Latch<K, S, P> {
    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        hash_of(&self.hasher, key)
    }

    /// Closes `key` until it was counted down `count` times, or until the guard is dropped.
    ///
    /// # Errors
    /// [`ArmError`], if it is armed already, or if all places are taken and the options said that
    /// it fails then; the key comes back.
    ///
    /// ```
    /// use slotpark::ArmError;
    /// let latch = slotpark::Latch::<u64>::new();
    /// let armed = latch.arm(7, 2)?;
    /// assert_eq!(latch.arm(7, 1).unwrap_err(), ArmError::AlreadyArmed(7));
    /// assert_eq!(armed.count_down(1), 1);
    /// # Ok::<_, ArmError<u64>>(())
    /// ```
    #[track_caller]
    pub fn arm(&self, key: K, count: u32) -> Result<ArmedLatch<'_, K, P>, ArmError<K>> {
        let hash = self.hash(&key);
        self.engine.arm(hash, key, count)
    }

    /// Counts `key` down by `count`, to 0 at most: then all who wait are released, in one wake.
    /// What is left; `None` if the key is not armed.
    ///
    /// ```
    /// let latch = slotpark::Latch::<u64>::new();
    /// let armed = latch.arm(7, 3);
    /// assert_eq!(latch.count_down(&7, 2), Some(1));
    /// drop(armed);
    /// assert_eq!(latch.count_down(&7, 1), None);
    /// ```
    pub fn count_down<Q>(&self, key: &Q, count: u32) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.count_down(self.hash(key), key, count)
    }

    /// How often `key` must be counted down until it is open; 0 if it is, armed or not.
    ///
    /// ```
    /// assert_eq!(slotpark::Latch::<u64>::new().remaining(&7), 0);
    /// ```
    #[must_use]
    pub fn remaining<Q>(&self, key: &Q) -> u32
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.remaining(self.hash(key), key)
    }

    /// Whether `key` is open now: counted down, or not armed.
    ///
    /// ```
    /// let latch = slotpark::Latch::<u64>::new();
    /// let armed = latch.arm(7, 1).unwrap();
    /// assert!(!latch.is_open(&7));
    /// armed.count_down(1);
    /// assert!(latch.is_open(&7));
    /// ```
    #[must_use]
    pub fn is_open<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.is_open(self.hash(key), key)
    }

    /// How many threads and tasks wait for `key` now.
    ///
    /// ```
    /// assert_eq!(slotpark::Latch::<u64>::new().waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.waiters(self.hash(key), key)
    }

    /// Waits until `key` is open. What was done before the counting down is visible afterwards.
    ///
    /// ```
    /// use slotpark::LatchOutcome;
    /// assert_eq!(slotpark::Latch::<u64>::new().wait(&7), LatchOutcome::Opened);
    /// ```
    #[track_caller]
    pub fn wait(&self, key: &K) -> LatchOutcome {
        self.engine.wait(self.hash(key), key, None)
    }

    /// As [`wait`](Self::wait), until the deadline at most. One already past costs no syscall.
    ///
    /// ```
    /// use slotpark::LatchOutcome;
    /// use std::time::Instant;
    /// let latch = slotpark::Latch::<u64>::new();
    /// let armed = latch.arm(7, 1);
    /// assert_eq!(latch.wait_until(&7, Instant::now()), LatchOutcome::TimedOut);
    /// ```
    #[track_caller]
    pub fn wait_until(&self, key: &K, deadline: Instant) -> LatchOutcome {
        let deadline = until::<P>(deadline);
        self.engine.wait(self.hash(key), key, deadline)
    }

    /// As [`wait`](Self::wait), for so long at most.
    ///
    /// ```
    /// use slotpark::LatchOutcome;
    /// use std::time::Duration;
    /// let latch = slotpark::Latch::<u64>::new();
    /// assert_eq!(latch.wait_for(&7, Duration::from_secs(1)), LatchOutcome::Opened);
    /// ```
    #[track_caller]
    pub fn wait_for(&self, key: &K, timeout: Duration) -> LatchOutcome {
        let deadline = Deadline::after::<P>(timeout);
        self.engine.wait(self.hash(key), key, deadline)
    }

    /// As [`wait`](Self::wait), as a future that owns its key. A deadline is the caller's timer:
    /// drop the future.
    ///
    /// **Cancel safety**: see [`LatchWait`].
    ///
    /// ```
    /// use slotpark::LatchOutcome;
    /// # futures_lite::future::block_on(async {
    /// let latch = slotpark::Latch::<u64>::new();
    /// assert_eq!(latch.wait_async(7).await, LatchOutcome::Opened);
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_async(&self, key: K) -> LatchWait<'_, K, P> {
        let hash = self.hash(&key);
        self.engine.wait_async(hash, key)
    }
}

impl<K> Default for Latch<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, S, P: Platform> fmt::Debug for Latch<K, S, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latch")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

slotpark_core::looks_by!([K: Send + Sync, S: Send + Sync, P: Platform] Latch<K, S, P>, engine);

slotpark_core::keys_by!(
    "slotpark::Latch::<u64>::new()",
    [K: fmt::Debug, S, P: Platform] Latch<K, S, P>,
    engine
);
