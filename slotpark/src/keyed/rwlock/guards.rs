//! The guards of readers and writers.

use std::fmt;

use slotpark_core::{DefaultPlatform, Holding, Platform};

use super::{KeyedUpgradableGuard, READER, UPGRADABLE};

/// A key is locked for reading while this lives. It may be moved and sent to another thread.
///
/// Forgotten (`mem::forget`), it keeps its key locked as long as the lock lives.
///
/// ```
/// let lock = slotpark::KeyedRwLock::<u64>::new();
/// let guard = lock.read(7);
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// assert!(!lock.is_locked(&7));
/// ```
#[must_use = "the key is unlocked when the guard is dropped"]
pub struct KeyedReadGuard<'l, K: Eq, P: Platform = DefaultPlatform> {
    pub(super) holding: Holding<'l, K, P>,
}

/// A key is locked for writing while this lives. It may be moved and sent to another thread.
///
/// Forgotten (`mem::forget`), it keeps its key locked as long as the lock lives.
///
/// ```
/// let lock = slotpark::KeyedRwLock::<u64>::new();
/// let guard = lock.write(7);
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// assert!(!lock.is_locked(&7));
/// ```
#[must_use = "the key is unlocked when the guard is dropped"]
pub struct KeyedWriteGuard<'l, K: Eq, P: Platform = DefaultPlatform> {
    pub(super) holding: Holding<'l, K, P>,
}

impl<K: Eq, P: Platform> KeyedReadGuard<'_, K, P> {
    /// The key that is locked.
    ///
    /// ```
    /// assert_eq!(*slotpark::KeyedRwLock::<u64>::new().read(7).key(), 7);
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        self.holding.key()
    }
}

impl<'l, K: Eq, P: Platform> KeyedWriteGuard<'l, K, P> {
    /// The key that is locked.
    ///
    /// ```
    /// assert_eq!(*slotpark::KeyedRwLock::<u64>::new().write(7).key(), 7);
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        self.holding.key()
    }

    /// The writer becomes a reader, with no other writer in between. Others who may read come in.
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let reader = lock.write(7).downgrade();
    /// assert!(lock.try_read(7).is_ok());
    /// # drop(reader);
    /// ```
    pub fn downgrade(mut self) -> KeyedReadGuard<'l, K, P> {
        self.holding.shrink(READER);
        KeyedReadGuard {
            holding: self.holding,
        }
    }

    /// The writer becomes a reader that can be upgraded again, with no other writer in between.
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let reader = lock.write(7).downgrade_to_upgradable();
    /// assert!(lock.try_read(7).is_ok());
    /// let writer = reader.upgrade();
    /// # drop(writer);
    /// ```
    pub fn downgrade_to_upgradable(mut self) -> KeyedUpgradableGuard<'l, K, P> {
        self.holding.shrink(UPGRADABLE);
        KeyedUpgradableGuard {
            holding: self.holding,
        }
    }
}

impl<K: Eq + fmt::Debug, P: Platform> fmt::Debug for KeyedReadGuard<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "KeyedReadGuard", &self.holding)
    }
}

impl<K: Eq + fmt::Debug, P: Platform> fmt::Debug for KeyedWriteGuard<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "KeyedWriteGuard", &self.holding)
    }
}

pub(super) fn debug<K: Eq + fmt::Debug, P: Platform>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    holding: &Holding<'_, K, P>,
) -> fmt::Result {
    f.debug_struct(name).field("key", holding.key()).finish()
}
