//! The queue of a slot: a list of keys, each with a ring of its waiters in their order.
//!
//! ```text
//! slot.keys -> [key c] <-> [key a] <-> [key b]        list of groups, newest key first
//!                            |
//!                 a1 -> a2 -> a3 -+                    ring: head.prev is the tail
//!                 ^---------------+
//! ```
//!
//! The first node of a key (its head) carries the group record; when it leaves, the next one
//! inherits it. So a wake looks at one node per *key* of the slot, never at the waiters of others,
//! and any node leaves in constant time without knowing its head.
//!
//! **Invariants** (`debug_assert`ed after every change)
//! - Q1 Links of a linked node lead to linked nodes of the same slot: `n.next.prev == n`.
//! - Q2 A ring holds the nodes of one key, from its head on by falling weight, and among equals the
//!   oldest first (or, for who asked for it, the youngest); exactly one is the head.
//! - Q3 The list holds one head per key: `g.next.prev == g`, the first has no predecessor.
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

    /// The nodes of a key. The one just returned may be unlinked, no other.
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
        // The common case is the end of the queue, which is known.
        let behind = if stands_before(head.prev()) {
            None
        } else {
            self.ring(head).find(|other| !stands_before(*other))
        };
        let at = behind.unwrap_or(head);
        at.prev().join(node);
        node.join(at);
        if behind == Some(head) {
            head.set_head(false);
            self.inherit(head.group(), node);
        } else {
            node.set_head(false);
        }
        node.set_slot(self.slot);
        self.assert_linked(node);
    }

    /// Unlinks `node`; true if it was the last node of its key. Its `slot` is the caller's to
    /// write.
    pub(crate) fn unlink<'g>(&'g self, node: NodeRef<'g, P>) -> bool {
        let next = node.next();
        let last = next == node;
        if node.is_head() {
            node.set_head(false);
            if last {
                self.remove_key(node.group());
            } else {
                self.inherit(node.group(), next);
            }
        }
        if !last {
            node.prev().join(next);
            self.assert_linked(next);
        }
        last
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
mod tests {
    use super::*;
    use crate::node::Name;
    use crate::platform::DefaultPlatform;
    use crate::slot::Slot;
    use crate::spin::Moment;
    use crate::waiter::Waiter;

    type TestNode = Node<DefaultPlatform>;

    /// Three keys of three waiters each.
    const NODES: usize = 9;

    fn node(key: u64, waiter: &Waiter<DefaultPlatform>) -> TestNode {
        Node::new(
            Name {
                hash: key,
                key: ptr::null(),
            },
            ptr::null_mut(),
            key,
            0,
            waiter,
        )
    }

    fn of<'g>(node: &'g TestNode) -> NodeRef<'g, DefaultPlatform> {
        // SAFETY: the test owns the nodes and holds the only lock.
        unsafe { NodeRef::from_raw(node) }.expect("not null")
    }

    /// Checks Q1 to Q3 of the whole slot and returns its keys with the nodes' addresses.
    fn walk(guard: &SlotGuard<'_, DefaultPlatform>) -> Vec<(u64, Vec<*const TestNode>)> {
        let mut keys = Vec::new();
        let mut before = ptr::null();
        let mut group = guard.first();
        while let Some(head) = group {
            assert!(head.is_head(), "Q2: the list holds heads");
            assert_eq!(head.group().prev, before, "Q3: the list points back");
            let mut ring = vec![head.as_ptr()];
            let mut node = head.next();
            while node != head {
                assert!(ring.len() < NODES, "Q1: a ring comes back to its head");
                assert!(!node.is_head(), "Q2: one head per ring");
                assert!(node.next().prev() == node, "Q1");
                assert_eq!(node.name().hash, head.name().hash, "Q2: one key per ring");
                ring.push(node.as_ptr());
                node = node.next();
            }
            assert!(keys.len() < NODES, "Q3: the list has an end");
            keys.push((head.name().hash, ring));
            before = head.as_ptr();
            group = guard.next_key(head);
        }
        keys
    }

    #[test]
    fn every_node_leaves_from_every_place() {
        // Every node leaves first, second, .. in every rotation.
        let slot = Slot::<DefaultPlatform>::new();
        let waiter = Waiter::thread(&slot, Moment::UNKNOWN);
        for start in 0..NODES {
            for step in [1, 2, 4, 5, 7, 8] {
                let keys = (0..NODES as u64).map(|i| i / 3);
                let nodes: Vec<TestNode> = keys.map(|key| node(key, &waiter)).collect();
                let guard = slot.lock();
                let mut expected: Vec<(u64, Vec<*const TestNode>)> = Vec::new();
                for node in &nodes {
                    let key = of(node).name().hash;
                    let head = std::iter::successors(guard.first(), |head| guard.next_key(*head))
                        .find(|head| head.name().hash == key);
                    guard.push(head, of(node));
                    match expected.iter_mut().find(|(k, _)| *k == key) {
                        Some((_, ring)) => ring.push(node),
                        None => expected.insert(0, (key, vec![node])),
                    }
                    assert_eq!(walk(&guard), expected);
                }
                for i in 0..NODES {
                    let leaver = &nodes[(start + i * step) % NODES];
                    let key = of(leaver).name().hash;
                    let at = expected
                        .iter()
                        .position(|(k, _)| *k == key)
                        .expect("present");
                    expected[at].1.retain(|node| !ptr::eq(*node, leaver));
                    let last = expected[at].1.is_empty();
                    if last {
                        expected.remove(at);
                    }
                    assert_eq!(guard.unlink(of(leaver)), last);
                    assert_eq!(walk(&guard), expected);
                }
            }
        }
    }

    #[cfg(debug_assertions)]
    #[test]
    fn a_torn_ring_is_noticed() {
        let slot = Slot::<DefaultPlatform>::new();
        let waiter = Waiter::thread(&slot, Moment::UNKNOWN);
        let nodes = [0, 0, 1].map(|key| node(key, &waiter));
        let [first, second, alone] = [0, 1, 2].map(|i| of(&nodes[i]));
        let guard = slot.lock();
        guard.push(None, first);
        guard.push(Some(first), second);
        guard.push(None, alone);
        let complaint = |node| {
            let look = std::panic::AssertUnwindSafe(|| guard.assert_linked(node));
            let panic = std::panic::catch_unwind(look).err()?;
            panic.downcast_ref::<&str>().copied()
        };
        assert_eq!([first, second, alone].map(complaint), [None; 3]);
        // The first goes on to the other key's ring, which does not lead back to it.
        first.chain_to(alone.as_ptr());
        assert_eq!(complaint(first), Some("Q1: the successor points back"));
        assert_eq!(complaint(second), Some("Q1: the predecessor points on"));
    }
}
