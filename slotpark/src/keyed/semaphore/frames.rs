//! Permits while a closure runs: the holder lies in this frame.

use std::hash::{BuildHasher, Hash};

use slotpark_core::{HoldOptions, Platform};

use super::KeyedSemaphore;
use crate::keyed::{LockError, LockOptions, TryLockError};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedSemaphore<K, S, P> {
    /// Runs `f` with `count` permits of `key`; waits until they are free. Needs no place in the
    /// pool. If `f` panics, they are released.
    ///
    /// # Panics
    /// If `count` is more than the [`permits`](Self::permits) of a key.
    ///
    /// ```
    /// let semaphore = slotpark::KeyedSemaphore::<String>::new(3);
    /// let key = "host".to_string();
    /// assert_eq!(semaphore.with_permits(&key, 2, || 42), 42);
    /// ```
    #[inline]
    #[track_caller]
    pub fn with_permits<R>(&self, key: &K, count: u32, f: impl FnOnce() -> R) -> R {
        let hash = self.hash(key);
        match self.engine.with(hash, key, HoldOptions::new(count), f) {
            Ok(result) => result,
            Err(error) => unreachable!("no deadline and no pool, and yet: {error}"),
        }
    }

    /// As [`with_permits`](Self::with_permits), as the options say.
    ///
    /// # Errors
    /// [`LockError::TimedOut`]; then `f` has not run.
    ///
    /// # Panics
    /// If `count` is more than the [`permits`](Self::permits) of a key.
    ///
    /// ```
    /// use slotpark::LockOptions;
    /// use std::time::Duration;
    /// let semaphore = slotpark::KeyedSemaphore::<u64>::new(3);
    /// let options = LockOptions::new().timeout(Duration::from_millis(1));
    /// let inner = || semaphore.with_permits_with(&7, 2, options, || ()).is_err();
    /// assert!(semaphore.with_permits(&7, 2, inner));
    /// ```
    #[track_caller]
    pub fn with_permits_with<R>(
        &self,
        key: &K,
        count: u32,
        options: LockOptions,
        f: impl FnOnce() -> R,
    ) -> Result<R, LockError> {
        let options = options.hold::<P>(count);
        self.engine.with(self.hash(key), key, options, f)
    }

    /// Runs `f` with `count` permits of `key`, if they are free now and nobody waits in front.
    ///
    /// # Errors
    /// [`TryLockError::Busy`]; then `f` has not run.
    ///
    /// # Panics
    /// If `count` is more than the [`permits`](Self::permits) of a key.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedSemaphore::<u64>::new(3).try_with_permits(&7, 2, || 42), Ok(42));
    /// ```
    #[track_caller]
    pub fn try_with_permits<R>(
        &self,
        key: &K,
        count: u32,
        f: impl FnOnce() -> R,
    ) -> Result<R, TryLockError> {
        let options = HoldOptions::new(count);
        self.engine.try_with(self.hash(key), key, options, f)
    }
}
