//! `KeyedMutex`: one holder per key.

mod frames;
mod locks;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use slotpark_core::{
    DefaultPlatform, Holding, KeyedLock, KeyedOptions, Platform, PoolStats, Preference, Seeded,
    SlotCountError,
};

use crate::hash_of;

/// A mutex by key, for threads and tasks: at most one of them holds a key at any moment.
///
/// An absent key is free: nothing is stored for a key but while it is held or awaited, nothing is
/// allocated for it, and there is no entry that could leak, or be removed under somebody's feet.
/// Keys are told apart by full equality: two keys never exclude each other, whatever their hashes.
///
/// ```
/// use slotpark::KeyedMutex;
/// let accounts = KeyedMutex::<String>::new();
/// let guard = accounts.lock("alice".to_string());
/// assert!(accounts.try_lock("alice".to_string()).is_err());
/// assert!(accounts.try_lock("bob".to_string()).is_ok());
/// drop(guard);
/// assert!(!accounts.is_locked("alice"));
/// ```
///
/// **Two forms.** [`with_lock`](Self::with_lock) borrows the key and holds it while a closure runs:
/// its record lies in the caller's frame. [`lock`](Self::lock) and [`lock_async`](Self::lock_async)
/// take the key and give a guard that may be moved, also to another thread or over an `await`: its
/// record lies in a pool of fixed size. If more guards than that live at a time, each of those
/// costs an allocation, or fails, as the constructor says, and is counted.
///
/// **Fair** ([`new`](Self::new)): first come, first served; who is granted a key holds it before it
/// wakes. A future that is granted a key and not polled keeps it, and others wait ("futurelock").
/// **Barging** ([`barging`](Self::barging)): who comes first takes a free key, and a woken waiter
/// tries again: faster under contention, nobody is promised anything, and a future that is not
/// polled holds nothing.
///
/// **No poison.** It guards a key, not a value: a holder that panics unlocks. Who leaves something
/// half done says so where the half-done thing is.
///
/// Not reentrant: who locks a key that it holds waits for itself.
pub struct KeyedMutex<K, S = Seeded, P: Platform = DefaultPlatform> {
    engine: KeyedLock<K, P>,
    hasher: S,
}

/// Of a key whose holder takes all there is.
const ONE: u32 = 1;

impl<K> KeyedMutex<K> {
    /// A fair mutex: 512 slots and 256 places for guards, allocated now.
    ///
    /// ```
    /// assert!(!slotpark::KeyedMutex::<u64>::new().is_locked(&7));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::from_engine(KeyedLock::new(ONE), Seeded::new())
    }

    /// A barging mutex: 512 slots and 256 places for guards, allocated now.
    ///
    /// ```
    /// assert!(!slotpark::KeyedMutex::<u64>::barging().is_locked(&7));
    /// ```
    #[must_use]
    pub fn barging() -> Self {
        let options = KeyedOptions::new().preference(Preference::Barging);
        match Self::with_options(options) {
            Ok(mutex) => mutex,
            Err(error) => unreachable!("{error}"),
        }
    }

    /// With another number of slots or places, or another preference.
    ///
    /// # Errors
    /// If the options name 0 slots, or more than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// use slotpark::{KeyedMutex, KeyedOptions, TryLockError, WhenFull};
    /// let options = KeyedOptions::new().slots(64).pool(1, WhenFull::Fail);
    /// let mutex = KeyedMutex::<u64>::with_options(options)?;
    /// let guard = mutex.lock(7);
    /// assert_eq!(mutex.try_lock(8).unwrap_err(), TryLockError::PoolFull);
    /// assert_eq!(mutex.with_lock(&8, || "needs no place"), "needs no place");
    /// # Ok::<_, slotpark::SlotCountError>(())
    /// ```
    pub fn with_options(options: KeyedOptions) -> Result<Self, SlotCountError> {
        let engine = KeyedLock::with_options(ONE, options)?;
        Ok(Self::from_engine(engine, Seeded::new()))
    }
}

impl<K, S, P: Platform> KeyedMutex<K, S, P> {
    /// On a lock of the engine, with a hasher of your own.
    ///
    /// # Panics
    /// If the capacity of the engine's lock is not 1.
    ///
    /// ```
    /// use slotpark::{KeyedMutex, core::KeyedLock};
    /// use std::hash::RandomState;
    /// let mutex = KeyedMutex::from_engine(KeyedLock::<u64>::new(1), RandomState::new());
    /// assert!(!mutex.is_locked(&7));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn from_engine(engine: KeyedLock<K, P>, hasher: S) -> Self {
        assert!(
            engine.capacity() == ONE,
            "slotpark: a mutex has one holder per key"
        );
        Self { engine, hasher }
    }

    /// The engine's lock, which has `reset_after_fork`.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedMutex::<u64>::new().engine().slot_count(), 512);
    /// ```
    #[must_use]
    pub const fn engine(&self) -> &KeyedLock<K, P> {
        &self.engine
    }

    /// How the places for guards are used.
    ///
    /// ```
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// let guard = mutex.lock(7);
    /// assert_eq!(mutex.pool_stats().taken, 1);
    /// ```
    #[must_use]
    pub fn pool_stats(&self) -> PoolStats {
        self.engine.pool_stats()
    }
}

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedMutex<K, S, P> {
    #[inline]
    pub(super) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        hash_of(&self.hasher, key)
    }

    /// Whether somebody holds `key` now.
    ///
    /// ```
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// assert!(mutex.with_lock(&7, || mutex.is_locked(&7)));
    /// ```
    #[must_use]
    pub fn is_locked<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.held(self.hash(key), key) > 0
    }

    /// How many threads and tasks wait for `key` now.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedMutex::<u64>::new().waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.waiters(self.hash(key), key)
    }

    /// What the holder of `key` says of itself, if it has a [label](crate::LockOptions::label).
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedMutex::<u64>::new().label(&7), None);
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

impl<K> Default for KeyedMutex<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, S, P: Platform> fmt::Debug for KeyedMutex<K, S, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedMutex")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

/// A key is locked while this lives. It may be moved and sent to another thread.
///
/// Forgotten (`mem::forget`), it keeps its key locked as long as the mutex lives.
///
/// ```
/// let mutex = slotpark::KeyedMutex::<u64>::new();
/// let guard = mutex.lock(7);
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// assert!(!mutex.is_locked(&7));
/// ```
#[must_use = "the key is unlocked when the guard is dropped"]
pub struct KeyedMutexGuard<'m, K: Eq, P: Platform = DefaultPlatform> {
    holding: Holding<'m, K, P>,
}

impl<'m, K: Eq, P: Platform> KeyedMutexGuard<'m, K, P> {
    pub(super) const fn of(holding: Holding<'m, K, P>) -> Self {
        Self { holding }
    }

    pub(super) fn into_holding(self) -> Holding<'m, K, P> {
        self.holding
    }

    /// The key that is locked.
    ///
    /// ```
    /// assert_eq!(*slotpark::KeyedMutex::<u64>::new().lock(7).key(), 7);
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        self.holding.key()
    }
}

impl<K: Eq + fmt::Debug, P: Platform> fmt::Debug for KeyedMutexGuard<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedMutexGuard")
            .field("key", self.key())
            .finish()
    }
}

slotpark_core::looks_by!(
    [K: Eq + Send + Sync, S: Send + Sync, P: Platform] KeyedMutex<K, S, P>,
    engine
);

slotpark_core::keys_by!(
    "slotpark::KeyedMutex::<u64>::new()",
    [K: fmt::Debug, S, P: Platform] KeyedMutex<K, S, P>,
    engine
);
