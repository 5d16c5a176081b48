//! A node: the place of one waiter in the queue of one key.
//!
//! A node lies in its waiter's frame and is linked into exactly one slot, or into none.
//!
//! **States**: new (`slot` null, no links) -> linked (`slot` set) -> left (unlinked by its own
//! waiter, `slot` null) or chosen (detached by a waker, `slot` null, then released).
//!
//! **Invariants**
//! - N1 While a node is linked, its frame lives. A frame ends only after its waiter unlinked the
//!   node itself under the slot's lock, or after the release that follows a detachment.
//! - N2 Links, name, group and flags of a linked node are accessed under the lock of the slot in
//!   `slot` only; of a chosen node, by the waker that detached it, until it releases the waiter.
//! - N3 The name's key points to a live key of the table's type while the node is linked.
//! - N4 `slot` is written under the lock of the old and of the new slot; a requeue writes it once,
//!   from slot to slot: null says "chosen" or "left", never "on the way".
//!
//! **Orderings**: LOCK (all guarded fields). `slot` itself is read without the lock, then the lock
//! is taken and it is read again.

use core::ptr;

use crate::platform::Platform;
use crate::slot::Slot;
use crate::sync::{Alive, AtomicPtr, Guarded, Ordering};
use crate::waiter::Waiter;

/// What a node is called: the hash and the full key.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) hash: u64,
    /// A key of the table's type, erased: queues do not compare keys.
    pub(crate) key: *const (),
}

impl Clone for Name {
    fn clone(&self) -> Self {
        *self
    }
}
impl Copy for Name {}

/// The record of a key, valid in the node that represents it (its oldest waiter) and inherited by
/// the next one when that node leaves.
#[expect(
    dead_code,
    reason = "the last three are the places of keyed locks and closed keys"
)]
pub(crate) struct Group<P: Platform> {
    /// The next key of the slot, null at the end of the list.
    pub(crate) next: *const Node<P>,
    /// The previous key of the slot, null at its head.
    pub(crate) prev: *const Node<P>,
    /// The ring of the nodes that own this key (keyed locks).
    pub(crate) holders: *const Node<P>,
    /// A total over the holders (readers, permits).
    pub(crate) aggregate: u32,
    /// For keyed locks and closed keys.
    pub(crate) flags: u32,
}

impl<P: Platform> Group<P> {
    pub(crate) const NONE: Self = Self {
        next: ptr::null(),
        prev: ptr::null(),
        holders: ptr::null(),
        aggregate: 0,
        flags: 0,
    };
}

impl<P: Platform> Clone for Group<P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for Group<P> {}

/// What a node is in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It waits for the key.
    Waiter,
}

/// See the module. Two cache lines: what every search and wake touches, then the rest.
#[repr(C, align(64))]
pub(crate) struct Node<P: Platform> {
    slot: AtomicPtr<Slot<P>>,
    next: Guarded<*const Self>,
    prev: Guarded<*const Self>,
    name: Guarded<Name>,
    waiter: *const Waiter<P>,
    /// The caller's: seen by filters; its low half is the bitset of bitset wakes.
    tag: u64,
    /// This node represents its key: `group` is valid.
    head: Guarded<bool>,
    /// It was moved here from another key: its waiting time teaches nothing.
    requeued: Guarded<bool>,
    /// Keyed locks add the role of a holder.
    role: Role,

    group: Guarded<Group<P>>,
    /// The generation of the table in which it was linked: a fork begins a new one.
    generation: u32,
    /// The place of permits and priorities.
    weight: u32,
    /// The place of inspection data, null when it is off.
    inspection: *const (),
    /// Where a requeue may write a key of the table's type.
    room: *mut (),
    alive: Alive,
}

impl<P: Platform> Node<P> {
    pub(crate) fn new(
        name: Name,
        room: *mut (),
        tag: u64,
        generation: u32,
        waiter: *const Waiter<P>,
    ) -> Self {
        Self {
            slot: AtomicPtr::new(ptr::null_mut()),
            next: Guarded::new(ptr::null()),
            prev: Guarded::new(ptr::null()),
            name: Guarded::new(name),
            group: Guarded::new(Group::NONE),
            head: Guarded::new(false),
            requeued: Guarded::new(false),
            role: Role::Waiter,
            tag,
            weight: 0,
            generation,
            inspection: ptr::null(),
            room,
            waiter,
            alive: Alive::new(),
        }
    }

    /// The slot it is linked in now, null when it is chosen or has left. To be read again under
    /// that slot's lock (N4).
    pub(crate) fn slot(&self) -> *const Slot<P> {
        // ORDERING: none, relaxed: a hint until it is read again under the lock; null sends the
        // waiter to its state, whose acquire load orders everything (HANDOFF).
        self.slot.load(Ordering::Relaxed).cast_const()
    }

    /// The generation of the table in which the node was made.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// The frame ends.
    pub(crate) fn end(&self) {
        self.alive.end();
    }
}

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

    pub(crate) fn group(self) -> Group<P> {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.group.get() }
    }

    pub(crate) fn set_group(self, group: Group<P>) {
        self.0.alive.touch();
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.group.set(group) };
    }

    pub(crate) fn is_requeued(self) -> bool {
        // SAFETY: N2: the lock is held for `'g`.
        unsafe { self.0.requeued.get() }
    }

    pub(crate) fn set_requeued(self) {
        // SAFETY: N2: the locks of both slots are held.
        unsafe { self.0.requeued.set(true) };
    }

    /// The slot changes: linked, moved, or null for chosen and left (N4).
    pub(crate) fn set_slot(self, slot: *const Slot<P>) {
        self.0.alive.touch();
        // ORDERING: none, relaxed: see `Node::slot`.
        self.0.slot.store(slot.cast_mut(), Ordering::Relaxed);
    }

    pub(crate) fn tag(self) -> u64 {
        self.0.alive.touch();
        self.0.tag
    }

    pub(crate) fn room(self) -> *mut () {
        self.0.room
    }

    pub(crate) fn waiter(self) -> *const Waiter<P> {
        self.0.alive.touch();
        self.0.waiter
    }
}
