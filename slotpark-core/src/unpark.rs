//! Unpark: choose waiters of a key under the slot lock, release them after it.
//!
//! Choosing is one moment: waiters that arrive later, or come back, are not met. No syscall runs
//! under the slot lock, and no Waker.
//!
//! **Lock order**: one slot lock. **Orderings**: DEKKER side B, LOCK, HANDOFF, SLEEP.

use core::borrow::Borrow;
use core::slice;

use crate::choose::{Candidate, Choice, Chosen, Filter};
use crate::node::{Name, Node, NodeRef};
use crate::platform::Platform;
use crate::reentry;
use crate::slot::SlotGuard;
use crate::table::Table;
use crate::waiter::{Ending, Verdict};
use crate::wakers::Wakers;

impl<K, P: Platform> Table<K, P> {
    /// Wakes the first `count` waiters of `key` as they stand now, and hands each `token`. Returns
    /// how many: exactly those whose wait returns Woken because of this call.
    ///
    /// Make the condition false first, then call: with nobody waiting this is one fence and one
    /// load, and no waiter that saw the old condition is missed. `count` 0 wakes nobody, without
    /// looking; `usize::MAX` is everybody. Waiters that come back during the call are not woken by
    /// it.
    ///
    /// # Panics
    /// Passes panics of `Eq` on; the queue stays sound. In debug builds, if called from a closure
    /// that runs under a slot lock.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::new().unpark(1, &7, usize::MAX, 0), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn unpark<Q>(&self, hash: u64, key: &Q, count: usize, token: u64) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        if !self.may_wake(hash, count) {
            return 0;
        }
        self.wake_first(hash, key, count, token)
    }

    /// What every wake of so many asks first: whether anybody may wait where this hash leads. After
    /// a yes, `wake_first` or its like looks.
    #[inline]
    pub(crate) fn may_wake(&self, hash: u64, count: usize) -> bool {
        reentry::check();
        count != 0 && self.slot(hash).announced.any()
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn wake_first<Q>(&self, hash: u64, key: &Q, count: usize, token: u64) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let verdict = Verdict::of_first(count, None, token);
        if count == 1 {
            return self.wake_head(hash, key, verdict);
        }
        self.wake_many(hash, key, count, verdict)
    }

    /// Wakes the first `count` waiters of `key` whose bitset (the low 32 bits of their tag) has a
    /// bit in common with `bits`. The others keep their places and are not counted.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Table::<u64>::new().unpark_bitset(1, &7, 1, 0b10, 0), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn unpark_bitset<Q>(&self, hash: u64, key: &Q, count: usize, bits: u32, token: u64) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        if !self.may_wake(hash, count) {
            return 0;
        }
        self.wake_bits(hash, key, count, bits, token)
    }

    pub(crate) fn wake_bits<Q>(
        &self,
        hash: u64,
        key: &Q,
        count: usize,
        bits: u32,
        token: u64,
    ) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let filter = |waiter: &Candidate| {
            if waiter.tag as u32 & bits == 0 {
                Filter::Skip
            } else {
                Filter::Unpark
            }
        };
        let verdict = Verdict::of_first(count, Some(bits), token);
        self.wake(hash, key, count, verdict, filter)
    }

    /// A wait that ends otherwise had been chosen: the wake goes on to the first waiter that it
    /// fits, as if it were made now.
    ///
    /// # Safety
    /// The key of the name lives.
    pub(crate) unsafe fn pass_on(&self, name: Name, verdict: Verdict)
    where
        K: Eq,
    {
        let bits = verdict.passes_on;
        if verdict.ending != Ending::Woken || bits == 0 {
            return;
        }
        // SAFETY: N3: names point to keys of the table's type; this one lives by the contract.
        let key = unsafe { &*name.key.cast::<K>() };
        // 0 says that nobody was there: then the wake has counted the wait that was dropped.
        let _count = if verdict.to_last {
            self.wake_last(name.hash, key, verdict)
        } else if verdict.fits_all {
            self.wake_first(name.hash, key, 1, verdict.token)
        } else {
            self.wake_bits(name.hash, key, 1, bits, verdict.token)
        };
    }

    /// Wakes up to `count` waiters of `key`, as `filter` decides for each in FIFO order.
    ///
    /// `filter` runs under the slot lock and must not call a table. If it panics, those already
    /// chosen are woken with the token, then the panic goes on.
    ///
    /// ```
    /// use slotpark_core::{Filter, Table};
    /// let table = Table::<u64>::new();
    /// let odd_tags = |waiter: &slotpark_core::Candidate| {
    ///     if waiter.tag % 2 == 1 { Filter::Unpark } else { Filter::Skip }
    /// };
    /// assert_eq!(table.unpark_filter(1, &7, 10, odd_tags, 0), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn unpark_filter<Q>(
        &self,
        hash: u64,
        key: &Q,
        count: usize,
        filter: impl FnMut(&Candidate) -> Filter,
        token: u64,
    ) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        if !self.may_wake(hash, count) {
            return 0;
        }
        self.wake(hash, key, count, Verdict::woken(token), filter)
    }

    /// Wakes up to `count` waiters of `key` as `filter` decides, and lets `policy` act between the
    /// choice and the release: it sees how many were chosen and whether waiters of the key remain,
    /// may write the caller's word, and returns the token for the chosen.
    ///
    /// There is no fast path: the slot lock is always taken and `policy` always runs, so that it
    /// and every `validate` of the key exclude each other. It must not call a table. If it or
    /// `filter` panics, those already chosen are released (with token 0), then the panic goes on.
    ///
    /// ```
    /// use slotpark_core::{Filter, Table};
    /// let mut word = 1;
    /// let table = Table::<u64>::new();
    /// let woken = table.unpark_with(1, &7, 1, |_| Filter::Unpark, |choice| {
    ///     word = u32::from(choice.remain);
    ///     0
    /// });
    /// assert_eq!((woken, word), (0, 0));
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn unpark_with<Q>(
        &self,
        hash: u64,
        key: &Q,
        count: usize,
        filter: impl FnMut(&Candidate) -> Filter,
        policy: impl FnOnce(Choice) -> u64,
    ) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        // In the order of `wake`.
        let slot = self.slot(hash);
        let mut wakers = Wakers::new(slice::from_ref(slot), Some(hash));
        let _critical = P::critical();
        let mut chosen = Chosen::deferred(&mut wakers, Verdict::woken(0));
        let guard = slot.lock();
        let remain = self
            .find(&guard, hash, key)
            .is_some_and(|head| self.choose(&guard, head, count, filter, &mut chosen));
        let count = chosen.count;
        chosen.verdict.token = policy(Choice { count, remain });
        chosen.collect(&guard);
        drop(guard);
        count
    }

    fn wake<Q>(
        &self,
        hash: u64,
        key: &Q,
        count_max: usize,
        verdict: Verdict,
        filter: impl FnMut(&Candidate) -> Filter,
    ) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let critical = P::critical();
        let guard = self.slot(hash).lock();
        let Some(head) = self.find(&guard, hash, key) else {
            return 0;
        };
        let head = head.as_ptr();
        self.wake_locked((guard, critical), hash, head, count_max, verdict, filter)
    }

    /// What is left of a wake once the slot is locked and the key found.
    pub(crate) fn wake_locked<'t>(
        &'t self,
        (guard, critical): (SlotGuard<'t, P>, P::Critical),
        hash: u64,
        head: *const Node<P>,
        count_max: usize,
        verdict: Verdict,
        filter: impl FnMut(&Candidate) -> Filter,
    ) -> usize {
        // Declared in this order so that, also by a panic, first the slot is unlocked, then the
        // chosen threads are released, then the tasks' Wakers called.
        let mut wakers = Wakers::new(slice::from_ref(guard.slot), Some(hash));
        let _critical = critical;
        let mut chosen = Chosen::new(&mut wakers, verdict);
        let guard = guard;
        // SAFETY: N1: it is linked, under this hold of the lock.
        if let Some(head) = unsafe { NodeRef::from_raw(head) } {
            self.choose(&guard, head, count_max, filter, &mut chosen);
            chosen.collect(&guard);
        }
        drop(guard);
        chosen.count
    }
}
