//! Waits and wakes of explicit keys: addresses in spaces of the caller's.

use slotpark_core::{Deadline, FutexKey, Platform, Requeued};

use crate::{FutexWait, WaitOutcome};

impl<P: Platform> FutexWait<P> {
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
    #[track_caller]
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
}
