//! The waits of tasks of a guest: `Atomics.waitAsync`.

use std::future::Future;

use slotpark_core::{ParkOptions, Platform};

use super::waits::{Told, aligned};
use crate::{DomainError, DomainOutcome, WaitDomain};

impl<P: Platform> WaitDomain<'_, P> {
    /// As [`wait32`](Self::wait32), as a future, until `timer` is ready at the latest: any
    /// runtime's sleep, or [`pending`](std::future::pending) for ever. It compares and queues when
    /// it is polled first, behind the threads and tasks that wait there already; an engine whose
    /// guest must not miss a notify after the call polls it once before it goes on.
    ///
    /// **Cancel safety.** Dropping it is safe at any moment and never waits. A notify of a given
    /// number that had chosen it goes on to the next.
    ///
    /// # Errors
    /// [`DomainError`].
    ///
    /// # Panics
    /// Passes panics of `load` and of the timer on.
    ///
    /// ```
    /// use slotpark::{DomainOutcome, WaitDomain};
    /// use std::future::pending;
    /// # futures_lite::future::block_on(async {
    /// let domain = WaitDomain::new();
    /// let load = || Ok::<_, &str>(7);
    /// let wait = domain.wait32_async(8, 6, load, pending()).await;
    /// assert_eq!(wait, Ok(DomainOutcome::NotEqual));
    /// let wait = domain.wait32_async(8, 7, load, async {}).await;
    /// assert_eq!(wait, Ok(DomainOutcome::TimedOut));
    /// # });
    /// ```
    #[track_caller]
    pub fn wait32_async<E>(
        &self,
        address: u64,
        expected: u32,
        mut load: impl FnMut() -> Result<u32, E>,
        timer: impl Future<Output = ()>,
    ) -> impl Future<Output = Result<DomainOutcome, DomainError<E>>> {
        let at = (address, size_of::<u32>() as u64);
        let is_equal = move || Ok(load()? == expected);
        self.wait_async(at, ParkOptions::new(), is_equal, timer)
    }

    /// As [`wait32_async`](Self::wait32_async), on a word of 64 bits.
    ///
    /// # Errors
    /// [`DomainError`].
    ///
    /// ```
    /// use slotpark::{DomainError, WaitDomain};
    /// use std::future::pending;
    /// # futures_lite::future::block_on(async {
    /// let domain = WaitDomain::new();
    /// let wait = domain.wait64_async(12, 7, || Ok::<_, &str>(7), pending()).await;
    /// assert_eq!(wait, Err(DomainError::Misaligned));
    /// # });
    /// ```
    #[track_caller]
    pub fn wait64_async<E>(
        &self,
        address: u64,
        expected: u64,
        mut load: impl FnMut() -> Result<u64, E>,
        timer: impl Future<Output = ()>,
    ) -> impl Future<Output = Result<DomainOutcome, DomainError<E>>> {
        let at = (address, size_of::<u64>() as u64);
        let is_equal = move || Ok(load()? == expected);
        self.wait_async(at, ParkOptions::new(), is_equal, timer)
    }

    async fn wait_async<E>(
        &self,
        (address, bytes): (u64, u64),
        options: ParkOptions,
        mut is_equal: impl FnMut() -> Result<bool, E>,
        timer: impl Future<Output = ()>,
    ) -> Told<E> {
        aligned(address, bytes)?;
        let mut refused = Ok(DomainOutcome::NotEqual);
        let look = || self.look(&mut is_equal, &mut refused);
        let (waits, key) = (self.table.waits(), self.key(address));
        let outcome = waits.wait_timed_async(key, options, look, timer).await;
        self.tell(outcome, refused)
    }
}
