//! `KeyedCondvar`: conditions of locked keys.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{Condition, ConditionOutcome, Platform};

use super::{KeyedMutex, KeyedMutexGuard};
use crate::until;

/// A condition of each key of a [`KeyedMutex`]: who holds a key waits until others have changed
/// what it guards.
///
/// It keeps nothing for a key: it is one word, whatever the number of keys, may stand in a
/// `static`, and may be used with any mutex. Several conditions of one key (*not empty*, *not
/// full*) are several of these.
///
/// ```
/// use slotpark::{KeyedCondvar, KeyedMutex};
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// static ARRIVED: KeyedCondvar = KeyedCondvar::new();
/// let inboxes = KeyedMutex::<u32>::new();
/// let letters = Mutex::new(HashMap::<u32, Vec<&str>>::new());
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let guard = inboxes.lock(7);
///         let empty = || letters.lock().unwrap().get(&7).is_none();
///         let guard = ARRIVED.wait_while(guard, empty);
///         assert_eq!(letters.lock().unwrap().remove(&7), Some(vec!["hello"]));
///         drop(guard);
///     });
///     let guard = inboxes.lock(7);
///     letters.lock().unwrap().entry(7).or_default().push("hello");
///     drop(guard);
///     ARRIVED.notify_one(&inboxes, &7);
/// });
/// ```
///
/// **No herd.** Who is notified is moved to the queue of the key and wakes when it holds it, in
/// its turn: a `notify_all` of a hundred wakes them one after the other.
///
/// **No spurious wakes**, and no lost ones: a wait ends when a notification has counted it, or at
/// its deadline. Look again all the same: others may have held the key in between.
pub struct KeyedCondvar {
    condition: Condition,
}

impl KeyedCondvar {
    /// A condition of every key.
    ///
    /// ```
    /// use slotpark::KeyedCondvar;
    /// static NOT_EMPTY: KeyedCondvar = KeyedCondvar::new();
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            condition: Condition::new(),
        }
    }

    /// Unlocks the guard's key and waits for a notification, in one step as far as others can
    /// tell; returns with the key locked again.
    ///
    /// ```
    /// use slotpark::{KeyedCondvar, KeyedMutex};
    /// let (mutex, changed) = (KeyedMutex::<u64>::new(), KeyedCondvar::new());
    /// std::thread::scope(|scope| {
    ///     let waiter = scope.spawn(|| drop(changed.wait(mutex.lock(7))));
    ///     while changed.notify_one(&mutex, &7) == 0 {
    ///         std::thread::yield_now(); // it does not wait yet
    ///     }
    ///     waiter.join().unwrap();
    /// });
    /// ```
    #[track_caller]
    pub fn wait<'m, K: Eq, P: Platform>(
        &self,
        guard: KeyedMutexGuard<'m, K, P>,
    ) -> KeyedMutexGuard<'m, K, P> {
        let (holding, _) = guard.into_holding().wait(&self.condition, None);
        KeyedMutexGuard::of(holding)
    }

    /// Waits as long as `condition` says yes, which runs with the key locked.
    ///
    /// ```
    /// use slotpark::{KeyedCondvar, KeyedMutex};
    /// let (mutex, changed) = (KeyedMutex::<u64>::new(), KeyedCondvar::new());
    /// let guard = changed.wait_while(mutex.lock(7), || false);
    /// assert_eq!(*guard.key(), 7);
    /// ```
    #[track_caller]
    pub fn wait_while<'m, K: Eq, P: Platform>(
        &self,
        mut guard: KeyedMutexGuard<'m, K, P>,
        mut condition: impl FnMut() -> bool,
    ) -> KeyedMutexGuard<'m, K, P> {
        while condition() {
            guard = self.wait(guard);
        }
        guard
    }

    /// As [`wait`](Self::wait), until the deadline. The key is locked again in any case, as long as
    /// that takes.
    ///
    /// ```
    /// use slotpark::{KeyedCondvar, KeyedMutex, ConditionOutcome};
    /// use std::time::Instant;
    /// let (mutex, changed) = (KeyedMutex::<u64>::new(), KeyedCondvar::new());
    /// let (guard, notified) = changed.wait_until(mutex.lock(7), Instant::now());
    /// assert_eq!((guard.key(), notified), (&7, ConditionOutcome::TimedOut));
    /// ```
    #[track_caller]
    pub fn wait_until<'m, K: Eq, P: Platform>(
        &self,
        guard: KeyedMutexGuard<'m, K, P>,
        deadline: Instant,
    ) -> (KeyedMutexGuard<'m, K, P>, ConditionOutcome) {
        let deadline = until::<P>(deadline);
        let (holding, notified) = guard.into_holding().wait(&self.condition, deadline);
        (KeyedMutexGuard::of(holding), notified)
    }

    /// As [`wait_until`](Self::wait_until), for a duration from now. What the clock cannot count is
    /// for ever.
    ///
    /// ```
    /// use slotpark::{KeyedCondvar, KeyedMutex, ConditionOutcome};
    /// use std::time::Duration;
    /// let (mutex, changed) = (KeyedMutex::<u64>::new(), KeyedCondvar::new());
    /// let (_guard, notified) = changed.wait_for(mutex.lock(7), Duration::from_millis(1));
    /// assert_eq!(notified, ConditionOutcome::TimedOut);
    /// ```
    #[track_caller]
    pub fn wait_for<'m, K: Eq, P: Platform>(
        &self,
        guard: KeyedMutexGuard<'m, K, P>,
        timeout: Duration,
    ) -> (KeyedMutexGuard<'m, K, P>, ConditionOutcome) {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.wait_until(guard, deadline),
            None => (self.wait(guard), ConditionOutcome::Notified),
        }
    }

    /// As [`wait`](Self::wait), as a task. The key is unlocked by the first poll.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment and never waits; the key is not
    /// locked then. A `notify_one` or `notify_many` that had counted it goes on to the next who
    /// waits.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// use slotpark::{KeyedCondvar, KeyedMutex};
    /// let (mutex, changed) = (KeyedMutex::<u64>::new(), KeyedCondvar::new());
    /// let guard = mutex.lock_async(7).await;
    /// let wait = changed.wait_async(guard);
    /// let notify = async { assert_eq!(changed.notify_all(&mutex, &7), 1) };
    /// let (guard, ()) = futures_lite::future::zip(wait, notify).await;
    /// assert!(mutex.is_locked(guard.key()));
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_async<'m, K: Eq, P: Platform>(
        &'m self,
        guard: KeyedMutexGuard<'m, K, P>,
    ) -> impl Future<Output = KeyedMutexGuard<'m, K, P>> {
        let wait = guard.into_holding().wait_async(&self.condition);
        async { KeyedMutexGuard::of(wait.await) }
    }

    /// Notifies the one that has waited longest for the condition of `key`: it wakes when it holds
    /// the key. Returns 1, or 0 if nobody was there: nothing is kept for who comes later.
    ///
    /// The key may be locked by the caller or not.
    ///
    /// ```
    /// use slotpark::{KeyedCondvar, KeyedMutex};
    /// assert_eq!(KeyedCondvar::new().notify_one(&KeyedMutex::<u64>::new(), &7), 0);
    /// ```
    pub fn notify_one<K, Q, S, P>(&self, mutex: &KeyedMutex<K, S, P>, key: &Q) -> usize
    where
        K: Hash + Eq + Borrow<Q>,
        Q: Hash + Eq + ?Sized,
        S: BuildHasher,
        P: Platform,
    {
        self.notify_many(mutex, key, 1)
    }

    /// Notifies all who wait for the condition of `key` as they stand now; returns how many. They
    /// wake one after the other, each when it holds the key.
    ///
    /// ```
    /// use slotpark::{KeyedCondvar, KeyedMutex};
    /// assert_eq!(KeyedCondvar::new().notify_all(&KeyedMutex::<u64>::new(), &7), 0);
    /// ```
    pub fn notify_all<K, Q, S, P>(&self, mutex: &KeyedMutex<K, S, P>, key: &Q) -> usize
    where
        K: Hash + Eq + Borrow<Q>,
        Q: Hash + Eq + ?Sized,
        S: BuildHasher,
        P: Platform,
    {
        self.notify_many(mutex, key, usize::MAX)
    }

    /// Notifies the first `count` who wait for the condition of `key`; returns how many.
    ///
    /// ```
    /// use slotpark::{KeyedCondvar, KeyedMutex};
    /// assert_eq!(KeyedCondvar::new().notify_many(&KeyedMutex::<u64>::new(), &7, 3), 0);
    /// ```
    pub fn notify_many<K, Q, S, P>(
        &self,
        mutex: &KeyedMutex<K, S, P>,
        key: &Q,
        count: usize,
    ) -> usize
    where
        K: Hash + Eq + Borrow<Q>,
        Q: Hash + Eq + ?Sized,
        S: BuildHasher,
        P: Platform,
    {
        let hash = mutex.hash(key);
        mutex.engine().notify(hash, key, &self.condition, count)
    }

    /// How many threads and tasks wait for the condition of `key` now.
    ///
    /// ```
    /// use slotpark::{KeyedCondvar, KeyedMutex};
    /// assert_eq!(KeyedCondvar::new().waiters(&KeyedMutex::<u64>::new(), &7), 0);
    /// ```
    #[must_use]
    pub fn waiters<K, Q, S, P>(&self, mutex: &KeyedMutex<K, S, P>, key: &Q) -> usize
    where
        K: Hash + Eq + Borrow<Q>,
        Q: Hash + Eq + ?Sized,
        S: BuildHasher,
        P: Platform,
    {
        let hash = mutex.hash(key);
        mutex.engine().condition_waiters(hash, key, &self.condition)
    }
}

impl Default for KeyedCondvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for KeyedCondvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedCondvar").finish_non_exhaustive()
    }
}
