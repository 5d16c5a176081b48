//! A notification by key that is kept for who comes later.
//!
//! A permit that is stored is an entry of a map. Who waits for one needs no entry: it waits in
//! slots by the key itself. So these slots are a table of this manager's own, whose keys are the
//! caller's.
//!
//! **No permit lies beside a waiter.** Who waits looks for a permit first, and then waits by the
//! version that it had seen before. A notification that finds nobody stores its permit and moves
//! that version on, in one hold of the shard's lock, and looks again whether somebody waits who had
//! seen the version before: then it takes its permit back, unless another was faster, and begins
//! anew. Versions are shared by keys; one that moves on for another key makes a waiter look once
//! more.
//!
//! **Orderings**: DEKKER: the version is moved on before the look at the queue, as before a wake.

mod wait;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{Ordering, fence};

use dashmap::DashMap;
use slotpark::{Seeded, ShardedWait};

use crate::event::Event;

/// What wakes of a `notify_one` hand over: it is passed on by who gives up.
const ONE: u64 = 1;

/// What wakes of a `notify_all` hand over.
const ALL: u64 = 2;

/// More than threads that store at a time.
const VERSIONS: usize = 64;

/// A notification with one stored permit for each key, as `tokio::sync::Notify` has one: for
/// threads and tasks, and as many keys as there are permits stored, not as ever used.
///
/// ```
/// use slotpark_managers::{Block, StoredNotify};
/// let jobs = StoredNotify::<String>::new();
/// assert_eq!(jobs.notify_one("job 7"), 0); // nobody is there: it is kept,
/// assert_eq!(jobs.notify_one("job 7"), 0); // once
/// assert_eq!(jobs.wait(&"job 7".to_string(), Block::NO), Ok(()));
/// assert!(jobs.wait(&"job 7".to_string(), Block::NO).is_err());
/// assert!(jobs.is_empty());
/// ```
///
/// **Order.** First come, first served. Who comes while a `notify_one` is under way that has found
/// nobody may have its permit before another that has come at that moment too.
///
/// **Exactly one** wait ends for a `notify_one`, now or later, unless a permit was stored already:
/// a wait that times out or is interrupted has not used one, and a future that is dropped after it
/// was chosen passes its notification on, or stores it.
///
/// **What it costs.** 512 slots of its own, whatever the number of keys, and an entry of a map for
/// each stored permit. Where nothing is to be stored `KeyedNotify` of `slotpark` needs no map.
///
/// **Where it differs from tokio's**: a `notify_all` is for those whose wait has begun: for tasks
/// with the first poll, not when the future is made.
pub struct StoredNotify<K, S = Seeded> {
    waits: ShardedWait<K, S>,
    permits: DashMap<K, ()>,
    versions: Box<[Event]>,
}

impl<K: Eq + Hash> StoredNotify<K> {
    /// With 512 slots: 32 KiB.
    ///
    /// ```
    /// assert!(slotpark_managers::StoredNotify::<u64>::new().is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::from_waits(ShardedWait::new())
    }
}

impl<K: Eq + Hash, S: BuildHasher> StoredNotify<K, S> {
    /// In slots of your choice, which nothing else is to use.
    ///
    /// ```
    /// use slotpark::ShardedWait;
    /// use slotpark_managers::StoredNotify;
    /// let changed = StoredNotify::<u64>::from_waits(ShardedWait::with_slots(16));
    /// assert_eq!(changed.waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn from_waits(waits: ShardedWait<K, S>) -> Self {
        let versions = (0..VERSIONS).map(|_| Event::new("permits")).collect();
        Self {
            waits,
            permits: DashMap::new(),
            versions,
        }
    }

    fn version<Q>(&self, key: &Q) -> &Event
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        &self.versions[self.waits.slot_of(key) % VERSIONS]
    }

    /// Ends the wait of `key` that began first, and returns 1; if nobody is there it stores a
    /// permit, unless one is stored already, and returns 0.
    ///
    /// What was done before is visible to who is notified.
    ///
    /// ```
    /// let changed = slotpark_managers::StoredNotify::<u64>::new();
    /// assert_eq!(changed.notify_one(&7), 0);
    /// assert!(changed.has_permit(&7));
    /// ```
    pub fn notify_one<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        loop {
            if self.waits.wake_with_token(key, 1, ONE) == 1 {
                return 1;
            }
            self.store(key);
            // ORDERING: DEKKER wake: the version has moved on for whoever is not in the queue yet.
            fence(Ordering::SeqCst);
            if self.waits.waiters(key) == 0 || self.permits.remove(key).is_none() {
                return 0;
            }
        }
    }

    fn store<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let version = self.version(key);
        let permit = self.permits.entry(key.to_owned()).or_insert(());
        version.advance();
        drop(permit);
    }

    /// Ends all waits of `key` that have begun, and returns how many. Nothing is stored, and a
    /// permit that is stays.
    ///
    /// ```
    /// let changed = slotpark_managers::StoredNotify::<u64>::new();
    /// assert_eq!(changed.notify_all(&7), 0);
    /// assert!(!changed.has_permit(&7));
    /// ```
    pub fn notify_all<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.waits.wake_with_token(key, usize::MAX, ALL)
    }

    /// Whether a permit is stored for `key`.
    ///
    /// ```
    /// assert!(!slotpark_managers::StoredNotify::<u64>::new().has_permit(&7));
    /// ```
    #[must_use]
    pub fn has_permit<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.permits.contains_key(key)
    }

    /// Takes the permit of `key` away, whose time is over; whether there was one.
    ///
    /// ```
    /// let changed = slotpark_managers::StoredNotify::<u64>::new();
    /// changed.notify_one(&7);
    /// assert!(changed.forget(&7) && !changed.forget(&7));
    /// ```
    pub fn forget<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.permits.remove(key).is_some()
    }

    /// How many wait for `key` now.
    ///
    /// ```
    /// assert_eq!(slotpark_managers::StoredNotify::<u64>::new().waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.waits.waiters(key)
    }

    /// Ends all waits with ECANCELED, now and for ever; returns how many. Permits stay.
    ///
    /// ```
    /// use slotpark_managers::{Block, Errno, StoredNotify};
    /// let changed = StoredNotify::<u64>::new();
    /// assert_eq!(changed.close(), 0);
    /// assert_eq!(changed.wait(&7, Block::FOREVER), Err(Errno::Closed));
    /// ```
    pub fn close(&self) -> usize {
        self.waits.close()
    }

    /// How many permits are stored.
    ///
    /// ```
    /// assert_eq!(slotpark_managers::StoredNotify::<u64>::new().len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.permits.len()
    }

    /// Whether no permit is stored.
    ///
    /// ```
    /// assert!(slotpark_managers::StoredNotify::<u64>::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.permits.is_empty()
    }
}

impl<K: Eq + Hash> Default for StoredNotify<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, S> fmt::Debug for StoredNotify<K, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredNotify").finish_non_exhaustive()
    }
}
