//! A mutex in one byte.
//!
//! **Invariants**
//! - M1 Under the slot lock: if somebody is queued, PARKED is set.
//! - M2 An unlock is one write of the byte, and its last touch. Who may be queued is decided in the
//!   same hold of the slot lock.
//!
//! **Lock order**: one slot lock. **Orderings**: MUTEX, and those of `park`.

mod byte;

use core::cell::Cell;
use core::fmt;

use super::{HANDED_OVER, LOST_MAX, TRY_AGAIN, nap, order, wait};
use crate::at::At;
use crate::choose::{Candidate, Choice, Filter};
use crate::inspect::owners::{self, Lock};
use crate::inspect::{Caller, Kind};
use crate::options::{ParkOptions, Parked};
use crate::platform::{Deadline, Platform};
use crate::spin::back_off;
use crate::sync::{GIVE_WAY_COUNT_MAX, const_unless_loom};
use byte::Byte;

/// A mutex of one byte. The caller keeps it, and says with each call where its waiters wait: all
/// calls on one mutex name the same place, for which [`place`](Self::place) will do.
///
/// Whoever comes while it is free takes it, also past those who wait (it is *barging*), but who was
/// woken too late eight times is handed the lock next. There is no poisoning, and it belongs to no
/// thread: locking it twice waits for ever, and any thread may unlock it.
///
/// With the feature `lock_api` it is a `lock_api::RawMutex`, and `lock_api::Mutex` puts a value
/// under it.
///
/// ```
/// use slotpark_core::RawMutex;
/// static MUTEX: RawMutex = RawMutex::new();
/// assert!(MUTEX.lock_at(MUTEX.place(), None));
/// assert!(MUTEX.is_locked());
/// MUTEX.unlock_at(MUTEX.place());
/// assert_eq!(size_of::<RawMutex>(), 1);
/// ```
pub struct RawMutex {
    byte: Byte,
}

impl RawMutex {
    const_unless_loom! {
        /// A mutex that is free.
        ///
        /// ```
        /// assert!(!slotpark_core::RawMutex::new().is_locked());
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self { byte: Byte::new() }
        }
    }

    /// Its place in the process-wide table.
    ///
    /// ```
    /// let mutex = slotpark_core::RawMutex::new();
    /// assert_eq!(mutex.place().key, mutex.place().key);
    /// ```
    #[cfg(not(slotpark_loom))]
    #[must_use]
    #[inline]
    pub fn place(&self) -> At<'static, crate::FutexKey, crate::DefaultPlatform> {
        Self::place_of(self)
    }

    #[cfg(not(slotpark_loom))]
    pub(super) fn place_of(mutex: *const Self) -> crate::process::Place {
        crate::process::place(crate::process::Kind::Mutex, mutex)
    }

    /// Whether it is locked at this moment.
    ///
    /// ```
    /// assert!(!slotpark_core::RawMutex::new().is_locked());
    /// ```
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.byte.is_locked()
    }

    /// Locks it if it is free.
    ///
    /// ```
    /// let mutex = slotpark_core::RawMutex::new();
    /// assert!(mutex.try_lock());
    /// assert!(!mutex.try_lock());
    /// ```
    #[must_use]
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> bool {
        self.seen_by(Caller::here(), self.byte.take(0) || self.byte.barge())
    }

    /// Waits until it is locked for the caller, or until the deadline; whether it is.
    ///
    /// ```
    /// use slotpark_core::{Deadline, RawMutex};
    /// let mutex = RawMutex::new();
    /// assert!(mutex.lock_at(mutex.place(), None));
    /// assert!(!mutex.lock_at(mutex.place(), Some(Deadline::PAST)));
    /// ```
    #[must_use = "at the deadline it is not locked"]
    #[inline]
    #[track_caller]
    pub fn lock_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        self.lock_where(|| at, deadline)
    }

    /// The place is asked for by who needs it.
    #[inline]
    #[track_caller]
    pub(super) fn lock_where<'t, K: Copy + Eq + 't, P: Platform>(
        &self,
        at: impl FnOnce() -> At<'t, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        let is_locked = self.byte.take(0) || self.lock_contended(at(), deadline);
        self.seen_by(Caller::here(), is_locked)
    }

    /// Those who look learn who has it.
    #[inline(always)]
    pub(super) fn seen_by(&self, caller: Caller, is_locked: bool) -> bool {
        if is_locked {
            owners::took(Lock::Mutex, self, Kind::Lock, caller);
        }
        is_locked
    }

    #[cold]
    #[track_caller]
    fn lock_contended<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        let is_past = deadline.is_some_and(Deadline::is_past::<P>);
        for look in 0..if is_past { 0 } else { GIVE_WAY_COUNT_MAX } {
            back_off::<P>(look);
            if self.byte.is_parked() {
                // Others sleep: to look on would only hold the CPU that the owner may need.
                break;
            }
            if !self.byte.is_locked() && self.byte.take(0) {
                return true;
            }
        }
        let mut lost = 0;
        loop {
            if self.byte.barge() {
                return true;
            }
            let options = ParkOptions::new().deadline(deadline);
            let options = options.tag(lost).order(order(lost));
            let take_or_queue = || self.byte.take_or_queue();
            let (parked, taken) = wait(at, options, take_or_queue, |left| {
                if left.last {
                    self.byte.clear_parked();
                }
            });
            match parked {
                _ if taken => return true,
                Parked::Woken { token: HANDED_OVER } => return true,
                Parked::Woken { .. } => lost += 1,
                Parked::TimedOut => return false,
                // The table is closed.
                Parked::Stale | Parked::Closed | Parked::Interrupted => {
                    if nap::<P>(deadline) {
                        return self.byte.barge();
                    }
                }
            }
        }
    }

    /// Unlocks it, which the caller has locked, and wakes one who waits. Whoever has locked it
    /// since may free it: nothing of it is touched any more.
    ///
    /// ```
    /// let mutex = slotpark_core::RawMutex::new();
    /// assert!(mutex.try_lock());
    /// mutex.unlock_at(mutex.place());
    /// assert!(!mutex.is_locked());
    /// ```
    #[inline]
    pub fn unlock_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.unlock_where(|| at, false);
    }

    /// As [`unlock_at`](Self::unlock_at), but the first who waits gets the lock: nobody comes in
    /// between.
    ///
    /// ```
    /// let mutex = slotpark_core::RawMutex::new();
    /// assert!(mutex.try_lock());
    /// mutex.unlock_fair_at(mutex.place());
    /// assert!(!mutex.is_locked());
    /// ```
    #[inline]
    pub fn unlock_fair_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.unlock_where(|| at, true);
    }

    /// The place is asked for by who needs it.
    #[inline]
    pub(super) fn unlock_where<'t, K: Copy + Eq + 't, P: Platform>(
        &self,
        at: impl FnOnce() -> At<'t, K, P>,
        fair: bool,
    ) {
        owners::gave(self, Kind::Lock, || 1);
        if !self.byte.give() {
            self.unlock_contended(at(), fair);
        }
    }

    #[cold]
    fn unlock_contended<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>, fair: bool) {
        debug_assert!(
            self.is_locked(),
            "unlocked by somebody who has not locked it"
        );
        let is_fair = Cell::new(fair);
        let filter = |waiter: &Candidate| {
            is_fair.set(is_fair.get() || waiter.tag >= LOST_MAX);
            Filter::Unpark
        };
        let policy = |choice: Choice| {
            if choice.count > 0 && is_fair.get() {
                self.byte.hand_over_locked(choice.remain);
                HANDED_OVER
            } else {
                // M2: others may lock and free it from here on.
                self.byte.give_locked(choice.remain);
                TRY_AGAIN
            }
        };
        let _woken = at.table.unpark_with(at.hash, &at.key, 1, filter, policy);
    }

    /// Under the lock of its slot, by who moves waiters to it: an unlock looks for them from here
    /// on. Whether it is locked now.
    pub(super) fn expect_waiters(&self) -> bool {
        self.byte.mark_parked()
    }
}

#[cfg(not(slotpark_loom))]
impl Default for RawMutex {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RawMutex {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawMutex")
            .field("locked", &self.is_locked())
            .finish()
    }
}
