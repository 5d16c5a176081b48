//! One node as a look finds it.

use core::panic::Location;

use crate::inspect::KeyText;
use crate::slots::SlotStats;

/// What can be looked at: a table, or what is made of one.
///
/// ```
/// use slotpark_core::Inspect;
/// fn names(tables: &[(&str, &dyn Inspect)]) -> usize {
///     tables.iter().map(|(_, table)| table.slot_count()).sum()
/// }
/// assert_eq!(names(&[]), 0);
/// ```
pub trait Inspect: Send + Sync {
    /// The number of slots.
    fn slot_count(&self) -> usize;

    /// The counters of one slot.
    ///
    /// # Panics
    /// If `index` is not below [`slot_count`](Self::slot_count).
    fn slot_stats(&self, index: usize) -> SlotStats;

    /// Copies what is in one slot into `room`, as much as it takes, and says how many nodes there
    /// are: more than `room` has if that was too short. Queue by queue, in the order in which they
    /// would be woken, holders last.
    ///
    /// Locks the slot meanwhile, and nothing else; allocates nothing. Beyond [`LOOK_MAX`] nodes
    /// that there is no room for it stops counting, so that nobody waits long for the lock. A key's
    /// `Debug`, where the table shows keys, runs under that lock: it must not call a table (debug
    /// builds panic); if it panics, its text is cut.
    ///
    /// With the feature `inspect`, who holds the mutexes and read-write locks of a slot of the
    /// process-wide table is added from a list beside it when the slot is unlocked again: that may
    /// be of a later moment.
    ///
    /// # Panics
    /// If `index` is not below [`slot_count`](Self::slot_count); in debug builds, if called from a
    /// closure that runs under a slot lock; of locks by key, with panics of the key's `Eq`.
    ///
    /// [`LOOK_MAX`]: crate::LOOK_MAX
    fn look(&self, index: usize, room: &mut [Seen]) -> usize;

    /// What tells this table from others, also in what a sink is told.
    fn table_id(&self) -> u64 {
        0
    }

    /// How many times so far a `RawMutex` or a `RawRwLock` was taken while there was no room left
    /// to enter who has it: no look shows those holds. 0 but for the process-wide table with the
    /// feature `inspect`, which has room for 64 in each of sixteen parts. Locks nothing.
    ///
    /// ```
    /// use slotpark_core::{Inspect, process_table};
    /// assert_eq!(process_table().unlisted(), 0);
    /// ```
    fn unlisted(&self) -> usize {
        0
    }
}

impl<T: Inspect + ?Sized> Inspect for &T {
    fn slot_count(&self) -> usize {
        (**self).slot_count()
    }

    fn slot_stats(&self, index: usize) -> SlotStats {
        (**self).slot_stats(index)
    }

    fn look(&self, index: usize, room: &mut [Seen]) -> usize {
        (**self).look(index, room)
    }

    fn table_id(&self) -> u64 {
        (**self).table_id()
    }

    fn unlisted(&self) -> usize {
        (**self).unlisted()
    }
}

/// What a node is there for.
///
/// ```
/// assert!(slotpark_core::Kind::Lock.is_exclusive());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A wait for a wake, with no owner behind it.
    #[default]
    Wait,
    /// A lock of which there is one, or the making of a value that others wait for.
    Lock,
    /// A lock that is shared by readers.
    Read,
    /// The one of a lock's readers who may come to write.
    Upgradable,
    /// Permits of a semaphore.
    Permit,
    /// A key that is kept closed.
    Closed,
}

impl Kind {
    /// Whether who has it keeps everybody else out.
    ///
    /// ```
    /// assert!(!slotpark_core::Kind::Read.is_exclusive());
    /// ```
    #[must_use]
    pub const fn is_exclusive(self) -> bool {
        matches!(self, Self::Lock)
    }
}

/// One node.
///
/// ```
/// assert!(!slotpark_core::Seen::default().holds);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Seen {
    /// Of the key.
    pub hash: u64,
    /// The key as text, where the table was built for it.
    pub key: Option<KeyText>,
    /// What it is there for.
    pub kind: Kind,
    /// It holds the key; else it waits.
    pub holds: bool,
    /// It stands for a task; else for a thread.
    pub is_task: bool,
    /// The same number for all nodes of one wait; of a holder, its own. Numbers come again: a wait
    /// is the same as in an earlier look if [`since_ns`](Self::since_ns) is, too.
    pub wait: u64,
    /// Which of the slot's queues it stands in: nodes of one key and, among those, of one condition
    /// have the same number, and stand one behind the other.
    pub queue: u32,
    /// How much a holder holds, or a waiter asks for: readers and permits. 0 for a plain wait.
    pub weight: u32,
    /// The caller's tag.
    pub tag: u64,
    /// When it began to wait, or came to hold: nanoseconds of the platform's
    /// [`ticks`](crate::Platform::ticks), which are those of its monotonic clock.
    pub since_ns: Option<u64>,
    /// The operating system's number of the thread that waits, or that locked; of a task, of the
    /// thread that polled it then. Where threads have no such numbers, one of ours.
    pub thread: Option<u32>,
    /// The number of the task, if it has a [name](crate::task_label): the same for its waits and
    /// for what it holds.
    pub task: Option<u64>,
    /// The name of the task.
    pub task_label: Option<&'static str>,
    /// What the wait or the lock was called by its user.
    pub label: Option<&'static str>,
    /// Where it was asked to wait or to lock; of a future, where it was made.
    pub location: Option<&'static Location<'static>>,
    /// What the sink called the stack that was taken then.
    pub stack: Option<u64>,
}
