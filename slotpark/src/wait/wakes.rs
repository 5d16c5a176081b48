//! The wakes of `ShardedWait`, counts and requeue.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::hash::{BuildHasher, Hash};

use slotpark_core::{Platform, RequeueOptions, Requeued};

use crate::ShardedWait;

impl<K: Hash + Eq, S: BuildHasher, P: Platform> ShardedWait<K, S, P> {
    /// Wakes the waiter of `key` that has waited longest; returns 1, or 0 if there is none.
    ///
    /// Change what `validate` looks at first, then call. Any borrowed form of the key will do: a
    /// `String` key is woken by `&str`, and nothing is allocated.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<String>::new().wake_one("nobody"), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn wake_one<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.wake(key, 1)
    }

    /// Wakes the waiter of `key` that is last in the queue: the youngest, if all wait first come,
    /// first served; returns 1, or 0 if there is none. Given up, the wake goes on to who is the
    /// last then.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().wake_last(&7), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn wake_last<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table.unpark_last(self.hash(key), key, 0)
    }

    /// Wakes the first `count` waiters of `key` as they stand now; returns how many there were:
    /// exactly those whose waits return `Woken` because of this call. `count` 0 wakes nobody.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().wake(&7, 3), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn wake<Q>(&self, key: &Q, count: usize) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table.unpark(self.hash(key), key, count, 0)
    }

    /// Wakes all waiters of `key`; those who come back during the call are not woken by it.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().wake_all(&7), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn wake_all<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.wake(key, usize::MAX)
    }

    /// Wakes as [`wake`](Self::wake) does and hands each of them `token`.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().wake_with_token(&7, 1, 42), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn wake_with_token<Q>(&self, key: &Q, count: usize, token: u64) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table.unpark(self.hash(key), key, count, token)
    }

    /// Wakes the first `count` waiters of `key` whose bitset has a bit in common with `bits`; the
    /// others keep their places and are not counted.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().wake_bitset(&7, 1, 0b10, 0), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn wake_bitset<Q>(&self, key: &Q, count: usize, bits: u32, token: u64) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table
            .unpark_bitset(self.hash(key), key, count, bits, token)
    }

    /// The number of waiters of `key` at this moment, exactly.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table.waiters(self.hash(key), key)
    }

    /// In one step for everybody else: if `validate` says yes, wakes the first `wake_max` waiters
    /// of `from` and moves the next `move_max` to the end of `to`'s queue; `None` if it says no.
    ///
    /// A moved waiter keeps its deadline; from now on only a wake of `to` ends its wait. `validate`
    /// runs once, under the locks of both slots. Keys are `Copy` here, because a moved waiter keeps
    /// the new key in its own frame.
    ///
    /// ```
    /// let waits = slotpark::ShardedWait::<u64>::new();
    /// assert_eq!(waits.requeue(&7, &8, 1, usize::MAX, || false), None);
    /// ```
    pub fn requeue(
        &self,
        from: &K,
        to: &K,
        wake_max: usize,
        move_max: usize,
        validate: impl FnOnce() -> bool,
    ) -> Option<Requeued>
    where
        K: Copy + Send,
    {
        let options = RequeueOptions {
            wake_max,
            move_max,
            token: 0,
        };
        let (from, to) = ((self.hash(from), from), (self.hash(to), to));
        let result = self
            .table
            .requeue(from, to, options, || Ok::<_, Infallible>(validate()));
        match result {
            Ok(requeued) => requeued,
            Err(never) => match never {},
        }
    }
}
