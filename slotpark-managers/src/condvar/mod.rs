//! A mutex and a condition by key.
//!
//! Who has a key, who is to have it next and who waits for its condition are in the key's entry, in
//! order; a notification moves a waiter from one list to the other, and wakes nobody unless the key
//! is free. So counts are exact and there is no herd. An entry is there as long as somebody uses
//! it: calls that lock, guards and waiters count themselves under the lock of the map's shard, and
//! the last one removes it under the same.

mod guard;
mod look;
mod place;
mod state;

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use dashmap::DashMap;

use crate::{Block, Errno, Waits};
pub use guard::CondvarGuard;
use place::Held;
use state::{Entry, Granted};

/// A mutex and a condition for each key, as `pthread_mutex_t` and `pthread_cond_t` would be; for
/// threads and tasks, whose calls block in the managers' shared table.
///
/// ```
/// use slotpark_managers::{Block, CondvarWait, Waits};
/// use std::sync::{Arc, Mutex};
/// let inboxes = CondvarWait::<u32>::new(Arc::new(Waits::new()));
/// let letters = Mutex::new(Vec::new());
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let mut inbox = inboxes.lock(7, Block::FOREVER).unwrap();
///         while letters.lock().unwrap().is_empty() {
///             inbox.wait(Block::FOREVER).unwrap();
///         }
///     });
///     let inbox = inboxes.lock(7, Block::FOREVER).unwrap();
///     letters.lock().unwrap().push("hello");
///     inbox.notify_one();
/// });
/// assert!(inboxes.is_empty());
/// ```
///
/// **Order.** First come, first served: a key is handed over to who has waited for it longest, and
/// nobody overtakes. A notification sends the waiter to the end of that queue; it wakes when it has
/// the key. Nobody wakes without a notification that has counted it, a deadline, or an interrupt.
///
/// **Keys** concern one another in no way: who holds one blocks nobody on another. The same key
/// again waits for itself.
///
/// **What it costs.** An entry of the map while a key is in use. Without interrupts, `KeyedMutex`
/// and `KeyedCondvar` of `slotpark` do the same without a map and without an allocation: take those
/// unless threads of guests are to be interrupted in these calls.
///
/// **Where it differs from POSIX**: a wait can fail with EINTR; nothing is undefined if a key is
/// unlocked elsewhere, because guards may go to other threads; there is no robust mutex and no
/// priority.
pub struct CondvarWait<K> {
    waits: Arc<Waits>,
    entries: DashMap<K, Users>,
}

struct Users {
    /// Changed under the lock of the shard.
    count: usize,
    entry: Arc<Entry>,
}

impl<K: Eq + Hash> CondvarWait<K> {
    /// One with no key in use, whose calls block in `waits`.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// assert!(CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new())).is_empty());
    /// ```
    #[must_use]
    pub fn new(waits: Arc<Waits>) -> Self {
        Self {
            waits,
            entries: DashMap::new(),
        }
    }

    fn leave(&self, key: &K) {
        let last = self.entries.remove_if_mut(key, |_, users| {
            users.count -= 1;
            users.count == 0
        });
        // A key's own drop runs here, with the shard unlocked.
        drop(last);
    }

    fn wake(&self, granted: Granted) {
        if let Some(key) = granted.0 {
            let _ = self.waits.wake(&key, 1);
        }
    }

    fn entry<Q>(&self, key: &Q) -> Option<Arc<Entry>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let users = self.entries.get(key)?;
        Some(Arc::clone(&users.entry))
    }

    fn notify<Q>(&self, key: &Q, is_one: bool) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Some(entry) = self.entry(key) else {
            return 0;
        };
        let (count, granted) = entry.notify(&mut entry.lock(), is_one);
        self.wake(granted);
        count
    }

    /// Notifies the one that has waited longest for the condition of `key`; returns 1, or 0 if
    /// nobody was there: nothing is kept for who comes later. The key may be locked by the caller
    /// or not. See `pthread_cond_signal(3)`.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// let condvars = CondvarWait::<String>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(condvars.notify_one("nobody"), 0);
    /// ```
    pub fn notify_one<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.notify(key, true)
    }

    /// Notifies all who wait for the condition of `key` now; returns how many. They go on one after
    /// the other, each when it has the key. See `pthread_cond_broadcast(3)`.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(condvars.notify_all(&7), 0);
    /// ```
    pub fn notify_all<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.notify(key, false)
    }
}

impl<K: Eq + Hash + Clone> CondvarWait<K> {
    fn enter(&self, key: &K) -> Arc<Entry> {
        let mut users = self.entries.entry(key.clone()).or_insert_with(|| Users {
            count: 0,
            entry: Arc::new(Entry::new()),
        });
        users.count += 1;
        Arc::clone(&users.entry)
    }

    /// Locks `key` and returns once it is locked. See `pthread_mutex_lock(3)` and
    /// `pthread_mutex_timedlock(3)`.
    ///
    /// # Errors
    /// EAGAIN, EINTR, ETIMEDOUT as `block` says, while another has it.
    ///
    /// ```
    /// use slotpark_managers::{Block, CondvarWait, Errno, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// let guard = condvars.lock(7, Block::FOREVER)?;
    /// assert_eq!(condvars.lock(7, Block::NO).err(), Some(Errno::Again));
    /// assert!(condvars.lock(8, Block::NO).is_ok());
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn lock(&self, key: K, block: Block<'_>) -> Result<CondvarGuard<'_, K>, Errno> {
        let held = Held::enter(self, key);
        held.lock(block)?;
        Ok(CondvarGuard::new(held))
    }

    /// Locks `key` if nobody has it: `pthread_mutex_trylock(3)`.
    ///
    /// # Errors
    /// EAGAIN: another has it.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Errno, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// let guard = condvars.try_lock(7)?;
    /// assert_eq!(condvars.try_lock(7).err(), Some(Errno::Again));
    /// # Ok::<_, Errno>(())
    /// ```
    pub fn try_lock(&self, key: K) -> Result<CondvarGuard<'_, K>, Errno> {
        self.lock(key, Block::NO)
    }

    /// As [`lock`](Self::lock), as a task. It has its place in the queue from its first poll on.
    ///
    /// **Cancel safety.** Dropping the future is safe at any moment and leaves nothing; a key that
    /// was handed to it goes on to the next.
    ///
    /// # Errors
    /// ECANCELED: the table of waits was closed.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// # futures_lite::future::block_on(async {
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// let guard = condvars.lock_async(7).await?;
    /// assert!(condvars.is_locked(&7));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// # });
    /// ```
    pub async fn lock_async(&self, key: K) -> Result<CondvarGuard<'_, K>, Errno> {
        let held = Held::enter(self, key);
        held.lock_async().await?;
        Ok(CondvarGuard::new(held))
    }
}

impl<K> fmt::Debug for CondvarWait<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CondvarWait").finish_non_exhaustive()
    }
}
