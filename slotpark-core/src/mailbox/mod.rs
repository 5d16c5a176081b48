//! Hand-off: a value goes to the first who waits for its key, or back to who brought it.
//!
//! A receiver is a waiter whose node points to a room for the value in its own frame or future. The
//! value is moved there under the slot lock, in the hold in which the receiver was chosen: it
//! belongs to the receiver before that can look. Nothing is stored for keys that nobody waits for.
//!
//! **Invariants**
//! - M1 The room of a linked node is a cell of the mailbox's `Option<V>`, empty, which outlives the
//!   node. Its table is the mailbox's alone: no wake and no requeue of others knows its nodes.
//! - M2 The room is written by the deliverer that has chosen the node, under the slot lock; it is
//!   read by the receiver once it has been released, or has seen that its node has left (HANDOFF,
//!   UNLINK).
//! - M3 A wait that ends as Woken has its value.
//!
//! **Lock order**: one slot lock. **Orderings**: those of `park`, `task` and `unpark`.

mod task;
mod thread;

use core::borrow::Borrow;
use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::slice;

use crate::choose::{Chosen, Filter};
use crate::node::NodeRef;
use crate::options::Parked;
use crate::platform::{DefaultPlatform, Platform};
use crate::reentry;
use crate::slots::SlotCountError;
use crate::table::Table;
use crate::waiter::Verdict;
use crate::wakers::Wakers;

pub use task::Receive;
pub use thread::Subscribed;

/// Hands values to those who wait for a key: threads and tasks, in the order in which they came.
///
/// A receiver subscribes before it asks for what will be delivered, so that no answer finds nobody:
/// [`subscribe`](Self::subscribe) for threads, [`Receive::enable`](crate::Receive::enable) for
/// tasks. The hash is the caller's, as for [`Table`].
///
/// **Exactly once.** Each value that [`deliver`](Self::deliver) has taken is received by one, or
/// dropped with the last receiver of its key that gave up. One who gives up (a future dropped, a
/// thread that returns without receiving) after a value had come passes it on to the first who
/// waits for the key then, or can [take it back](Subscribed::cancel).
///
/// ```
/// use slotpark_core::{Mailbox, ParkOptions};
/// let answers = Mailbox::<u64, String>::new();
/// let answer = answers.subscribe(1, &7, ParkOptions::new(), |subscribed| {
///     // Ask: here the answer comes at once.
///     assert_eq!(answers.deliver(1, &7, "done".to_string()), Ok(()));
///     subscribed.receive()
/// });
/// assert_eq!(answer, Ok(Ok("done".to_string())));
/// assert_eq!(answers.deliver(1, &7, "late".to_string()), Err("late".to_string()));
/// ```
pub struct Mailbox<K, V, P: Platform = DefaultPlatform> {
    /// Nobody else reaches it (M1).
    table: Table<K, P>,
    values: PhantomData<UnsafeCell<V>>,
}

// SAFETY: it holds no value: each goes from the thread that delivers to the one that receives,
// which `V: Send` allows; keys are shared as by the table, which is `Sync` if `K` is.
unsafe impl<K: Sync, V: Send, P: Platform> Sync for Mailbox<K, V, P> {}

/// Why nothing was received.
///
/// ```
/// use slotpark_core::{Deadline, Mailbox, ParkOptions, ReceiveError};
/// let options = ParkOptions::new().deadline(Some(Deadline::PAST));
/// let received = Mailbox::<u64, ()>::new().receive(1, &7, options);
/// assert_eq!(received, Err(ReceiveError::TimedOut));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The deadline passed, and no value had come before.
    TimedOut,
    /// The key or the mailbox was closed, and no value had come before.
    Closed,
    /// A signal came, for which the wait had [asked](crate::ParkOptions::until_signal), and no
    /// value had come before.
    Interrupted,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "no value came before the deadline",
            Self::Closed => "the key or the mailbox is closed",
            Self::Interrupted => "a signal came, and no value had",
        })
    }
}

impl core::error::Error for ReceiveError {}

impl<K, V, P: Platform> Mailbox<K, V, P> {
    /// A mailbox of [`SLOTS_DEFAULT`](crate::SLOTS_DEFAULT) slots: one allocation of 32 KiB, and no
    /// other ever.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Mailbox::<u64, ()>::new().receivers(1, &7), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::of(Table::new())
    }

    /// A mailbox of at least `count` slots, rounded up to a power of two.
    ///
    /// # Errors
    /// If `count` is 0 or greater than [`SLOTS_MAX`](crate::SLOTS_MAX).
    ///
    /// ```
    /// assert!(slotpark_core::Mailbox::<u64, ()>::try_with_slots(0).is_err());
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

    /// Ends all receives with [`Closed`](ReceiveError::Closed), now and for ever; returns how many.
    /// Values delivered before are still received; afterwards every delivery is given back. Else as
    /// [`Table::close`].
    ///
    /// ```
    /// use slotpark_core::{Mailbox, ParkOptions, ReceiveError};
    /// let mailbox = Mailbox::<u64, ()>::new();
    /// assert_eq!(mailbox.close(), 0);
    /// let received = mailbox.receive(1, &7, ParkOptions::new());
    /// assert_eq!(received, Err(ReceiveError::Closed));
    /// ```
    pub fn close(&self) -> usize {
        self.table.close()
    }

    /// Whether the mailbox is closed, or is being closed at this moment.
    ///
    /// ```
    /// assert!(!slotpark_core::Mailbox::<u64, ()>::new().is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.table.is_closed()
    }

    /// Ends the receives of all keys that `is_gone` says yes to. As [`Table::close_where`].
    ///
    /// ```
    /// assert_eq!(slotpark_core::Mailbox::<u64, ()>::new().close_where(|key| *key < 100), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn close_where(&self, is_gone: impl FnMut(&K) -> bool) -> usize {
        self.table.close_where(is_gone)
    }

    /// Empties the mailbox in the child of a fork. As [`Table::reset_after_fork`].
    ///
    /// # Safety
    /// This is the only thread of the process, and it is not inside a closure that runs under a
    /// slot lock.
    ///
    /// ```
    /// let mailbox = slotpark_core::Mailbox::<u64, ()>::new();
    /// // SAFETY: nobody uses this mailbox.
    /// unsafe { mailbox.reset_after_fork() };
    /// ```
    pub unsafe fn reset_after_fork(&self) {
        // SAFETY: the caller's contract, and no other table is over these slots.
        unsafe { self.table.reset_after_fork() };
    }
}

impl<K: Eq, V, P: Platform> Mailbox<K, V, P> {
    /// Moves `value` to the first who waits for `key`.
    ///
    /// With nobody waiting this is one fence and one load. What the deliverer did before is visible
    /// to the receiver.
    ///
    /// # Errors
    /// The value, if nobody waits for the key.
    ///
    /// # Panics
    /// Passes panics of `Eq` on (the value is dropped), and of a task's Waker (the value is
    /// delivered). In debug builds, if called from a closure that runs under a slot lock.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Mailbox::<u64, &str>::new().deliver(1, &7, "back"), Err("back"));
    /// ```
    pub fn deliver<Q>(&self, hash: u64, key: &Q, value: V) -> Result<(), V>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        reentry::check();
        if self.table.slot(hash).announced.any() {
            self.hand_over(hash, key, value)
        } else {
            Err(value)
        }
    }

    fn hand_over<Q>(&self, hash: u64, key: &Q, value: V) -> Result<(), V>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        // In this order, so that also by a panic first the slot is unlocked, then a thread is
        // released, then a task's Waker called.
        let slot = self.table.slot(hash);
        let mut wakers = Wakers::new(slice::from_ref(slot), Some(hash));
        let _critical = P::critical();
        let mut chosen = Chosen::deferred(&mut wakers, Verdict::woken(0));
        let guard = slot.lock();
        let Some(head) = self.table.find(&guard, hash, key) else {
            return Err(value);
        };
        let all = |_: &_| Filter::Unpark;
        self.table.choose(&guard, head, 1, all, &mut chosen);
        // SAFETY: N1, N2: null, or chosen in this hold of the lock.
        let Some(node) = (unsafe { NodeRef::from_raw(chosen.oldest()) }) else {
            return Err(value);
        };
        // SAFETY: M1, M2: it is the empty room of a receiver that we have chosen: nothing is
        // dropped by the write.
        unsafe { node.room().cast::<Option<V>>().write(Some(value)) };
        chosen.collect(&guard);
        Ok(())
    }

    /// How many threads and tasks wait for `key` now.
    ///
    /// ```
    /// assert_eq!(slotpark_core::Mailbox::<u64, ()>::new().receivers(1, &7), 0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn receivers<Q>(&self, hash: u64, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.table.waiters(hash, key)
    }

    /// Ends the receives of `key` as they stand now; returns how many. As [`Table::close_key`].
    ///
    /// ```
    /// assert_eq!(slotpark_core::Mailbox::<u64, ()>::new().close_key(1, &7), 0);
    /// ```
    #[must_use = "0 says that nobody was there"]
    pub fn close_key<Q>(&self, hash: u64, key: &Q) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.table.close_key(hash, key)
    }
}

impl ReceiveError {
    /// Of a wait that has ended without a value.
    fn of(parked: Parked) -> Self {
        match parked {
            Parked::TimedOut => Self::TimedOut,
            Parked::Closed => Self::Closed,
            Parked::Interrupted => Self::Interrupted,
            Parked::Woken { .. } | Parked::Stale => {
                unreachable!("no receive ends as {parked:?}")
            }
        }
    }
}

impl<K, V, P: Platform> Default for Mailbox<K, V, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V, P: Platform> fmt::Debug for Mailbox<K, V, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox")
            .field("slots", &self.table.slot_count())
            .finish_non_exhaustive()
    }
}

crate::looks_by!([K: Sync, V: Send, P: Platform] Mailbox<K, V, P>, table);

crate::keys_by!(
    "slotpark_core::Mailbox::<u64, ()>::new()",
    [K: fmt::Debug, V, P: Platform] Mailbox<K, V, P>,
    table
);
