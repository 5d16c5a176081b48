//! Who uses keys at this moment.

use std::borrow::Borrow;
use std::hash::Hash;

use super::CondvarWait;

impl<K: Eq + Hash> CondvarWait<K> {
    /// Whether somebody has `key`.
    ///
    /// ```
    /// use slotpark_managers::{Block, CondvarWait, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// let guard = condvars.lock(7, Block::FOREVER)?;
    /// assert!(condvars.is_locked(&7));
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn is_locked<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entry(key)
            .is_some_and(|entry| entry.lock().is_locked())
    }

    /// How many wait for the condition of `key` now, and have not been notified.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(condvars.waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entry(key).map_or(0, |entry| entry.lock().waiting())
    }

    /// How many are in the queue for `key` now: to lock it, or because they were notified.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// assert_eq!(condvars.lockers(&7), 0);
    /// ```
    #[must_use]
    pub fn lockers<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entry(key).map_or(0, |entry| entry.lock().queued())
    }

    /// How many keys are in use.
    ///
    /// ```
    /// use slotpark_managers::{Block, CondvarWait, Waits};
    /// let condvars = CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new()));
    /// let guard = condvars.lock(7, Block::FOREVER)?;
    /// assert_eq!(condvars.len(), 1);
    /// drop(guard);
    /// assert_eq!(condvars.len(), 0);
    /// # Ok::<_, slotpark_managers::Errno>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key is in use.
    ///
    /// ```
    /// use slotpark_managers::{CondvarWait, Waits};
    /// assert!(CondvarWait::<u64>::new(std::sync::Arc::new(Waits::new())).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
