//! Tasks acquire permits.
//!
//! A future that is dropped after permits were granted to it gives them back; one that is dropped
//! in the queue lets those behind it be served.
//!
//! **Lock order**: one slot lock. **Orderings**: PERMIT, and those of `task`.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};

use crate::at::At;
use crate::inspect::Caller;
use crate::platform::Platform;
use crate::semaphore::permits::{Note, Taken};
use crate::semaphore::{AcquireError, RawSemaphore, asked};
use crate::task::Wait;
use crate::waiter::{Ending, Verdict};

impl RawSemaphore {
    /// Waits for `count` permits as [`acquire`](Self::acquire) does, as a future. It queues when it
    /// is polled first.
    ///
    /// **Cancel safety.** Dropping it is safe at any moment and never waits; permits that were
    /// granted to it go to the next.
    ///
    /// # Errors
    /// [`AcquireError::Closed`].
    ///
    /// # Panics
    /// If `count` is greater than [`PERMITS_MAX`](crate::PERMITS_MAX).
    ///
    /// ```
    /// use slotpark_core::{At, RawSemaphore, Table, finalize};
    /// use std::{pin::pin, task::{Context, Poll, Waker}};
    /// let table = Table::<u64>::new();
    /// let at = At { table: &table, hash: finalize(7), key: 7 };
    /// let semaphore = RawSemaphore::new(0);
    /// let mut acquire = pin!(semaphore.acquire_async(at, 1));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(acquire.as_mut().poll(&mut context).is_pending());
    /// semaphore.release(at, 1);
    /// assert_eq!(acquire.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    /// ```
    #[track_caller]
    pub fn acquire_async<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        count: usize,
    ) -> impl Future<Output = Result<(), AcquireError>> {
        self.acquire_async_with(count, move || at)
    }

    /// As [`acquire_async`](Self::acquire_async); `at` is asked only if it has to wait, so that a
    /// key is not hashed for nothing.
    ///
    /// # Errors
    /// [`AcquireError::Closed`].
    ///
    /// # Panics
    /// As [`acquire_async`](Self::acquire_async).
    ///
    /// ```
    /// use slotpark_core::{At, RawSemaphore, Table};
    /// use std::{pin::pin, task::{Context, Poll, Waker}};
    /// let semaphore = RawSemaphore::new(2);
    /// let mut acquire = pin!(semaphore.acquire_async_with(
    ///     2,
    ///     || -> At<'_, u64, slotpark_core::DefaultPlatform> { unreachable!("they are free") },
    /// ));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert_eq!(acquire.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    /// ```
    #[track_caller]
    pub fn acquire_async_with<'t, K: Copy + Eq + 't, P: Platform>(
        &self,
        count: usize,
        at: impl Fn() -> At<'t, K, P>,
    ) -> impl Future<Output = Result<(), AcquireError>> {
        self.acquire_called(count, at, Caller::here())
    }

    /// What an `async fn` would be, which knows no caller.
    async fn acquire_called<'t, K: Copy + Eq + 't, P: Platform>(
        &self,
        count: usize,
        at: impl Fn() -> At<'t, K, P>,
        caller: Caller,
    ) -> Result<(), AcquireError> {
        let mut again = false;
        loop {
            match self.permits.take(asked(count)) {
                Taken::Yes => return Ok(()),
                Taken::Closed => return Err(AcquireError::Closed),
                Taken::No => {}
            }
            let at = at();
            let taken = Note::new();
            let validate = || {
                taken.set(self.permits.take_or_queue(count));
                taken.get() == Taken::No
            };
            let options = Self::options(count).called(caller);
            let wait = pin!(at.table.wait_async(at.hash, at.key, options, validate));
            let mut queued = Queued {
                semaphore: self,
                at,
                count,
                wait,
                is_over: false,
            };
            let parked = poll_fn(|context| {
                let polled = queued.wait.as_mut().poll(context);
                // Who waits again was too late: what is free may be enough for somebody else.
                if polled.is_pending() && core::mem::take(&mut again) {
                    self.serve(at);
                }
                polled
            })
            .await;
            queued.is_over = parked.is_woken() || taken.get() != Taken::No;
            drop(queued);
            if let Some(end) = self.ended(parked, taken.get()) {
                return end;
            }
            again = true;
        }
    }
}

/// A wait that is dropped unless it is over.
struct Queued<'w, 't, K: Copy + Eq, F: FnMut() -> bool, P: Platform> {
    semaphore: &'w RawSemaphore,
    at: At<'t, K, P>,
    count: usize,
    wait: Pin<&'w mut Wait<'t, K, F, P>>,
    /// Nobody has to be served because it goes.
    is_over: bool,
}

impl<K: Copy + Eq, F: FnMut() -> bool, P: Platform> Drop for Queued<'_, '_, K, F, P> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let is_woken = |verdict: Verdict| verdict.ending == Ending::Woken;
        let is_granted = self.wait.as_mut().cancel().is_some_and(is_woken);
        if is_granted && !self.semaphore.permits.is_barging() {
            self.semaphore.release(self.at, self.count);
        } else {
            // Those behind may ask for less, or have its wake.
            self.semaphore.serve(self.at);
        }
    }
}
