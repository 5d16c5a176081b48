//! A counting semaphore in one word, whose waiters wait in the slots.
//!
//! While nobody waits, acquire and release are one compare-exchange each and touch no slot. Who
//! finds too few permits sets the word's WAITERS bit under the slot lock, in one step with its last
//! look, and queues; from then on every release takes that lock, adds, and grants to those at the
//! head of the queue while the permits last. So a large request at the head is not overtaken by
//! small ones, and what is granted is taken before its owner wakes.
//!
//! **Invariants**
//! - P1 Under the slot lock: if somebody is queued, WAITERS is set.
//! - P2 After every change that could serve somebody who is queued (a release, a head that leaves)
//!   the queue is served under the slot lock.
//!
//! **Lock order**: one slot lock. **Orderings**: PERMIT, and those of `park`.

mod errors;
mod permits;
mod task;

use core::fmt;

use crate::at::At;
use crate::choose::{Candidate, Choice, Filter};
use crate::options::{Left, ParkOptions, Parked};
use crate::platform::{Deadline, Platform};
use crate::sync::const_unless_loom;
use permits::{Permits, Taken};

pub use errors::{AcquireError, TryAcquireError};
pub use permits::PERMITS_MAX;

/// A counting semaphore in one word. The caller keeps it, and says with each call where its waiters
/// wait.
///
/// **Fair** (by [`new`](Self::new)): permits go to waiters in the order in which they came; who
/// asks for many is not overtaken by those who ask for few; a free permit is not taken past a
/// waiter. **Barging** (by [`barging`](Self::barging)): who comes first takes what is free; a
/// waiter that is woken tries again and may have to queue again, at the end. That is faster under
/// contention, and nobody is promised anything.
///
/// Permits belong to nobody: any thread may release, also what was never acquired.
///
/// ```
/// use slotpark_core::{At, RawSemaphore, Table, TryAcquireError, finalize};
/// let table = Table::<u64>::new();
/// let at = At { table: &table, hash: finalize(7), key: 7 };
/// let semaphore = RawSemaphore::new(2);
/// assert_eq!(semaphore.acquire(at, 2, None), Ok(()));
/// assert_eq!(semaphore.try_acquire(1), Err(TryAcquireError::NoPermits));
/// semaphore.release(at, 2);
/// assert_eq!(semaphore.available(), 2);
/// ```
pub struct RawSemaphore {
    permits: Permits,
}

impl RawSemaphore {
    const_unless_loom! {
        /// A fair semaphore of so many permits.
        ///
        /// # Panics
        /// If `permits` is greater than [`PERMITS_MAX`].
        ///
        /// ```
        /// assert_eq!(slotpark_core::RawSemaphore::new(3).available(), 3);
        /// ```
        #[must_use]
        pub fn new(permits: usize) -> Self {
            assert!(permits <= PERMITS_MAX, "more permits than PERMITS_MAX");
            Self { permits: Permits::new(permits, false) }
        }
    }

    const_unless_loom! {
        /// A barging semaphore of so many permits.
        ///
        /// # Panics
        /// If `permits` is greater than [`PERMITS_MAX`].
        ///
        /// ```
        /// assert_eq!(slotpark_core::RawSemaphore::barging(3).available(), 3);
        /// ```
        #[must_use]
        pub fn barging(permits: usize) -> Self {
            assert!(permits <= PERMITS_MAX, "more permits than PERMITS_MAX");
            Self { permits: Permits::new(permits, true) }
        }
    }

    /// How many permits are free at this moment; 0 also while some are owed, see
    /// [`forget`](Self::forget).
    ///
    /// ```
    /// assert_eq!(slotpark_core::RawSemaphore::new(3).available(), 3);
    /// ```
    #[must_use]
    pub fn available(&self) -> usize {
        usize::try_from(self.permits.free()).unwrap_or(0)
    }

    /// Whether it is closed.
    ///
    /// ```
    /// assert!(!slotpark_core::RawSemaphore::new(3).is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }

    /// Takes `count` permits at once, or none.
    ///
    /// # Errors
    /// [`TryAcquireError`].
    ///
    /// # Panics
    /// If `count` is greater than [`PERMITS_MAX`].
    ///
    /// ```
    /// assert_eq!(slotpark_core::RawSemaphore::new(3).try_acquire(2), Ok(()));
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_acquire(&self, count: usize) -> Result<(), TryAcquireError> {
        match self.permits.take(asked(count)) {
            Taken::Yes => Ok(()),
            Taken::No => Err(TryAcquireError::NoPermits),
            Taken::Closed => Err(TryAcquireError::Closed),
        }
    }

    /// Waits for `count` permits, and takes all of them at one moment. More than the semaphore will
    /// ever have never come, and those who wait behind in a fair one wait as long.
    ///
    /// # Errors
    /// [`AcquireError`]; then nothing is taken.
    ///
    /// # Panics
    /// If `count` is greater than [`PERMITS_MAX`].
    ///
    /// ```
    /// use slotpark_core::{AcquireError, At, Deadline, RawSemaphore, Table, finalize};
    /// let table = Table::<u64>::new();
    /// let at = At { table: &table, hash: finalize(7), key: 7 };
    /// let acquired = RawSemaphore::new(1).acquire(at, 2, Some(Deadline::PAST));
    /// assert_eq!(acquired, Err(AcquireError::TimedOut));
    /// ```
    #[track_caller]
    pub fn acquire<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        count: usize,
        deadline: Option<Deadline>,
    ) -> Result<(), AcquireError> {
        let mut again = false;
        loop {
            match self.permits.take(asked(count)) {
                Taken::Yes => return Ok(()),
                Taken::Closed => return Err(AcquireError::Closed),
                Taken::No => {}
            }
            if let Some(end) = self.wait(at, count, deadline, again) {
                return end;
            }
            again = true;
        }
    }

    /// One wait; `None` if a barging one was woken, and tries again. Who waits again was too late:
    /// what is free may be enough for somebody else.
    #[cold]
    #[track_caller]
    fn wait<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        count: usize,
        deadline: Option<Deadline>,
        again: bool,
    ) -> Option<Result<(), AcquireError>> {
        let mut taken = Taken::No;
        let validate = || {
            taken = self.permits.take_or_queue(count);
            Ok::<_, core::convert::Infallible>(taken == Taken::No)
        };
        let options = Self::options(count).deadline(deadline);
        let on_leave = |left: Left| {
            if left.last {
                self.permits.clear_waiters();
            }
        };
        let serve = || {
            if again {
                self.serve(at);
            }
        };
        let parked = at
            .table
            .park_with(at.hash, &at.key, options, validate, serve, on_leave);
        let Ok(parked) = parked;
        if !parked.is_woken() && taken == Taken::No {
            // Those behind may ask for less.
            self.serve(at);
        }
        self.ended(parked, taken)
    }

    #[track_caller]
    const fn options(count: usize) -> ParkOptions {
        // Validated by the attempt before; its second run is the first that may queue.
        ParkOptions::new().tag(count as u64).validated()
    }

    /// What the end of a wait means; `None`: it is to try again.
    fn ended(&self, parked: Parked, taken: Taken) -> Option<Result<(), AcquireError>> {
        match parked {
            // What was granted was taken for us.
            Parked::Woken { .. } if self.permits.is_barging() => None,
            Parked::Woken { .. } => Some(Ok(())),
            Parked::Stale if taken == Taken::Yes => Some(Ok(())),
            Parked::TimedOut => Some(Err(AcquireError::TimedOut)),
            Parked::Stale | Parked::Closed | Parked::Interrupted => Some(Err(AcquireError::Closed)),
        }
    }

    /// Gives `count` permits, to those who wait first.
    ///
    /// # Panics
    /// If more than [`PERMITS_MAX`] would be free; nothing is given then.
    ///
    /// ```
    /// use slotpark_core::{At, RawSemaphore, Table, finalize};
    /// let table = Table::<u64>::new();
    /// let semaphore = RawSemaphore::new(0);
    /// semaphore.release(At { table: &table, hash: finalize(7), key: 7 }, 2);
    /// assert_eq!(semaphore.available(), 2);
    /// ```
    #[inline]
    #[track_caller]
    pub fn release<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>, count: usize) {
        self.release_with(count, || at);
    }

    /// As [`release`](Self::release); `at` is asked only if somebody may wait, so that a key is not
    /// hashed for nobody.
    ///
    /// # Panics
    /// As [`release`](Self::release).
    ///
    /// ```
    /// use slotpark_core::{At, RawSemaphore, Table};
    /// let semaphore = RawSemaphore::new(0);
    /// semaphore.release_with(2, || -> At<'_, u64, slotpark_core::DefaultPlatform> {
    ///     unreachable!("nobody waits")
    /// });
    /// assert_eq!(semaphore.available(), 2);
    /// ```
    #[inline]
    #[track_caller]
    pub fn release_with<'t, K: Copy + Eq + 't, P: Platform>(
        &self,
        count: usize,
        at: impl FnOnce() -> At<'t, K, P>,
    ) {
        match self.permits.give(count) {
            Some(true) => self.serve(at()),
            Some(false) => {}
            None => too_many(),
        }
    }

    /// Serves the queue with what is free.
    #[cold]
    fn serve<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        let is_barging = self.permits.is_barging();
        let mut free = self.permits.free();
        let filter = |waiter: &Candidate| {
            let wanted = waiter.tag as usize;
            if is_barging {
                if free <= 0 {
                    return Filter::Stop;
                }
                // Who wants more than is free would be woken for nothing.
                let rest = free - wanted as isize;
                if rest < 0 {
                    return Filter::Skip;
                }
                free = rest;
                Filter::Unpark
            } else if self.permits.grant(wanted) {
                Filter::Unpark
            } else {
                Filter::Stop
            }
        };
        let policy = |choice: Choice| {
            if !choice.remain {
                self.permits.clear_waiters();
            }
            0
        };
        let table = at.table;
        let _served = table.unpark_with(at.hash, &at.key, usize::MAX, filter, policy);
    }

    /// Takes `count` permits away for good, also such that are not free: those are owed, and the
    /// next releases pay for them first.
    ///
    /// # Panics
    /// If `count` is greater than [`PERMITS_MAX`], or so many would be owed.
    ///
    /// ```
    /// use slotpark_core::{At, RawSemaphore, Table, finalize};
    /// let table = Table::<u64>::new();
    /// let semaphore = RawSemaphore::new(1);
    /// semaphore.forget(2);
    /// semaphore.release(At { table: &table, hash: finalize(7), key: 7 }, 2);
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    #[track_caller]
    pub fn forget(&self, count: usize) {
        let is_forgotten = self.permits.forget(asked(count));
        assert!(
            is_forgotten,
            "slotpark: more permits owed than {PERMITS_MAX}"
        );
    }

    /// Ends all waits with [`AcquireError::Closed`], now and for ever; returns how many. Permits
    /// that are out can still be released.
    ///
    /// ```
    /// use slotpark_core::{At, RawSemaphore, Table, finalize};
    /// let table = Table::<u64>::new();
    /// let semaphore = RawSemaphore::new(1);
    /// assert_eq!(semaphore.close(At { table: &table, hash: finalize(7), key: 7 }), 0);
    /// assert!(semaphore.is_closed());
    /// ```
    pub fn close<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) -> usize {
        self.permits.close();
        at.table.close_key(at.hash, &at.key)
    }
}

#[inline]
#[track_caller]
fn asked(count: usize) -> usize {
    if count > PERMITS_MAX {
        too_many();
    }
    count
}

#[cold]
#[track_caller]
fn too_many() -> ! {
    panic!("slotpark: more permits than {PERMITS_MAX}")
}

impl fmt::Debug for RawSemaphore {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawSemaphore")
            .field("free", &self.permits.free())
            .field("closed", &self.is_closed())
            .field("barging", &self.permits.is_barging())
            .finish()
    }
}
