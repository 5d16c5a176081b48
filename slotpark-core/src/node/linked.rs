//! What the holder of a slot lock does with nodes.
//!
//! **Orderings**: LOCK (all guarded fields), UNLINK (a task's `slot` becomes null).

use core::mem::MaybeUninit;
use core::ptr;

use crate::inspect::Traced;
use crate::node::{Group, Moved, Name, Node, Role};
use crate::platform::Platform;
use crate::slot::Slot;
use crate::sync::Ordering;
use crate::waiter::Waiter;

/// A node that the holder of a slot lock may touch (N1, N2): it is linked in that slot, or was
/// detached from it, or is about to be linked, under this very hold of the lock. `'g` is that hold.
pub(crate) struct NodeRef<'g, P: Platform>(&'g Node<P>);

impl<P: Platform> Clone for NodeRef<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for NodeRef<'_, P> {}

impl<P: Platform> PartialEq for NodeRef<'_, P> {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.0, other.0)
    }
}

impl<'g, P: Platform> NodeRef<'g, P> {
    /// # Safety
    /// `node` is null, or the caller may touch it for all of `'g` as the type says.
    pub(crate) unsafe fn from_raw(node: *const Node<P>) -> Option<Self> {
        // SAFETY: by the caller's contract the node's frame lives during `'g` (N1).
        unsafe { node.as_ref() }.map(Self)
    }

    pub(crate) fn as_ptr(self) -> *const Node<P> {
        self.0.alive.touch();
        self.0
    }

    pub(crate) fn next(self) -> Self {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        let next = unsafe { self.0.next.get() };
        // SAFETY: Q1 of `queue`: the ring's links lead to nodes of the same slot.
        unsafe { Self::from_raw(next) }.expect("a linked node has a successor")
    }

    pub(crate) fn prev(self) -> Self {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        let prev = unsafe { self.0.prev.get() };
        // SAFETY: Q1 of `queue`: the ring's links lead to nodes of the same slot.
        unsafe { Self::from_raw(prev) }.expect("a linked node has a predecessor")
    }

    /// Makes `next` the successor of `self`, on both sides.
    pub(crate) fn join(self, next: Self) {
        self.0.alive.touch();
        next.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.next.set(next.0) };
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { next.0.prev.set(self.0) };
    }

    /// Appends `next` to a chain of detached nodes (or ends it with null).
    pub(crate) fn chain_to(self, next: *const Node<P>) {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`, and nobody else walks a detached node.
        unsafe { self.0.next.set(next) };
    }

    /// The next of a chain of detached nodes, or null.
    pub(crate) fn chained(self) -> *const Node<P> {
        self.0.alive.touch();
        // SAFETY: N2: the node is detached and not released: the caller's alone.
        unsafe { self.0.next.get() }
    }

    pub(crate) fn name(self) -> Name {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.name.get() }
    }

    pub(crate) fn set_name(self, name: Name) {
        self.0.alive.touch();
        // SAFETY: N2: the locks of both slots are held.
        unsafe { self.0.name.set(name) };
    }

    pub(crate) fn is_head(self) -> bool {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.head.get() }
    }

    pub(crate) fn set_head(self, head: bool) {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.head.set(head) };
    }

    /// The record of the key that this head represents.
    pub(crate) fn group(self) -> Group<P> {
        debug_assert!(self.is_head(), "Q3: a head has the record");
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        let group = unsafe { self.0.group.get() };
        // SAFETY: `queue` writes the record of a node before it makes it a head.
        unsafe { group.assume_init() }
    }

    pub(crate) fn set_group(self, group: Group<P>) {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.group.set(MaybeUninit::new(group)) };
    }

    pub(crate) fn moved(self) -> Moved {
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.moved.get() }
    }

    pub(crate) fn set_moved(self, moved: Moved) {
        // SAFETY: N2: the locks of both slots are held.
        unsafe { self.0.moved.set(moved) };
    }

    /// The slot changes: linked, moved, or null for chosen and left (N4).
    pub(crate) fn set_slot(self, slot: *const Slot<P>) {
        self.0.alive.touch();
        // ORDERING: none, relaxed: see `Node::slot`.
        self.0.slot.store(slot.cast_mut(), Ordering::Relaxed);
    }

    /// The last touch of a node that no release follows, by the waker that has unlinked it: of a
    /// task's, or of one counted by itself.
    pub(crate) fn let_go(self) {
        self.0.alive.touch();
        // ORDERING: UNLINK release side: the verdict and this waker's touches of the frame come
        // before what the task does with it.
        self.0.slot.store(ptr::null_mut(), Ordering::Release);
    }

    /// Whether it stands in a queue.
    pub(crate) fn is_linked(self) -> bool {
        !self.0.slot().is_null()
    }

    pub(crate) fn role(self) -> Role {
        self.0.alive.touch();
        self.0.role
    }

    pub(crate) fn entry(self) -> Option<u8> {
        self.0.alive.touch();
        self.0.entry
    }

    pub(crate) fn weight(self) -> u32 {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.weight.get() }
    }

    pub(crate) fn set_weight(self, weight: u32) {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.weight.set(weight) };
    }

    /// Who has chosen it while it stays linked.
    pub(crate) fn mark(self) -> *const () {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.mark.get() }
    }

    pub(crate) fn set_mark(self, by: *const ()) {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.mark.set(by) };
    }

    /// Whether it waits: it is a waiter's node that nobody has chosen and no other key has claimed,
    /// or one that is counted by itself.
    pub(crate) fn waits(self) -> bool {
        if self.role() == Role::Each {
            return true;
        }
        let is_waiter = matches!(self.role(), Role::Thread | Role::Task);
        if !is_waiter || !self.mark().is_null() {
            return false;
        }
        // SAFETY: N1: the waiter is in the frame of its node, which is linked.
        self.entry().is_none() || unsafe { (*self.waiter()).claim.is_open() }
    }

    pub(crate) fn tag(self) -> u64 {
        self.0.alive.touch();
        self.0.tag
    }

    /// What it says of itself, if it does.
    pub(crate) fn traced(self) -> Option<&'g Traced> {
        self.0.alive.touch();
        let traced = self.0.traced();
        // SAFETY: V1: null, or it lives as long as the node is linked.
        unsafe { traced.as_ref() }
    }

    /// It holds its key from now on: records that, if it is recorded.
    #[cfg(feature = "alloc")]
    pub(crate) fn holds_now(self) {
        if let Some(traced) = self.traced() {
            // SAFETY: V1: the lock of its slot is held.
            unsafe { traced.holds_now::<P>() };
        }
    }

    pub(crate) fn room(self) -> *mut () {
        self.0.room
    }

    pub(crate) fn waiter(self) -> *const Waiter<P> {
        self.0.alive.touch();
        self.0.waiter
    }
}
