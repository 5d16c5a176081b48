//! `ShardedWait`: block on any key of any type.

use std::borrow::Borrow;
use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::time::{Duration, Instant};

use slotpark_core::{
    Deadline, DefaultPlatform, ParkOptions, Platform, RequeueOptions, Requeued, Seeded,
    SlotCountError, SlotStats, Slots, Spin, Table, finalize,
};

use crate::{WaitOutcome, WhileOutcome};

/// Blocks threads on keys. 512 slots of 64 bytes by default, whatever the number of keys; waiting
/// and waking allocate nothing, and a key that nobody waits on takes no memory.
///
/// A wait passes `validate`, which says whether there is something to wait for; a waker changes
/// that first and wakes afterwards. Then no wake is lost and none is spent on another key, whatever
/// the keys collide with:
///
/// ```
/// use slotpark::ShardedWait;
/// use std::sync::atomic::{AtomicU32, Ordering};
///
/// let waits = ShardedWait::<(u32, &str)>::new();
/// let done = AtomicU32::new(0);
/// std::thread::scope(|scope| {
///     scope.spawn(|| waits.wait_while(&(7, "upload"), || done.load(Ordering::Relaxed) == 0));
///     done.store(1, Ordering::Relaxed);
///     let _woken = waits.wake_one(&(7, "upload"));
/// });
/// ```
///
/// **What holds while your closures run.** `validate` runs at most twice: outside and under the
/// lock of the key's slot. Under it, it must not call a table (debug builds panic), should be
/// short, and may read the word it watches with relaxed ordering: the fences are ours. So must the
/// `Eq` and `Hash` of `K` behave. If one panics the panic is yours and the table stays sound.
///
/// **Guarantees.** FIFO per key. A wake's count is exact. What a waker did before its wake is
/// visible to the waits that it ends. Not async-signal-safe: a handler must not call a table.
pub struct ShardedWait<K, S = Seeded, P: Platform = DefaultPlatform> {
    table: Table<K, P>,
    hasher: S,
}

impl<K> ShardedWait<K> {
    /// 512 slots: 32 KiB, allocated now, and nothing ever after.
    ///
    /// ```
    /// let waits = slotpark::ShardedWait::<u64>::new();
    /// assert_eq!((waits.slots(), waits.memory_bytes()), (512, 32 * 1024));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with_hasher(Seeded::new())
    }

    /// At least `count` slots, rounded up to a power of two. More slots mean fewer collisions,
    /// which cost a comparison each; the number of keys is not limited by it.
    ///
    /// # Panics
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::with_slots(1000).slots(), 1024);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn with_slots(count: usize) -> Self {
        Self::from_table(Table::with_slots(count), Seeded::new())
    }

    /// As [`with_slots`](Self::with_slots), with an error instead of a panic.
    ///
    /// # Errors
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert!(slotpark::ShardedWait::<u64>::try_with_slots(0).is_err());
    /// ```
    pub fn try_with_slots(count: usize) -> Result<Self, SlotCountError> {
        Ok(Self::from_table(
            Table::try_with_slots(count)?,
            Seeded::new(),
        ))
    }

    /// Over static slots, for a `static`: usable before `main` and from any thread.
    ///
    /// ```
    /// use slotpark::{ShardedWait, Slots};
    /// static SLOTS: Slots<u64> = Slots::new();
    /// static WAITS: ShardedWait<u64> = ShardedWait::over(&SLOTS);
    /// assert_eq!(WAITS.wake_all(&7), 0);
    /// ```
    #[must_use]
    pub const fn over<const N: usize>(slots: &'static Slots<K, N>) -> Self {
        Self {
            table: Table::over(slots),
            hasher: Seeded::new(),
        }
    }
}

impl<K, S> ShardedWait<K, S> {
    /// 512 slots and a hasher of your own. Its hashes are spread over the slots by a finalizer, but
    /// only the default one is seeded against hostile keys.
    ///
    /// ```
    /// use slotpark::ShardedWait;
    /// use std::hash::RandomState;
    /// let waits = ShardedWait::<String, _>::with_hasher(RandomState::new());
    /// assert_eq!(waits.wake_one("nobody"), 0);
    /// ```
    #[must_use]
    pub fn with_hasher(hasher: S) -> Self {
        Self::from_table(Table::new(), hasher)
    }
}

impl<K, S, P: Platform> ShardedWait<K, S, P> {
    /// On a table of the engine, which chooses the number of slots, the spin policy and the
    /// platform.
    ///
    /// ```
    /// use slotpark::core::Table;
    /// use slotpark::{Seeded, ShardedWait, Spin};
    /// let table = Table::<u64>::with_slots(64).with_spin(Spin::Never);
    /// assert_eq!(ShardedWait::from_table(table, Seeded::new()).slots(), 64);
    /// ```
    #[must_use]
    pub const fn from_table(table: Table<K, P>, hasher: S) -> Self {
        Self { table, hasher }
    }

    /// The engine's table.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().table().slot_count(), 512);
    /// ```
    #[must_use]
    pub const fn table(&self) -> &Table<K, P> {
        &self.table
    }

    /// The number of slots.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::with_slots(5).slots(), 8);
    /// ```
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.table.slot_count()
    }

    /// The bytes of the slots: all the memory that waiting will ever take.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::with_slots(5).memory_bytes(), 8 * 64);
    /// ```
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.table.memory_bytes()
    }

    /// The counters of the slot with this index.
    ///
    /// # Panics
    /// If there is no such slot.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().slot_stats(511).wakes, 0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn slot_stats(&self, index: usize) -> SlotStats {
        self.table.slot_stats(index)
    }

    /// Whether and how long waits spin before they sleep.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().spin(), slotpark::Spin::DEFAULT);
    /// ```
    #[must_use]
    pub const fn spin(&self) -> Spin {
        self.table.spin()
    }
}

impl<K: Hash + Eq, S: BuildHasher, P: Platform> ShardedWait<K, S, P> {
    #[inline]
    fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        finalize(self.hasher.hash_one(key))
    }

    /// The index of the slot of `key`: two keys with the same index collide.
    ///
    /// ```
    /// let waits = slotpark::ShardedWait::<u64>::with_slots(1);
    /// assert_eq!(waits.slot_of(&7), waits.slot_of(&8));
    /// ```
    #[must_use]
    pub fn slot_of<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table.slot_index(self.hash(key))
    }

    /// Waits on `key` while `validate` says yes, until a wake of this key. Returns at once, as
    /// `Stale`, if it says no.
    ///
    /// There are no spurious returns, but look at your condition again all the same: it may have
    /// changed back. [`wait_while`](Self::wait_while) does.
    ///
    /// # Panics
    /// Passes panics of `validate` and of `K`'s `Eq` and `Hash` on. In debug builds, if called from
    /// a closure that runs under a slot lock.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// let waits = ShardedWait::<u64>::new();
    /// assert_eq!(waits.wait(&7, || false), WaitOutcome::Stale);
    /// ```
    #[inline]
    pub fn wait(&self, key: &K, validate: impl FnMut() -> bool) -> WaitOutcome {
        self.wait_with(key, u32::MAX, None, validate)
    }

    /// As [`wait`](Self::wait), until `deadline` at the latest. A deadline already past returns
    /// `TimedOut` without a syscall (`Stale` if `validate` says no). A wait that a waker has counted
    /// never times out.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// use std::time::Instant;
    /// let waits = ShardedWait::<u64>::new();
    /// assert_eq!(waits.wait_until(&7, || true, Instant::now()), WaitOutcome::TimedOut);
    /// ```
    pub fn wait_until(
        &self,
        key: &K,
        validate: impl FnMut() -> bool,
        deadline: Instant,
    ) -> WaitOutcome {
        self.wait_with(key, u32::MAX, until::<P>(deadline), validate)
    }

    /// As [`wait_until`](Self::wait_until), `timeout` from now. A timeout too long for the clock is
    /// no timeout.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// use std::time::Duration;
    /// let waits = ShardedWait::<u64>::new();
    /// let outcome = waits.wait_for(&7, || true, Duration::from_micros(10));
    /// assert_eq!(outcome, WaitOutcome::TimedOut);
    /// ```
    pub fn wait_for(
        &self,
        key: &K,
        validate: impl FnMut() -> bool,
        timeout: Duration,
    ) -> WaitOutcome {
        self.wait_with(key, u32::MAX, Deadline::after::<P>(timeout), validate)
    }

    /// The wait that the others are made of: with a bitset, which bitset wakes compare, and a
    /// deadline on either clock.
    ///
    /// # Panics
    /// If `bits` is 0: nothing could wake it. Else as [`wait`](Self::wait).
    ///
    /// ```
    /// use slotpark::{Deadline, ShardedWait, WaitOutcome};
    /// let waits = ShardedWait::<u64>::new();
    /// let outcome = waits.wait_with(&7, 0b10, Some(Deadline::PAST), || true);
    /// assert_eq!(outcome, WaitOutcome::TimedOut);
    /// ```
    #[track_caller]
    pub fn wait_with(
        &self,
        key: &K,
        bits: u32,
        deadline: Option<Deadline>,
        validate: impl FnMut() -> bool,
    ) -> WaitOutcome {
        assert!(
            bits != 0,
            "a wait with an empty bitset could never be woken"
        );
        let options = ParkOptions::new().deadline(deadline).tag(u64::from(bits));
        self.table
            .park(self.hash(key), key, options, validate)
            .into()
    }

    /// Blocks while `condition` holds: waits, and looks again after every wake.
    ///
    /// ```
    /// slotpark::ShardedWait::<u64>::new().wait_while(&7, || false);
    /// ```
    pub fn wait_while(&self, key: &K, condition: impl FnMut() -> bool) {
        let _met = self.wait_while_deadline(key, condition, None);
    }

    /// As [`wait_while`](Self::wait_while), until `deadline` at the latest.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WhileOutcome};
    /// use std::time::Instant;
    /// let waits = ShardedWait::<u64>::new();
    /// let outcome = waits.wait_while_until(&7, || true, Instant::now());
    /// assert_eq!(outcome, WhileOutcome::TimedOut);
    /// ```
    pub fn wait_while_until(
        &self,
        key: &K,
        condition: impl FnMut() -> bool,
        deadline: Instant,
    ) -> WhileOutcome {
        self.wait_while_deadline(key, condition, until::<P>(deadline))
    }

    /// As [`wait_while_until`](Self::wait_while_until), `timeout` from now, all rounds together.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WhileOutcome};
    /// use std::time::Duration;
    /// let waits = ShardedWait::<u64>::new();
    /// let outcome = waits.wait_while_for(&7, || true, Duration::from_micros(10));
    /// assert_eq!(outcome, WhileOutcome::TimedOut);
    /// ```
    pub fn wait_while_for(
        &self,
        key: &K,
        condition: impl FnMut() -> bool,
        timeout: Duration,
    ) -> WhileOutcome {
        self.wait_while_deadline(key, condition, Deadline::after::<P>(timeout))
    }

    fn wait_while_deadline(
        &self,
        key: &K,
        mut condition: impl FnMut() -> bool,
        deadline: Option<Deadline>,
    ) -> WhileOutcome {
        loop {
            match self.wait_with(key, u32::MAX, deadline, &mut condition) {
                WaitOutcome::Woken { .. } => {}
                WaitOutcome::Stale => return WhileOutcome::Met,
                WaitOutcome::TimedOut => return WhileOutcome::TimedOut,
            }
        }
    }

    /// Wakes the waiter of `key` that has waited longest; returns 1, or 0 if there is none.
    ///
    /// Change what `validate` looks at first, then call. Any borrowed form of the key will do: a
    /// `String` key is woken by `&str`, and nothing is allocated.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<String>::new().wake_one("nobody"), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn wake_one<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.wake(key, 1)
    }

    /// Wakes the first `count` waiters of `key` as they stand now; returns how many there were:
    /// exactly those whose waits return `Woken` because of this call. `count` 0 wakes nobody.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().wake(&7, 3), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn wake<Q>(&self, key: &Q, count: usize) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table.unpark(self.hash(key), key, count, 0)
    }

    /// Wakes all waiters of `key`; those who come back during the call are not woken by it.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().wake_all(&7), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn wake_all<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.wake(key, usize::MAX)
    }

    /// Wakes as [`wake`](Self::wake) does and hands each of them `token`.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().wake_with_token(&7, 1, 42), 0);
    /// ```
    #[inline]
    #[must_use = "0 says that nobody was there"]
    pub fn wake_with_token<Q>(&self, key: &Q, count: usize, token: u64) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table.unpark(self.hash(key), key, count, token)
    }

    /// Wakes the first `count` waiters of `key` whose bitset has a bit in common with `bits`; the
    /// others keep their places and are not counted.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().wake_bitset(&7, 1, 0b10, 0), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn wake_bitset<Q>(&self, key: &Q, count: usize, bits: u32, token: u64) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table
            .unpark_bitset(self.hash(key), key, count, bits, token)
    }

    /// The number of waiters of `key` at this moment, exactly.
    ///
    /// ```
    /// assert_eq!(slotpark::ShardedWait::<u64>::new().waiters(&7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.table.waiters(self.hash(key), key)
    }

    /// In one step for everybody else: if `validate` says yes, wakes the first `wake_max` waiters
    /// of `from` and moves the next `move_max` to the end of `to`'s queue; `None` if it says no.
    ///
    /// A moved waiter keeps its deadline; from now on only a wake of `to` ends its wait. `validate`
    /// runs once, under the locks of both slots. Keys are `Copy` here, because a moved waiter keeps
    /// the new key in its own frame.
    ///
    /// ```
    /// let waits = slotpark::ShardedWait::<u64>::new();
    /// assert_eq!(waits.requeue(&7, &8, 1, usize::MAX, || false), None);
    /// ```
    pub fn requeue(
        &self,
        from: &K,
        to: &K,
        wake_max: usize,
        move_max: usize,
        validate: impl FnOnce() -> bool,
    ) -> Option<Requeued>
    where
        K: Copy + Send,
    {
        let options = RequeueOptions {
            wake_max,
            move_max,
            token: 0,
        };
        let (from, to) = ((self.hash(from), from), (self.hash(to), to));
        let result = self
            .table
            .requeue(from, to, options, || Ok::<_, Infallible>(validate()));
        match result {
            Ok(requeued) => requeued,
            Err(never) => match never {},
        }
    }
}

/// The engine's deadline for a point in time: already past costs one reading of the clock.
fn until<P: Platform>(deadline: Instant) -> Option<Deadline> {
    Deadline::after::<P>(deadline.saturating_duration_since(Instant::now()))
}

impl<K, S: Default, P: Platform> Default for ShardedWait<K, S, P> {
    fn default() -> Self {
        Self::from_table(Table::new(), S::default())
    }
}

impl<K, S, P: Platform> fmt::Debug for ShardedWait<K, S, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardedWait")
            .field("slots", &self.slots())
            .finish_non_exhaustive()
    }
}
