//! The queue of a slot: a list of keys, each with a ring of its waiters in their order.
//!
//! ```text
//! slot.keys -> [key c] <-> [key a] <-> [key b]        list of groups, newest key first
//!                            |
//!            a1 -> a2 -> a3 -> h1 -> h2 -+             ring: head.prev is the tail;
//!            ^---------------------------+             holders stand behind all waiters
//! ```
//!
//! The first node of a key (its head) carries the group record; when it leaves, the next one
//! inherits it. So a wake looks at one node per *key* of the slot, never at the waiters of others,
//! and any node leaves in constant time without knowing its head. A holder does too, if it is told
//! the head: the record says where the holders begin and how much they hold together.
//!
//! **Invariants** (`debug_assert`ed after every change)
//! - Q1 Links of a linked node lead to linked nodes of the same slot: `n.next.prev == n`.
//! - Q2 A ring holds the nodes of one key, from its head on by falling weight, and among equals the
//!   oldest first (or, for who asked for it, the youngest); exactly one is the head.
//! - Q3 The list holds one head per key: `g.next.prev == g`, the first has no predecessor.
//! - Q4 In a ring the holders stand behind all others; the record leads to the first of them, and
//!   its total is the sum of their weights.
//!
//! **Lock order**: none of its own: the slot's lock is held throughout. **Orderings**: LOCK.

use core::ptr;

use crate::node::{Group, Node, NodeRef};
use crate::platform::Platform;
use crate::slot::SlotGuard;

impl<P: Platform> SlotGuard<'_, P> {
    /// The first key of the slot.
    pub(crate) fn first(&self) -> Option<NodeRef<'_, P>> {
        // SAFETY: S2: the lock is held.
        let first = unsafe { self.slot.keys.get() };
        // SAFETY: Q3: the list leads to linked nodes of this slot.
        unsafe { NodeRef::from_raw(first) }
    }

    /// The key after this one.
    pub(crate) fn next_key<'g>(&'g self, head: NodeRef<'g, P>) -> Option<NodeRef<'g, P>> {
        // SAFETY: Q3: the list leads to linked nodes of this slot.
        unsafe { NodeRef::from_raw(head.group().next) }
    }

    /// The nodes of a key from its head on, holders last. The one just returned may be unlinked, no
    /// other.
    pub(crate) fn ring<'g>(
        &'g self,
        head: NodeRef<'g, P>,
    ) -> impl Iterator<Item = NodeRef<'g, P>> + use<'g, P> {
        let tail = head.prev();
        let mut next = Some(head);
        core::iter::from_fn(move || {
            let node = next?;
            next = (node != tail).then(|| node.next());
            Some(node)
        })
    }

    /// The nodes of a key from the tail on, none of which may be unlinked meanwhile.
    pub(crate) fn ring_back<'g>(
        &'g self,
        head: NodeRef<'g, P>,
    ) -> impl Iterator<Item = NodeRef<'g, P>> + use<'g, P> {
        let mut next = Some(head.prev());
        core::iter::from_fn(move || {
            let node = next?;
            next = (node != head).then(|| node.prev());
            Some(node)
        })
    }

    /// Links `node` as the youngest waiter of the key that `head` represents, behind those of no
    /// less weight, or as the only one of a new key.
    pub(crate) fn push<'g>(&'g self, head: Option<NodeRef<'g, P>>, node: NodeRef<'g, P>) {
        let weight = node.weight();
        // Nobody weighs less than nothing: no need to look.
        let stands_before = |other: NodeRef<'_, P>| weight == 0 || other.weight() >= weight;
        self.insert(head, node, stands_before);
    }

    /// As [`push`](Self::push), in front of those of the same weight.
    pub(crate) fn push_in_front<'g>(&'g self, head: Option<NodeRef<'g, P>>, node: NodeRef<'g, P>) {
        let weight = node.weight();
        self.insert(head, node, |other| other.weight() > weight);
    }

    /// Links `node` behind the last one of which all up to it stand before it.
    #[inline(always)]
    fn insert<'g>(
        &'g self,
        head: Option<NodeRef<'g, P>>,
        node: NodeRef<'g, P>,
        stands_before: impl Fn(NodeRef<'_, P>) -> bool,
    ) {
        let Some(head) = head else {
            node.join(node);
            self.push_key(node);
            node.set_slot(self.slot);
            return;
        };
        let holder = self.first_holder(head);
        // The common case is the end of the queue, which is known.
        let behind = if holder == Some(head) || stands_before(holder.unwrap_or(head).prev()) {
            holder
        } else {
            self.ring(head).find(|other| !stands_before(*other))
        };
        let at = behind.unwrap_or(head);
        at.prev().join(node);
        node.join(at);
        if behind == Some(head) {
            let group = head.group();
            head.set_head(false);
            self.inherit(group, node);
        } else {
            node.set_head(false);
        }
        node.set_slot(self.slot);
        self.assert_linked(node);
    }

    /// Unlinks `node`; true if it was the last node of its key. Its `slot` is the caller's to
    /// write.
    #[inline(always)]
    pub(crate) fn unlink<'g>(&'g self, node: NodeRef<'g, P>) -> bool {
        let next = node.next();
        let last = next == node;
        if node.is_head() {
            let group = node.group();
            node.set_head(false);
            if last {
                self.remove_key(group);
            } else {
                self.inherit(group, next);
            }
        }
        if !last {
            node.prev().join(next);
            self.assert_linked(next);
        }
        last
    }

    /// Unlinks nodes from the head of a key on while `takes` takes them; the head of those left.
    /// The record is handed on once: the ring is open meanwhile, and nothing of a caller's may run.
    #[inline(always)]
    pub(crate) fn take_front<'g>(
        &'g self,
        head: NodeRef<'g, P>,
        mut takes: impl FnMut(NodeRef<'g, P>) -> bool,
    ) -> Option<NodeRef<'g, P>> {
        let (group, tail) = (head.group(), head.prev());
        let mut front = head;
        loop {
            // Read first: who is taken may go.
            let next = (front != tail).then(|| front.next());
            if !takes(front) {
                break;
            }
            let Some(next) = next else {
                self.remove_key(group);
                return None;
            };
            front = next;
        }
        if front != head {
            tail.join(front);
            self.inherit(group, front);
            self.assert_linked(front);
        }
        Some(front)
    }

    /// The first of the nodes that hold the key.
    pub(crate) fn first_holder<'g>(&'g self, head: NodeRef<'g, P>) -> Option<NodeRef<'g, P>> {
        // SAFETY: Q4: the record leads to a linked node of this slot.
        unsafe { NodeRef::from_raw(head.group().holders) }
    }

    /// The head of the ring of `node`: the next one, if it is the last.
    pub(crate) fn head_of<'g>(&'g self, node: NodeRef<'g, P>) -> NodeRef<'g, P> {
        let mut node = node.next();
        while !node.is_head() {
            node = node.next();
        }
        node
    }

    /// Links `node` as a holder of the key that `head` represents, or of a new key.
    pub(crate) fn push_holder<'g>(&'g self, head: Option<NodeRef<'g, P>>, node: NodeRef<'g, P>) {
        if let Some(head) = head {
            head.prev().join(node);
            node.join(head);
            node.set_head(false);
        } else {
            node.join(node);
            self.push_key(node);
        }
        node.set_slot(self.slot);
        let head = head.unwrap_or(node);
        let mut group = head.group();
        if group.holders.is_null() {
            group.holders = node.as_ptr();
        }
        group.total += node.weight();
        head.set_group(group);
        self.assert_linked(node);
    }

    /// Unlinks a holder of the key that `head` represents.
    pub(crate) fn unlink_holder<'g>(&'g self, head: NodeRef<'g, P>, node: NodeRef<'g, P>) {
        let mut group = head.group();
        if ptr::eq(group.holders, node.as_ptr()) {
            let next = node.next();
            let last = next == head;
            group.holders = if last && head != node {
                ptr::null()
            } else {
                next.as_ptr()
            };
        }
        group.total -= node.weight();
        head.set_group(group);
        self.unlink(node);
        node.set_slot(ptr::null());
    }

    /// A holder holds another amount from now on.
    pub(crate) fn set_held(&self, head: NodeRef<'_, P>, node: NodeRef<'_, P>, amount: u32) {
        let mut group = head.group();
        group.total = group.total - node.weight() + amount;
        head.set_group(group);
        node.set_weight(amount);
    }

    fn push_key<'g>(&'g self, head: NodeRef<'g, P>) {
        let second = self.first();
        head.set_group(Group {
            next: second.map_or(ptr::null(), NodeRef::as_ptr),
            ..Group::NONE
        });
        head.set_head(true);
        if let Some(second) = second {
            second.set_group(Group {
                prev: head.as_ptr(),
                ..second.group()
            });
        }
        self.set_first(head.as_ptr());
    }

    fn remove_key(&self, group: Group<P>) {
        self.relink(group, group.next, group.prev);
    }

    /// `heir` takes the record over and stands in the list where the old head stood.
    fn inherit<'g>(&'g self, group: Group<P>, heir: NodeRef<'g, P>) {
        heir.set_group(group);
        heir.set_head(true);
        self.relink(group, heir.as_ptr(), heir.as_ptr());
    }

    /// Lets the neighbours of a group point to `next` and `prev` instead.
    fn relink(&self, group: Group<P>, next: *const Node<P>, prev: *const Node<P>) {
        // SAFETY: Q3: the list leads to linked nodes of this slot.
        match unsafe { NodeRef::from_raw(group.prev) } {
            Some(before) => before.set_group(Group {
                next,
                ..before.group()
            }),
            None => self.set_first(next),
        }
        // SAFETY: Q3: the list leads to linked nodes of this slot.
        if let Some(after) = unsafe { NodeRef::from_raw(group.next) } {
            after.set_group(Group {
                prev,
                ..after.group()
            });
        }
    }

    fn set_first(&self, first: *const Node<P>) {
        // SAFETY: S2: the lock is held.
        unsafe { self.slot.keys.set(first) };
    }

    /// Q1 around one node.
    fn assert_linked<'g>(&'g self, node: NodeRef<'g, P>) {
        if cfg!(all(debug_assertions, not(slotpark_loom))) {
            debug_assert!(node.next().prev() == node, "Q1: the successor points back");
            debug_assert!(node.prev().next() == node, "Q1: the predecessor points on");
        }
    }
}

#[cfg(all(test, not(slotpark_loom), feature = "std"))]
mod holder_tests;
#[cfg(all(test, not(slotpark_loom), feature = "std"))]
mod tests;
