//! One slot: a cache line that holds everything about the keys that hash to it.
//!
//! ```text
//!  0 announced   u32  waiters that may be here: a hint for wakers, never an answer for users;
//!                     its top bit says that the slot is closed
//!  4 lock        u32  guards keys, nodes, spin average and counters
//!  8 keys        ptr  list of groups, one per key that is present (see `queue`)
//! 16 holder    ptr  who holds a key of the slot, while that is one and nobody waits (see `keyed`)
//! 24 sequence    u32  threads sleep here, all of a slot on one word
//! 28 bits    2 x u32  which of them owns which bit
//! 36 spin    2 x u16  learned: how long waits of this slot take
//! 40 tallies 6 x u32  parks, wakes, timeouts, cancels, requeues, collisions (wrapping)
//! ```
//!
//! **Invariants**: S1 `announced` is at least the number of linked waiters of the slot, from before
//! the validation of each until it is unlinked. S2 `keys` and every node whose `slot` is this one
//! are read and written under `lock` only. **Lock order**: slot locks in index order, nothing
//! inside them. **Orderings**: DEKKER, LOCK.

use core::cell::Cell;
use core::marker::PhantomData;
#[cfg(not(slotpark_loom))]
use core::mem::offset_of;
use core::ptr;

use crate::home::{Sequence, SleepBits};
use crate::keyed::HolderWord;
use crate::node::Node;
use crate::platform::Platform;
use crate::reentry;
use crate::slot_lock::SlotLock;
use crate::spin::SpinMemory;
use crate::sync::{AtomicU32, Guarded, Ordering, Tally, const_unless_loom, full_fence};

/// See the module.
#[repr(C, align(64))]
pub(crate) struct Slot<P: Platform> {
    pub(crate) announced: Announced,
    lock: SlotLock<P>,
    pub(crate) keys: Guarded<*const Node<P>>,
    pub(crate) holder: HolderWord<P>,
    pub(crate) sequence: Sequence<P>,
    pub(crate) bits: SleepBits,
    pub(crate) spin: SpinMemory,
    pub(crate) tallies: Tallies,
}

// SAFETY: everything in a slot is atomic or guarded by its lock (S2); what the guarded pointers
// lead to is shared under the rules of `node`, whose key bounds are the table's.
unsafe impl<P: Platform> Sync for Slot<P> {}
// SAFETY: as above; a slot is tied to no thread.
unsafe impl<P: Platform> Send for Slot<P> {}

impl<P: Platform> Slot<P> {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            #[cfg(not(slotpark_loom))]
            const { Self::assert_layout() };
            Self {
                announced: Announced(AtomicU32::new(0)),
                lock: SlotLock::new(),
                keys: Guarded::new(ptr::null()),
                holder: HolderWord::new(),
                sequence: Sequence::new(),
                bits: SleepBits::new(),
                spin: SpinMemory::new(),
                tallies: Tallies::new(),
            }
        }
    }

    /// Evaluated at compile time, for every platform that makes a slot.
    #[cfg(not(slotpark_loom))]
    const fn assert_layout() {
        if cfg!(slotpark_shuttle) {
            return; // Its atomics are larger than words.
        }
        assert!(size_of::<Self>() == 64, "a slot is one cache line");
        assert!(align_of::<Self>() == 64, "a slot starts at a cache line");
        assert!(offset_of!(Self, announced) == 0, "the hint comes first");
        assert!(
            offset_of!(Self, lock) == 4,
            "the lock shares the hint's word pair"
        );
        assert!(offset_of!(Self, keys) == 8, "the list follows");
        assert!(
            cfg!(not(target_pointer_width = "64")) || offset_of!(Self, tallies) == 40,
            "six counters fill the line"
        );
    }

    /// Takes the slot lock. The caller has called `reentry::check` where it holds no other.
    #[inline]
    pub(crate) fn lock(&self) -> SlotGuard<'_, P> {
        // Counted from before to after, so that a signal handler is told at any moment in between.
        reentry::add();
        self.lock.lock();
        SlotGuard {
            slot: self,
            settle: Cell::new(0),
            not_send: PhantomData,
        }
    }

    /// Forgets all waiters and lock holders: they do not exist in the child of a fork.
    ///
    /// # Safety
    /// Only one thread exists, it holds no slot lock, and no waiter of this process will come back
    /// to its node but by `Node::is_of_generation`.
    pub(crate) unsafe fn reset(&self) {
        self.announced.reset();
        self.lock.reset();
        // SAFETY: only one thread exists.
        unsafe { self.keys.set(ptr::null()) };
        self.bits.reset();
        self.holder.reset();
    }
}

/// The lock of a slot, held. What changes in the number of waiters is settled when it is dropped,
/// also by a panic.
pub(crate) struct SlotGuard<'t, P: Platform> {
    pub(crate) slot: &'t Slot<P>,
    settle: Cell<u32>,
    not_send: PhantomData<*const ()>,
}

impl<'t, P: Platform> SlotGuard<'t, P> {
    /// The guard of a lock that is held already, and whose guard was forgotten.
    ///
    /// # Safety
    /// The caller's thread holds the lock of `slot`, and no other guard of it exists.
    pub(crate) unsafe fn of_locked(slot: &'t Slot<P>) -> Self {
        Self {
            slot,
            settle: Cell::new(0),
            not_send: PhantomData,
        }
    }

    /// One waiter left, or an announcement is taken back.
    pub(crate) fn leave_one(&self) {
        self.settle.set(self.settle.get().wrapping_sub(1));
    }

    /// So many left.
    pub(crate) fn leave(&self, count: u32) {
        self.settle.set(self.settle.get().wrapping_sub(count));
    }

    /// One waiter was moved here.
    pub(crate) fn enter_one(&self) {
        self.settle.set(self.settle.get().wrapping_add(1));
    }

    /// Brings the count up to date.
    #[inline]
    pub(crate) fn settle(&self) {
        let difference = self.settle.take();
        if difference != 0 {
            self.slot.announced.settle(difference);
        }
    }
}

impl<P: Platform> Drop for SlotGuard<'_, P> {
    #[inline]
    fn drop(&mut self) {
        self.settle();
        self.slot.lock.unlock();
        reentry::subtract();
    }
}

/// The number of waiters that are in the slot or on their way into it, and whether it is closed.
#[derive(Debug)]
pub(crate) struct Announced(AtomicU32);

/// Set for ever once the table is closed. Beside the count, so that a wait sees it in the line that
/// it touches anyway.
const CLOSED: u32 = 1 << 31;

impl Announced {
    /// Says that a waiter comes, before it looks at its condition.
    #[inline]
    pub(crate) fn announce(&self) {
        // ORDERING: DEKKER side A, relaxed: the fence orders this write before the validation.
        self.0.fetch_add(1, Ordering::Relaxed);
        full_fence();
    }

    /// Adds a (wrapping) difference in one step. Always a read-modify-write: announcing holds no
    /// lock.
    #[inline]
    pub(crate) fn settle(&self, difference: u32) {
        // ORDERING: none, relaxed: a count that falls late costs a waker a look; one that must be
        // high for a moved waiter was raised by the requeuer's announcement (DEKKER).
        self.0.fetch_add(difference, Ordering::Relaxed);
    }

    /// Whether anybody may be here, for a waker that has made the condition true.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        // ORDERING: DEKKER side B: what the caller changed comes before the read of the count.
        full_fence();
        self.any_by_now()
    }

    /// As [`any`](Self::any), for a caller that has made its full fence already.
    #[inline]
    pub(crate) fn any_by_now(&self) -> bool {
        // ORDERING: DEKKER side B, relaxed: the fence orders the caller's write before this read.
        self.0.load(Ordering::Relaxed) & !CLOSED != 0
    }

    /// The hint itself, for `Debug` and for tests when all is quiet.
    #[inline]
    pub(crate) fn hint(&self) -> u32 {
        // ORDERING: none, relaxed: a statistic.
        self.0.load(Ordering::Relaxed) & !CLOSED
    }

    /// Closes the slot for ever. Called under its lock.
    pub(crate) fn close(&self) {
        // ORDERING: none, relaxed: who decides by it holds the slot lock (LOCK).
        self.0.fetch_or(CLOSED, Ordering::Relaxed);
    }

    /// Whether the slot is closed: an answer under its lock, a hint outside.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        // ORDERING: none, relaxed: as in `close`.
        self.0.load(Ordering::Relaxed) & CLOSED != 0
    }

    /// Closed stays closed.
    fn reset(&self) {
        // ORDERING: none, relaxed: only one thread exists.
        self.0.fetch_and(CLOSED, Ordering::Relaxed);
    }
}

/// The counters of one slot, written under its lock.
#[derive(Debug)]
pub(crate) struct Tallies {
    pub(crate) parks: Tally,
    pub(crate) wakes: Tally,
    pub(crate) timeouts: Tally,
    pub(crate) cancels: Tally,
    pub(crate) requeues: Tally,
    pub(crate) collisions: Tally,
}

impl Tallies {
    const_unless_loom! {
        fn new() -> Self {
            Self {
                parks: Tally::new(),
                wakes: Tally::new(),
                timeouts: Tally::new(),
                cancels: Tally::new(),
                requeues: Tally::new(),
                collisions: Tally::new(),
            }
        }
    }
}

impl<P: Platform> core::fmt::Debug for Slot<P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Slot")
            .field("announced", &self.announced.hint())
            .finish_non_exhaustive()
    }
}
