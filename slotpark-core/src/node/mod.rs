//! A node: the place of one waiter in the queue of one key.
//!
//! A node lies in its waiter's frame or future and is linked into exactly one slot, or into none.
//!
//! **States**: new (`slot` null, no links) -> linked (`slot` set) -> left (unlinked by its own
//! waiter, `slot` null) or chosen (detached by a waker, `slot` null, then released). The node of a
//! task may be chosen while it is still linked: then it is *marked* by its waker, counts as gone
//! for everybody else, and leaves as soon as its Waker is taken or its future looks.
//!
//! **Invariants**
//! - N1 While a node is linked, its frame lives. A frame ends only after its waiter unlinked the
//!   node itself under the slot's lock, or after the release that follows a detachment. A task has
//!   no release of its own: its frame may end once `slot` is null (UNLINK). Nor has a node that is
//!   counted by itself after another one of its waiter has ended the wait.
//! - N2 Links, name, group and flags of a linked node are accessed under the lock of the slot in
//!   `slot` only; of a chosen node, by the waker that detached it, until it releases the waiter.
//! - N3 The name's key points to a live key of the table's type while the node is linked.
//! - N4 `slot` is written under the lock of the old and of the new slot; a requeue writes it once,
//!   from slot to slot: null says "chosen" or "left", never "on the way".
//! - N5 A node is not `Unpin`, nor is what it lies in: so a mutable reference, or a box, by which
//!   its owner reaches it or its surroundings claims no sole access: others' pointers stay good.
//!
//! **Orderings**: LOCK (all guarded fields), UNLINK (`slot` becomes null without a release). `slot`
//! is read without the lock, then the lock is taken and it is read again.

mod linked;

use core::marker::PhantomPinned;
use core::mem::MaybeUninit;
use core::ptr;

use crate::inspect::Traced;
use crate::platform::Platform;
use crate::slot::Slot;
use crate::sync::{Alive, AtomicPtr, Guarded, Ordering};
use crate::waiter::Waiter;

pub(crate) use linked::NodeRef;

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
pub(crate) struct Group<P: Platform> {
    /// The next key of the slot, null at the end of the list.
    pub(crate) next: *const Node<P>,
    /// The previous key of the slot, null at its head.
    pub(crate) prev: *const Node<P>,
    /// The first of the nodes that hold this key, null if none does (keyed locks).
    pub(crate) holders: *const Node<P>,
    /// What they hold together.
    pub(crate) total: u32,
    /// How many nodes keep the key closed.
    pub(crate) closers: u32,
}

impl<P: Platform> Group<P> {
    pub(crate) const NONE: Self = Self {
        next: ptr::null(),
        prev: ptr::null(),
        holders: ptr::null(),
        total: 0,
        closers: 0,
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
    /// A thread waits for the key.
    Thread,
    /// A thread waits for the key, and is counted for each of its keys by itself: a wake detaches
    /// this node also if another key has ended the wait.
    Each,
    /// A task waits for the key.
    Task,
    /// It keeps the key closed.
    Closer,
    /// It holds the key.
    Holder,
}

/// How a waiter came to the key that it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It began here.
    No,
    /// It was moved from another key: its waiting time teaches nothing.
    Yes,
    /// So it was, by a notification of a given number, which it passes on if it does not want it.
    ByCount,
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
    /// How it came here from another key.
    moved: Guarded<Moved>,
    role: Role,
    /// Which of the waiter's nodes it is, if the waiter is decided by a claim.
    entry: Option<u8>,

    /// Written when it becomes a head.
    group: Guarded<MaybeUninit<Group<P>>>,
    /// The generation of the table in which it was linked: a fork begins a new one.
    generation: u32,
    /// The priority of a waiter: those with more stand before it. Of a holder, how much it holds.
    weight: Guarded<u32>,
    /// What it says of itself to those who look; null if it says nothing (V1 of `inspect`).
    traced: Guarded<*const Traced>,
    /// Where a waker may write: a requeue a key of the table's type, a delivery a value of its
    /// mailbox's type. No table knows both.
    room: *mut (),
    /// The waker that has chosen this linked node of a task, null if none has.
    mark: Guarded<*const ()>,
    alive: Alive,
    /// Others point to it, whatever reference its owner makes or moves (N5).
    _pinned: PhantomPinned,
}

impl<P: Platform> Node<P> {
    pub(crate) fn new(
        name: Name,
        room: *mut (),
        tag: u64,
        generation: u32,
        waiter: *const Waiter<P>,
    ) -> Self {
        // One cache line for each of its halves, where words are words.
        #[cfg(all(not(any(slotpark_loom, slotpark_shuttle)), target_pointer_width = "64"))]
        const {
            assert!(size_of::<Self>() == 128, "a node is two cache lines")
        };
        Self {
            slot: AtomicPtr::new(ptr::null_mut()),
            next: Guarded::new(ptr::null()),
            prev: Guarded::new(ptr::null()),
            name: Guarded::new(name),
            group: Guarded::new(MaybeUninit::uninit()),
            head: Guarded::new(false),
            moved: Guarded::new(Moved::No),
            role: Role::Thread,
            entry: None,
            tag,
            weight: Guarded::new(0),
            generation,
            traced: Guarded::new(ptr::null()),
            room,
            waiter,
            mark: Guarded::new(ptr::null()),
            alive: Alive::new(),
            _pinned: PhantomPinned,
        }
    }

    pub(crate) fn with_role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// One of several nodes of its waiter, or the one of a waiter with an interrupter (W4).
    pub(crate) fn of_entry(mut self, entry: u8) -> Self {
        self.entry = Some(entry);
        self
    }

    /// With what it says of itself.
    pub(crate) fn with_traced(mut self, traced: *const Traced) -> Self {
        self.traced = Guarded::new(traced);
        self
    }

    pub(crate) fn with_weight(mut self, weight: u32) -> Self {
        self.weight = Guarded::new(weight);
        self
    }

    /// Of a holder of `weight`.
    #[inline]
    pub(crate) fn holder_of(
        name: Name,
        weight: u32,
        generation: u32,
        traced: *const Traced,
    ) -> Self {
        Self::new(name, ptr::null_mut(), 0, generation, ptr::null())
            .with_role(Role::Holder)
            .with_weight(weight)
            .with_traced(traced)
    }

    /// Of a holder to be: `renew` says of which key.
    pub(crate) fn holder() -> Self {
        let nothing = Name {
            hash: 0,
            key: ptr::null(),
        };
        Self::holder_of(nothing, 0, 0, ptr::null())
    }

    /// A new holder of `weight`, which nobody knows. What is not written here is the same for all
    /// holders, or written by who links them.
    #[inline]
    pub(crate) fn renew(
        &mut self,
        name: Name,
        weight: u32,
        generation: u32,
        traced: *const Traced,
    ) {
        self.name = Guarded::new(name);
        self.weight = Guarded::new(weight);
        self.generation = generation;
        self.alive = Alive::new();
        // The next locked instruction waits for every store, and these would seldom change a thing.
        if !self.slot().is_null() {
            self.slot = AtomicPtr::new(ptr::null_mut());
        }
        if self.traced() != traced {
            self.traced = Guarded::new(traced);
        }
    }

    /// What it says of itself, for its owner.
    pub(crate) fn traced(&self) -> *const Traced {
        // SAFETY: V1: only the owner changes it, before anybody knows the node.
        unsafe { self.traced.get() }
    }

    /// # Safety
    /// V1: nobody but the owner knows the node.
    pub(crate) unsafe fn set_traced(&self, traced: *const Traced) {
        // SAFETY: V1: the caller's contract.
        unsafe { self.traced.set(traced) };
    }

    /// Who waits here. Before the node is linked for the first time.
    pub(crate) fn set_waiter(&mut self, waiter: *const Waiter<P>) {
        self.waiter = waiter;
    }

    /// What it was called last.
    ///
    /// # Safety
    /// The node has left its slot: nobody but its owner knows it.
    pub(crate) unsafe fn last_name(&self) -> Name {
        // SAFETY: N2: nobody else accesses a node that is in no queue and not chosen.
        unsafe { self.name.get() }
    }

    /// How much a holder held last.
    ///
    /// # Safety
    /// As [`last_name`](Self::last_name).
    pub(crate) unsafe fn last_weight(&self) -> u32 {
        // SAFETY: N2: nobody else accesses a node that is in no queue and not chosen.
        unsafe { self.weight.get() }
    }

    /// How it came to its last key.
    ///
    /// # Safety
    /// As [`last_name`](Self::last_name).
    pub(crate) unsafe fn last_moved(&self) -> Moved {
        // SAFETY: N2: nobody else accesses a node that is in no queue and not chosen.
        unsafe { self.moved.get() }
    }

    /// The slot it is linked in now, null when it is chosen or has left. To be read again under
    /// that slot's lock (N4).
    pub(crate) fn slot(&self) -> *const Slot<P> {
        // ORDERING: none, relaxed: a hint until it is read again under the lock; null sends the
        // waiter to its state, whose acquire load orders everything (HANDOFF).
        self.slot.load(Ordering::Relaxed).cast_const()
    }

    /// Whether the node of a task has left its slot: then nobody but its owner knows it.
    pub(crate) fn has_left(&self) -> bool {
        // ORDERING: UNLINK acquire side: the verdict, and the waker's last touches of the frame,
        // come before what the task does next.
        self.slot.load(Ordering::Acquire).is_null()
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
