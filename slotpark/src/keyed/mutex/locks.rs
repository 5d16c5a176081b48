//! Locking by guards.

use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::panic::Location;
use std::time::{Duration, Instant};

use slotpark_core::{HoldOptions, Platform};

use super::{KeyedMutex, KeyedMutexGuard, ONE};
use crate::keyed::{LockError, LockOptions, TryLockError};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedMutex<K, S, P> {
    /// Waits until `key` is free, and locks it.
    ///
    /// # Panics
    /// If all places for guards are taken and the options said that it fails then: see
    /// [`lock_with`](Self::lock_with).
    ///
    /// ```
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// let guard = mutex.lock(7);
    /// assert_eq!(*guard.key(), 7);
    /// ```
    #[inline(always)]
    #[track_caller]
    pub fn lock(&self, key: K) -> KeyedMutexGuard<'_, K, P> {
        match self.hold(key, HoldOptions::new(ONE)) {
            Ok(guard) => guard,
            Err(error) => panic!("slotpark: {error}"),
        }
    }

    #[inline(always)]
    #[track_caller]
    fn hold(&self, key: K, options: HoldOptions) -> Result<KeyedMutexGuard<'_, K, P>, LockError> {
        let hash = self.hash(&key);
        let holding = self.engine.hold(hash, key, options)?;
        Ok(KeyedMutexGuard { holding })
    }

    /// Waits until `key` is free, as the options say, and locks it.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use slotpark::LockOptions;
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// let guard = mutex.lock_with(7, LockOptions::new().label("compaction"))?;
    /// # drop(guard);
    /// # Ok::<_, slotpark::LockError>(())
    /// ```
    #[track_caller]
    pub fn lock_with(
        &self,
        key: K,
        options: LockOptions,
    ) -> Result<KeyedMutexGuard<'_, K, P>, LockError> {
        self.hold(key, options.hold::<P>(ONE))
    }

    /// Waits until `key` is free, or until the deadline, and locks it. A deadline already past
    /// costs no syscall.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use slotpark::LockError;
    /// use std::time::Instant;
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// let guard = mutex.lock(7);
    /// assert_eq!(mutex.lock_until(7, Instant::now()).unwrap_err(), LockError::TimedOut);
    /// ```
    #[track_caller]
    pub fn lock_until(
        &self,
        key: K,
        deadline: Instant,
    ) -> Result<KeyedMutexGuard<'_, K, P>, LockError> {
        self.lock_with(key, LockOptions::new().deadline(deadline))
    }

    /// As [`lock_until`](Self::lock_until), for a duration from now.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use std::time::Duration;
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// assert!(mutex.lock_for(7, Duration::from_millis(1)).is_ok());
    /// ```
    #[track_caller]
    pub fn lock_for(
        &self,
        key: K,
        timeout: Duration,
    ) -> Result<KeyedMutexGuard<'_, K, P>, LockError> {
        self.lock_with(key, LockOptions::new().timeout(timeout))
    }

    /// Locks `key` if it is free now.
    ///
    /// # Errors
    /// [`TryLockError`]; then nothing is locked.
    ///
    /// ```
    /// use slotpark::TryLockError;
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// let guard = mutex.try_lock(7)?;
    /// assert_eq!(mutex.try_lock(7).unwrap_err(), TryLockError::Busy);
    /// # Ok::<_, TryLockError>(())
    /// ```
    #[track_caller]
    pub fn try_lock(&self, key: K) -> Result<KeyedMutexGuard<'_, K, P>, TryLockError> {
        let hash = self.hash(&key);
        let holding = self.engine.try_hold(hash, key, HoldOptions::new(ONE))?;
        Ok(KeyedMutexGuard { holding })
    }

    /// Waits until `key` is free, and locks it, as a task. The guard may be held over an `await`:
    /// it blocks those who want this key, and nobody else.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment, never waits, and gives up what
    /// it was granted. It allocates nothing, unless all places are taken.
    ///
    /// # Panics
    /// When polled, as [`lock`](Self::lock).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// let guard = mutex.lock_async(7).await;
    /// assert!(mutex.is_locked(&7));
    /// # drop(guard);
    /// # });
    /// ```
    #[inline]
    #[track_caller]
    pub fn lock_async(
        &self,
        key: K,
    ) -> impl Future<Output = KeyedMutexGuard<'_, K, P>> + use<'_, K, S, P> {
        let (engine, hash) = (&self.engine, self.hash(&key));
        let here = Location::caller();
        // Made where it is awaited: it is large, and would be moved there.
        async move {
            let hold = engine.hold_async(hash, key, HoldOptions::new(ONE).called_from(here));
            match hold.await {
                Ok(holding) => KeyedMutexGuard { holding },
                Err(error) => panic!("slotpark: {error}"),
            }
        }
    }

    /// As [`lock_async`](Self::lock_async), with a label, and with an error where a full pool
    /// fails. The deadline of the options is not looked at: it is the caller's timer.
    ///
    /// # Errors
    /// [`LockError::PoolFull`].
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use slotpark::LockOptions;
    /// let lock = slotpark::KeyedMutex::<u64>::new();
    /// let guard = lock.lock_async_with(7, LockOptions::new().label("compaction")).await.unwrap();
    /// assert_eq!(lock.label(&7), Some("compaction"));
    /// # drop(guard);
    /// # });
    /// ```
    #[track_caller]
    pub fn lock_async_with(
        &self,
        key: K,
        options: LockOptions,
    ) -> impl Future<Output = Result<KeyedMutexGuard<'_, K, P>, LockError>> + use<'_, K, S, P> {
        let (engine, hash) = (&self.engine, self.hash(&key));
        let options = options.hold::<P>(ONE);
        async move {
            let held = engine.hold_async(hash, key, options).await;
            held.map(|holding| KeyedMutexGuard { holding })
        }
    }
}
