//! Reading by the one guard that may become a writer.

use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::panic::Location;
use std::time::{Duration, Instant};

use slotpark_core::{HoldOptions, Platform};

use super::{KeyedRwLock, KeyedUpgradableGuard, UPGRADABLE};
use crate::keyed::{LockError, LockOptions, TryLockError};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedRwLock<K, S, P> {
    /// Waits until nobody writes to `key` or holds it as this does, and locks it for reading, by a
    /// guard that can be [upgraded](KeyedUpgradableGuard::upgrade) to a writer. Readers may be
    /// beside it, no second one of its kind.
    ///
    /// # Panics
    /// If all places for guards are taken and the options said that it fails then: see
    /// [`upgradable_read_with`](Self::upgradable_read_with).
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let guard = lock.upgradable_read(7);
    /// assert!(lock.try_read(7).is_ok());
    /// assert!(lock.try_upgradable_read(7).is_err());
    /// ```
    #[inline]
    #[track_caller]
    pub fn upgradable_read(&self, key: K) -> KeyedUpgradableGuard<'_, K, P> {
        match self.hold(key, HoldOptions::new(UPGRADABLE)) {
            Ok(holding) => KeyedUpgradableGuard { holding },
            Err(error) => panic!("slotpark: {error}"),
        }
    }

    /// As [`upgradable_read`](Self::upgradable_read), as the options say.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, LockOptions};
    /// let lock = KeyedRwLock::<u64>::new();
    /// let guard = lock.upgradable_read_with(7, LockOptions::new().label("compaction"))?;
    /// assert_eq!(lock.label(&7), Some("compaction"));
    /// # drop(guard);
    /// # Ok::<_, slotpark::LockError>(())
    /// ```
    #[track_caller]
    pub fn upgradable_read_with(
        &self,
        key: K,
        options: LockOptions,
    ) -> Result<KeyedUpgradableGuard<'_, K, P>, LockError> {
        let holding = self.hold(key, options.hold::<P>(UPGRADABLE))?;
        Ok(KeyedUpgradableGuard { holding })
    }

    /// As [`upgradable_read`](Self::upgradable_read), until the deadline. One already past costs no
    /// syscall.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, LockError};
    /// use std::time::Instant;
    /// let lock = KeyedRwLock::<u64>::new();
    /// let writer = lock.write(7);
    /// assert_eq!(lock.upgradable_read_until(7, Instant::now()).unwrap_err(), LockError::TimedOut);
    /// ```
    #[track_caller]
    pub fn upgradable_read_until(
        &self,
        key: K,
        deadline: Instant,
    ) -> Result<KeyedUpgradableGuard<'_, K, P>, LockError> {
        self.upgradable_read_with(key, LockOptions::new().deadline(deadline))
    }

    /// As [`upgradable_read_until`](Self::upgradable_read_until), for a duration from now.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use std::time::Duration;
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// assert!(lock.upgradable_read_for(7, Duration::from_millis(1)).is_ok());
    /// ```
    #[track_caller]
    pub fn upgradable_read_for(
        &self,
        key: K,
        timeout: Duration,
    ) -> Result<KeyedUpgradableGuard<'_, K, P>, LockError> {
        self.upgradable_read_with(key, LockOptions::new().timeout(timeout))
    }

    /// As [`upgradable_read`](Self::upgradable_read), if it can be done now.
    ///
    /// # Errors
    /// [`TryLockError`]; then nothing is locked.
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, TryLockError};
    /// let lock = KeyedRwLock::<u64>::new();
    /// let guard = lock.try_upgradable_read(7)?;
    /// assert_eq!(lock.try_write(7).unwrap_err(), TryLockError::Busy);
    /// # Ok::<_, TryLockError>(())
    /// ```
    #[track_caller]
    pub fn try_upgradable_read(
        &self,
        key: K,
    ) -> Result<KeyedUpgradableGuard<'_, K, P>, TryLockError> {
        let hash = self.hash(&key);
        let holding = self
            .engine
            .try_hold(hash, key, HoldOptions::new(UPGRADABLE))?;
        Ok(KeyedUpgradableGuard { holding })
    }

    /// As [`upgradable_read`](Self::upgradable_read), as a task. The guard may be held over an
    /// `await`.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment, never waits, and gives up what
    /// it was granted. It allocates nothing, unless all places are taken.
    ///
    /// # Panics
    /// When polled, as [`upgradable_read`](Self::upgradable_read).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let guard = lock.upgradable_read_async(7).await;
    /// assert!(lock.is_locked(&7));
    /// # drop(guard);
    /// # });
    /// ```
    #[inline]
    #[track_caller]
    pub fn upgradable_read_async(
        &self,
        key: K,
    ) -> impl Future<Output = KeyedUpgradableGuard<'_, K, P>> + use<'_, K, S, P> {
        let (engine, hash) = (&self.engine, self.hash(&key));
        let here = Location::caller();
        // Made where it is awaited: it is large, and would be moved there.
        async move {
            let hold = engine.hold_async(hash, key, HoldOptions::new(UPGRADABLE).called_from(here));
            match hold.await {
                Ok(holding) => KeyedUpgradableGuard { holding },
                Err(error) => panic!("slotpark: {error}"),
            }
        }
    }

    /// As [`upgradable_read_async`](Self::upgradable_read_async), with a label, and with an error
    /// where a full pool fails. The deadline of the options is not looked at: it is the caller's
    /// timer.
    ///
    /// # Errors
    /// [`LockError::PoolFull`].
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use slotpark::LockOptions;
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let options = LockOptions::new().label("compaction");
    /// let guard = lock.upgradable_read_async_with(7, options).await.unwrap();
    /// assert_eq!(lock.label(&7), Some("compaction"));
    /// # drop(guard);
    /// # });
    /// ```
    #[track_caller]
    pub fn upgradable_read_async_with(
        &self,
        key: K,
        options: LockOptions,
    ) -> impl Future<Output = Result<KeyedUpgradableGuard<'_, K, P>, LockError>> + use<'_, K, S, P>
    {
        let (engine, hash) = (&self.engine, self.hash(&key));
        let options = options.hold::<P>(UPGRADABLE);
        async move {
            let held = engine.hold_async(hash, key, options).await;
            held.map(|holding| KeyedUpgradableGuard { holding })
        }
    }
}
