//! `KeyedSemaphore`: so many permits for each key.

mod acquires;
mod frames;
mod permit;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use slotpark_core::{
    DefaultPlatform, HoldOptions, KeyedLock, KeyedOptions, Platform, PoolStats, Seeded,
    SlotCountError,
};

use super::LockError;
use crate::hash_of;

pub use permit::KeyedPermit;

/// A semaphore by key, for threads and tasks: each key has the same number of permits.
///
/// A key of which nobody holds a permit has all of them: nothing is stored for a key but while a
/// permit of it is held or awaited, and nothing is allocated for it. Keys are told apart by full
/// equality.
///
/// ```
/// use slotpark::KeyedSemaphore;
/// let connections = KeyedSemaphore::<String>::new(2);
/// let one = connections.acquire("host".to_string());
/// let two = connections.acquire("host".to_string());
/// assert!(connections.try_acquire("host".to_string()).is_err());
/// assert_eq!(connections.available("another host"), 2);
/// drop(one);
/// assert_eq!(connections.available("host"), 1);
/// # drop(two);
/// ```
///
/// **Fair** ([`new`](Self::new)): permits go to those who wait in the order in which they came. Who
/// asks for many is not overtaken by those who ask for few. What is granted is held before its
/// owner wakes: a future that was granted permits and is not polled keeps them. **Barging**
/// ([`Preference::Barging`](crate::Preference::Barging)): who comes first takes what is free, and
/// who is woken tries again; who asks for many may wait for ever then.
///
/// **More permits than a key has** are a mistake of the caller: to ask for them panics, since they
/// could never come. **No permits** are asked for as any other number: it waits until nobody is in
/// front of it, and holds nothing.
pub struct KeyedSemaphore<K, S = Seeded, P: Platform = DefaultPlatform> {
    engine: KeyedLock<K, P>,
    hasher: S,
}

impl<K> KeyedSemaphore<K> {
    /// A fair semaphore of so many permits for each key: 512 slots and 256 places for guards,
    /// allocated now.
    ///
    /// # Panics
    /// If `permits` is 0.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedSemaphore::<u64>::new(3).available(&7), 3);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new(permits: u32) -> Self {
        Self::from_engine(KeyedLock::new(permits), Seeded::new())
    }

    /// With another number of slots or places, or another preference.
    ///
    /// # Errors
    /// If the options name 0 slots, or more than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// # Panics
    /// If `permits` is 0.
    ///
    /// ```
    /// use slotpark::{KeyedOptions, KeyedSemaphore, Preference};
    /// let options = KeyedOptions::new().preference(Preference::Barging);
    /// let semaphore = KeyedSemaphore::<u64>::with_options(3, options)?;
    /// # Ok::<_, slotpark::SlotCountError>(())
    /// ```
    #[track_caller]
    pub fn with_options(permits: u32, options: KeyedOptions) -> Result<Self, SlotCountError> {
        let engine = KeyedLock::with_options(permits, options)?;
        Ok(Self::from_engine(engine, Seeded::new()))
    }
}

impl<K, S, P: Platform> KeyedSemaphore<K, S, P> {
    /// On a lock of the engine, whose capacity is the number of permits, with a hasher of your own.
    ///
    /// ```
    /// use slotpark::{KeyedSemaphore, core::KeyedLock};
    /// use std::hash::RandomState;
    /// let semaphore = KeyedSemaphore::from_engine(KeyedLock::<u64>::new(3), RandomState::new());
    /// assert_eq!(semaphore.permits(), 3);
    /// ```
    #[must_use]
    pub const fn from_engine(engine: KeyedLock<K, P>, hasher: S) -> Self {
        Self { engine, hasher }
    }

    /// The engine's lock, which has `reset_after_fork`.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedSemaphore::<u64>::new(1).engine().slot_count(), 512);
    /// ```
    #[must_use]
    pub const fn engine(&self) -> &KeyedLock<K, P> {
        &self.engine
    }

    /// How many permits each key has.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedSemaphore::<u64>::new(3).permits(), 3);
    /// ```
    #[must_use]
    pub const fn permits(&self) -> u32 {
        self.engine.capacity()
    }

    /// How the places for guards are used.
    ///
    /// ```
    /// let semaphore = slotpark::KeyedSemaphore::<u64>::new(1);
    /// let permit = semaphore.acquire(7);
    /// assert_eq!(semaphore.pool_stats().taken, 1);
    /// ```
    #[must_use]
    pub fn pool_stats(&self) -> PoolStats {
        self.engine.pool_stats()
    }
}

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedSemaphore<K, S, P> {
    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        hash_of(&self.hasher, key)
    }

    #[inline]
    #[track_caller]
    fn hold(
        &self,
        key: K,
        count: u32,
        options: HoldOptions,
    ) -> Result<KeyedPermit<'_, K, P>, LockError> {
        let hash = self.hash(&key);
        let holding = self.engine.hold(hash, key, options)?;
        Ok(KeyedPermit { holding, count })
    }

    /// How many permits of `key` are free now. Some that are may be owed to who waits for more.
    ///
    /// ```
    /// let semaphore = slotpark::KeyedSemaphore::<u64>::new(3);
    /// assert_eq!(semaphore.with_permits(&7, 2, || semaphore.available(&7)), 1);
    /// ```
    #[must_use]
    pub fn available<Q>(&self, key: &Q) -> u32
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.permits() - self.engine.held(self.hash(key), key)
    }

    /// How many threads and tasks wait for `key` now.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedSemaphore::<u64>::new(1).waiters(&7), 0);
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
    /// assert_eq!(slotpark::KeyedSemaphore::<u64>::new(1).label(&7), None);
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

impl<K, S, P: Platform> fmt::Debug for KeyedSemaphore<K, S, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedSemaphore")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

slotpark_core::looks_by!(
    [K: Eq + Send + Sync, S: Send + Sync, P: Platform] KeyedSemaphore<K, S, P>,
    engine
);

slotpark_core::keys_by!(
    "slotpark::KeyedSemaphore::<u64>::new(1)",
    [K: fmt::Debug, S, P: Platform] KeyedSemaphore<K, S, P>,
    engine
);
