//! An event counter in one word: it only grows, and waits end when it has come far enough.
//!
//! A waiter carries the count that it waits for as its tag, so an advance wakes exactly those whose
//! count has come; with nobody waiting it costs an addition, a fence and a load.
//!
//! **Orderings**: COUNT, and those of `park` and `unpark`.

use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::pin;

use crate::at::At;
use crate::choose::{Candidate, Filter};
use crate::options::{ParkOptions, Parked};
use crate::platform::{Deadline, Platform};
use crate::sync::{AtomicU64, Ordering, const_unless_loom};

/// A count of events in one word. The caller keeps it, and says with each call where its waiters
/// wait. It wraps after 2^64 events.
///
/// ```
/// use slotpark_core::{At, RawEventCounter, Table, finalize};
/// let table = Table::<u64>::new();
/// let at = At { table: &table, hash: finalize(7), key: 7 };
/// let events = RawEventCounter::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| assert_eq!(events.wait_for_at_least(at, 3, None), Ok(3)));
///     for _ in 0..3 {
///         let _woken = events.advance(at, 1);
///     }
/// });
/// ```
pub struct RawEventCounter {
    count: Count,
}

/// Why a wait for events has ended without them.
///
/// ```
/// use slotpark_core::EventError;
/// assert_eq!(EventError::TimedOut.to_string(), "the events did not come before the deadline");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventError {
    /// The deadline passed first.
    TimedOut,
    /// The table was closed.
    Closed,
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the events did not come before the deadline",
            Self::Closed => "the table is closed",
        })
    }
}

impl core::error::Error for EventError {}

/// The word.
#[derive(Debug)]
struct Count(AtomicU64);

impl Count {
    const_unless_loom! {
        fn new() -> Self {
            Self(AtomicU64::new(0))
        }
    }

    /// In `validate`.
    fn look(&self) -> u64 {
        // ORDERING: none, relaxed: DEKKER's fences order this read against the advance.
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    fn get(&self) -> u64 {
        // ORDERING: COUNT acquire side: what was done before the advances that are seen comes
        // before what is done next.
        self.0.load(Ordering::Acquire)
    }

    /// What it was before.
    #[inline]
    fn add(&self, events: u64) -> u64 {
        // ORDERING: COUNT release side: what was done before comes before what those do who see
        // the count.
        self.0.fetch_add(events, Ordering::Release)
    }
}

impl RawEventCounter {
    const_unless_loom! {
        /// No event has come yet.
        ///
        /// ```
        /// assert_eq!(slotpark_core::RawEventCounter::new().count(), 0);
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self { count: Count::new() }
        }
    }

    /// How many events have come. What was done before they were announced is visible.
    ///
    /// ```
    /// assert_eq!(slotpark_core::RawEventCounter::new().count(), 0);
    /// ```
    #[must_use]
    #[inline]
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// Announces so many events, and wakes those whose count has come; how many these are. With
    /// nobody waiting: one addition, one fence, one load.
    ///
    /// ```
    /// use slotpark_core::{At, RawEventCounter, Table, finalize};
    /// let table = Table::<u64>::new();
    /// let events = RawEventCounter::new();
    /// assert_eq!(events.advance(At { table: &table, hash: finalize(7), key: 7 }, 2), 0);
    /// assert_eq!(events.count(), 2);
    /// ```
    #[inline]
    pub fn advance<K: Eq, P: Platform>(&self, at: At<'_, K, P>, events: u64) -> usize {
        let count = self.count.add(events).wrapping_add(events);
        let filter = |waiter: &Candidate| {
            if waiter.tag <= count {
                Filter::Unpark
            } else {
                Filter::Skip
            }
        };
        let table = at.table;
        table.unpark_filter(at.hash, &at.key, usize::MAX, filter, count)
    }

    /// Waits until at least `count` events have come; how many these are.
    ///
    /// # Errors
    /// [`EventError`].
    ///
    /// ```
    /// use slotpark_core::{At, Deadline, EventError, RawEventCounter, Table, finalize};
    /// let table = Table::<u64>::new();
    /// let at = At { table: &table, hash: finalize(7), key: 7 };
    /// let waited = RawEventCounter::new().wait_for_at_least(at, 1, Some(Deadline::PAST));
    /// assert_eq!(waited, Err(EventError::TimedOut));
    /// ```
    #[track_caller]
    pub fn wait_for_at_least<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        count: u64,
        deadline: Option<Deadline>,
    ) -> Result<u64, EventError> {
        loop {
            let now = self.count.get();
            if now >= count {
                return Ok(now);
            }
            let options = Self::options(count).deadline(deadline);
            let is_early = || self.count.look() < count;
            let parked = at.table.park(at.hash, &at.key, options, is_early);
            if let Some(error) = error(parked) {
                return Err(error);
            }
        }
    }

    /// As [`wait_for_at_least`](Self::wait_for_at_least), as a future. It queues when it is polled
    /// first. Dropping it is safe at any moment, and takes nothing from anybody.
    ///
    /// # Errors
    /// [`EventError::Closed`].
    ///
    /// ```
    /// use slotpark_core::{At, RawEventCounter, Table, finalize};
    /// use std::{pin::pin, task::{Context, Poll, Waker}};
    /// let table = Table::<u64>::new();
    /// let at = At { table: &table, hash: finalize(7), key: 7 };
    /// let events = RawEventCounter::new();
    /// let mut wait = pin!(events.wait_for_at_least_async(at, 1));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(wait.as_mut().poll(&mut context).is_pending());
    /// assert_eq!(events.advance(at, 1), 1);
    /// assert_eq!(wait.as_mut().poll(&mut context), Poll::Ready(Ok(1)));
    /// ```
    #[track_caller]
    pub fn wait_for_at_least_async<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        count: u64,
    ) -> impl Future<Output = Result<u64, EventError>> {
        self.wait_with_async(at, count, Self::options(count))
    }

    /// What an `async fn` would be, which knows no caller.
    async fn wait_with_async<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        count: u64,
        options: ParkOptions,
    ) -> Result<u64, EventError> {
        let is_early = || self.count.look() < count;
        let mut wait = pin!(at.table.wait_async(at.hash, at.key, options, is_early));
        loop {
            let now = self.count.get();
            if now >= count {
                return Ok(now);
            }
            let parked = poll_fn(|context| wait.as_mut().poll(context)).await;
            if let Some(error) = error(parked) {
                return Err(error);
            }
        }
    }

    #[track_caller]
    const fn options(count: u64) -> ParkOptions {
        ParkOptions::new().tag(count).validated()
    }
}

/// Why there is no use in looking again.
fn error(parked: Parked) -> Option<EventError> {
    match parked {
        Parked::Woken { .. } | Parked::Stale => None,
        Parked::TimedOut => Some(EventError::TimedOut),
        Parked::Closed | Parked::Interrupted => Some(EventError::Closed),
    }
}

#[cfg(not(slotpark_loom))]
impl Default for RawEventCounter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RawEventCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RawEventCounter")
            .field(&self.count.look())
            .finish()
    }
}
