//! The Wakers of chosen tasks: taken under the slot lock, called outside it.
//!
//! A wake decides at one moment whom it ends. Threads are detached at once. So is a task, whose
//! Waker is taken with its node's last touch, as long as there is room (64) and what it is told is
//! known. Else its node is *marked* and stays in its ring, until its Waker is taken at the end of
//! the same hold of the lock, or in a later one. Until then the future finds itself chosen under
//! the slot lock, and may leave by itself: dropping it never waits, and a Waker that is called may
//! poll or drop any other future of the same wake.
//!
//! **Invariants**
//! - K1 A mark is the address of the `Wakers` on the stack of the wake that made it. It is
//!   compared, never followed.
//! - K2 No Waker is called, cloned or dropped under a slot lock.
//!
//! **Lock order**: one slot lock. **Orderings**: LOCK, UNLINK.

use core::mem::MaybeUninit;
use core::ptr;
use core::task::Waker;

use crate::node::{NodeRef, Role};
use crate::platform::Platform;
use crate::slot::{Slot, SlotGuard};
use crate::sync::WAKERS_MAX;
use crate::waiter::Verdict;

/// See the module. Dropped after the slot locks are free, it calls all Wakers of its tasks.
pub(crate) struct Wakers<'t, P: Platform> {
    /// Where marked nodes may be left.
    slots: &'t [Slot<P>],
    /// Of the only key, if there is one.
    hash: Option<u64>,
    /// Nodes are marked and not collected.
    uncollected: bool,
    /// Nodes may be marked whose Wakers are not taken yet.
    more: bool,
    batch: Batch,
}

impl<'t, P: Platform> Wakers<'t, P> {
    /// For a wake that looks into these slots, for keys of this hash if it names one.
    #[inline]
    pub(crate) fn new(slots: &'t [Slot<P>], hash: Option<u64>) -> Self {
        Self {
            slots,
            hash,
            uncollected: false,
            more: false,
            batch: Batch::new(),
        }
    }

    /// For the end of one wait.
    pub(crate) fn of_one() -> Self {
        Self::new(&[], None)
    }

    fn id(&self) -> *const () {
        ptr::from_ref(self).cast()
    }

    /// Chooses a linked node, which stays where it is.
    pub(crate) fn mark(&mut self, node: NodeRef<'_, P>, verdict: Verdict) {
        self.uncollected = true;
        node.set_mark(self.id());
        tell(node, verdict);
    }

    /// Tells the verdict to the `count` marked nodes from `first` on, unless they are told already,
    /// and takes as many Wakers as it can hold. In the hold of the lock in which they were marked.
    pub(crate) fn collect<'g>(
        &mut self,
        guard: &'g SlotGuard<'_, P>,
        first: NodeRef<'g, P>,
        count: usize,
        verdict: Verdict,
        are_told: bool,
    ) {
        let id = self.id();
        let marked = guard.ring(first).filter(|node| node.mark() == id);
        // Who is told is marked for want of room.
        self.more |= are_told;
        for node in marked.take(if are_told { 0 } else { count }) {
            if !self.take(guard, node, verdict) {
                tell(node, verdict);
                self.more = true;
            }
        }
        self.uncollected = false;
    }

    /// Whether one more Waker can be taken.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        !self.batch.is_full()
    }

    /// Ends the wait of a chosen node's task: false if there is no room for its Waker.
    #[inline]
    pub(crate) fn take<'g>(
        &mut self,
        guard: &'g SlotGuard<'_, P>,
        node: NodeRef<'g, P>,
        verdict: Verdict,
    ) -> bool {
        let has_room = self.has_room();
        if has_room {
            tell(node, verdict);
            guard.unlink(node);
            self.push(let_go(node));
        }
        has_room
    }

    /// Adds the Waker of a task that was ended without its node.
    #[inline]
    pub(crate) fn push(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.batch.push(waker);
        }
    }

    /// No Waker is to be called, and none to be taken.
    #[inline]
    fn is_done(&self) -> bool {
        self.batch.is_empty() && !(self.more || self.uncollected)
    }

    /// As [`finish`](Self::finish), also if a Waker panics. Out of line, so that the look is not.
    #[inline(never)]
    fn finish_all(&mut self) {
        let rest = Rest(self);
        rest.0.finish();
        core::mem::forget(rest);
    }

    /// Calls the Wakers, and takes and calls those that are left.
    fn finish(&mut self) {
        loop {
            while let Some(waker) = self.batch.pop() {
                waker.wake();
            }
            if !(self.more || self.uncollected) {
                return;
            }
            self.take_more();
        }
    }

    #[cold]
    fn take_more(&mut self) {
        while let [slot, others @ ..] = self.slots {
            let _critical = P::critical();
            let guard = slot.lock();
            if self.take_from(&guard) {
                self.slots = others;
            }
            drop(guard);
            if !self.batch.is_empty() {
                return;
            }
        }
        (self.more, self.uncollected) = (false, false);
    }

    /// Takes Wakers of marked nodes; true if none is left in this slot.
    fn take_from(&mut self, guard: &SlotGuard<'_, P>) -> bool {
        let id = self.id();
        let mut group = guard.first();
        while let Some(head) = group {
            // Read first: the head itself may leave.
            group = guard.next_key(head);
            if self.hash.is_some_and(|hash| head.name().hash != hash) {
                continue;
            }
            // Most stand at the front, and leave in one piece.
            let rest = guard.take_front(head, |node| {
                let takes = node.mark() == id && self.has_room();
                if takes {
                    self.push(let_go(node));
                }
                takes
            });
            let Some(head) = rest else {
                continue;
            };
            for node in guard.ring(head).filter(|node| node.mark() == id) {
                if self.batch.is_full() {
                    return false;
                }
                guard.unlink(node);
                self.push(let_go(node));
            }
        }
        true
    }
}

impl<P: Platform> Drop for Wakers<'_, P> {
    /// Most wakes have nothing left to do here: they have found nobody, or threads alone.
    #[inline]
    fn drop(&mut self) {
        if !self.is_done() {
            self.finish_all();
        }
    }
}

/// Writes what a linked node's waiter is told; its waker has chosen it under the slot lock.
#[inline]
pub(crate) fn tell<P: Platform>(node: NodeRef<'_, P>, verdict: Verdict) {
    // SAFETY: N1: the waiter is in the frame of its node, which is linked.
    let waiter = unsafe { &*node.waiter() };
    // SAFETY: W2: the node is chosen and not let go.
    unsafe { waiter.tell(verdict) };
}

/// Takes the Waker of a task that was told its verdict, and whose node was just unlinked. The
/// future may be gone afterwards.
#[inline]
pub(crate) fn let_go<P: Platform>(node: NodeRef<'_, P>) -> Option<Waker> {
    debug_assert!(node.role() == Role::Task, "K1: only tasks are marked");
    // SAFETY: N1: the future lives until it is let go below.
    let waiter = unsafe { &*node.waiter() };
    // SAFETY: W5: the slot lock is held and the node was chosen by us.
    let waker = unsafe { waiter.exchange_waker(None) };
    node.let_go();
    waker
}

/// Wakes the rest when a Waker panics; if another one panics then, the process is aborted.
struct Rest<'w, 't, P: Platform>(&'w mut Wakers<'t, P>);

impl<P: Platform> Drop for Rest<'_, '_, P> {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// A queue of Wakers with room for so many. Between two fillings it is emptied.
struct Batch {
    /// Those from `begin` to `end` are there.
    wakers: [MaybeUninit<Waker>; WAKERS_MAX],
    begin: usize,
    end: usize,
}

impl Batch {
    #[inline]
    const fn new() -> Self {
        Self {
            wakers: [const { MaybeUninit::uninit() }; WAKERS_MAX],
            begin: 0,
            end: 0,
        }
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.begin == self.end
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.end == WAKERS_MAX
    }

    #[inline]
    fn push(&mut self, waker: Waker) {
        self.wakers[self.end].write(waker);
        self.end += 1;
    }

    #[inline]
    fn pop(&mut self) -> Option<Waker> {
        if self.is_empty() {
            (self.begin, self.end) = (0, 0);
            return None;
        }
        let waker = &self.wakers[self.begin];
        self.begin += 1;
        // SAFETY: those from `begin` to `end` were written, and this one is now before `begin`.
        Some(unsafe { waker.assume_init_read() })
    }
}
