//! Writing by guards: one at a time, and nobody beside it.

use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::panic::Location;
use std::time::{Duration, Instant};

use slotpark_core::{HoldOptions, Platform};

use super::{KeyedRwLock, KeyedWriteGuard, WRITER};
use crate::keyed::{LockError, LockOptions, TryLockError};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedRwLock<K, S, P> {
    /// Waits until nobody holds `key`, and locks it for writing.
    ///
    /// # Panics
    /// If all places for guards are taken and the options said that it fails then: see
    /// [`write_with`](Self::write_with).
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let guard = lock.write(7);
    /// assert!(lock.is_locked_exclusive(&7));
    /// ```
    #[inline]
    #[track_caller]
    pub fn write(&self, key: K) -> KeyedWriteGuard<'_, K, P> {
        match self.hold(key, HoldOptions::new(WRITER)) {
            Ok(holding) => KeyedWriteGuard { holding },
            Err(error) => panic!("slotpark: {error}"),
        }
    }

    /// As [`write`](Self::write), as the options say.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, LockOptions};
    /// let lock = KeyedRwLock::<u64>::new();
    /// let guard = lock.write_with(7, LockOptions::new().label("compaction"))?;
    /// assert_eq!(lock.label(&7), Some("compaction"));
    /// # drop(guard);
    /// # Ok::<_, slotpark::LockError>(())
    /// ```
    #[track_caller]
    pub fn write_with(
        &self,
        key: K,
        options: LockOptions,
    ) -> Result<KeyedWriteGuard<'_, K, P>, LockError> {
        let holding = self.hold(key, options.hold::<P>(WRITER))?;
        Ok(KeyedWriteGuard { holding })
    }

    /// As [`write`](Self::write), until the deadline. One already past costs no syscall.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, LockError};
    /// use std::time::Instant;
    /// let lock = KeyedRwLock::<u64>::new();
    /// let writer = lock.write(7);
    /// assert_eq!(lock.write_until(7, Instant::now()).unwrap_err(), LockError::TimedOut);
    /// ```
    #[track_caller]
    pub fn write_until(
        &self,
        key: K,
        deadline: Instant,
    ) -> Result<KeyedWriteGuard<'_, K, P>, LockError> {
        self.write_with(key, LockOptions::new().deadline(deadline))
    }

    /// As [`write_until`](Self::write_until), for a duration from now.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use std::time::Duration;
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// assert!(lock.write_for(7, Duration::from_millis(1)).is_ok());
    /// ```
    #[track_caller]
    pub fn write_for(
        &self,
        key: K,
        timeout: Duration,
    ) -> Result<KeyedWriteGuard<'_, K, P>, LockError> {
        self.write_with(key, LockOptions::new().timeout(timeout))
    }

    /// As [`write`](Self::write), if it can be done now.
    ///
    /// # Errors
    /// [`TryLockError`]; then nothing is locked.
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, TryLockError};
    /// let lock = KeyedRwLock::<u64>::new();
    /// let guard = lock.try_write(7)?;
    /// assert_eq!(lock.try_write(7).unwrap_err(), TryLockError::Busy);
    /// # Ok::<_, TryLockError>(())
    /// ```
    #[track_caller]
    pub fn try_write(&self, key: K) -> Result<KeyedWriteGuard<'_, K, P>, TryLockError> {
        let hash = self.hash(&key);
        let holding = self.engine.try_hold(hash, key, HoldOptions::new(WRITER))?;
        Ok(KeyedWriteGuard { holding })
    }

    /// As [`write`](Self::write), as a task. The guard may be held over an `await`.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment, never waits, and gives up what
    /// it was granted. It allocates nothing, unless all places are taken.
    ///
    /// # Panics
    /// When polled, as [`write`](Self::write).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let guard = lock.write_async(7).await;
    /// assert!(lock.is_locked(&7));
    /// # drop(guard);
    /// # });
    /// ```
    #[inline]
    #[track_caller]
    pub fn write_async(
        &self,
        key: K,
    ) -> impl Future<Output = KeyedWriteGuard<'_, K, P>> + use<'_, K, S, P> {
        let (engine, hash) = (&self.engine, self.hash(&key));
        let here = Location::caller();
        // Made where it is awaited: it is large, and would be moved there.
        async move {
            let hold = engine.hold_async(hash, key, HoldOptions::new(WRITER).called_from(here));
            match hold.await {
                Ok(holding) => KeyedWriteGuard { holding },
                Err(error) => panic!("slotpark: {error}"),
            }
        }
    }

    /// As [`write_async`](Self::write_async), with a label, and with an error where a full pool
    /// fails. The deadline of the options is not looked at: it is the caller's timer.
    ///
    /// # Errors
    /// [`LockError::PoolFull`].
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use slotpark::LockOptions;
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let guard = lock.write_async_with(7, LockOptions::new().label("compaction")).await.unwrap();
    /// assert_eq!(lock.label(&7), Some("compaction"));
    /// # drop(guard);
    /// # });
    /// ```
    #[track_caller]
    pub fn write_async_with(
        &self,
        key: K,
        options: LockOptions,
    ) -> impl Future<Output = Result<KeyedWriteGuard<'_, K, P>, LockError>> + use<'_, K, S, P> {
        let (engine, hash) = (&self.engine, self.hash(&key));
        let options = options.hold::<P>(WRITER);
        async move {
            let held = engine.hold_async(hash, key, options).await;
            held.map(|holding| KeyedWriteGuard { holding })
        }
    }
}
