//! `Barrier`: members of a key wait for each other.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{
    BarrierOutcome, Deadline, DefaultPlatform, KeyedOptions, Member, MemberWait, Platform,
    PoolStats, Seeded, SlotCountError,
};

use crate::{hash_of, until};

/// Barriers by key: the members of a key, threads and tasks, wait for each other, phase by phase.
/// Members come and go as they like; a key without members costs nothing.
///
/// ```
/// use slotpark::Barrier;
///
/// let rounds = Barrier::<u64>::new();
/// let players: Vec<_> = (0..3).map(|_| rounds.register(17)).collect();
/// std::thread::scope(|scope| {
///     for mut player in players {
///         scope.spawn(move || {
///             for _round in 0..10 {
///                 // .. each does its part, then
///                 if player.wait().is_leader() {
///                     // one of them all, once per round
///                 }
///             }
///         });
///     }
/// });
/// assert_eq!(rounds.members(&17), 0);
/// ```
///
/// **A phase is complete** when all who are members have arrived. Who is registered meanwhile is
/// awaited too; who is dropped is not any more, and that may complete it. Each phase has one
/// leader: the last to arrive, or, when the last one awaited was dropped, the first of those who
/// wait.
///
/// **A deadline** that passes, or a future that is dropped, takes the arrival back exactly: either
/// the phase was complete with this member, or nobody passes without it.
///
/// Nothing is allocated to wait. A member takes a place of a pool of
/// [`POOL_DEFAULT`](crate::POOL_DEFAULT), and one allocation if all are taken, unless the
/// [options](KeyedOptions) say otherwise.
///
/// # Panics
/// All operations: in debug builds, if called from a closure that runs under a slot lock; and with
/// panics of `Eq` and `Hash`, before anything has changed.
pub struct Barrier<K, S = Seeded, P: Platform = DefaultPlatform> {
    engine: slotpark_core::Barrier<K, P>,
    hasher: S,
}

impl<K> Barrier<K> {
    /// 512 slots and a pool of [`POOL_DEFAULT`](crate::POOL_DEFAULT) places, allocated now.
    ///
    /// ```
    /// assert_eq!(slotpark::Barrier::<u64>::new().members(&7), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::from_engine(slotpark_core::Barrier::new(), Seeded::new())
    }

    /// As the options say, whose preference is not looked at.
    ///
    /// # Errors
    /// If the options name 0 slots, or more than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// use slotpark::{Barrier, KeyedOptions, WhenFull};
    /// let options = KeyedOptions::new().slots(64).pool(16, WhenFull::Fail);
    /// assert!(Barrier::<u64>::with_options(options).is_ok());
    /// ```
    pub fn with_options(options: KeyedOptions) -> Result<Self, SlotCountError> {
        let engine = slotpark_core::Barrier::with_options(options)?;
        Ok(Self::from_engine(engine, Seeded::new()))
    }
}

impl<K, S, P: Platform> Barrier<K, S, P> {
    /// On barriers of the engine, with a hasher of your own.
    ///
    /// ```
    /// use slotpark::Barrier;
    /// use std::hash::RandomState;
    /// let engine = slotpark::core::Barrier::<String>::new();
    /// assert_eq!(Barrier::from_engine(engine, RandomState::new()).members("club"), 0);
    /// ```
    #[must_use]
    pub const fn from_engine(engine: slotpark_core::Barrier<K, P>, hasher: S) -> Self {
        Self { engine, hasher }
    }

    /// The engine's barriers, which have `reset_after_fork`.
    ///
    /// ```
    /// assert_eq!(slotpark::Barrier::<u64>::new().engine().members(1, &7), 0);
    /// ```
    #[must_use]
    pub const fn engine(&self) -> &slotpark_core::Barrier<K, P> {
        &self.engine
    }

    /// How the places for members are used.
    ///
    /// ```
    /// let barrier = slotpark::Barrier::<u64>::new();
    /// let member = barrier.register(7);
    /// assert_eq!(barrier.pool_stats().taken, 1);
    /// ```
    #[must_use]
    pub fn pool_stats(&self) -> PoolStats {
        self.engine.pool_stats()
    }
}

impl<K: Hash + Eq, S: BuildHasher, P: Platform> Barrier<K, S, P> {
    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        hash_of(&self.hasher, key)
    }

    /// Makes a new member of `key`, for whom the others wait from now on, also in the phase that
    /// has begun.
    ///
    /// # Panics
    /// If all places are taken and the options said that it fails then: see
    /// [`try_register`](Self::try_register).
    ///
    /// ```
    /// use slotpark::{Barrier, BarrierOutcome};
    /// let barrier = Barrier::<u64>::new();
    /// let mut member = barrier.register(7);
    /// assert_eq!(member.wait(), BarrierOutcome::Leader); // of one
    /// ```
    #[track_caller]
    pub fn register(&self, key: K) -> BarrierMember<'_, K, P> {
        match self.try_register(key) {
            Ok(member) => member,
            Err(_key) => panic!("slotpark: all places for members are taken"),
        }
    }

    /// As [`register`](Self::register), if there is a place.
    ///
    /// # Errors
    /// The key, if all places are taken and the options said that it fails then.
    ///
    /// ```
    /// use slotpark::{Barrier, KeyedOptions, WhenFull};
    /// let options = KeyedOptions::new().pool(1, WhenFull::Fail);
    /// let barrier = Barrier::<u64>::with_options(options).unwrap();
    /// let first = barrier.register(7);
    /// assert_eq!(barrier.try_register(8).unwrap_err(), 8);
    /// ```
    #[track_caller]
    pub fn try_register(&self, key: K) -> Result<BarrierMember<'_, K, P>, K> {
        let hash = self.hash(&key);
        let member = self.engine.register(hash, key)?;
        Ok(BarrierMember { member })
    }

    /// How many members `key` has now. Walks over all of them.
    ///
    /// ```
    /// assert_eq!(slotpark::Barrier::<u64>::new().members(&7), 0);
    /// ```
    #[must_use]
    pub fn members<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.members(self.hash(key), key)
    }

    /// How many of them have arrived in this phase. Walks over all of them.
    ///
    /// ```
    /// assert_eq!(slotpark::Barrier::<u64>::new().arrived(&7), 0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn arrived<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.engine.arrived(self.hash(key), key)
    }
}

/// The others of its key wait for this as long as it lives. Made by [`Barrier::register`]; it may
/// be moved and sent to another thread.
///
/// Dropped, it is awaited no more. Forgotten (`mem::forget`), it is awaited for ever, and keeps its
/// place as long as the barriers live.
///
/// ```
/// let barrier = slotpark::Barrier::<u64>::new();
/// let member = barrier.register(7);
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(member));
/// });
/// assert_eq!(barrier.members(&7), 0);
/// ```
#[must_use = "it leaves the barrier when it is dropped"]
pub struct BarrierMember<'b, K, P: Platform = DefaultPlatform> {
    member: Member<'b, K, P>,
}

impl<'b, K: Eq, P: Platform> BarrierMember<'b, K, P> {
    /// The key of its barrier.
    ///
    /// ```
    /// assert_eq!(*slotpark::Barrier::<u64>::new().register(7).key(), 7);
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        self.member.key()
    }

    /// Arrives, and waits until all members of the key have arrived. The next wait is that of the
    /// next phase. What each did before it arrived is visible to all afterwards.
    ///
    /// ```
    /// assert!(slotpark::Barrier::<u64>::new().register(7).wait().is_leader());
    /// ```
    #[track_caller]
    pub fn wait(&mut self) -> BarrierOutcome {
        self.member.wait(None)
    }

    /// As [`wait`](Self::wait), until the deadline at most: past it this has not arrived. One
    /// already past makes no syscall.
    ///
    /// ```
    /// use slotpark::{Barrier, BarrierOutcome};
    /// use std::time::Instant;
    /// let barrier = Barrier::<u64>::new();
    /// let (mut first, second) = (barrier.register(7), barrier.register(7));
    /// assert_eq!(first.wait_until(Instant::now()), BarrierOutcome::TimedOut);
    /// assert_eq!(barrier.arrived(&7), 0);
    /// ```
    #[track_caller]
    pub fn wait_until(&mut self, deadline: Instant) -> BarrierOutcome {
        self.member.wait(until::<P>(deadline))
    }

    /// As [`wait_until`](Self::wait_until), for a duration from now.
    ///
    /// ```
    /// use std::time::Duration;
    /// let barrier = slotpark::Barrier::<u64>::new();
    /// assert!(barrier.register(7).wait_for(Duration::from_secs(1)).is_leader());
    /// ```
    #[track_caller]
    pub fn wait_for(&mut self, timeout: Duration) -> BarrierOutcome {
        self.member.wait(Deadline::after::<P>(timeout))
    }

    /// As [`wait`](Self::wait), as a future. A deadline is the caller's timer: drop the future, and
    /// this has not arrived.
    ///
    /// **Cancel safety**: see [`MemberWait`].
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let barrier = slotpark::Barrier::<u64>::new();
    /// assert!(barrier.register(7).wait_async().await.is_leader());
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_async(&mut self) -> MemberWait<'_, 'b, K, P> {
        self.member.wait_async()
    }
}

impl<K: fmt::Debug, P: Platform> fmt::Debug for BarrierMember<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierMember")
            .field("member", &self.member)
            .finish()
    }
}

impl<K> Default for Barrier<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, S, P: Platform> fmt::Debug for Barrier<K, S, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

slotpark_core::looks_by!([K: Send + Sync, S: Send + Sync, P: Platform] Barrier<K, S, P>, engine);

slotpark_core::keys_by!(
    "slotpark::Barrier::<u64>::new()",
    [K: fmt::Debug, S, P: Platform] Barrier<K, S, P>,
    engine
);
