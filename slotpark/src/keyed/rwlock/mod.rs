//! `KeyedRwLock`: many readers per key, or one writer.
//!
//! A reader holds 1 of a key and a writer all of it. Who reads and may upgrade holds a little more
//! than half: it fits beside readers, and not beside another of its kind.

mod frames;
mod guards;
mod reads;
mod upgradables;
mod upgrades;
mod writes;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use slotpark_core::{
    DefaultPlatform, HoldOptions, Holding, KeyedLock, KeyedOptions, Kind, Platform, PoolStats,
    Preference, Seeded, SlotCountError,
};

use super::LockError;
use crate::hash_of;

pub use guards::{KeyedReadGuard, KeyedWriteGuard};
pub use upgrades::{KeyedUpgradableGuard, KeyedUpgraded};

pub(super) const READER: u32 = 1;
const UPGRADABLE: u32 = WRITER / 2 + 1;
pub(super) const WRITER: u32 = 1 << 31;

/// A read-write lock by key, for threads and tasks: many read a key, or one writes to it.
///
/// An absent key is free: nothing is stored for a key but while it is held or awaited, and nothing
/// is allocated for it. Keys are told apart by full equality.
///
/// ```
/// use slotpark::KeyedRwLock;
/// let files = KeyedRwLock::<String>::new();
/// let reader = files.read("log".to_string());
/// assert!(files.try_read("log".to_string()).is_ok());
/// assert!(files.try_write("log".to_string()).is_err());
/// drop(reader);
/// let writer = files.write("log".to_string());
/// let reader = writer.downgrade();
/// assert!(!files.is_locked_exclusive("log"));
/// # drop(reader);
/// ```
///
/// **By phases** ([`new`](Self::new)): who comes after a writer that waits, waits behind it. When a
/// writer leaves, all readers that wait come in, also those behind other writers; when the last of
/// them leaves, the next writer. So neither starves. **In turn** ([`Preference::Fifo`]): first
/// come, first served; readers share a key if no writer stands between them. **Barging**
/// ([`Preference::Barging`]): who finds the key free for it takes it. Readers can keep a writer out
/// for ever then.
///
/// What is granted, in the first two, is held before its owner wakes: a future that was granted a
/// key and is not polled keeps it, and others wait.
///
/// **Upgrades.** Who reads by [`upgradable_read`](Self::upgradable_read) can become the writer with
/// nobody in between: at most one per key can, so no two wait for each other. It is first in the
/// queue, and nobody comes in meanwhile, also in a barging lock; it waits for the readers that are
/// in.
///
/// **No poison.** It guards a key, not a value: a holder that panics unlocks.
///
/// Not reentrant: who reads a key and reads it again may wait behind a writer that waits for it.
pub struct KeyedRwLock<K, S = Seeded, P: Platform = DefaultPlatform> {
    engine: KeyedLock<K, P>,
    hasher: S,
}

/// What who holds so much may do.
fn kind_of(amount: u32) -> Kind {
    match amount {
        WRITER => Kind::Lock,
        UPGRADABLE..WRITER => Kind::Upgradable,
        _ => Kind::Read,
    }
}

impl<K> KeyedRwLock<K> {
    /// A lock by phases: 512 slots and 256 places for guards, allocated now.
    ///
    /// ```
    /// assert!(!slotpark::KeyedRwLock::<u64>::new().is_locked(&7));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        match Self::with_options(KeyedOptions::new()) {
            Ok(lock) => lock,
            Err(error) => unreachable!("{error}"),
        }
    }

    /// With another number of slots or places, or another preference than by phases.
    ///
    /// # Errors
    /// If the options name 0 slots, or more than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// use slotpark::{KeyedOptions, KeyedRwLock, Preference};
    /// let options = KeyedOptions::new().slots(64).preference(Preference::Fifo);
    /// let lock = KeyedRwLock::<u64>::with_options(options)?;
    /// # Ok::<_, slotpark::SlotCountError>(())
    /// ```
    pub fn with_options(options: KeyedOptions) -> Result<Self, SlotCountError> {
        let options = options.default_preference(Preference::PhaseFair);
        let engine = KeyedLock::with_options(WRITER, options)?;
        Ok(Self::from_engine(engine, Seeded::new()))
    }
}

impl<K, S, P: Platform> KeyedRwLock<K, S, P> {
    /// The capacity of the engine's lock: what a writer holds.
    pub const CAPACITY: u32 = WRITER;

    /// On a lock of the engine, with a hasher of your own.
    ///
    /// # Panics
    /// If the capacity of the engine's lock is not [`CAPACITY`](Self::CAPACITY).
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, core::KeyedLock};
    /// use std::hash::RandomState;
    /// let engine = KeyedLock::new(KeyedRwLock::<u64>::CAPACITY);
    /// let lock = KeyedRwLock::<u64, _>::from_engine(engine, RandomState::new());
    /// assert!(!lock.is_locked(&7));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn from_engine(engine: KeyedLock<K, P>, hasher: S) -> Self {
        assert!(
            engine.capacity() == WRITER,
            "slotpark: a read-write lock has another capacity"
        );
        let engine = engine.with_kinds(kind_of);
        Self { engine, hasher }
    }

    /// The engine's lock, which has `reset_after_fork`.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedRwLock::<u64>::new().engine().slot_count(), 512);
    /// ```
    #[must_use]
    pub const fn engine(&self) -> &KeyedLock<K, P> {
        &self.engine
    }

    /// How the places for guards are used.
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let guard = lock.read(7);
    /// assert_eq!(lock.pool_stats().taken, 1);
    /// ```
    #[must_use]
    pub fn pool_stats(&self) -> PoolStats {
        self.engine.pool_stats()
    }
}

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedRwLock<K, S, P> {
    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        hash_of(&self.hasher, key)
    }

    #[inline]
    #[track_caller]
    fn hold(&self, key: K, options: HoldOptions) -> Result<Holding<'_, K, P>, LockError> {
        let hash = self.hash(&key);
        self.engine.hold(hash, key, options)
    }

    /// Whether somebody holds `key` now, in whatever way.
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// assert!(lock.with_read(&7, || lock.is_locked(&7)));
    /// ```
    #[must_use]
    pub fn is_locked<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.held(self.hash(key), key) > 0
    }

    /// Whether somebody holds `key` for writing now.
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// assert!(lock.with_write(&7, || lock.is_locked_exclusive(&7)));
    /// assert!(!lock.with_read(&7, || lock.is_locked_exclusive(&7)));
    /// ```
    #[must_use]
    pub fn is_locked_exclusive<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.held(self.hash(key), key) == WRITER
    }

    /// How many threads and tasks wait for `key` now, upgrades included.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedRwLock::<u64>::new().waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.waiters(self.hash(key), key)
    }

    /// What a holder of `key` says of itself: the one that has held it longest of those with a
    /// [label](crate::LockOptions::label).
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedRwLock::<u64>::new().label(&7), None);
    /// ```
    #[must_use]
    pub fn label<Q>(&self, key: &Q) -> Option<&'static str>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.label(self.hash(key), key)
    }
}

impl<K> Default for KeyedRwLock<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, S, P: Platform> fmt::Debug for KeyedRwLock<K, S, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedRwLock")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

slotpark_core::looks_by!(
    [K: Eq + Send + Sync, S: Send + Sync, P: Platform] KeyedRwLock<K, S, P>,
    engine
);

slotpark_core::keys_by!(
    "slotpark::KeyedRwLock::<u64>::new()",
    [K: fmt::Debug, S, P: Platform] KeyedRwLock<K, S, P>,
    engine
);
