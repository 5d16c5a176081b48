//! The waits of `ShardedWait`.

use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{Deadline, ParkOptions, Platform};

use crate::{ShardedWait, WaitOutcome, WhileOutcome, until};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> ShardedWait<K, S, P> {
    /// Waits on `key` while `validate` says yes, until a wake of this key. Returns at once, as
    /// `Stale`, if it says no.
    ///
    /// There are no spurious returns, but look at your condition again all the same: it may have
    /// changed back. [`wait_while`](Self::wait_while) does.
    ///
    /// # Panics
    /// Passes panics of `validate` and of `K`'s `Eq` and `Hash` on. In debug builds, if called from
    /// a closure that runs under a slot lock.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// let waits = ShardedWait::<u64>::new();
    /// assert_eq!(waits.wait(&7, || false), WaitOutcome::Stale);
    /// ```
    #[inline]
    #[track_caller]
    pub fn wait(&self, key: &K, validate: impl FnMut() -> bool) -> WaitOutcome {
        self.wait_at(key, u32::MAX, || None, validate)
    }

    /// As [`wait`](Self::wait), until `deadline` at the latest. A deadline already past returns
    /// `TimedOut` without a syscall (`Stale` if `validate` says no). A wait that a waker has
    /// counted never times out.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// use std::time::Instant;
    /// let waits = ShardedWait::<u64>::new();
    /// assert_eq!(waits.wait_until(&7, || true, Instant::now()), WaitOutcome::TimedOut);
    /// ```
    #[inline]
    #[track_caller]
    pub fn wait_until(
        &self,
        key: &K,
        validate: impl FnMut() -> bool,
        deadline: Instant,
    ) -> WaitOutcome {
        self.wait_at(key, u32::MAX, || until::<P>(deadline), validate)
    }

    /// As [`wait_until`](Self::wait_until), `timeout` from now. A timeout too long for the clock is
    /// no timeout.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// use std::time::Duration;
    /// let waits = ShardedWait::<u64>::new();
    /// let outcome = waits.wait_for(&7, || true, Duration::from_micros(10));
    /// assert_eq!(outcome, WaitOutcome::TimedOut);
    /// ```
    #[inline]
    #[track_caller]
    pub fn wait_for(
        &self,
        key: &K,
        validate: impl FnMut() -> bool,
        timeout: Duration,
    ) -> WaitOutcome {
        self.wait_at(key, u32::MAX, || Deadline::after::<P>(timeout), validate)
    }

    /// The wait that the others are made of: with a bitset, which bitset wakes compare, and a
    /// deadline on either clock.
    ///
    /// # Panics
    /// If `bits` is 0: nothing could wake it. Else as [`wait`](Self::wait).
    ///
    /// ```
    /// use slotpark::{Deadline, ShardedWait, WaitOutcome};
    /// let waits = ShardedWait::<u64>::new();
    /// let outcome = waits.wait_with(&7, 0b10, Some(Deadline::PAST), || true);
    /// assert_eq!(outcome, WaitOutcome::TimedOut);
    /// ```
    #[inline]
    #[track_caller]
    pub fn wait_with(
        &self,
        key: &K,
        bits: u32,
        deadline: Option<Deadline>,
        validate: impl FnMut() -> bool,
    ) -> WaitOutcome {
        assert!(
            bits != 0,
            "a wait with an empty bitset could never be woken"
        );
        self.wait_at(key, bits, || deadline, validate)
    }

    /// Looks first: a stale value costs neither a hash nor a reading of the clock.
    #[inline]
    #[track_caller]
    pub(crate) fn wait_at(
        &self,
        key: &K,
        bits: u32,
        deadline: impl FnOnce() -> Option<Deadline>,
        mut validate: impl FnMut() -> bool,
    ) -> WaitOutcome {
        if !validate() {
            return WaitOutcome::Stale;
        }
        self.wait_valid(key, bits, deadline(), validate)
    }

    #[inline(never)]
    #[track_caller]
    fn wait_valid(
        &self,
        key: &K,
        bits: u32,
        deadline: Option<Deadline>,
        validate: impl FnMut() -> bool,
    ) -> WaitOutcome {
        let options = ParkOptions::new()
            .deadline(deadline)
            .tag(u64::from(bits))
            .validated();
        self.table.park(self.hash(key), key, options, validate)
    }

    /// Blocks while `condition` holds: waits, and looks again after every wake. `Met`, unless the
    /// key or the table is closed.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WhileOutcome};
    /// let waits = ShardedWait::<u64>::new();
    /// assert_eq!(waits.wait_while(&7, || false), WhileOutcome::Met);
    /// ```
    #[track_caller]
    pub fn wait_while(&self, key: &K, condition: impl FnMut() -> bool) -> WhileOutcome {
        self.wait_while_deadline(key, condition, None)
    }

    /// As [`wait_while`](Self::wait_while), until `deadline` at the latest.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WhileOutcome};
    /// use std::time::Instant;
    /// let waits = ShardedWait::<u64>::new();
    /// let outcome = waits.wait_while_until(&7, || true, Instant::now());
    /// assert_eq!(outcome, WhileOutcome::TimedOut);
    /// ```
    #[track_caller]
    pub fn wait_while_until(
        &self,
        key: &K,
        condition: impl FnMut() -> bool,
        deadline: Instant,
    ) -> WhileOutcome {
        self.wait_while_deadline(key, condition, until::<P>(deadline))
    }

    /// As [`wait_while_until`](Self::wait_while_until), `timeout` from now, all rounds together.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WhileOutcome};
    /// use std::time::Duration;
    /// let waits = ShardedWait::<u64>::new();
    /// let outcome = waits.wait_while_for(&7, || true, Duration::from_micros(10));
    /// assert_eq!(outcome, WhileOutcome::TimedOut);
    /// ```
    #[track_caller]
    pub fn wait_while_for(
        &self,
        key: &K,
        condition: impl FnMut() -> bool,
        timeout: Duration,
    ) -> WhileOutcome {
        self.wait_while_deadline(key, condition, Deadline::after::<P>(timeout))
    }

    #[track_caller]
    fn wait_while_deadline(
        &self,
        key: &K,
        mut condition: impl FnMut() -> bool,
        deadline: Option<Deadline>,
    ) -> WhileOutcome {
        loop {
            let outcome = self.wait_with(key, u32::MAX, deadline, &mut condition);
            if let Some(ended) = WhileOutcome::of(outcome) {
                return ended;
            }
        }
    }
}
