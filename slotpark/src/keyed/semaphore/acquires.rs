//! Permits by guards.

use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{HoldOptions, KeyedLock, Platform};

use super::{KeyedPermit, KeyedSemaphore};
use crate::keyed::{LockError, LockOptions, TryLockError};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedSemaphore<K, S, P> {
    /// Waits for a permit of `key`.
    ///
    /// # Panics
    /// If all places for guards are taken and the options said that it fails then: see
    /// [`acquire_with`](Self::acquire_with).
    ///
    /// ```
    /// let semaphore = slotpark::KeyedSemaphore::<u64>::new(3);
    /// let permit = semaphore.acquire(7);
    /// assert_eq!(permit.count(), 1);
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire(&self, key: K) -> KeyedPermit<'_, K, P> {
        self.acquire_many(key, 1)
    }

    /// Waits for `count` permits of `key`, and takes all of them at one moment.
    ///
    /// # Panics
    /// If `count` is more than the [`permits`](Self::permits) of a key, and as
    /// [`acquire`](Self::acquire).
    ///
    /// ```
    /// let semaphore = slotpark::KeyedSemaphore::<u64>::new(3);
    /// assert_eq!(semaphore.acquire_many(7, 2).count(), 2);
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_many(&self, key: K, count: u32) -> KeyedPermit<'_, K, P> {
        match self.hold(key, count, HoldOptions::new(count)) {
            Ok(permit) => permit,
            Err(error) => panic!("slotpark: {error}"),
        }
    }

    /// As [`acquire_many`](Self::acquire_many), as the options say.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is held.
    ///
    /// # Panics
    /// If `count` is more than the [`permits`](Self::permits) of a key.
    ///
    /// ```
    /// use slotpark::{KeyedSemaphore, LockOptions};
    /// let semaphore = KeyedSemaphore::<u64>::new(3);
    /// let permit = semaphore.acquire_with(7, 2, LockOptions::new().label("compaction"))?;
    /// assert_eq!(semaphore.label(&7), Some("compaction"));
    /// # drop(permit);
    /// # Ok::<_, slotpark::LockError>(())
    /// ```
    #[track_caller]
    pub fn acquire_with(
        &self,
        key: K,
        count: u32,
        options: LockOptions,
    ) -> Result<KeyedPermit<'_, K, P>, LockError> {
        self.hold(key, count, options.hold::<P>(count))
    }

    /// As [`acquire_many`](Self::acquire_many), until the deadline. One already past costs no
    /// syscall.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is held.
    ///
    /// # Panics
    /// If `count` is more than the [`permits`](Self::permits) of a key.
    ///
    /// ```
    /// use slotpark::{KeyedSemaphore, LockError};
    /// use std::time::Instant;
    /// let semaphore = KeyedSemaphore::<u64>::new(1);
    /// let permit = semaphore.acquire(7);
    /// let error = semaphore.acquire_until(7, 1, Instant::now()).unwrap_err();
    /// assert_eq!(error, LockError::TimedOut);
    /// ```
    #[track_caller]
    pub fn acquire_until(
        &self,
        key: K,
        count: u32,
        deadline: Instant,
    ) -> Result<KeyedPermit<'_, K, P>, LockError> {
        self.acquire_with(key, count, LockOptions::new().deadline(deadline))
    }

    /// As [`acquire_until`](Self::acquire_until), for a duration from now.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is held.
    ///
    /// # Panics
    /// If `count` is more than the [`permits`](Self::permits) of a key.
    ///
    /// ```
    /// use std::time::Duration;
    /// let semaphore = slotpark::KeyedSemaphore::<u64>::new(1);
    /// assert!(semaphore.acquire_for(7, 1, Duration::from_millis(1)).is_ok());
    /// ```
    #[track_caller]
    pub fn acquire_for(
        &self,
        key: K,
        count: u32,
        timeout: Duration,
    ) -> Result<KeyedPermit<'_, K, P>, LockError> {
        self.acquire_with(key, count, LockOptions::new().timeout(timeout))
    }

    /// Takes a permit of `key` if one is free now, and nobody waits in front.
    ///
    /// # Errors
    /// [`TryLockError`]; then nothing is held.
    ///
    /// ```
    /// use slotpark::{KeyedSemaphore, TryLockError};
    /// let semaphore = KeyedSemaphore::<u64>::new(1);
    /// let permit = semaphore.try_acquire(7)?;
    /// assert_eq!(semaphore.try_acquire(7).unwrap_err(), TryLockError::Busy);
    /// # Ok::<_, TryLockError>(())
    /// ```
    #[track_caller]
    pub fn try_acquire(&self, key: K) -> Result<KeyedPermit<'_, K, P>, TryLockError> {
        self.try_acquire_many(key, 1)
    }

    /// Takes `count` permits of `key` if they are free now, and nobody waits in front.
    ///
    /// # Errors
    /// [`TryLockError`]; then nothing is held.
    ///
    /// # Panics
    /// If `count` is more than the [`permits`](Self::permits) of a key.
    ///
    /// ```
    /// let semaphore = slotpark::KeyedSemaphore::<u64>::new(3);
    /// assert_eq!(semaphore.try_acquire_many(7, 2).map(|permit| permit.count()), Ok(2));
    /// ```
    #[track_caller]
    pub fn try_acquire_many(
        &self,
        key: K,
        count: u32,
    ) -> Result<KeyedPermit<'_, K, P>, TryLockError> {
        let hash = self.hash(&key);
        let holding = self.engine.try_hold(hash, key, HoldOptions::new(count))?;
        Ok(KeyedPermit { holding, count })
    }

    /// Waits for `count` permits of `key`, as a task. They may be held over an `await`.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment, never waits, and gives up what
    /// it was granted. It allocates nothing, unless all places are taken.
    ///
    /// # Panics
    /// If `count` is more than the [`permits`](Self::permits) of a key; and when
    /// polled, as [`acquire`](Self::acquire).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let semaphore = slotpark::KeyedSemaphore::<u64>::new(3);
    /// let permit = semaphore.acquire_async(7, 2).await;
    /// assert_eq!(semaphore.available(&7), 1);
    /// # drop(permit);
    /// # });
    /// ```
    #[track_caller]
    pub fn acquire_async(
        &self,
        key: K,
        count: u32,
    ) -> impl Future<Output = KeyedPermit<'_, K, P>> + use<'_, K, S, P> {
        let (engine, hash) = (&self.engine, self.hash(&key));
        check(engine, count);
        let options = HoldOptions::new(count);
        // Made where it is awaited: it is large, and would be moved there.
        async move {
            match engine.hold_async(hash, key, options).await {
                Ok(holding) => KeyedPermit { holding, count },
                Err(error) => panic!("slotpark: {error}"),
            }
        }
    }

    /// As [`acquire_async`](Self::acquire_async), with a label, and with an error where a full
    /// pool fails. The deadline of the options is not looked at: it is the caller's timer.
    ///
    /// # Errors
    /// [`LockError::PoolFull`].
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use slotpark::LockOptions;
    /// let lock = slotpark::KeyedSemaphore::<u64>::new(3);
    /// let options = LockOptions::new().label("compaction");
    /// let guard = lock.acquire_async_with(7, 1, options).await.unwrap();
    /// assert_eq!(lock.label(&7), Some("compaction"));
    /// # drop(guard);
    /// # });
    /// ```
    #[track_caller]
    pub fn acquire_async_with(
        &self,
        key: K,
        count: u32,
        options: LockOptions,
    ) -> impl Future<Output = Result<KeyedPermit<'_, K, P>, LockError>> + use<'_, K, S, P> {
        let (engine, hash) = (&self.engine, self.hash(&key));
        let options = options.hold::<P>(count);
        check(engine, count);
        async move {
            let held = engine.hold_async(hash, key, options).await;
            held.map(|holding| KeyedPermit { holding, count })
        }
    }
}

/// The engine says the same, but only when the future is polled.
#[track_caller]
fn check<K, P: Platform>(engine: &KeyedLock<K, P>, count: u32) {
    assert!(
        count <= engine.capacity(),
        "slotpark: more of a key than there is"
    );
}
