//! `Semaphore`: counted permits in one word.

use std::fmt;
use std::time::{Duration, Instant};

use slotpark_core::{AcquireError, At, Deadline, DefaultPlatform, RawSemaphore, TryAcquireError};

use crate::futex::at;
use crate::{FutexKey, until};

/// A counting semaphore of one word, for threads and tasks. Its waiters wait in the process-wide
/// table: nothing is allocated, ever, and it can stand in a `static`.
///
/// ```
/// use slotpark::Semaphore;
/// static CONNECTIONS: Semaphore = Semaphore::new(2);
/// let permit = CONNECTIONS.acquire()?;
/// assert_eq!(CONNECTIONS.available(), 1);
/// drop(permit);
/// assert_eq!(CONNECTIONS.available(), 2);
/// # Ok::<_, slotpark::AcquireError>(())
/// ```
///
/// **Fair** ([`new`](Self::new)): permits go to those who wait in the order in which they came.
/// Who asks for many is not overtaken by those who ask for few, and nobody takes a free permit past
/// a waiter. What is granted is taken before its owner wakes: a future that is granted a permit and
/// not polled keeps it, and others wait ("futurelock"). **Barging** ([`barging`](Self::barging)):
/// who comes first takes what is free, and a woken waiter tries again; that is faster under
/// contention, nobody is promised anything, and a future that is not polled holds nothing.
///
/// With nobody waiting, acquire and release are one compare-exchange each.
pub struct Semaphore {
    raw: RawSemaphore,
}

impl Semaphore {
    /// A fair semaphore of so many permits.
    ///
    /// # Panics
    /// If `permits` is greater than [`PERMITS_MAX`](crate::PERMITS_MAX).
    ///
    /// ```
    /// assert_eq!(slotpark::Semaphore::new(3).available(), 3);
    /// assert_eq!(size_of::<slotpark::Semaphore>(), size_of::<usize>());
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn new(permits: usize) -> Self {
        Self {
            raw: RawSemaphore::new(permits),
        }
    }

    /// A barging semaphore of so many permits.
    ///
    /// # Panics
    /// If `permits` is greater than [`PERMITS_MAX`](crate::PERMITS_MAX).
    ///
    /// ```
    /// assert_eq!(slotpark::Semaphore::barging(3).available(), 3);
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn barging(permits: usize) -> Self {
        Self {
            raw: RawSemaphore::barging(permits),
        }
    }

    fn at(&self) -> At<'static, FutexKey, DefaultPlatform> {
        at(FutexKey::of_semaphore(&self.raw))
    }

    /// How many permits are free at this moment; 0 also while some are owed.
    ///
    /// ```
    /// assert_eq!(slotpark::Semaphore::new(3).available(), 3);
    /// ```
    #[must_use]
    pub fn available(&self) -> usize {
        self.raw.available()
    }

    /// Whether it is closed.
    ///
    /// ```
    /// assert!(!slotpark::Semaphore::new(3).is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.raw.is_closed()
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`AcquireError::Closed`].
    ///
    /// ```
    /// let semaphore = slotpark::Semaphore::new(1);
    /// assert!(semaphore.acquire().is_ok());
    /// ```
    #[track_caller]
    #[inline]
    pub fn acquire(&self) -> Result<Permit<'_>, AcquireError> {
        self.acquire_many(1)
    }

    /// Waits for `count` permits, and takes all of them at one moment. More than the semaphore will
    /// ever have never come, and those who wait behind in a fair one wait as long.
    ///
    /// # Errors
    /// [`AcquireError::Closed`].
    ///
    /// # Panics
    /// If `count` is greater than [`PERMITS_MAX`](crate::PERMITS_MAX).
    ///
    /// ```
    /// let semaphore = slotpark::Semaphore::new(3);
    /// assert_eq!(semaphore.acquire_many(2).map(|permit| permit.count()), Ok(2));
    /// ```
    #[inline]
    #[track_caller]
    pub fn acquire_many(&self, count: usize) -> Result<Permit<'_>, AcquireError> {
        self.acquire_at(count, || None)
    }

    /// As [`acquire_many`](Self::acquire_many), until `deadline` at the latest.
    ///
    /// # Errors
    /// [`AcquireError`].
    ///
    /// # Panics
    /// If `count` is greater than [`PERMITS_MAX`](crate::PERMITS_MAX).
    ///
    /// ```
    /// use slotpark::{AcquireError, Semaphore};
    /// use std::time::Instant;
    /// let semaphore = Semaphore::new(0);
    /// let acquired = semaphore.acquire_until(1, Instant::now());
    /// assert_eq!(acquired.err(), Some(AcquireError::TimedOut));
    /// ```
    #[track_caller]
    pub fn acquire_until(
        &self,
        count: usize,
        deadline: Instant,
    ) -> Result<Permit<'_>, AcquireError> {
        self.acquire_at(count, || until::<DefaultPlatform>(deadline))
    }

    /// As [`acquire_many`](Self::acquire_many), for `timeout` at most.
    ///
    /// # Errors
    /// [`AcquireError`].
    ///
    /// # Panics
    /// If `count` is greater than [`PERMITS_MAX`](crate::PERMITS_MAX).
    ///
    /// ```
    /// use std::time::Duration;
    /// let semaphore = slotpark::Semaphore::new(0);
    /// assert!(semaphore.acquire_for(1, Duration::ZERO).is_err());
    /// ```
    #[track_caller]
    pub fn acquire_for(&self, count: usize, timeout: Duration) -> Result<Permit<'_>, AcquireError> {
        self.acquire_at(count, || Deadline::after::<DefaultPlatform>(timeout))
    }

    /// The look comes first: where permits are free, no place is hashed and no clock read.
    #[inline]
    #[track_caller]
    fn acquire_at(
        &self,
        count: usize,
        deadline: impl FnOnce() -> Option<Deadline>,
    ) -> Result<Permit<'_>, AcquireError> {
        if self.raw.try_acquire(count).is_err() {
            self.wait(count, deadline())?;
        }
        Ok(self.permit(count))
    }

    #[cold]
    #[track_caller]
    fn wait(&self, count: usize, deadline: Option<Deadline>) -> Result<(), AcquireError> {
        self.raw.acquire(self.at(), count, deadline)
    }

    /// For what was just acquired.
    #[inline]
    fn permit(&self, count: usize) -> Permit<'_> {
        Permit {
            semaphore: self,
            count,
        }
    }

    /// Takes `count` permits at once, or none.
    ///
    /// # Errors
    /// [`TryAcquireError`].
    ///
    /// # Panics
    /// If `count` is greater than [`PERMITS_MAX`](crate::PERMITS_MAX).
    ///
    /// ```
    /// use slotpark::{Semaphore, TryAcquireError};
    /// let semaphore = Semaphore::new(1);
    /// assert_eq!(semaphore.try_acquire(2).err(), Some(TryAcquireError::NoPermits));
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_acquire(&self, count: usize) -> Result<Permit<'_>, TryAcquireError> {
        self.raw.try_acquire(count)?;
        Ok(self.permit(count))
    }

    /// Waits for `count` permits as a future. It queues when it is polled first.
    ///
    /// **Cancel safety.** Dropping it is safe at any moment and never waits; permits that were
    /// granted to it go to the next. A deadline is the caller's timer: whichever is ready first,
    /// nothing is lost.
    ///
    /// # Errors
    /// [`AcquireError::Closed`].
    ///
    /// # Panics
    /// If `count` is greater than [`PERMITS_MAX`](crate::PERMITS_MAX).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let semaphore = slotpark::Semaphore::new(1);
    /// let permit = semaphore.acquire_async(1).await;
    /// assert_eq!(semaphore.available(), 0);
    /// drop(permit);
    /// assert_eq!(semaphore.available(), 1);
    /// # });
    /// ```
    #[track_caller]
    pub fn acquire_async(
        &self,
        count: usize,
    ) -> impl Future<Output = Result<Permit<'_>, AcquireError>> {
        let acquired = self.raw.acquire_async_with(count, || self.at());
        async move {
            acquired.await?;
            Ok(self.permit(count))
        }
    }

    /// Gives `count` permits more, to those who wait first: new ones, or such as were acquired by a
    /// permit that was [forgotten](Permit::forget).
    ///
    /// # Panics
    /// If more than [`PERMITS_MAX`](crate::PERMITS_MAX) would be free; nothing is given then.
    ///
    /// ```
    /// let semaphore = slotpark::Semaphore::new(0);
    /// semaphore.release(2);
    /// assert_eq!(semaphore.available(), 2);
    /// ```
    #[inline]
    #[track_caller]
    pub fn release(&self, count: usize) {
        self.raw.release_with(count, || self.at());
    }

    /// Takes `count` permits away for good, also such that are not free: those are owed, and the
    /// next releases pay for them first. With [`release`](Self::release) it resizes the semaphore.
    ///
    /// # Panics
    /// If `count` is greater than [`PERMITS_MAX`](crate::PERMITS_MAX), or so many would be owed.
    ///
    /// ```
    /// let semaphore = slotpark::Semaphore::new(3);
    /// semaphore.forget(1);
    /// assert_eq!(semaphore.available(), 2);
    /// ```
    #[track_caller]
    pub fn forget(&self, count: usize) {
        self.raw.forget(count);
    }

    /// Ends all waits with [`AcquireError::Closed`], now and for ever; returns how many. Permits
    /// that are out can still be released.
    ///
    /// ```
    /// use slotpark::{AcquireError, Semaphore};
    /// let semaphore = Semaphore::new(1);
    /// assert_eq!(semaphore.close(), 0);
    /// assert_eq!(semaphore.acquire().err(), Some(AcquireError::Closed));
    /// ```
    pub fn close(&self) -> usize {
        self.raw.close(self.at())
    }
}

impl fmt::Debug for Semaphore {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Semaphore").field(&self.raw).finish()
    }
}

/// Permits that are held, and released when this is dropped.
///
/// ```
/// let semaphore = slotpark::Semaphore::new(3);
/// let permit = semaphore.try_acquire(2);
/// assert_eq!((permit.map(|permit| permit.count()), semaphore.available()), (Ok(2), 3));
/// ```
#[must_use = "it is released when it is dropped"]
#[derive(Debug)]
pub struct Permit<'s> {
    semaphore: &'s Semaphore,
    count: usize,
}

impl Permit<'_> {
    /// How many permits these are.
    ///
    /// ```
    /// let semaphore = slotpark::Semaphore::new(3);
    /// assert_eq!(semaphore.try_acquire(2).map(|permit| permit.count()), Ok(2));
    /// ```
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Keeps the permits: nobody gets them back by this object. Release them by
    /// [`Semaphore::release`], or do not.
    ///
    /// ```
    /// let semaphore = slotpark::Semaphore::new(3);
    /// semaphore.try_acquire(2).map(|permit| permit.forget());
    /// assert_eq!(semaphore.available(), 1);
    /// ```
    pub fn forget(self) {
        std::mem::forget(self);
    }

    /// Splits off `count` of them; `None` if there are not so many.
    ///
    /// ```
    /// let semaphore = slotpark::Semaphore::new(3);
    /// let mut permit = semaphore.try_acquire(3)?;
    /// let two = permit.split(2);
    /// assert_eq!((permit.count(), two.map(|two| two.count())), (1, Some(2)));
    /// # Ok::<_, slotpark::TryAcquireError>(())
    /// ```
    pub fn split(&mut self, count: usize) -> Option<Self> {
        self.count = self.count.checked_sub(count)?;
        Some(Self {
            semaphore: self.semaphore,
            count,
        })
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.release(self.count);
    }
}
