//! Locking while a closure runs: the holder lies in this frame.

use std::hash::{BuildHasher, Hash};

use slotpark_core::{HoldOptions, Platform};

use super::{KeyedMutex, ONE};
use crate::keyed::{LockError, LockOptions, TryLockError};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedMutex<K, S, P> {
    /// Runs `f` with `key` locked; waits until it is free. Needs no place in the pool. If `f`
    /// panics, the key is unlocked.
    ///
    /// ```
    /// let mutex = slotpark::KeyedMutex::<String>::new();
    /// let key = "file".to_string();
    /// assert_eq!(mutex.with_lock(&key, || 42), 42);
    /// ```
    #[inline]
    #[track_caller]
    pub fn with_lock<R>(&self, key: &K, f: impl FnOnce() -> R) -> R {
        let hash = self.hash(key);
        match self.engine.with(hash, key, HoldOptions::new(ONE), f) {
            Ok(result) => result,
            Err(error) => unreachable!("no deadline and no pool, and yet: {error}"),
        }
    }

    /// As [`with_lock`](Self::with_lock), as the options say.
    ///
    /// # Errors
    /// [`LockError::TimedOut`]; then `f` has not run.
    ///
    /// ```
    /// use slotpark::LockOptions;
    /// use std::time::Duration;
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// let options = LockOptions::new().timeout(Duration::from_millis(1));
    /// let nested = mutex.with_lock(&7, || mutex.with_lock_with(&7, options, || ()).is_err());
    /// assert!(nested);
    /// ```
    #[track_caller]
    pub fn with_lock_with<R>(
        &self,
        key: &K,
        options: LockOptions,
        f: impl FnOnce() -> R,
    ) -> Result<R, LockError> {
        let options = options.hold::<P>(ONE);
        self.engine.with(self.hash(key), key, options, f)
    }

    /// Runs `f` with `key` locked, if it is free now.
    ///
    /// # Errors
    /// [`TryLockError::Busy`]; then `f` has not run.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedMutex::<u64>::new().try_with_lock(&7, || 42), Ok(42));
    /// ```
    #[track_caller]
    pub fn try_with_lock<R>(&self, key: &K, f: impl FnOnce() -> R) -> Result<R, TryLockError> {
        let options = HoldOptions::new(ONE);
        self.engine.try_with(self.hash(key), key, options, f)
    }
}
