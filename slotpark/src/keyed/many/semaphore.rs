//! Permits of several keys at once.

use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{KeyList, Merge, Platform, Wanted};

use super::{ManyGuard, held};
use crate::KeyedSemaphore;
use crate::keyed::{LockError, TryLockError};
use crate::until;

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedSemaphore<K, S, P> {
    fn wanted<L: KeyList<(K, u32)>>(&self, keys: L) -> L::Of<Wanted<K>> {
        keys.map_all(|(key, count)| Wanted::new(self.hash(&key), key, count))
    }

    /// Waits until so many permits of each key can be acquired, and acquires all of them: as
    /// [`KeyedMutex::lock_many`](crate::KeyedMutex::lock_many). The counts of a key that is named
    /// twice are added.
    ///
    /// # Panics
    /// As [`acquire_many`](Self::acquire_many).
    ///
    /// ```
    /// let hosts = slotpark::KeyedSemaphore::<&str>::new(4);
    /// let permits = hosts.acquire_keys([("a", 1), ("b", 2), ("a", 2)]);
    /// assert_eq!((hosts.available("a"), hosts.available("b")), (1, 2));
    /// drop(permits);
    /// ```
    #[track_caller]
    pub fn acquire_keys<L: KeyList<(K, u32)>>(&self, keys: L) -> ManyGuard<'_, K, P, L, (K, u32)> {
        held(self.engine().hold_many(self.wanted(keys), Merge::Sum, None))
    }

    /// As [`acquire_keys`](Self::acquire_keys), until the deadline.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is held.
    ///
    /// ```
    /// let hosts = slotpark::KeyedSemaphore::<u64>::new(1);
    /// let permit = hosts.acquire(8);
    /// let now = std::time::Instant::now();
    /// assert!(hosts.acquire_keys_until([(7, 1), (8, 1)], now).is_err());
    /// assert_eq!(hosts.available(&7), 1);
    /// ```
    #[track_caller]
    pub fn acquire_keys_until<L: KeyList<(K, u32)>>(
        &self,
        keys: L,
        deadline: Instant,
    ) -> Result<ManyGuard<'_, K, P, L, (K, u32)>, LockError> {
        let wanted = self.wanted(keys);
        self.engine()
            .hold_many(wanted, Merge::Sum, until::<P>(deadline))
    }

    /// As [`acquire_keys_until`](Self::acquire_keys_until), for a duration from now. What the
    /// clock cannot count is for ever.
    ///
    /// # Errors
    /// [`LockError`]; then nothing is held.
    ///
    /// ```
    /// let hosts = slotpark::KeyedSemaphore::<u64>::new(1);
    /// let short = std::time::Duration::from_millis(1);
    /// assert!(hosts.acquire_keys_for([(7, 1), (8, 1)], short).is_ok());
    /// ```
    #[track_caller]
    pub fn acquire_keys_for<L: KeyList<(K, u32)>>(
        &self,
        keys: L,
        timeout: Duration,
    ) -> Result<ManyGuard<'_, K, P, L, (K, u32)>, LockError> {
        let deadline = Instant::now().checked_add(timeout).and_then(until::<P>);
        self.engine()
            .hold_many(self.wanted(keys), Merge::Sum, deadline)
    }

    /// As [`acquire_keys`](Self::acquire_keys), if all can be held now. Another who tries at the
    /// same moment may be in the way.
    ///
    /// # Errors
    /// [`TryLockError`]; then nothing is held.
    ///
    /// ```
    /// let hosts = slotpark::KeyedSemaphore::<u64>::new(2);
    /// assert!(hosts.try_acquire_keys(vec![(7, 1), (7, 1)]).is_ok());
    /// ```
    #[track_caller]
    pub fn try_acquire_keys<L: KeyList<(K, u32)>>(
        &self,
        keys: L,
    ) -> Result<ManyGuard<'_, K, P, L, (K, u32)>, TryLockError> {
        self.engine().try_hold_many(self.wanted(keys), Merge::Sum)
    }

    /// As [`acquire_keys`](Self::acquire_keys), as a task.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment and never waits; afterwards it
    /// holds nothing.
    ///
    /// # Panics
    /// As [`acquire_keys`](Self::acquire_keys).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let hosts = slotpark::KeyedSemaphore::<u64>::new(2);
    /// let permits = hosts.acquire_keys_async([(7, 1), (8, 2)]).await;
    /// assert_eq!(permits.keys().count(), 2);
    /// # });
    /// ```
    #[track_caller]
    pub fn acquire_keys_async<L: KeyList<(K, u32)>>(
        &self,
        keys: L,
    ) -> impl Future<Output = ManyGuard<'_, K, P, L, (K, u32)>> {
        let hold = held(self.engine().hold_many_async(self.wanted(keys), Merge::Sum));
        async { held(hold.await) }
    }
}
