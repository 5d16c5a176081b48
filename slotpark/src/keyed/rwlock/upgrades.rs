//! The guard of a reader that can become the writer.

use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use slotpark_core::{Deadline, DefaultPlatform, Holding, Platform};

use super::guards::{KeyedReadGuard, KeyedWriteGuard, debug};
use super::{READER, UPGRADABLE, WRITER};
use crate::until;

/// A key is locked for reading while this lives, and its owner alone can become the writer. It may
/// be moved and sent to another thread.
///
/// Forgotten (`mem::forget`), it keeps its key locked as long as the lock lives.
///
/// ```
/// let lock = slotpark::KeyedRwLock::<u64>::new();
/// let reader = lock.upgradable_read(7);
/// let writer = reader.upgrade();
/// assert!(lock.is_locked_exclusive(&7));
/// # drop(writer);
/// ```
#[must_use = "the key is unlocked when the guard is dropped"]
pub struct KeyedUpgradableGuard<'l, K: Eq, P: Platform = DefaultPlatform> {
    pub(super) holding: Holding<'l, K, P>,
}

/// What an upgrade brings.
const UPGRADE: u32 = WRITER - UPGRADABLE;

impl<'l, K: Eq, P: Platform> KeyedUpgradableGuard<'l, K, P> {
    /// The key that is locked.
    ///
    /// ```
    /// assert_eq!(*slotpark::KeyedRwLock::<u64>::new().upgradable_read(7).key(), 7);
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        self.holding.key()
    }

    /// Becomes a reader as all others, with no writer in between.
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let reader = lock.upgradable_read(7).downgrade();
    /// assert!(lock.try_upgradable_read(7).is_ok());
    /// # drop(reader);
    /// ```
    pub fn downgrade(mut self) -> KeyedReadGuard<'l, K, P> {
        self.holding.shrink(READER);
        KeyedReadGuard {
            holding: self.holding,
        }
    }

    /// Waits until the readers that are in have left, and becomes the writer. Nobody comes in
    /// meanwhile: what was read is still true.
    ///
    /// # Panics
    /// In the child of a fork, where the guard holds nothing.
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let writer = lock.upgradable_read(7).upgrade();
    /// assert!(lock.is_locked_exclusive(&7));
    /// # drop(writer);
    /// ```
    #[track_caller]
    pub fn upgrade(self) -> KeyedWriteGuard<'l, K, P> {
        match self.upgrade_by(None) {
            Ok(writer) => writer,
            Err(_) => unreachable!("there is no deadline"),
        }
    }

    #[track_caller]
    fn upgrade_by(mut self, deadline: Option<Deadline>) -> Result<KeyedWriteGuard<'l, K, P>, Self> {
        match self.holding.grow(UPGRADE, deadline) {
            Ok(()) => Ok(KeyedWriteGuard {
                holding: self.holding,
            }),
            Err(_) => Err(self),
        }
    }

    /// Becomes the writer, if nobody reads beside it now.
    ///
    /// # Errors
    /// The guard, which holds what it held.
    ///
    /// ```
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let (reader, upgradable) = (lock.read(7), lock.upgradable_read(7));
    /// let upgradable = upgradable.try_upgrade().unwrap_err();
    /// drop(reader);
    /// assert!(upgradable.try_upgrade().is_ok());
    /// ```
    #[track_caller]
    pub fn try_upgrade(mut self) -> Result<KeyedWriteGuard<'l, K, P>, Self> {
        if self.holding.try_grow(UPGRADE) {
            Ok(KeyedWriteGuard {
                holding: self.holding,
            })
        } else {
            Err(self)
        }
    }

    /// As [`upgrade`](Self::upgrade), until the deadline. One already past costs no syscall.
    ///
    /// # Errors
    /// The guard, which holds what it held.
    ///
    /// ```
    /// use std::time::Instant;
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let (reader, upgradable) = (lock.read(7), lock.upgradable_read(7));
    /// let upgradable = upgradable.upgrade_until(Instant::now()).unwrap_err();
    /// assert_eq!(*upgradable.key(), 7);
    /// ```
    #[track_caller]
    pub fn upgrade_until(self, deadline: Instant) -> Result<KeyedWriteGuard<'l, K, P>, Self> {
        self.upgrade_by(until::<P>(deadline))
    }

    /// As [`upgrade`](Self::upgrade), for a duration at most.
    ///
    /// # Errors
    /// The guard, which holds what it held.
    ///
    /// ```
    /// use std::time::Duration;
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// assert!(lock.upgradable_read(7).upgrade_for(Duration::from_millis(1)).is_ok());
    /// ```
    #[track_caller]
    pub fn upgrade_for(self, timeout: Duration) -> Result<KeyedWriteGuard<'l, K, P>, Self> {
        self.upgrade_by(Deadline::after::<P>(timeout))
    }

    /// As [`upgrade`](Self::upgrade), as a task. The future owns the guard.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment, never waits, and unlocks the
    /// key as dropping the guard does. To keep the guard, use
    /// [`upgraded_async`](Self::upgraded_async).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let writer = lock.upgradable_read_async(7).await.upgrade_async().await;
    /// assert!(lock.is_locked_exclusive(&7));
    /// # drop(writer);
    /// # });
    /// ```
    #[track_caller]
    pub fn upgrade_async(mut self) -> impl Future<Output = KeyedWriteGuard<'l, K, P>> {
        let here = Location::caller();
        async move {
            self.holding.grow_async(UPGRADE).called_from(here).await;
            KeyedWriteGuard {
                holding: self.holding,
            }
        }
    }

    /// Waits until the readers that are in have left, as a task, and locks the key for writing as
    /// long as what it returns lives. Then it is this guard's again, for reading.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment and never waits: the guard
    /// holds what it held, and nothing is lost.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// let mut reader = lock.upgradable_read_async(7).await;
    /// let writer = reader.upgraded_async().await;
    /// assert!(lock.is_locked_exclusive(&7));
    /// drop(writer);
    /// assert!(lock.try_read(7).is_ok());
    /// # drop(reader);
    /// # });
    /// ```
    #[track_caller]
    pub fn upgraded_async(&mut self) -> impl Future<Output = KeyedUpgraded<'_, 'l, K, P>> {
        let here = Location::caller();
        async move {
            self.holding.grow_async(UPGRADE).called_from(here).await;
            KeyedUpgraded {
                holding: &mut self.holding,
            }
        }
    }
}

/// A key is locked for writing while this lives; afterwards its upgradable guard holds it for
/// reading again. Made by [`KeyedUpgradableGuard::upgraded_async`].
///
/// Forgotten (`mem::forget`), the key stays locked for writing until the guard is dropped; to
/// upgrade that again panics.
///
/// ```
/// # futures_lite::future::block_on(async {
/// let lock = slotpark::KeyedRwLock::<u64>::new();
/// let mut reader = lock.upgradable_read(7);
/// assert_eq!(*reader.upgraded_async().await.key(), 7);
/// # });
/// ```
#[must_use = "the key is locked for reading only when this is dropped"]
pub struct KeyedUpgraded<'g, 'l, K: Eq, P: Platform = DefaultPlatform> {
    holding: &'g mut Holding<'l, K, P>,
}

impl<K: Eq, P: Platform> KeyedUpgraded<'_, '_, K, P> {
    /// The key that is locked.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let lock = slotpark::KeyedRwLock::<u64>::new();
    /// assert_eq!(*lock.upgradable_read(7).upgraded_async().await.key(), 7);
    /// # });
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        self.holding.key()
    }
}

impl<K: Eq, P: Platform> Drop for KeyedUpgraded<'_, '_, K, P> {
    fn drop(&mut self) {
        self.holding.shrink(UPGRADABLE);
    }
}

impl<K: Eq + fmt::Debug, P: Platform> fmt::Debug for KeyedUpgradableGuard<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "KeyedUpgradableGuard", &self.holding)
    }
}

impl<K: Eq + fmt::Debug, P: Platform> fmt::Debug for KeyedUpgraded<'_, '_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "KeyedUpgraded", self.holding)
    }
}
