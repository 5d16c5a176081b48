//! Barriers by key: members wait for each other, again and again.
//!
//! A member's node holds 1 until the member has arrived, then 0: the total of a key is the number
//! of those still awaited. Who brings it to 0 completes the phase in the same hold of the slot
//! lock: all hold 1 again, and all who wait are released.
//!
//! **Invariants**
//! - B1 A member that has arrived waits in the queue, until the phase is complete or its wait
//!   leaves and takes the arrival back in the same hold of the lock.
//! - B2 A phase has one leader: the last to arrive, who does not wait; or, when the last one
//!   awaited is gone, the first of those who wait. That is told by the room of its node: a cell
//!   that is written under the slot lock before it is released, and read afterwards (HANDOFF,
//!   UNLINK).
//!
//! **Lock order**: one slot lock. **Orderings**: those of `gate`.

mod member;
mod wait;

use core::borrow::Borrow;
use core::fmt;

use crate::gate::Gate;
use crate::keyed::{KeyedOptions, PoolStats};
use crate::node::Role;
use crate::platform::{DefaultPlatform, Platform};
use crate::reentry;
use crate::slots::SlotCountError;

pub use member::Member;
pub use wait::{BarrierOutcome, MemberWait};

/// Barriers by key: the [members](Self::register) of a key wait for each other. The hash is the
/// caller's, as for [`Table`](crate::Table).
///
/// # Panics
/// All operations: in debug builds, if called from a closure that runs under a slot lock; and with
/// panics of `Eq`, before anything has changed.
///
/// ```
/// use slotpark_core::Barrier;
/// let barrier = Barrier::<u64>::new();
/// let mut members = [1, 2, 3].map(|_| barrier.register(1, 7).unwrap());
/// let leaders = std::thread::scope(|scope| {
///     let meet = |member: &mut slotpark_core::Member<'_, u64>| member.wait(None).is_leader();
///     let threads = members.each_mut().map(|member| scope.spawn(move || meet(member)));
///     threads.map(|thread| thread.join().unwrap())
/// });
/// assert_eq!(leaders.iter().filter(|leader| **leader).count(), 1);
/// ```
pub struct Barrier<K, P: Platform = DefaultPlatform> {
    gate: Gate<K, P>,
}

impl<K, P: Platform> Barrier<K, P> {
    /// Barriers with the default [`KeyedOptions`].
    ///
    /// ```
    /// assert_eq!(slotpark_core::Barrier::<u64>::new().members(1, &7), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        match Self::with_options(KeyedOptions::new()) {
            Ok(barrier) => barrier,
            Err(error) => unreachable!("the default is not absurd, and yet: {error}"),
        }
    }

    /// Barriers as the options say, whose preference is not looked at.
    ///
    /// # Errors
    /// If the options name 0 slots, or more than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// use slotpark_core::{Barrier, KeyedOptions};
    /// assert!(Barrier::<u64>::with_options(KeyedOptions::new().slots(0)).is_err());
    /// ```
    pub fn with_options(options: KeyedOptions) -> Result<Self, SlotCountError> {
        let gate = Gate::with_options(options)?;
        Ok(Self { gate })
    }

    /// How the places for members are used. Walks over all of them.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Barrier::<u64>::new().pool_stats().taken, 0);
    /// ```
    #[must_use]
    pub fn pool_stats(&self) -> PoolStats {
        self.gate.pool_stats()
    }

    /// Forgets all members in the child of a fork. Those from before are members of nothing there:
    /// their waits return at once.
    ///
    /// # Safety
    /// This is the only thread of the process, and it is not inside a closure that runs under a
    /// slot lock.
    ///
    /// ```
    /// let barrier = slotpark_core::Barrier::<u64>::new();
    /// // SAFETY: nobody uses this barrier.
    /// unsafe { barrier.reset_after_fork() };
    /// ```
    pub unsafe fn reset_after_fork(&self) {
        // SAFETY: the caller's contract, and no other table is over these slots.
        unsafe { self.gate.table.reset_after_fork() };
    }
}

impl<K: Eq, P: Platform> Barrier<K, P> {
    /// Makes a new member of `key`, for whom the others wait from now on, also in the phase that
    /// has begun.
    ///
    /// # Errors
    /// The key, if all places are taken and the options said that it fails then.
    ///
    /// ```
    /// let barrier = slotpark_core::Barrier::<u64>::new();
    /// let member = barrier.register(1, 7).unwrap();
    /// assert_eq!(barrier.members(1, &7), 1);
    /// # drop(member);
    /// ```
    #[track_caller]
    pub fn register(&self, hash: u64, key: K) -> Result<Member<'_, K, P>, K> {
        reentry::check();
        let held = self.gate.holder(hash, key, 1)?;
        self.gate.decide(hash, |guard, _| {
            let head = self.gate.table.find(guard, hash, held.key());
            if let Some(holder) = held.locked(guard) {
                guard.push_holder(head, holder);
            }
        });
        Ok(Member::new(held))
    }

    /// How many members `key` has now.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Barrier::<u64>::new().members(1, &7), 0);
    /// ```
    #[must_use]
    pub fn members<Q>(&self, hash: u64, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.count(hash, key, |_| true)
    }

    /// How many of them have arrived in this phase.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Barrier::<u64>::new().arrived(1, &7), 0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn arrived<Q>(&self, hash: u64, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.count(hash, key, |weight| weight == 0)
    }

    fn count<Q>(&self, hash: u64, key: &Q, counts: impl Fn(u32) -> bool) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        self.gate.decide(hash, |guard, _| {
            let Some(head) = self.gate.table.find(guard, hash, key) else {
                return 0;
            };
            let members = guard.ring(head).filter(|node| node.role() == Role::Holder);
            members.filter(|member| counts(member.weight())).count()
        })
    }
}

impl<K, P: Platform> Default for Barrier<K, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, P: Platform> fmt::Debug for Barrier<K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("slots", &self.gate.table.slot_count())
            .finish_non_exhaustive()
    }
}

crate::looks_by!([K: Send + Sync, P: Platform] Barrier<K, P>, gate.table);

crate::keys_by!(
    "slotpark_core::Barrier::<u64>::new()",
    [K: fmt::Debug, P: Platform] Barrier<K, P>,
    gate.table
);
