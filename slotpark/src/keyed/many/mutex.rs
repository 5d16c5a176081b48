//! Several keys of one mutex at once.

use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{Deadline, KeyList, Merge, Platform, Wanted};

use super::{ManyGuard, held};
use crate::keyed::{KeyedMutex, LockError, TryLockError};
use crate::until;

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedMutex<K, S, P> {
    fn wanted<L: KeyList<K>>(&self, keys: L) -> L::Of<Wanted<K>> {
        keys.map_all(|key| Wanted::new(self.hash(&key), key, 1))
    }

    /// Waits until all keys are free, and locks them: an array, for which nothing is allocated, or
    /// a `Vec`. A key that is named twice is locked once.
    ///
    /// It does not matter in which order keys are named: callers of this never wait for each other
    /// in a circle. While it waits it holds nothing, for 16 rounds (a round is a wait for one key
    /// in its turn, and a look at the others); who has been unlucky so long takes the keys in one
    /// order, the same for all callers, and holds them while it waits for the next: so it is
    /// overtaken a bounded number of times, unless keys have equal hashes or the mutex is barging.
    /// As with plain locks, who holds one of the keys by another guard must not wait for a second:
    /// name all keys in one call.
    ///
    /// # Panics
    /// As [`lock`](Self::lock).
    ///
    /// ```
    /// let accounts = slotpark::KeyedMutex::<&str>::new();
    /// let both = accounts.lock_many(["alice", "bob"]);
    /// assert!(accounts.is_locked("bob"));
    /// drop(both);
    /// assert!(!accounts.is_locked("alice"));
    /// ```
    #[track_caller]
    pub fn lock_many<L: KeyList<K>>(&self, keys: L) -> ManyGuard<'_, K, P, L> {
        held(self.hold_many(keys, None))
    }

    #[track_caller]
    fn hold_many<L: KeyList<K>>(
        &self,
        keys: L,
        deadline: Option<Deadline>,
    ) -> Result<ManyGuard<'_, K, P, L>, LockError> {
        let wanted = self.wanted(keys);
        self.engine().hold_many(wanted, Merge::Max, deadline)
    }

    /// As [`lock_many`](Self::lock_many), until the deadline.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use std::time::Instant;
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// let guard = mutex.lock(8);
    /// assert!(mutex.lock_many_until([7, 8], Instant::now()).is_err());
    /// assert!(!mutex.is_locked(&7));
    /// ```
    #[track_caller]
    pub fn lock_many_until<L: KeyList<K>>(
        &self,
        keys: L,
        deadline: Instant,
    ) -> Result<ManyGuard<'_, K, P, L>, LockError> {
        self.hold_many(keys, until::<P>(deadline))
    }

    /// As [`lock_many_until`](Self::lock_many_until), for a duration from now. What the clock
    /// cannot count is for ever.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is locked.
    ///
    /// ```
    /// use std::time::Duration;
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// assert!(mutex.lock_many_for([7, 8], Duration::from_millis(1)).is_ok());
    /// ```
    #[track_caller]
    pub fn lock_many_for<L: KeyList<K>>(
        &self,
        keys: L,
        timeout: Duration,
    ) -> Result<ManyGuard<'_, K, P, L>, LockError> {
        let deadline = Instant::now().checked_add(timeout);
        self.hold_many(keys, deadline.and_then(until::<P>))
    }

    /// Locks all keys if they are free now. Another who tries at the same moment may be in the way.
    ///
    /// # Errors
    /// [`TryLockError`]; then nothing is locked.
    ///
    /// ```
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// assert!(mutex.try_lock_many(vec![7, 8, 9]).is_ok());
    /// ```
    #[track_caller]
    pub fn try_lock_many<L: KeyList<K>>(
        &self,
        keys: L,
    ) -> Result<ManyGuard<'_, K, P, L>, TryLockError> {
        let wanted = self.wanted(keys);
        self.engine().try_hold_many(wanted, Merge::Max)
    }

    /// As [`lock_many`](Self::lock_many), as a task.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment and never waits; afterwards it
    /// holds nothing.
    ///
    /// # Panics
    /// As [`lock`](Self::lock).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let mutex = slotpark::KeyedMutex::<u64>::new();
    /// let both = mutex.lock_many_async([7, 8]).await;
    /// assert_eq!(both.keys().count(), 2);
    /// # });
    /// ```
    #[track_caller]
    pub fn lock_many_async<L: KeyList<K>>(
        &self,
        keys: L,
    ) -> impl Future<Output = ManyGuard<'_, K, P, L>> {
        let wanted = self.wanted(keys);
        let hold = held(self.engine().hold_many_async(wanted, Merge::Max));
        async { held(hold.await) }
    }
}
