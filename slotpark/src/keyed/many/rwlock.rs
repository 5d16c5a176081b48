//! Several keys of one read-write lock at once.

use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{KeyList, Merge, Platform, Wanted};

use super::{ManyGuard, held};
use crate::keyed::rwlock::{KeyedRwLock, READER, WRITER};
use crate::keyed::{LockError, TryLockError};
use crate::until;

/// How a key of several is locked.
///
/// ```
/// use slotpark::{KeyedRwLock, LockMode};
/// let lock = KeyedRwLock::<u64>::new();
/// let all = lock.lock_many([(7, LockMode::Read), (8, LockMode::Write)]);
/// # drop(all);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Beside others who read.
    Read,
    /// Alone.
    Write,
}

impl LockMode {
    const fn amount(self) -> u32 {
        match self {
            Self::Read => READER,
            Self::Write => WRITER,
        }
    }
}

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedRwLock<K, S, P> {
    fn wanted<L: KeyList<(K, LockMode)>>(&self, keys: L) -> L::Of<Wanted<K>> {
        keys.map_all(|(key, mode)| Wanted::new(self.hash(&key), key, mode.amount()))
    }

    /// Waits until all keys can be locked, each for reading or for writing, and locks them: as
    /// [`KeyedMutex::lock_many`](crate::KeyedMutex::lock_many). A key that is named twice is locked
    /// once, for writing if it is named so.
    ///
    /// # Panics
    /// As [`write`](Self::write).
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, LockMode};
    /// let tables = KeyedRwLock::<&str>::new();
    /// let all = tables.lock_many([("rates", LockMode::Read), ("orders", LockMode::Write)]);
    /// assert!(tables.is_locked_exclusive("orders") && !tables.is_locked_exclusive("rates"));
    /// assert!(tables.try_read("rates").is_ok());
    /// drop(all);
    /// ```
    #[track_caller]
    pub fn lock_many<L: KeyList<(K, LockMode)>>(
        &self,
        keys: L,
    ) -> ManyGuard<'_, K, P, L, (K, LockMode)> {
        held(self.engine().hold_many(self.wanted(keys), Merge::Max, None))
    }

    /// As [`lock_many`](Self::lock_many), until the deadline.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is held.
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, LockMode};
    /// let lock = KeyedRwLock::<u64>::new();
    /// let guard = lock.read(8);
    /// let now = std::time::Instant::now();
    /// let wanted = [(7, LockMode::Read), (8, LockMode::Write)];
    /// assert!(lock.lock_many_until(wanted, now).is_err());
    /// assert!(!lock.is_locked(&7));
    /// ```
    #[track_caller]
    pub fn lock_many_until<L: KeyList<(K, LockMode)>>(
        &self,
        keys: L,
        deadline: Instant,
    ) -> Result<ManyGuard<'_, K, P, L, (K, LockMode)>, LockError> {
        let wanted = self.wanted(keys);
        self.engine()
            .hold_many(wanted, Merge::Max, until::<P>(deadline))
    }

    /// As [`lock_many_until`](Self::lock_many_until), for a duration from now. What the
    /// clock cannot count is for ever.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is held.
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, LockMode};
    /// let lock = KeyedRwLock::<u64>::new();
    /// let short = std::time::Duration::from_millis(1);
    /// assert!(lock.lock_many_for([(7, LockMode::Write)], short).is_ok());
    /// ```
    #[track_caller]
    pub fn lock_many_for<L: KeyList<(K, LockMode)>>(
        &self,
        keys: L,
        timeout: Duration,
    ) -> Result<ManyGuard<'_, K, P, L, (K, LockMode)>, LockError> {
        let deadline = Instant::now().checked_add(timeout).and_then(until::<P>);
        self.engine()
            .hold_many(self.wanted(keys), Merge::Max, deadline)
    }

    /// As [`lock_many`](Self::lock_many), if all can be held now. Another who tries at the
    /// same moment may be in the way.
    ///
    /// # Errors
    /// [`TryLockError`]; then nothing is held.
    ///
    /// ```
    /// use slotpark::{KeyedRwLock, LockMode};
    /// let lock = KeyedRwLock::<u64>::new();
    /// assert!(lock.try_lock_many(vec![(7, LockMode::Read), (7, LockMode::Write)]).is_ok());
    /// ```
    #[track_caller]
    pub fn try_lock_many<L: KeyList<(K, LockMode)>>(
        &self,
        keys: L,
    ) -> Result<ManyGuard<'_, K, P, L, (K, LockMode)>, TryLockError> {
        self.engine().try_hold_many(self.wanted(keys), Merge::Max)
    }

    /// As [`lock_many`](Self::lock_many), as a task.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment and never waits; afterwards it
    /// holds nothing.
    ///
    /// # Panics
    /// As [`lock_many`](Self::lock_many).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use slotpark::{KeyedRwLock, LockMode};
    /// let lock = KeyedRwLock::<u64>::new();
    /// let both = lock.lock_many_async([7, 8].map(|key| (key, LockMode::Read))).await;
    /// assert_eq!(both.keys().count(), 2);
    /// # });
    /// ```
    #[track_caller]
    pub fn lock_many_async<L: KeyList<(K, LockMode)>>(
        &self,
        keys: L,
    ) -> impl Future<Output = ManyGuard<'_, K, P, L, (K, LockMode)>> {
        let hold = held(self.engine().hold_many_async(self.wanted(keys), Merge::Max));
        async { held(hold.await) }
    }
}
