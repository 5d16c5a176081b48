//! Ending waits of `ShardedWait`: interrupting, closing, and all keys that something is true of.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use slotpark_core::{ClosedKey, Deadline, Interrupter, ParkOptions, Platform, Prepared};

use crate::{ShardedWait, WaitOutcome};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> ShardedWait<K, S, P> {
    /// Waits as [`wait_with`](Self::wait_with) does, and may be ended by `interrupter`: now, or by
    /// an interrupt that came before and was not returned yet.
    ///
    /// # Panics
    /// As [`wait`](Self::wait); and if another wait uses the interrupter.
    ///
    /// ```
    /// use slotpark::{Interrupter, ShardedWait, WaitOutcome};
    /// let (waits, interrupter) = (ShardedWait::<u64>::new(), Interrupter::new());
    /// interrupter.interrupt();
    /// let outcome = waits.wait_interruptible(&7, &interrupter, None, || true);
    /// assert_eq!(outcome, WaitOutcome::Interrupted);
    /// ```
    #[track_caller]
    pub fn wait_interruptible(
        &self,
        key: &K,
        interrupter: &Interrupter<P>,
        deadline: Option<Deadline>,
        mut validate: impl FnMut() -> bool,
    ) -> WaitOutcome {
        if !validate() {
            return WaitOutcome::Stale;
        }
        let options = ParkOptions::new().deadline(deadline).validated();
        self.table
            .park_interruptible(self.hash(key), key, options, interrupter, validate)
    }

    /// Queues this thread on `key`, then runs `then`, which looks at the world and either sleeps by
    /// [`Prepared::wait`] or returns: no wake between is missed. A wake that had chosen a thread
    /// which does not sleep goes on to the next waiter.
    ///
    /// # Errors
    /// `Closed` if the key or the table is closed; `then` has not run.
    ///
    /// ```
    /// use slotpark::{ParkOptions, ShardedWait, WaitOutcome};
    /// let waits = ShardedWait::<u64>::new();
    /// let outcome = waits.prepare(&7, ParkOptions::new(), |prepared| {
    ///     // Queued: whatever is asked for now is answered by a wake that finds us.
    ///     assert_eq!(waits.wake_one(&7), 1);
    ///     prepared.wait()
    /// });
    /// assert_eq!(outcome, Ok(WaitOutcome::Woken { token: 0 }));
    /// ```
    #[track_caller]
    pub fn prepare<R>(
        &self,
        key: &K,
        options: ParkOptions,
        then: impl FnOnce(&mut Prepared<'_, K, P>) -> R,
    ) -> Result<R, WaitOutcome> {
        self.table.prepare(self.hash(key), key, options, then)
    }

    /// Ends the waits of `key` as they stand now with `Closed`; returns how many.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().close_key(&7), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn close_key<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table.close_key(self.hash(key), key)
    }

    /// A key that is closed from [`ClosedKey::close`] until it is dropped. It lies where the caller
    /// pins it; nothing is allocated.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// use std::pin::pin;
    /// let waits = ShardedWait::<u64>::new();
    /// let mut closed = pin!(waits.closed_key(7));
    /// assert_eq!(closed.as_mut().close(), 0);
    /// assert_eq!(waits.wait(&7, || true), WaitOutcome::Closed);
    /// ```
    pub fn closed_key(&self, key: K) -> ClosedKey<'_, K, P> {
        self.table.closed_key(self.hash(&key), key)
    }
}

impl<K, S, P: Platform> ShardedWait<K, S, P> {
    /// Ends all waits with `Closed`, now and for ever; returns how many. No wait that has begun or
    /// will begin sleeps after this.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// let waits = ShardedWait::<u64>::new();
    /// assert_eq!(waits.close(), 0);
    /// assert_eq!(waits.wait(&7, || true), WaitOutcome::Closed);
    /// ```
    pub fn close(&self) -> usize {
        self.table.close()
    }

    /// Whether the table is closed, or is being closed at this moment.
    ///
    /// ```
    /// assert!(!slotpark::ShardedWait::<u64>::new().is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.table.is_closed()
    }

    /// Ends the waits of all keys that `is_gone` says yes to with `Closed`, in one moment: of
    /// memory that is unmapped, of a process that died. Returns how many. All slot locks are held
    /// while `is_gone` runs, which must not call a table.
    ///
    /// ```
    /// let waits = slotpark::ShardedWait::<(u32, u64)>::new();
    /// let process = 17;
    /// assert_eq!(waits.close_where(|key| key.0 == process), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn close_where(&self, is_gone: impl FnMut(&K) -> bool) -> usize {
        self.table.close_where(is_gone)
    }

    /// Wakes the waiters of all keys that `is_wanted` says yes to. Else as
    /// [`close_where`](Self::close_where).
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().wake_where(|key| *key < 100), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn wake_where(&self, is_wanted: impl FnMut(&K) -> bool) -> usize {
        self.table.unpark_where(is_wanted, 0)
    }
}
