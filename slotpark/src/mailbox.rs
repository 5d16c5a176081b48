//! `Mailbox`: values handed to those who wait for a key.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use slotpark_core::{
    DefaultPlatform, ParkOptions, Platform, Receive, ReceiveError, Seeded, SlotCountError,
    Subscribed,
};

use crate::hash_of;

/// Hands values to those who wait for a key: threads and tasks, in the order in which they came.
/// 512 slots by default; nothing is allocated to wait or to deliver, and nothing is stored for keys
/// that nobody waits for.
///
/// Subscribe before you ask, and no answer finds nobody:
///
/// ```
/// use slotpark::{Mailbox, ParkOptions, ReceiveError};
///
/// let replies = Mailbox::<u64, String>::new(); // by the number of the request
/// let reply = std::thread::scope(|scope| {
///     replies.subscribe(&17, ParkOptions::new(), |subscribed| {
///         scope.spawn(|| replies.deliver(&17, "pong".to_string())); // the request goes out
///         subscribed.receive()
///     })
/// });
/// assert_eq!(reply, Ok(Ok("pong".to_string())));
/// assert_eq!(replies.deliver(&17, "late".to_string()), Err("late".to_string()));
/// ```
///
/// **Exactly once.** A value that [`deliver`](Self::deliver) has taken is received by one, or
/// dropped with the last receiver of its key that gave up. Who gives up after a value had come (a
/// future dropped, a thread that returns without receiving) passes it on to the first who waits for
/// the key then, or [takes it back](Subscribed::cancel).
///
/// One value for everybody, or one that waits for a receiver, is state of the key: keep it in a map
/// and let its readers wait by [`ShardedWait`](crate::ShardedWait).
pub struct Mailbox<K, V, S = Seeded, P: Platform = DefaultPlatform> {
    engine: slotpark_core::Mailbox<K, V, P>,
    hasher: S,
}

impl<K, V> Mailbox<K, V> {
    /// 512 slots: 32 KiB, allocated now, and nothing ever after.
    ///
    /// ```
    /// assert_eq!(slotpark::Mailbox::<u64, ()>::new().receivers(&7), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::from_engine(slotpark_core::Mailbox::new(), Seeded::new())
    }

    /// At least `count` slots, rounded up to a power of two.
    ///
    /// # Errors
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert!(slotpark::Mailbox::<u64, ()>::try_with_slots(0).is_err());
    /// ```
    pub fn try_with_slots(count: usize) -> Result<Self, SlotCountError> {
        let engine = slotpark_core::Mailbox::try_with_slots(count)?;
        Ok(Self::from_engine(engine, Seeded::new()))
    }
}

impl<K, V, S, P: Platform> Mailbox<K, V, S, P> {
    /// On a mailbox of the engine, with a hasher of your own.
    ///
    /// ```
    /// use slotpark::Mailbox;
    /// use std::hash::RandomState;
    /// let engine = slotpark::core::Mailbox::<String, u32>::new();
    /// let mailbox = Mailbox::from_engine(engine, RandomState::new());
    /// assert_eq!(mailbox.deliver("nobody", 1), Err(1));
    /// ```
    #[must_use]
    pub const fn from_engine(engine: slotpark_core::Mailbox<K, V, P>, hasher: S) -> Self {
        Self { engine, hasher }
    }

    /// The engine's mailbox, which has `reset_after_fork`.
    ///
    /// ```
    /// assert!(!slotpark::Mailbox::<u64, ()>::new().engine().is_closed());
    /// ```
    #[must_use]
    pub const fn engine(&self) -> &slotpark_core::Mailbox<K, V, P> {
        &self.engine
    }

    /// Ends all receives with [`ReceiveError::Closed`], now and for ever; returns how many. Values
    /// delivered before are still received; afterwards every delivery is given back.
    ///
    /// ```
    /// use slotpark::{Mailbox, ReceiveError};
    /// let mailbox = Mailbox::<u64, ()>::new();
    /// assert_eq!(mailbox.close(), 0);
    /// assert_eq!(mailbox.receive(&7), Err(ReceiveError::Closed));
    /// ```
    pub fn close(&self) -> usize {
        self.engine.close()
    }

    /// Whether the mailbox is closed, or is being closed at this moment.
    ///
    /// ```
    /// assert!(!slotpark::Mailbox::<u64, ()>::new().is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.engine.is_closed()
    }

    /// Ends the receives of all keys that `is_gone` says yes to, in one moment; returns how many.
    /// All slot locks are held while `is_gone` runs, which must not call a table.
    ///
    /// ```
    /// let mailbox = slotpark::Mailbox::<(u32, u64), ()>::new();
    /// let connection = 17;
    /// assert_eq!(mailbox.close_where(|key| key.0 == connection), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn close_where(&self, is_gone: impl FnMut(&K) -> bool) -> usize {
        self.engine.close_where(is_gone)
    }
}

impl<K: Hash + Eq, V, S: BuildHasher, P: Platform> Mailbox<K, V, S, P> {
    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        hash_of(&self.hasher, key)
    }

    /// Moves `value` to the first who waits for `key`. With nobody waiting this is one fence and
    /// one load. What the deliverer did before is visible to the receiver.
    ///
    /// # Errors
    /// The value, if nobody waits for the key.
    ///
    /// # Panics
    /// Passes panics of `Eq` and `Hash` on (the value is dropped), and of a task's Waker (the value
    /// is delivered). In debug builds, if called from a closure that runs under a slot lock.
    ///
    /// ```
    /// assert_eq!(slotpark::Mailbox::<u64, &str>::new().deliver(&7, "back"), Err("back"));
    /// ```
    pub fn deliver<Q>(&self, key: &Q, value: V) -> Result<(), V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.deliver(self.hash(key), key, value)
    }

    /// Waits for a value of `key`.
    ///
    /// # Errors
    /// [`ReceiveError::Closed`].
    ///
    /// # Panics
    /// Passes panics of `Eq` and `Hash` on. In debug builds, if called from a closure that runs
    /// under a slot lock.
    ///
    /// ```
    /// let mailbox = slotpark::Mailbox::<u64, &str>::new();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert_eq!(mailbox.receive(&7), Ok("done")));
    ///     while mailbox.deliver(&7, "done").is_err() {
    ///         std::thread::yield_now(); // nobody waits yet
    ///     }
    /// });
    /// ```
    #[track_caller]
    pub fn receive(&self, key: &K) -> Result<V, ReceiveError> {
        self.receive_with(key, ParkOptions::new())
    }

    /// As [`receive`](Self::receive), with a deadline and an order. A deadline already past returns
    /// without a syscall.
    ///
    /// # Errors
    /// [`ReceiveError`] says why no value came.
    ///
    /// ```
    /// use slotpark::{Deadline, DefaultPlatform, Mailbox, ParkOptions, ReceiveError};
    /// use std::time::Duration;
    /// let soon = Deadline::after::<DefaultPlatform>(Duration::from_micros(10));
    /// let options = ParkOptions::new().deadline(soon);
    /// let received = Mailbox::<u64, ()>::new().receive_with(&7, options);
    /// assert_eq!(received, Err(ReceiveError::TimedOut));
    /// ```
    #[track_caller]
    pub fn receive_with(&self, key: &K, options: ParkOptions) -> Result<V, ReceiveError> {
        self.engine.receive(self.hash(key), key, options)
    }

    /// Queues this thread on `key`, then runs `then`, which asks for the value and receives it by
    /// [`Subscribed::receive`]: however early it comes, it finds this thread. If `then` returns or
    /// panics without receiving, a value that has come is passed on.
    ///
    /// # Errors
    /// [`ReceiveError::Closed`] if the key or the mailbox is closed; `then` has not run.
    ///
    /// ```
    /// use slotpark::{Mailbox, ParkOptions};
    /// let mailbox = Mailbox::<u64, u32>::new();
    /// let answer = mailbox.subscribe(&7, ParkOptions::new(), |subscribed| {
    ///     assert_eq!(mailbox.deliver(&7, 42), Ok(())); // it is queued already
    ///     subscribed.receive()
    /// });
    /// assert_eq!(answer, Ok(Ok(42)));
    /// ```
    #[track_caller]
    pub fn subscribe<R>(
        &self,
        key: &K,
        options: ParkOptions,
        then: impl FnOnce(&mut Subscribed<'_, K, V, P>) -> R,
    ) -> Result<R, ReceiveError> {
        self.engine.subscribe(self.hash(key), key, options, then)
    }

    /// Waits for a value of `key` as a future that owns its key. Nothing happens before the first
    /// poll, or before [`Receive::enable`], after which every value finds it. A deadline is the
    /// caller's timer and [`Receive::time_out`].
    ///
    /// ```
    /// use slotpark::Mailbox;
    /// use std::pin::pin;
    /// # futures_lite::future::block_on(async {
    /// let replies = Mailbox::<u64, &str>::new();
    /// let mut reply = pin!(replies.receive_async(17));
    /// assert_eq!(reply.as_mut().enable(), None); // subscribed
    /// assert_eq!(replies.deliver(&17, "pong"), Ok(())); // asked and answered
    /// assert_eq!(reply.await, Ok("pong"));
    /// # });
    /// ```
    ///
    /// **Cancel safety**: see [`Receive`].
    #[track_caller]
    pub fn receive_async(&self, key: K) -> Receive<'_, K, V, P> {
        let hash = self.hash(&key);
        self.engine.receive_async(hash, key, ParkOptions::new())
    }

    /// How many threads and tasks wait for `key` now.
    ///
    /// ```
    /// assert_eq!(slotpark::Mailbox::<u64, ()>::new().receivers(&7), 0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn receivers<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.receivers(self.hash(key), key)
    }

    /// Ends the receives of `key` as they stand now; returns how many.
    ///
    /// ```
    /// assert_eq!(slotpark::Mailbox::<u64, ()>::new().close_key(&7), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn close_key<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.close_key(self.hash(key), key)
    }
}

impl<K, V, S: Default, P: Platform> Default for Mailbox<K, V, S, P> {
    fn default() -> Self {
        Self::from_engine(slotpark_core::Mailbox::new(), S::default())
    }
}

impl<K, V, S, P: Platform> fmt::Debug for Mailbox<K, V, S, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mailbox").field(&self.engine).finish()
    }
}

slotpark_core::looks_by!(
    [K: Sync, V: Send, S: Send + Sync, P: Platform] Mailbox<K, V, S, P>,
    engine
);

slotpark_core::keys_by!(
    "slotpark::Mailbox::<u64, ()>::new()",
    [K: fmt::Debug, V, S, P: Platform] Mailbox<K, V, S, P>,
    engine
);
