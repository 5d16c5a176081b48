//! What the harness asks of implementations of keyed locks, semaphores and single flights, and of
//! their workloads.

use std::future::Future;

use super::{Hung, Row, Sample, Scale};

/// One implementation of locks by key, behind an adapter that adds as little as possible.
pub(crate) trait LockEngine: Send + Sync + Sized + 'static {
    /// The name in reports.
    const NAME: &'static str;

    /// A fresh instance, as it is by default.
    fn new() -> Self;

    /// Blocks until the key's lock is held; what is returned is its guard.
    fn lock(&self, key: u64) -> impl Sized;

    /// Runs the closure while the key's lock is held. Where the implementation has no such form it
    /// is what its user would write: a guard beside the closure.
    #[inline]
    fn with_lock<R>(&self, key: u64, body: impl FnOnce() -> R) -> R {
        let _guard = self.lock(key);
        body()
    }
}

/// One implementation of locks by key for tasks.
pub(crate) trait AsyncLockEngine: Send + Sync + Sized + 'static {
    /// The name in reports.
    const NAME: &'static str;

    /// A fresh instance, as it is by default.
    fn new() -> Self;

    /// Ready when the key's lock is held, with its guard.
    fn lock(&self, key: u64) -> impl Future;
}

/// One semaphore, whose permits threads acquire one by one.
pub(crate) trait PermitEngine: Send + Sync + Sized + 'static {
    /// The name in reports.
    const NAME: &'static str;

    /// A fresh one with so many permits.
    fn new(permits: usize) -> Self;

    /// Blocks until there is a permit; what is returned gives it back.
    fn acquire(&self) -> impl Sized;
}

/// A semaphore for tasks as well.
pub(crate) trait AsyncPermitEngine: PermitEngine {
    /// Ready with a permit, which gives itself back.
    fn acquire_async(&self) -> impl Future;
}

/// One implementation of single flight: of those who ask for a key at the same time, one makes the
/// value and all get it.
pub(crate) trait FlightEngine: Send + Sync + Sized + 'static {
    /// The name in reports.
    const NAME: &'static str;

    /// A fresh instance, as it is by default.
    fn new() -> Self;

    /// The value of the key, made by `make` unless somebody else is making it.
    fn run(&self, key: u64, make: impl FnOnce() -> u64) -> u64;
}

/// What is measured of one of these kinds; how a sample is taken is the part of the kind.
pub(crate) trait Plan: Copy + Send + 'static {
    /// The rows that one sample fills.
    fn rows(&self) -> Vec<Row>;

    /// How many rounds a run of this scale makes.
    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(3, 11)
    }
}

/// What is measured of locks by key, written once for all engines.
pub(crate) trait LockWorkload: Plan {
    /// One sample of one engine, in a process of its own. Threads may be left behind.
    fn sample<E: LockEngine>(&self, scale: &Scale) -> Result<Sample, Hung>;
}

/// What is measured of semaphores, written once for all engines.
pub(crate) trait PermitWorkload: Plan {
    /// One sample of one engine, in a process of its own. Threads may be left behind.
    fn sample<E: PermitEngine>(&self, scale: &Scale) -> Result<Sample, Hung>;
}

/// What is measured of single flights, written once for all engines.
pub(crate) trait FlightWorkload: Plan {
    /// One sample of one engine, in a process of its own. Threads may be left behind.
    fn sample<E: FlightEngine>(&self, scale: &Scale) -> Result<Sample, Hung>;
}
