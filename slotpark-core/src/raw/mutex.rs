//! A mutex in one byte.
//!
//! **States**: LOCKED, with PARKED while somebody is queued (set without a waiter, it costs the
//! next unlock a look).
//!
//! **Invariants**
//! - M1 Under the slot lock: if somebody is queued, PARKED is set.
//! - M2 An unlock is one write of the byte, and its last touch. Who may be queued is decided in the
//!   same hold of the slot lock.
//!
//! **Lock order**: one slot lock. **Orderings**: MUTEX, and those of `park`.

use core::cell::Cell;
use core::fmt;

use super::{HANDED_OVER, LOST_MAX, TRY_AGAIN, nap, order, wait};
use crate::at::At;
use crate::choose::{Candidate, Choice, Filter};
use crate::options::{ParkOptions, Parked};
use crate::platform::{Deadline, Platform};
use crate::sync::{AtomicU8, LOCK_SPIN_COUNT_MAX, Ordering, const_unless_loom, spin_loop};

const LOCKED: u8 = 1;
const PARKED: u8 = 2;
const LOCKED_PARKED: u8 = LOCKED | PARKED;

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

#[derive(Debug)]
struct Byte(AtomicU8);

impl Byte {
    const_unless_loom! {
        fn new() -> Self {
            Self(AtomicU8::new(0))
        }
    }

    #[inline]
    fn read(&self) -> u8 {
        // ORDERING: none, relaxed: a look; what follows from it is decided by compare-exchange.
        self.0.load(Ordering::Relaxed)
    }

    /// Takes a lock whose byte is `free`.
    #[inline]
    fn take(&self, free: u8) -> bool {
        // ORDERING: MUTEX acquire side: what was done under the lock before comes before what its
        // next owner does. Relaxed on failure, which learns nothing.
        self.0
            .compare_exchange(free, free | LOCKED, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes the lock if it is free, whoever is queued for it.
    fn barge(&self) -> bool {
        loop {
            let byte = self.read();
            if byte & LOCKED != 0 {
                return false;
            }
            if self.take(byte) {
                return true;
            }
        }
    }

    /// Under the slot lock: takes the lock if it is free; with `false`, PARKED is set in the same
    /// step as the last look.
    fn take_or_queue(&self) -> bool {
        loop {
            if self.barge() {
                return true;
            }
            // ORDERING: none, relaxed: a read-modify-write, which continues what an unlock began.
            let queued = self.0.compare_exchange(
                LOCKED,
                LOCKED_PARKED,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            if matches!(queued, Ok(_) | Err(LOCKED_PARKED)) {
                return false;
            }
        }
    }

    /// Gives the lock back if nobody is queued.
    #[inline]
    fn give(&self) -> bool {
        // ORDERING: MUTEX release side: what was done under the lock comes before what its next
        // owner does.
        self.0
            .compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// By the owner, under the slot lock.
    fn give_locked(&self, remain: bool) {
        let byte = if remain { PARKED } else { 0 };
        // ORDERING: MUTEX release side: what was done under the lock comes before what its next
        // owner does.
        self.0.store(byte, Ordering::Release);
    }

    /// By the owner, under the slot lock: who is chosen owns the lock from here on.
    fn hand_over_locked(&self, remain: bool) {
        let byte = if remain { LOCKED_PARKED } else { LOCKED };
        // ORDERING: none, relaxed: nobody takes the lock by this; HANDOFF tells its next owner.
        self.0.store(byte, Ordering::Relaxed);
    }

    /// Under the slot lock: nobody is queued any more.
    fn clear_parked(&self) {
        // ORDERING: none, relaxed: a read-modify-write, which continues what an unlock began.
        self.0.fetch_and(!PARKED, Ordering::Relaxed);
    }

    /// Under the slot lock: somebody will be queued in this hold of it; whether it is locked.
    fn mark_parked(&self) -> bool {
        // ORDERING: none, relaxed: a read-modify-write, which continues what an unlock began.
        self.0.fetch_or(PARKED, Ordering::Relaxed) & LOCKED != 0
    }
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
        self.byte.read() & LOCKED != 0
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
    pub fn try_lock(&self) -> bool {
        self.byte.take(0) || self.byte.barge()
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
    pub fn lock_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        self.lock_where(|| at, deadline)
    }

    /// The place is asked for by who needs it.
    #[inline]
    pub(super) fn lock_where<'t, K: Copy + Eq + 't, P: Platform>(
        &self,
        at: impl FnOnce() -> At<'t, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        self.byte.take(0) || self.lock_contended(at(), deadline)
    }

    #[cold]
    fn lock_contended<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        for _ in 0..LOCK_SPIN_COUNT_MAX {
            spin_loop();
            match self.byte.read() {
                0 if self.byte.take(0) => return true,
                LOCKED | 0 => {}
                // Others sleep: to look on would only hold the CPU that the owner may need.
                _ => break,
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

    /// Unlocks it, which the caller has locked, and wakes one who waits. Whoever has locked it since
    /// may free it: nothing of it is touched any more.
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
