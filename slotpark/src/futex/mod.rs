//! `FutexWait`: a value-checked wait on a word, by address or by an explicit key.

use std::fmt;
use std::time::{Duration, Instant};

use slotpark_core::{
    At, Deadline, DefaultPlatform, FutexKey, FutexSpace, FutexWord, PROCESS_HASHER, PROCESS_SLOTS,
    Platform, Requeued, SLOTS_DEFAULT, Seeded, Slots, Table,
};

use crate::{ShardedWait, WaitOutcome};

/// A futex in user space: waits compare a word and queue in one step, wakes return exact counts,
/// requeues move waiters between words.
///
/// The word is the caller's; a wait borrows it, a wake only names it. Change the word first, then
/// wake:
///
/// ```
/// use slotpark::FutexWait;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// static WORD: AtomicU32 = AtomicU32::new(0);
/// let futex = FutexWait::process();
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         while WORD.load(Ordering::Acquire) == 0 {
///             let _outcome = futex.wait(&WORD, 0);
///         }
///     });
///     WORD.store(1, Ordering::Release);
///     let _woken = futex.wake(&WORD, 1);
/// });
/// ```
///
/// The semantics are those of Linux's private futexes (`futex(2)`), with enums and counts instead
/// of errno: `Stale` is EAGAIN, `TimedOut` is ETIMEDOUT. A wake of 0 wakes nobody.
pub struct FutexWait<P: Platform = DefaultPlatform> {
    waits: ShardedWait<FutexKey, Seeded, P>,
}

/// Over the slots of the process-wide table, which the locks wait in too.
static PROCESS: FutexWait = FutexWait {
    waits: ShardedWait::from_table(Table::over(&PROCESS_SLOTS), Seeded::like(&PROCESS_HASHER)),
};

impl FutexWait {
    /// The process-wide instance, for words of this process.
    ///
    /// ```
    /// use slotpark::FutexWait;
    /// assert!(std::ptr::eq(FutexWait::process(), FutexWait::process()));
    /// ```
    #[must_use]
    pub fn process() -> &'static Self {
        &PROCESS
    }

    /// An instance of its own, with [`SLOTS_DEFAULT`] slots.
    ///
    /// ```
    /// use slotpark::FutexWait;
    /// use std::sync::atomic::AtomicU32;
    /// assert_eq!(FutexWait::new().wake(&AtomicU32::new(0), 1), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with_slots(SLOTS_DEFAULT)
    }

    /// An instance of its own with at least `count` slots.
    ///
    /// # Panics
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert_eq!(slotpark::FutexWait::with_slots(64).table().slot_count(), 64);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn with_slots(count: usize) -> Self {
        Self {
            waits: ShardedWait::with_slots(count),
        }
    }
}

/// Where the waiters of an object of this process wait: in the process-wide table.
pub(crate) fn at(key: FutexKey) -> At<'static, FutexKey, DefaultPlatform> {
    At {
        table: PROCESS.table(),
        hash: PROCESS.waits.hash(&key),
        key,
    }
}

impl<P: Platform> FutexWait<P> {
    /// Over static slots and with a platform of choice, for a `static`.
    ///
    /// ```
    /// use slotpark::{FutexKey, FutexWait, Slots};
    /// static SLOTS: Slots<FutexKey, 64> = Slots::new();
    /// static FUTEX: FutexWait = FutexWait::over(&SLOTS);
    /// assert_eq!(FUTEX.wake_key(FutexKey::new(1, 0x1000), 1, u32::MAX), 0);
    /// ```
    #[must_use]
    pub const fn over<const N: usize>(slots: &'static Slots<FutexKey, N, P>) -> Self {
        Self {
            waits: ShardedWait::from_table(Table::over(slots), Seeded::new()),
        }
    }

    /// The engine's table: counters of the slots, and `reset_after_fork`.
    ///
    /// ```
    /// assert_eq!(slotpark::FutexWait::process().table().slot_count(), 512);
    /// ```
    #[must_use]
    pub const fn table(&self) -> &Table<FutexKey, P> {
        self.waits.table()
    }

    /// The waits that this is a skin on.
    ///
    /// ```
    /// assert_eq!(slotpark::FutexWait::process().waits().slots(), 512);
    /// ```
    #[must_use]
    pub const fn waits(&self) -> &ShardedWait<FutexKey, Seeded, P> {
        &self.waits
    }

    /// The words of a guest's memory in this table, by their addresses, with Linux's operations and
    /// errors. Spaces from 2^63 upward are those of [`WaitDomain`](crate::WaitDomain)s: by the
    /// [`space`](crate::WaitDomain::space) of one, its waits are met.
    ///
    /// ```
    /// use slotpark::{FutexError, FutexTimeout, FutexWait, LinearMemory};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [const { AtomicU64::new(0) }; 512];
    /// let guest = FutexWait::process().space(1, LinearMemory::new(&bytes));
    /// let waited = guest.wait(0x10, 7_u32, FutexTimeout::Never);
    /// assert_eq!(waited, Err(FutexError::Again));
    /// ```
    #[must_use]
    pub const fn space<M>(&self, space: u64, memory: M) -> FutexSpace<'_, M, P> {
        FutexSpace::over(self.table(), self.waits.hasher(), space, memory)
    }

    /// Sleeps if the word still holds `expected`, until woken.
    ///
    /// ```
    /// use slotpark::{FutexWait, WaitOutcome};
    /// use std::sync::atomic::AtomicU64;
    /// let word = AtomicU64::new(1);
    /// assert_eq!(FutexWait::process().wait(&word, 0), WaitOutcome::Stale);
    /// ```
    pub fn wait<W: FutexWord>(&self, word: &W, expected: W::Value) -> WaitOutcome {
        self.wait_bitset(word, expected, u32::MAX, None)
    }

    /// As [`wait`](Self::wait), until `deadline` at the latest.
    ///
    /// ```
    /// use slotpark::{FutexWait, WaitOutcome};
    /// use std::{sync::atomic::AtomicU32, time::Instant};
    /// let word = AtomicU32::new(0);
    /// let outcome = FutexWait::process().wait_until(&word, 0, Instant::now());
    /// assert_eq!(outcome, WaitOutcome::TimedOut);
    /// ```
    pub fn wait_until<W: FutexWord>(
        &self,
        word: &W,
        expected: W::Value,
        deadline: Instant,
    ) -> WaitOutcome {
        self.waits
            .wait_until(&FutexKey::of(word), || word.value() == expected, deadline)
    }

    /// As [`wait`](Self::wait), for `timeout` at most.
    ///
    /// ```
    /// use slotpark::{FutexWait, WaitOutcome};
    /// use std::{sync::atomic::AtomicU32, time::Duration};
    /// let word = AtomicU32::new(0);
    /// let outcome = FutexWait::process().wait_for(&word, 0, Duration::ZERO);
    /// assert_eq!(outcome, WaitOutcome::TimedOut);
    /// ```
    pub fn wait_for<W: FutexWord>(
        &self,
        word: &W,
        expected: W::Value,
        timeout: Duration,
    ) -> WaitOutcome {
        self.waits
            .wait_for(&FutexKey::of(word), || word.value() == expected, timeout)
    }

    /// FUTEX_WAIT_BITSET: as [`wait`](Self::wait), until a wake whose bits have one in common.
    ///
    /// # Panics
    /// If `bits` is 0.
    ///
    /// ```
    /// use slotpark::{Deadline, FutexWait, WaitOutcome};
    /// use std::sync::atomic::AtomicU32;
    /// let word = AtomicU32::new(0);
    /// let outcome = FutexWait::process().wait_bitset(&word, 0, 0b1, Some(Deadline::PAST));
    /// assert_eq!(outcome, WaitOutcome::TimedOut);
    /// ```
    pub fn wait_bitset<W: FutexWord>(
        &self,
        word: &W,
        expected: W::Value,
        bits: u32,
        deadline: Option<Deadline>,
    ) -> WaitOutcome {
        self.wait_key(FutexKey::of(word), bits, deadline, || {
            word.value() == expected
        })
    }

    /// Wakes the first `count` waiters of the word; returns how many.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU32;
    /// assert_eq!(slotpark::FutexWait::process().wake(&AtomicU32::new(0), usize::MAX), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn wake<W: FutexWord>(&self, word: &W, count: usize) -> usize {
        self.waits.wake(&FutexKey::of(word), count)
    }

    /// FUTEX_WAKE_BITSET: wakes the first `count` waiters with a bit in common.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU32;
    /// assert_eq!(slotpark::FutexWait::process().wake_bitset(&AtomicU32::new(0), 1, 0b10), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn wake_bitset<W: FutexWord>(&self, word: &W, count: usize, bits: u32) -> usize {
        self.wake_key(FutexKey::of(word), count, bits)
    }

    /// FUTEX_REQUEUE: wakes the first `wake_max` waiters of `from`, moves the next `move_max` to
    /// `to`. Prefer [`cmp_requeue`](Self::cmp_requeue), which cannot race a change of the word.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU32;
    /// let words = [AtomicU32::new(0), AtomicU32::new(0)];
    /// let done = slotpark::FutexWait::process().requeue(&words[0], &words[1], 1, usize::MAX);
    /// assert_eq!((done.woken, done.moved), (0, 0));
    /// ```
    pub fn requeue<W: FutexWord>(
        &self,
        from: &W,
        to: &W,
        wake_max: usize,
        move_max: usize,
    ) -> Requeued {
        let (from, to) = (FutexKey::of(from), FutexKey::of(to));
        self.requeue_key(from, to, wake_max, move_max, || true)
            .unwrap_or_default()
    }

    /// FUTEX_CMP_REQUEUE: as [`requeue`](Self::requeue) if `from` still holds `expected`, else
    /// `None` (EAGAIN).
    ///
    /// ```
    /// use std::sync::atomic::AtomicU32;
    /// let words = [AtomicU32::new(5), AtomicU32::new(0)];
    /// let futex = slotpark::FutexWait::process();
    /// assert_eq!(futex.cmp_requeue(&words[0], 4, &words[1], 1, 9), None);
    /// ```
    pub fn cmp_requeue<W: FutexWord>(
        &self,
        from: &W,
        expected: W::Value,
        to: &W,
        wake_max: usize,
        move_max: usize,
    ) -> Option<Requeued> {
        let keys = (FutexKey::of(from), FutexKey::of(to));
        self.requeue_key(keys.0, keys.1, wake_max, move_max, || {
            from.value() == expected
        })
    }

    /// Waits on an explicit key while `validate`, which reads the guest's word under the slot lock,
    /// says yes.
    ///
    /// # Panics
    /// If `bits` is 0.
    ///
    /// ```
    /// use slotpark::{FutexKey, FutexWait, WaitOutcome};
    /// let key = FutexKey::new(1, 0x1000);
    /// let outcome = FutexWait::process().wait_key(key, u32::MAX, None, || false);
    /// assert_eq!(outcome, WaitOutcome::Stale);
    /// ```
    pub fn wait_key(
        &self,
        key: FutexKey,
        bits: u32,
        deadline: Option<Deadline>,
        validate: impl FnMut() -> bool,
    ) -> WaitOutcome {
        self.waits.wait_with(&key, bits, deadline, validate)
    }

    /// Wakes the first `count` waiters of an explicit key with a bit in common.
    ///
    /// ```
    /// use slotpark::{FutexKey, FutexWait};
    /// assert_eq!(FutexWait::process().wake_key(FutexKey::new(1, 0x1000), 1, u32::MAX), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn wake_key(&self, key: FutexKey, count: usize, bits: u32) -> usize {
        self.waits.wake_bitset(&key, count, bits, 0)
    }

    /// Requeues between explicit keys if `validate`, which runs under both slot locks, says yes.
    ///
    /// ```
    /// use slotpark::{FutexKey, FutexWait};
    /// let (from, to) = (FutexKey::new(1, 0x1000), FutexKey::new(1, 0x2000));
    /// assert_eq!(FutexWait::process().requeue_key(from, to, 1, 9, || false), None);
    /// ```
    pub fn requeue_key(
        &self,
        from: FutexKey,
        to: FutexKey,
        wake_max: usize,
        move_max: usize,
        validate: impl FnOnce() -> bool,
    ) -> Option<Requeued> {
        self.waits.requeue(&from, &to, wake_max, move_max, validate)
    }

    /// The number of waiters of a word at this moment, exactly.
    ///
    /// ```
    /// use std::sync::atomic::AtomicU32;
    /// assert_eq!(slotpark::FutexWait::process().waiters(&AtomicU32::new(0)), 0);
    /// ```
    #[must_use]
    pub fn waiters<W: FutexWord>(&self, word: &W) -> usize {
        self.waits.waiters(&FutexKey::of(word))
    }
}

impl Default for FutexWait {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Platform> fmt::Debug for FutexWait<P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutexWait")
            .field("slots", &self.waits.slots())
            .finish_non_exhaustive()
    }
}
