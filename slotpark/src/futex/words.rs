//! Waits and wakes of words of this process.

use std::time::{Duration, Instant};

use slotpark_core::{Deadline, FutexKey, FutexWord, Platform, Requeued};

use crate::{FutexWait, WaitOutcome};

impl<P: Platform> FutexWait<P> {
    /// Sleeps if the word still holds `expected`, until woken.
    ///
    /// ```
    /// use slotpark::{FutexWait, WaitOutcome};
    /// use std::sync::atomic::AtomicU64;
    /// let word = AtomicU64::new(1);
    /// assert_eq!(FutexWait::process().wait(&word, 0), WaitOutcome::Stale);
    /// ```
    #[track_caller]
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
    #[track_caller]
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
    #[track_caller]
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
    #[track_caller]
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
