//! Single flights: of those who want one thing at a time, one makes it and all have it.
//!
//! The first who comes for a key leads: its node holds the key, in its own frame or future. Others
//! follow: they wait in the key's queue, each with a *seat* that has room for the value, and a node
//! to hold the key by, should the lead come to it. The leader clones outside the slot lock and
//! moves the clones into the seats under it; a leader that fails links the holder's node of the
//! first follower in the hold in which it unlinks its own. Nothing is kept for a key that nobody
//! flies.
//!
//! **Invariants**
//! - F1 The room of a linked node is a seat of this type, empty, which outlives the node. The table
//!   is the flights' alone: no wake and no requeue of others knows its nodes.
//! - F2 The room of a seat is written by the leader that has chosen its follower, under the slot
//!   lock; it is read by the follower once it has been released, or has seen that its node has left
//!   (HANDOFF, UNLINK).
//! - F3 A key has one holder at most, and one for sure while somebody waits for it whom nobody has
//!   chosen: one leader leaves and the next comes in one hold of the slot lock.
//! - F4 A wait that ends as Woken has a value in its room, or its seat holds the key: it leads.
//! - F5 A leader serves those who waited when it came back with its value, or as many who came
//!   later; then its flight ends. So it comes home, however many come.
//!
//! **Lock order**: one slot lock. **Orderings**: those of `park`, `task` and `unpark`.

mod lead;
mod task;
mod thread;

use core::borrow::Borrow;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::{PhantomData, PhantomPinned};
use core::ptr;

use crate::inspect::{Caller, Inspect, Kind, Seen, Traced};
use crate::node::{Name, Node, Role};
use crate::platform::{DefaultPlatform, Platform};
use crate::reentry;
use crate::slots::{SlotCountError, SlotStats};
use crate::sync::Guarded;
use crate::table::Table;

pub use task::Flying;

/// How many clones a leader makes before it hands them over.
const CLONES_MAX: usize = if cfg!(any(slotpark_loom, slotpark_shuttle)) {
    1
} else {
    16
};

/// Of those who want the value of a key at the same time, one makes it and all have it. The hash is
/// the caller's, as for [`Table`].
///
/// Values are not kept: who comes after a flight has ended makes its own. A leader that fails,
/// panics or is dropped gets its own error; the next who waits leads then. Nothing is allocated for
/// a key: a leader's node lies in its frame or future, as a follower's does.
///
/// # Panics
/// All operations: in debug builds, if called from a closure that runs under a slot lock; and with
/// panics of `Eq`, before anybody leads or waits because of the call.
///
/// ```
/// use slotpark_core::SingleFlight;
/// let flights = SingleFlight::<u64, String>::new();
/// let made = flights.fly(1, &7, None, || Ok::<_, ()>("made".to_string()));
/// assert_eq!(made, Ok("made".to_string()));
/// assert!(!flights.is_flying(1, &7));
/// ```
pub struct SingleFlight<K, V, P: Platform = DefaultPlatform> {
    /// Nobody else reaches it (F1).
    table: Table<K, P>,
    values: PhantomData<UnsafeCell<V>>,
}

// SAFETY: it holds no value: clones are made by the leader's thread and go to those of followers,
// which `V: Send` allows; keys are shared as by the table, which is `Sync` if `K` is.
unsafe impl<K: Sync, V: Send, P: Platform> Sync for SingleFlight<K, V, P> {}

/// Why there is no value.
///
/// ```
/// use slotpark_core::{FlightError, SingleFlight};
/// let failed = SingleFlight::<u64, u32>::new().fly(1, &7, None, || Err("no such thing"));
/// assert_eq!(failed, Err(FlightError::Failed("no such thing")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlightError<E = core::convert::Infallible> {
    /// The deadline passed while another led.
    TimedOut,
    /// This call led, and failed.
    Failed(E),
}

impl<E: fmt::Display> fmt::Display for FlightError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no value was made before the deadline"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for FlightError<E> {}

impl<K, V, P: Platform> SingleFlight<K, V, P> {
    /// Over [`SLOTS_DEFAULT`](crate::SLOTS_DEFAULT) slots: one allocation of 32 KiB, and no other
    /// ever.
    ///
    /// ```
    /// assert!(!slotpark_core::SingleFlight::<u64, ()>::new().is_flying(1, &7));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::of(Table::new())
    }

    /// Over at least `count` slots, rounded up to a power of two.
    ///
    /// # Errors
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert!(slotpark_core::SingleFlight::<u64, ()>::try_with_slots(0).is_err());
    /// ```
    pub fn try_with_slots(count: usize) -> Result<Self, SlotCountError> {
        Table::try_with_slots(count).map(Self::of)
    }

    /// `table` has slots of its own.
    const fn of(table: Table<K, P>) -> Self {
        Self {
            table,
            values: PhantomData,
        }
    }

    /// Ends all flights in the child of a fork: who led or followed are threads of the parent. A
    /// flight which the one that forked leads serves nobody in the child; one that it follows
    /// starts anew.
    ///
    /// # Safety
    /// This is the only thread of the process, and it is not inside a closure that runs under a
    /// slot lock.
    ///
    /// ```
    /// let flights = slotpark_core::SingleFlight::<u64, ()>::new();
    /// // SAFETY: nobody uses these flights.
    /// unsafe { flights.reset_after_fork() };
    /// ```
    pub unsafe fn reset_after_fork(&self) {
        // SAFETY: the caller's contract, and no other table is over these slots.
        unsafe { self.table.reset_after_fork() };
    }
}

impl<K: Eq, V, P: Platform> SingleFlight<K, V, P> {
    /// Whether somebody leads `key` now.
    ///
    /// ```
    /// use slotpark_core::SingleFlight;
    /// let flights = SingleFlight::<u64, bool>::new();
    /// let flying = flights.fly(1, &7, None, || Ok::<_, ()>(flights.is_flying(1, &7)));
    /// assert_eq!(flying, Ok(true));
    /// ```
    #[must_use]
    pub fn is_flying<Q>(&self, hash: u64, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        let _critical = P::critical();
        let guard = self.table.slot(hash).lock();
        let head = self.table.find(&guard, hash, key);
        head.is_some_and(|head| guard.first_holder(head).is_some())
    }

    /// How many threads and tasks follow who leads `key` now.
    ///
    /// ```
    /// assert_eq!(slotpark_core::SingleFlight::<u64, ()>::new().waiters(1, &7), 0);
    /// ```
    #[must_use]
    pub fn waiters<Q>(&self, hash: u64, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.table.waiters(hash, key)
    }
}

/// What a call brings along: a node to lead by, and room for the value that somebody else makes.
struct Seat<V, P: Platform> {
    holder: Node<P>,
    room: Guarded<Option<V>>,
    /// What the node may point to.
    traced: Traced,
    /// Others point to it, whatever reference its owner makes.
    _pinned: PhantomPinned,
}

impl<V, P: Platform> Seat<V, P> {
    fn new<K>(table: &Table<K, P>, hash: u64, key: &K) -> Self {
        let key = ptr::from_ref(key).cast();
        let name = Name { hash, key };
        let generation = table.generation();
        Self {
            holder: Node::new(name, ptr::null_mut(), 0, generation, ptr::null())
                .with_role(Role::Holder)
                .with_weight(1),
            room: Guarded::new(None),
            traced: Traced::new(),
            _pinned: PhantomPinned,
        }
    }

    /// Records whose it is. It stays where it is from now on, and nobody knows it yet.
    fn record(&self, caller: Caller, is_task: bool) {
        // SAFETY: V1: nobody knows the node yet.
        let says = unsafe { self.traced.record_holder(caller, None, is_task) };
        // SAFETY: V1: nobody else knows the node.
        unsafe { self.holder.set_traced(says) };
    }

    /// Where leaders find it.
    fn place(&self) -> *mut () {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// The value that came; `None` if this is who leads now.
    ///
    /// # Safety
    /// The follower has been released, or has left its queue.
    unsafe fn take(&self) -> Option<V> {
        // SAFETY: F2: nobody writes the room any more.
        unsafe { self.room.replace(None) }
    }
}

impl<K, V, P: Platform> Default for SingleFlight<K, V, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V, P: Platform> fmt::Debug for SingleFlight<K, V, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight")
            .field("slots", &self.table.slot_count())
            .finish_non_exhaustive()
    }
}

impl<K: Sync, V: Send, P: Platform> Inspect for SingleFlight<K, V, P> {
    fn slot_count(&self) -> usize {
        self.table.slot_count()
    }

    fn slot_stats(&self, index: usize) -> SlotStats {
        self.table.slot_stats(index)
    }

    fn look(&self, index: usize, room: &mut [Seen]) -> usize {
        // Who follows waits for who leads.
        self.table
            .look_with(index, room, |_, seen| seen.kind = Kind::Lock)
    }

    fn table_id(&self) -> u64 {
        self.table.id()
    }
}

crate::keys_by!(
    "slotpark_core::SingleFlight::<u64, ()>::new()",
    [K: fmt::Debug, V, P: Platform] SingleFlight<K, V, P>,
    table
);
