//! The holder word of a slot: one compare-exchange to lock a key, one to unlock it, as long as
//! nobody else holds or awaits a key of the slot.
//!
//! ```text
//!                 take                      (one holder, whose node is in no queue)
//!     FREE  <--------------->  holder
//!   or QUEUED    give back    or holder + QUEUED
//!      ^  \                     /
//!      |   \ seize             / seize
//!      |    v                 v
//!      +------- DECIDED <----+          (the slot lock decides: all holders are nodes)
//!       settle
//! ```
//!
//! **States**: FREE (nobody holds or awaits a key) - QUEUED (nodes wait, none holds) - the address
//! of one holder's node, with or without QUEUED - DECIDED, also with nobody there while owners are
//! recorded: so that who locks is recorded, under the slot lock.
//!
//! **Invariants**
//! - H1 Who finds a holder by `seize` holds the slot lock; the owner's `give_back` fails from then
//!   on, and it takes that lock before its node ends. So the node may be read, and linked.
//! - H2 From `seize` to `settle`, and while the word is DECIDED at all, only holders of the slot
//!   lock write it: `settle` is a store.
//!
//! **Orderings**: HOLDER.

use core::ptr;

use crate::node::Node;
use crate::platform::Platform;
use crate::sync::{AtomicPtr, Ordering, const_unless_loom};

/// The slot lock decides.
const DECIDED: usize = 1;
/// Nodes wait in the slot, and none holds.
const QUEUED: usize = 2;

pub(crate) struct HolderWord<P: Platform>(AtomicPtr<Node<P>>);

/// What is left in a slot when its lock is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// No node at all.
    Nothing,
    /// Nodes that wait.
    Waiters,
    /// Nodes that hold.
    Holders,
}

impl<P: Platform> HolderWord<P> {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self(AtomicPtr::new(ptr::null_mut()))
        }
    }

    /// Makes `holder` the only one of the slot, if nobody holds a key of it.
    #[inline(always)]
    pub(super) fn take(&self, holder: *const Node<P>) -> bool {
        let holder = holder.cast_mut();
        match self.exchange(ptr::null_mut(), holder) {
            Ok(_) => true,
            Err(seen) => {
                seen.addr() == QUEUED
                    && self
                        .exchange(seen, holder.map_addr(|address| address | QUEUED))
                        .is_ok()
            }
        }
    }

    #[inline(always)]
    fn exchange(&self, old: *mut Node<P>, new: *mut Node<P>) -> Result<*mut Node<P>, *mut Node<P>> {
        // ORDERING: HOLDER both sides: what was done under the lock before is visible from here,
        // and who seizes the word sees the node. Relaxed on failure, which learns nothing.
        self.0
            .compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed)
    }

    /// Unlocks; false if somebody came meanwhile: then the slot lock decides.
    #[inline(always)]
    pub(super) fn give_back(&self, holder: *const Node<P>) -> bool {
        // ORDERING: HOLDER release side: what was done under the lock is visible to the next one.
        // Relaxed on failure: the slot lock orders what follows.
        self.0
            .compare_exchange(
                holder.cast_mut(),
                ptr::null_mut(),
                Ordering::Release,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// The slot lock decides from now on. Returns the only holder, if there is one, whose node is
    /// in no queue yet; else null. The slot lock is held.
    #[inline]
    pub(super) fn seize(&self) -> *const Node<P> {
        // ORDERING: none, relaxed: only holders of the slot lock write and end this state (LOCK).
        if self.0.load(Ordering::Relaxed).addr() == DECIDED {
            return ptr::null();
        }
        // ORDERING: HOLDER acquire side: the holder's node, or what was done by the last one, is
        // visible from here.
        let seen = self
            .0
            .swap(ptr::without_provenance_mut(DECIDED), Ordering::Acquire);
        let holder = seen.map_addr(|address| address & !QUEUED);
        holder.cast_const()
    }

    /// Takes `seize` back: `holder` is the only one, and in no queue. The slot lock is held.
    #[cold]
    pub(super) fn put_back(&self, holder: *const Node<P>, left: Left) {
        let flags = if left == Left::Nothing { 0 } else { QUEUED };
        let word = holder.cast_mut().map_addr(|address| address | flags);
        // ORDERING: none, relaxed: who seizes the word next has the slot lock after us (LOCK), and
        // its owner needs nothing of ours.
        self.0.store(word, Ordering::Relaxed);
    }

    /// The slot lock is about to be given back, and so much is left.
    #[inline]
    pub(super) fn settle(&self, left: Left) {
        let word = match left {
            Left::Nothing => ptr::null_mut(),
            Left::Waiters => ptr::without_provenance_mut(QUEUED),
            Left::Holders => return,
        };
        // ORDERING: HOLDER release side: what was done by the last holders, all under the slot
        // lock, is visible to who takes the word.
        self.0.store(word, Ordering::Release);
    }

    /// Whether it is worth while to try `take`.
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        // ORDERING: none, relaxed: a look; `take` decides.
        self.0.load(Ordering::Relaxed).addr() & !QUEUED == 0
    }

    /// Whether nobody holds or awaits any key of the slot.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        // ORDERING: none, relaxed: an answer that is old when it arrives.
        self.0.load(Ordering::Relaxed).is_null()
    }

    /// In the child of a fork nobody holds anything.
    pub(crate) fn reset(&self) {
        // ORDERING: none, relaxed: only one thread exists.
        self.0.store(ptr::null_mut(), Ordering::Relaxed);
    }
}
