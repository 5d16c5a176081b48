//! `KeyedNotify`: events by key, of which nothing is stored.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{DefaultPlatform, Platform, Seeded, SlotCountError};

use crate::{ShardedWait, WaitFuture, WaitOutcome};

/// Events by key, for threads and tasks: a notification ends waits of its key that have begun, and
/// leaves nothing behind. 512 slots by default, whatever the number of keys; nothing is allocated
/// to wait or to notify.
///
/// As a condition variable for every key, without a mutex: look at the condition in
/// [`wait_if`](Self::wait_if), change it before you notify.
///
/// ```
/// use slotpark::KeyedNotify;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// let (changed, ready) = (KeyedNotify::<String>::new(), AtomicBool::new(false));
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         while !ready.load(Ordering::Acquire) {
///             let is_early = || !ready.load(Ordering::Relaxed);
///             let _outcome = changed.wait_if(&"job 7".to_string(), is_early);
///         }
///     });
///     ready.store(true, Ordering::Release); // first change the condition,
///     let _count = changed.notify_all("job 7"); // then notify: 0 says that nobody was there
/// });
/// ```
///
/// Or register first and look then, where the look needs a lock or an await:
///
/// ```
/// use slotpark::{KeyedNotify, WaitOutcome};
/// use std::pin::pin;
/// # futures_lite::future::block_on(async {
/// let changed = KeyedNotify::<u64>::new();
/// # async fn is_ready() -> bool { false }
/// let mut notified = pin!(changed.notified(7));
/// assert_eq!(notified.as_mut().enable(), None); // registered: from here on nothing is missed
/// if !is_ready().await {
///     assert_eq!(changed.notify_one(&7), 1); // somebody else does
///     assert_eq!(notified.await, WaitOutcome::Woken { token: 0 });
/// }
/// # });
/// ```
///
/// **Nothing is stored.** A notification that finds nobody is over, and says so by its count; there
/// is no permit that waits for a waiter to come, as `tokio::sync::Notify` has one. A permit by key
/// is state of that key, which has to live somewhere: keep it where your keys have their state, and
/// look at it in `validate`. For a count of events without keys there is
/// [`EventCounter`](crate::EventCounter).
///
/// **Who is notified** waits at the moment of the call: threads from when their wait queues them,
/// tasks from [`enable`](WaitFuture::enable) or the first poll on, not from when their future is
/// made. Threads and tasks stand in one queue.
///
/// **Giving up.** A future that was notified by [`notify_one`](Self::notify_one) and is dropped
/// before it is polled passes that on to the oldest waiter then; of
/// [`notify_last`](Self::notify_last) to the youngest; of [`notify_all`](Self::notify_all) to
/// nobody. A wait that a notification has counted never times out.
///
/// It is a [`ShardedWait`] of its own under other names, which [`waits`](Self::waits) shows for
/// whatever is not here: bitsets, several keys, interrupts, requeues, closing of a key for good.
pub struct KeyedNotify<K, S = Seeded, P: Platform = DefaultPlatform> {
    waits: ShardedWait<K, S, P>,
}

/// A wait for a notification as a future: made by [`KeyedNotify::notified`].
pub type Notified<'n, K, P = DefaultPlatform> = WaitFuture<'n, K, fn() -> bool, P>;

/// The `validate` of who has nothing to look at.
fn always() -> bool {
    true
}

impl<K> KeyedNotify<K> {
    /// 512 slots: 32 KiB, allocated now, and nothing ever after.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedNotify::<u64>::new().waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::from_waits(ShardedWait::new())
    }

    /// At least `count` slots, rounded up to a power of two.
    ///
    /// # Errors
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert!(slotpark::KeyedNotify::<u64>::try_with_slots(0).is_err());
    /// ```
    pub fn try_with_slots(count: usize) -> Result<Self, SlotCountError> {
        ShardedWait::try_with_slots(count).map(Self::from_waits)
    }
}

impl<K, S, P: Platform> KeyedNotify<K, S, P> {
    /// On waits of your choice: with a hasher or a platform of your own, or over static slots.
    ///
    /// ```
    /// use slotpark::{KeyedNotify, ShardedWait, Slots};
    /// static SLOTS: Slots<u64, 64> = Slots::new();
    /// static CHANGED: KeyedNotify<u64> = KeyedNotify::from_waits(ShardedWait::over(&SLOTS));
    /// assert_eq!(CHANGED.notify_all(&7), 0);
    /// ```
    #[must_use]
    pub const fn from_waits(waits: ShardedWait<K, S, P>) -> Self {
        Self { waits }
    }

    /// The waits beneath, for whatever is not here. Their wakes are notifications.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedNotify::<u64>::new().waits().slots(), 512);
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn waits(&self) -> &ShardedWait<K, S, P> {
        &self.waits
    }

    /// Ends all waits with `Closed`, now and for ever; returns how many. No wait that has begun or
    /// will begin sleeps after this.
    ///
    /// ```
    /// use slotpark::{KeyedNotify, WaitOutcome};
    /// let changed = KeyedNotify::<u64>::new();
    /// assert_eq!(changed.close(), 0);
    /// assert_eq!(changed.wait(&7), WaitOutcome::Closed);
    /// ```
    pub fn close(&self) -> usize {
        self.waits.close()
    }

    /// Whether it is closed, or is being closed at this moment.
    ///
    /// ```
    /// assert!(!slotpark::KeyedNotify::<u64>::new().is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.waits.is_closed()
    }
}

impl<K: Hash + Eq, S: BuildHasher, P: Platform> KeyedNotify<K, S, P> {
    /// Ends the wait of `key` that began first; returns 1, or 0 if nobody was there. With nobody
    /// there it is one fence and one load. What was done before is visible to who is notified.
    ///
    /// # Panics
    /// Passes panics of `Eq` and `Hash` on, and of a task's Waker (which is notified). In debug
    /// builds, if called from a closure that runs under a slot lock. So do the others.
    ///
    /// ```
    /// let changed = slotpark::KeyedNotify::<String>::new();
    /// assert_eq!(changed.notify_one("nobody"), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn notify_one<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.waits.wake_one(key)
    }

    /// Ends the wait of `key` that began last, whose thread or task is the likeliest to find its
    /// data in the caches; returns 1, or 0 if nobody was there. Who began first may wait for ever.
    ///
    /// ```
    /// use slotpark::{KeyedNotify, WaitOutcome};
    /// use std::pin::pin;
    /// let changed = KeyedNotify::<u64>::new();
    /// let (mut old, mut young) = (pin!(changed.notified(7)), pin!(changed.notified(7)));
    /// assert_eq!((old.as_mut().enable(), young.as_mut().enable()), (None, None));
    /// assert_eq!(changed.notify_last(&7), 1);
    /// assert_eq!(young.as_mut().time_out(), WaitOutcome::Woken { token: 0 });
    /// assert_eq!(old.as_mut().time_out(), WaitOutcome::TimedOut);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn notify_last<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.waits.wake_last(key)
    }

    /// Ends all waits of `key` as they stand now; returns how many. Those who come back during the
    /// call are not notified by it.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedNotify::<u64>::new().notify_all(&7), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn notify_all<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.waits.wake_all(key)
    }

    /// Waits for a notification of `key`: `Woken`, or `Closed`. One that comes before this has
    /// queued the thread is missed; with a condition to look at, use [`wait_if`](Self::wait_if).
    ///
    /// ```
    /// let changed = slotpark::KeyedNotify::<u64>::new();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert!(changed.wait(&7).is_woken()));
    ///     while changed.notify_one(&7) == 0 {
    ///         std::thread::yield_now(); // nobody waits yet
    ///     }
    /// });
    /// ```
    #[inline]
    #[track_caller]
    pub fn wait(&self, key: &K) -> WaitOutcome {
        self.wait_if(key, always)
    }

    /// Waits for a notification of `key`, if `validate` says that there is something to wait for;
    /// else it returns `Stale` at once. `validate` runs outside and under the lock of the key's
    /// slot, as that of [`ShardedWait::wait`] does: no notification falls between its second run
    /// and the moment when it finds this thread.
    ///
    /// # Panics
    /// Passes panics of `validate` and of `K`'s `Eq` and `Hash` on.
    ///
    /// ```
    /// use slotpark::{KeyedNotify, WaitOutcome};
    /// assert_eq!(KeyedNotify::<u64>::new().wait_if(&7, || false), WaitOutcome::Stale);
    /// ```
    #[inline]
    #[track_caller]
    pub fn wait_if(&self, key: &K, validate: impl FnMut() -> bool) -> WaitOutcome {
        self.waits.wait(key, validate)
    }

    /// As [`wait_if`](Self::wait_if), until `deadline` at the latest.
    ///
    /// ```
    /// use slotpark::{KeyedNotify, WaitOutcome};
    /// use std::time::Instant;
    /// let changed = KeyedNotify::<u64>::new();
    /// assert_eq!(changed.wait_until(&7, || true, Instant::now()), WaitOutcome::TimedOut);
    /// ```
    #[inline]
    #[track_caller]
    pub fn wait_until(
        &self,
        key: &K,
        validate: impl FnMut() -> bool,
        deadline: Instant,
    ) -> WaitOutcome {
        self.waits.wait_until(key, validate, deadline)
    }

    /// As [`wait_if`](Self::wait_if), for `timeout` at most.
    ///
    /// ```
    /// use slotpark::{KeyedNotify, WaitOutcome};
    /// use std::time::Duration;
    /// let changed = KeyedNotify::<u64>::new();
    /// let outcome = changed.wait_for(&7, || true, Duration::from_micros(10));
    /// assert_eq!(outcome, WaitOutcome::TimedOut);
    /// ```
    #[inline]
    #[track_caller]
    pub fn wait_for(
        &self,
        key: &K,
        validate: impl FnMut() -> bool,
        timeout: Duration,
    ) -> WaitOutcome {
        self.waits.wait_for(key, validate, timeout)
    }

    /// Waits for a notification of `key` as a future that owns its key. It is not there for
    /// notifications before its first poll, or before [`enable`](WaitFuture::enable); a deadline is
    /// the caller's timer and [`time_out`](WaitFuture::time_out).
    ///
    /// ```
    /// use slotpark::{KeyedNotify, Notified};
    /// use std::pin::pin;
    /// let changed = KeyedNotify::<u64>::new();
    /// let mut notified: std::pin::Pin<&mut Notified<'_, u64>> = pin!(changed.notified(7));
    /// assert_eq!(changed.notify_one(&7), 0); // not registered yet
    /// assert_eq!(notified.as_mut().enable(), None);
    /// assert_eq!(changed.notify_one(&7), 1);
    /// # futures_lite::future::block_on(async {
    /// assert!(notified.await.is_woken());
    /// # });
    /// ```
    ///
    /// **Cancel safety**: dropped after `notify_one` or `notify_last`, it passes that on; see
    /// [`WaitFuture`].
    #[track_caller]
    pub fn notified(&self, key: K) -> Notified<'_, K, P> {
        self.waits.wait_async(key, always as fn() -> bool)
    }

    /// How many threads and tasks wait for `key` at this moment, exactly.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedNotify::<u64>::new().waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.waits.waiters(key)
    }

    /// Ends the waits of `key` as they stand now with `Closed`; returns how many.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedNotify::<u64>::new().close_key(&7), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn close_key<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.waits.close_key(key)
    }
}

impl<K, S: Default, P: Platform> Default for KeyedNotify<K, S, P> {
    fn default() -> Self {
        Self::from_waits(ShardedWait::default())
    }
}

impl<K, S, P: Platform> fmt::Debug for KeyedNotify<K, S, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyedNotify").field(&self.waits).finish()
    }
}

slotpark_core::looks_by!([K: Sync, S: Send + Sync, P: Platform] KeyedNotify<K, S, P>, waits);

slotpark_core::keys_by!(
    "slotpark::KeyedNotify::<u64>::new()",
    [K: fmt::Debug, S, P: Platform] KeyedNotify<K, S, P>,
    waits
);
