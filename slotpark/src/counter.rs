//! `EventCounter`: events that are counted, and waits for them.

use std::fmt;
use std::time::{Duration, Instant};

use slotpark_core::{At, Deadline, DefaultPlatform, EventError, RawEventCounter};

use crate::futex::at;
use crate::{FutexKey, until};

/// A count of events in 8 bytes, for threads and tasks. Its waiters wait in the process-wide table:
/// nothing is allocated, ever, and it can stand in a `static`.
///
/// Two uses. Wait until so many events have come:
///
/// ```
/// use slotpark::EventCounter;
/// static DONE: EventCounter = EventCounter::new();
/// std::thread::scope(|scope| {
///     for _ in 0..3 {
///         scope.spawn(|| DONE.advance(1));
///     }
///     assert_eq!(DONE.wait_for_at_least(3), Ok(3));
/// });
/// ```
///
/// Or guard a condition of your own, as an *eventcount*: take a ticket, look, and wait only if you
/// must. No event after the ticket is missed:
///
/// ```
/// use slotpark::EventCounter;
/// use std::sync::Mutex;
/// let (queue, changed) = (Mutex::new(vec![7]), EventCounter::new());
/// let item = loop {
///     let ticket = changed.prepare();
///     if let Some(item) = queue.lock().unwrap().pop() {
///         break item; // the ticket is dropped: nothing to clean up
///     }
///     ticket.wait()?;
/// };
/// assert_eq!(item, 7);
/// # Ok::<_, slotpark::EventError>(())
/// ```
///
/// With nobody waiting, [`advance`](Self::advance) is one addition, one fence and one load. An
/// advance wakes exactly those whose count has come. The count wraps after 2^64 events.
pub struct EventCounter {
    raw: RawEventCounter,
}

impl EventCounter {
    /// No event has come yet.
    ///
    /// ```
    /// assert_eq!(slotpark::EventCounter::new().count(), 0);
    /// assert_eq!(size_of::<slotpark::EventCounter>(), 8);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            raw: RawEventCounter::new(),
        }
    }

    #[inline]
    fn at(&self) -> At<'static, FutexKey, DefaultPlatform> {
        at(FutexKey::of_counter(&self.raw))
    }

    /// How many events have come. What was done before they were announced is visible.
    ///
    /// ```
    /// assert_eq!(slotpark::EventCounter::new().count(), 0);
    /// ```
    #[must_use]
    #[inline]
    pub fn count(&self) -> u64 {
        self.raw.count()
    }

    /// Announces so many events, and wakes those whose count has come; how many these are.
    ///
    /// ```
    /// let events = slotpark::EventCounter::new();
    /// assert_eq!((events.advance(2), events.count()), (0, 2));
    /// ```
    #[inline]
    pub fn advance(&self, events: u64) -> usize {
        self.raw.advance(self.at(), events)
    }

    /// Waits until at least `count` events have come; how many these are.
    ///
    /// # Errors
    /// [`EventError::Closed`], if the process-wide table was closed.
    ///
    /// ```
    /// assert_eq!(slotpark::EventCounter::new().wait_for_at_least(0), Ok(0));
    /// ```
    #[track_caller]
    #[inline]
    pub fn wait_for_at_least(&self, count: u64) -> Result<u64, EventError> {
        self.wait_at(count, || None)
    }

    /// As [`wait_for_at_least`](Self::wait_for_at_least), until `deadline` at the latest.
    ///
    /// # Errors
    /// [`EventError`].
    ///
    /// ```
    /// use slotpark::{EventCounter, EventError};
    /// use std::time::Instant;
    /// let waited = EventCounter::new().wait_for_at_least_until(1, Instant::now());
    /// assert_eq!(waited, Err(EventError::TimedOut));
    /// ```
    #[track_caller]
    pub fn wait_for_at_least_until(
        &self,
        count: u64,
        deadline: Instant,
    ) -> Result<u64, EventError> {
        self.wait_at(count, || until::<DefaultPlatform>(deadline))
    }

    /// As [`wait_for_at_least`](Self::wait_for_at_least), for `timeout` at most.
    ///
    /// # Errors
    /// [`EventError`].
    ///
    /// ```
    /// use std::time::Duration;
    /// let events = slotpark::EventCounter::new();
    /// assert!(events.wait_for_at_least_for(1, Duration::ZERO).is_err());
    /// ```
    #[track_caller]
    pub fn wait_for_at_least_for(&self, count: u64, timeout: Duration) -> Result<u64, EventError> {
        self.wait_at(count, || Deadline::after::<DefaultPlatform>(timeout))
    }

    /// The look comes first: where it is enough, no place is hashed and no clock read.
    #[inline]
    #[track_caller]
    fn wait_at(
        &self,
        count: u64,
        deadline: impl FnOnce() -> Option<Deadline>,
    ) -> Result<u64, EventError> {
        let now = self.count();
        if now >= count {
            return Ok(now);
        }
        self.wait(count, deadline())
    }

    #[cold]
    #[track_caller]
    fn wait(&self, count: u64, deadline: Option<Deadline>) -> Result<u64, EventError> {
        self.raw.wait_for_at_least(self.at(), count, deadline)
    }

    /// As [`wait_for_at_least`](Self::wait_for_at_least), as a future. Dropping it is safe at any
    /// moment, and takes nothing from anybody.
    ///
    /// # Errors
    /// [`EventError::Closed`], if the process-wide table was closed.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let events = slotpark::EventCounter::new();
    /// let _woken = events.advance(1);
    /// assert_eq!(events.wait_for_at_least_async(1).await, Ok(1));
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_for_at_least_async(
        &self,
        count: u64,
    ) -> impl Future<Output = Result<u64, EventError>> {
        self.raw.wait_for_at_least_async(self.at(), count)
    }

    /// A ticket of this moment: look at your condition then, and wait by the ticket if you must.
    ///
    /// ```
    /// let events = slotpark::EventCounter::new();
    /// let ticket = events.prepare();
    /// let _woken = events.advance(1);
    /// assert_eq!(ticket.wait(), Ok(1)); // at once: an event has come since
    /// ```
    #[track_caller]
    pub fn prepare(&self) -> Ticket<'_> {
        Ticket {
            counter: self,
            seen: self.count(),
        }
    }
}

impl Default for EventCounter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EventCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventCounter").field(&self.raw).finish()
    }
}

/// A moment of an [`EventCounter`], from which on no event is missed. It is no waiter: dropping it
/// costs nothing.
///
/// ```
/// let events = slotpark::EventCounter::new();
/// assert_eq!(events.prepare().seen(), 0);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "look at your condition, then wait by it"]
pub struct Ticket<'c> {
    counter: &'c EventCounter,
    seen: u64,
}

impl Ticket<'_> {
    /// The count of that moment.
    ///
    /// ```
    /// assert_eq!(slotpark::EventCounter::new().prepare().seen(), 0);
    /// ```
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Waits until an event has come since; the count then.
    ///
    /// # Errors
    /// [`EventError::Closed`], if the process-wide table was closed.
    ///
    /// ```
    /// let events = slotpark::EventCounter::new();
    /// let ticket = events.prepare();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| events.advance(1));
    ///     assert_eq!(ticket.wait(), Ok(1));
    /// });
    /// ```
    #[track_caller]
    pub fn wait(self) -> Result<u64, EventError> {
        self.counter.wait_for_at_least(self.next())
    }

    /// As [`wait`](Self::wait), until `deadline` at the latest.
    ///
    /// # Errors
    /// [`EventError`].
    ///
    /// ```
    /// use std::time::Instant;
    /// let events = slotpark::EventCounter::new();
    /// assert!(events.prepare().wait_until(Instant::now()).is_err());
    /// ```
    #[track_caller]
    pub fn wait_until(self, deadline: Instant) -> Result<u64, EventError> {
        self.counter.wait_for_at_least_until(self.next(), deadline)
    }

    /// As [`wait`](Self::wait), as a future.
    ///
    /// # Errors
    /// [`EventError::Closed`], if the process-wide table was closed.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let events = slotpark::EventCounter::new();
    /// let ticket = events.prepare();
    /// let _woken = events.advance(1);
    /// assert_eq!(ticket.wait_async().await, Ok(1));
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_async(self) -> impl Future<Output = Result<u64, EventError>> {
        self.counter.wait_for_at_least_async(self.next())
    }

    fn next(&self) -> u64 {
        self.seen.saturating_add(1)
    }
}
