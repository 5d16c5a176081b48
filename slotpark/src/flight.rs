//! `SingleFlight`: of those who want one value at a time, one makes it.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{
    Deadline, DefaultPlatform, FlightError, Flying, Platform, Seeded, SlotCountError,
};

use crate::{hash_of, until};

/// Of those who want the value of a key at the same time, one makes it and all have it: a cache
/// that is asked by a thousand for what it lacks asks its source once. Threads and tasks alike; 512
/// slots by default, and nothing is allocated for a key.
///
/// ```
/// use slotpark::SingleFlight;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let pages = SingleFlight::<String, String>::new();
/// let requests = AtomicU32::new(0);
/// let fetch = || {
///     requests.fetch_add(1, Ordering::Relaxed);
///     while pages.waiters("/") < 2 {
///         std::thread::yield_now(); // a slow source: others ask meanwhile
///     }
///     "page".to_string()
/// };
/// std::thread::scope(|scope| {
///     for _ in 0..3 {
///         scope.spawn(|| assert_eq!(pages.run(&"/".to_string(), fetch), "page"));
///     }
/// });
/// assert_eq!(requests.into_inner(), 1);
/// ```
///
/// **Who leads** is the first who comes for a key; who comes while it makes the value follows, and
/// gets a clone of it. Who waits when it comes back with the value has that; who comes later may,
/// or leads anew. Values are not kept: keep them in a map if they are worth it.
///
/// **Nobody waits for ever.** A leader that fails keeps its error for itself; then, as after one
/// that panics or whose future is dropped, the next who follows leads, and makes the value by its
/// own closure or future. Who wants to know whether it led looks whether that has run.
///
/// **What runs where.** What makes the value runs outside all locks and may use other keys; the
/// same key again waits for itself. `V::clone` runs outside all locks too, on the leader's thread,
/// where up to 16 clones lie on the stack: for what is large or dear to clone use an `Arc`.
///
/// # Panics
/// All operations: in debug builds, if called from a closure that runs under a slot lock; and with
/// panics of `Eq` and `Hash`, before anybody leads or waits because of the call.
pub struct SingleFlight<K, V, S = Seeded, P: Platform = DefaultPlatform> {
    engine: slotpark_core::SingleFlight<K, V, P>,
    hasher: S,
}

impl<K, V> SingleFlight<K, V> {
    /// 512 slots: 32 KiB, allocated now, and nothing ever after.
    ///
    /// ```
    /// assert_eq!(slotpark::SingleFlight::<u64, ()>::new().waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::from_engine(slotpark_core::SingleFlight::new(), Seeded::new())
    }

    /// At least `count` slots, rounded up to a power of two.
    ///
    /// # Errors
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert!(slotpark::SingleFlight::<u64, ()>::try_with_slots(0).is_err());
    /// ```
    pub fn try_with_slots(count: usize) -> Result<Self, SlotCountError> {
        let engine = slotpark_core::SingleFlight::try_with_slots(count)?;
        Ok(Self::from_engine(engine, Seeded::new()))
    }
}

impl<K, V, S, P: Platform> SingleFlight<K, V, S, P> {
    /// On flights of the engine, with a hasher of your own.
    ///
    /// ```
    /// use slotpark::SingleFlight;
    /// use std::hash::RandomState;
    /// let engine = slotpark::core::SingleFlight::<String, u32>::new();
    /// let flights = SingleFlight::from_engine(engine, RandomState::new());
    /// assert_eq!(flights.run(&"answer".to_string(), || 42), 42);
    /// ```
    #[must_use]
    pub const fn from_engine(engine: slotpark_core::SingleFlight<K, V, P>, hasher: S) -> Self {
        Self { engine, hasher }
    }

    /// The engine's flights, which have `reset_after_fork`.
    ///
    /// ```
    /// let flights = slotpark::SingleFlight::<u64, u32>::new();
    /// assert!(!flights.engine().is_flying(1, &7));
    /// ```
    #[must_use]
    pub const fn engine(&self) -> &slotpark_core::SingleFlight<K, V, P> {
        &self.engine
    }
}

impl<K: Hash + Eq, V, S: BuildHasher, P: Platform> SingleFlight<K, V, S, P> {
    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        hash_of(&self.hasher, key)
    }

    /// Whether somebody makes the value of `key` now.
    ///
    /// ```
    /// let flights = slotpark::SingleFlight::<u64, bool>::new();
    /// assert!(flights.run(&7, || flights.is_flying(&7)));
    /// assert!(!flights.is_flying(&7));
    /// ```
    #[must_use]
    pub fn is_flying<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.is_flying(self.hash(key), key)
    }

    /// How many threads and tasks wait for who makes the value of `key` now.
    ///
    /// ```
    /// assert_eq!(slotpark::SingleFlight::<u64, ()>::new().waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.waiters(self.hash(key), key)
    }
}

impl<K: Hash + Eq, V: Clone, S: BuildHasher, P: Platform> SingleFlight<K, V, S, P> {
    /// The value of `key`: of `f` if nobody makes one now, else a clone of what is made. `f` is
    /// dropped without having run if another's value comes. The key is borrowed.
    ///
    /// # Panics
    /// With panics of `f` and of `V::clone`, and as the type says.
    ///
    /// ```
    /// assert_eq!(slotpark::SingleFlight::<u64, u32>::new().run(&7, || 42), 42);
    /// ```
    #[track_caller]
    pub fn run(&self, key: &K, f: impl FnOnce() -> V) -> V {
        match self.fly(key, None, || Ok::<_, Infallible>(f())) {
            Ok(value) => value,
            Err(error) => unreachable!("no deadline and no failure, and yet: {error}"),
        }
    }

    /// As [`run`](Self::run), with an `f` that may fail: its error is this call's alone, and the
    /// next who waits for the key runs its own.
    ///
    /// # Errors
    /// What `f` returns, if this call led.
    ///
    /// ```
    /// let flights = slotpark::SingleFlight::<u64, u32>::new();
    /// assert_eq!(flights.try_run(&7, || Err("no such thing")), Err("no such thing"));
    /// assert_eq!(flights.try_run(&7, || Ok::<_, &str>(42)), Ok(42));
    /// ```
    #[track_caller]
    pub fn try_run<E>(&self, key: &K, f: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        self.fly(key, None, f).map_err(|error| match error {
            FlightError::Failed(error) => error,
            _ => unreachable!("a flight timed out without a deadline"),
        })
    }

    /// As [`run`](Self::run), but waits for the value of another until the deadline at most. One
    /// already past costs no syscall. It does not end an `f` that runs.
    ///
    /// # Errors
    /// [`FlightError::TimedOut`]; then `f` has not run.
    ///
    /// ```
    /// use slotpark::{FlightError, SingleFlight};
    /// use std::time::Instant;
    /// let flights = SingleFlight::<u64, u32>::new();
    /// flights.run(&7, || {
    ///     let impatient = flights.run_until(&7, Instant::now(), || 1);
    ///     assert_eq!(impatient, Err(FlightError::TimedOut)); // this is made already
    ///     42
    /// });
    /// ```
    #[track_caller]
    pub fn run_until(
        &self,
        key: &K,
        deadline: Instant,
        f: impl FnOnce() -> V,
    ) -> Result<V, FlightError> {
        self.try_run_until(key, deadline, || Ok(f()))
    }

    /// As [`run_until`](Self::run_until), for a duration from now.
    ///
    /// # Errors
    /// [`FlightError::TimedOut`]; then `f` has not run.
    ///
    /// ```
    /// use std::time::Duration;
    /// let flights = slotpark::SingleFlight::<u64, u32>::new();
    /// assert_eq!(flights.run_for(&7, Duration::from_secs(1), || 42), Ok(42));
    /// ```
    #[track_caller]
    pub fn run_for(
        &self,
        key: &K,
        timeout: Duration,
        f: impl FnOnce() -> V,
    ) -> Result<V, FlightError> {
        self.try_run_for(key, timeout, || Ok(f()))
    }

    /// As [`try_run`](Self::try_run), with a deadline as for [`run_until`](Self::run_until).
    ///
    /// # Errors
    /// [`FlightError`] says whether `f` has run.
    ///
    /// ```
    /// use slotpark::{FlightError, SingleFlight};
    /// use std::time::Instant;
    /// let flights = SingleFlight::<u64, u32>::new();
    /// let failed = flights.try_run_until(&7, Instant::now(), || Err("no such thing"));
    /// assert_eq!(failed, Err(FlightError::Failed("no such thing")));
    /// ```
    #[track_caller]
    pub fn try_run_until<E>(
        &self,
        key: &K,
        deadline: Instant,
        f: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, FlightError<E>> {
        self.fly(key, until::<P>(deadline), f)
    }

    /// As [`try_run_until`](Self::try_run_until), for a duration from now.
    ///
    /// # Errors
    /// [`FlightError`] says whether `f` has run.
    ///
    /// ```
    /// use std::time::Duration;
    /// let flights = slotpark::SingleFlight::<u64, u32>::new();
    /// assert_eq!(flights.try_run_for(&7, Duration::ZERO, || Ok::<_, ()>(42)), Ok(42));
    /// ```
    #[track_caller]
    pub fn try_run_for<E>(
        &self,
        key: &K,
        timeout: Duration,
        f: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, FlightError<E>> {
        self.fly(key, Deadline::after::<P>(timeout), f)
    }

    #[track_caller]
    fn fly<E>(
        &self,
        key: &K,
        deadline: Option<Deadline>,
        f: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, FlightError<E>> {
        self.engine.fly(self.hash(key), key, deadline, f)
    }

    /// As [`run`](Self::run), as a task. The future owns its key; `future` is polled only if this
    /// one leads. A deadline is the caller's timer: drop the future.
    ///
    /// **Cancel safety**: see [`Flying`]; who follows a leader that is dropped leads next.
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let flights = slotpark::SingleFlight::<u64, u32>::new();
    /// assert_eq!(flights.run_async(7, async { 42 }).await, 42);
    /// # });
    /// ```
    #[track_caller]
    pub fn run_async<F>(
        &self,
        key: K,
        future: F,
    ) -> impl Future<Output = V> + use<'_, K, V, S, P, F>
    where
        F: Future<Output = V>,
    {
        let flying = self.try_run_async(key, async { Ok::<_, Infallible>(future.await) });
        async {
            match flying.await {
                Ok(value) => value,
                Err(never) => match never {},
            }
        }
    }

    /// As [`try_run`](Self::try_run), as a task; else as [`run_async`](Self::run_async).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let flights = slotpark::SingleFlight::<u64, u32>::new();
    /// let fails = async { Err("no such thing") };
    /// assert_eq!(flights.try_run_async(7, fails).await, Err("no such thing"));
    /// # });
    /// ```
    #[track_caller]
    pub fn try_run_async<E, F>(&self, key: K, future: F) -> Flying<'_, K, V, F, P>
    where
        F: Future<Output = Result<V, E>>,
    {
        let hash = self.hash(&key);
        self.engine.fly_async(hash, key, future)
    }
}

impl<K, V> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V, S, P: Platform> fmt::Debug for SingleFlight<K, V, S, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

slotpark_core::looks_by!(
    [K: Sync, V: Send, S: Send + Sync, P: Platform] SingleFlight<K, V, S, P>,
    engine
);

slotpark_core::keys_by!(
    "slotpark::SingleFlight::<u64, ()>::new()",
    [K: fmt::Debug, V, S, P: Platform] SingleFlight<K, V, S, P>,
    engine
);
