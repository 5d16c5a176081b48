//! Locking while a closure runs: the holder lies in this frame.

use std::hash::{BuildHasher, Hash};

use slotpark_core::{HoldOptions, Platform};

use super::{KeyedRwLock, READER, WRITER};
use crate::keyed::{LockError, LockOptions, TryLockError};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedRwLock<K, S, P> {
    /// Runs `f` with `key` locked for reading; waits until it can be. Needs no place in the pool.
    /// If `f` panics, the key is unlocked.
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<String>::new();
    /// let key = "file".to_string();
    /// assert_eq!(lock.with_read(&key, || 42), 42);
    /// ```
    #[inline]
    #[track_caller]
    pub fn with_read<R>(&self, key: &K, f: impl FnOnce() -> R) -> R {
        let hash = self.hash(key);
        match self.engine.with(hash, key, HoldOptions::new(READER), f) {
            Ok(result) => result,
            Err(error) => unreachable!("no deadline and no pool, and yet: {error}"),
        }
    }

    /// As [`with_read`](Self::with_read), as the options say.
    ///
    /// # Errors
    /// [`LockError::TimedOut`]; then `f` has not run.
    ///
    /// ```
    /// use slotpark::LockOptions;
    /// use std::time::Duration;
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let options = LockOptions::new().timeout(Duration::from_millis(1));
    /// assert!(lock.with_write(&7, || lock.with_read_with(&7, options, || ()).is_err()));
    /// ```
    #[track_caller]
    pub fn with_read_with<R>(
        &self,
        key: &K,
        options: LockOptions,
        f: impl FnOnce() -> R,
    ) -> Result<R, LockError> {
        let options = options.hold::<P>(READER);
        self.engine.with(self.hash(key), key, options, f)
    }

    /// Runs `f` with `key` locked for reading, if it can be now.
    ///
    /// # Errors
    /// [`TryLockError::Busy`]; then `f` has not run.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedRwLock::<u64>::new().try_with_read(&7, || 42), Ok(42));
    /// ```
    #[track_caller]
    pub fn try_with_read<R>(&self, key: &K, f: impl FnOnce() -> R) -> Result<R, TryLockError> {
        let options = HoldOptions::new(READER);
        self.engine.try_with(self.hash(key), key, options, f)
    }

    /// Runs `f` with `key` locked for writing; waits until it can be. Needs no place in the pool.
    /// If `f` panics, the key is unlocked.
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<String>::new();
    /// let key = "file".to_string();
    /// assert_eq!(lock.with_write(&key, || 42), 42);
    /// ```
    #[inline]
    #[track_caller]
    pub fn with_write<R>(&self, key: &K, f: impl FnOnce() -> R) -> R {
        let hash = self.hash(key);
        match self.engine.with(hash, key, HoldOptions::new(WRITER), f) {
            Ok(result) => result,
            Err(error) => unreachable!("no deadline and no pool, and yet: {error}"),
        }
    }

    /// As [`with_write`](Self::with_write), as the options say.
    ///
    /// # Errors
    /// [`LockError::TimedOut`]; then `f` has not run.
    ///
    /// ```
    /// use slotpark::LockOptions;
    /// use std::time::Duration;
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let options = LockOptions::new().timeout(Duration::from_millis(1));
    /// assert!(lock.with_write(&7, || lock.with_write_with(&7, options, || ()).is_err()));
    /// ```
    #[track_caller]
    pub fn with_write_with<R>(
        &self,
        key: &K,
        options: LockOptions,
        f: impl FnOnce() -> R,
    ) -> Result<R, LockError> {
        let options = options.hold::<P>(WRITER);
        self.engine.with(self.hash(key), key, options, f)
    }

    /// Runs `f` with `key` locked for writing, if it can be now.
    ///
    /// # Errors
    /// [`TryLockError::Busy`]; then `f` has not run.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedRwLock::<u64>::new().try_with_write(&7, || 42), Ok(42));
    /// ```
    #[track_caller]
    pub fn try_with_write<R>(&self, key: &K, f: impl FnOnce() -> R) -> Result<R, TryLockError> {
        let options = HoldOptions::new(WRITER);
        self.engine.try_with(self.hash(key), key, options, f)
    }
}
