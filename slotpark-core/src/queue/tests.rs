//! Rings and lists of nodes that no thread owns.

use super::*;
use crate::node::Name;
use crate::platform::DefaultPlatform;
use crate::slot::Slot;
use crate::spin::Moment;
use crate::waiter::Waiter;

pub(super) type TestNode = Node<DefaultPlatform>;

/// Three keys of three waiters each.
pub(super) const NODES: usize = 9;

pub(super) fn node(key: u64, waiter: &Waiter<DefaultPlatform>) -> TestNode {
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

pub(super) fn of<'g>(node: &'g TestNode) -> NodeRef<'g, DefaultPlatform> {
    // SAFETY: the test owns the nodes and holds the only lock.
    unsafe { NodeRef::from_raw(node) }.expect("not null")
}

/// Checks Q1 to Q3 of the whole slot and returns its keys with the nodes' addresses.
pub(super) fn walk(guard: &SlotGuard<'_, DefaultPlatform>) -> Vec<(u64, Vec<*const TestNode>)> {
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

#[test]
fn as_many_leave_from_the_front_as_are_taken() {
    let slot = Slot::<DefaultPlatform>::new();
    let waiter = Waiter::thread(&slot, Moment::UNKNOWN);
    for (key, count) in (0..3).flat_map(|key| (0..=3).map(move |count| (key, count))) {
        let keys = (0..NODES as u64).map(|i| i / 3);
        let nodes: Vec<TestNode> = keys.map(|key| node(key, &waiter)).collect();
        let guard = slot.lock();
        let mut heads = Vec::new();
        for (i, node) in nodes.iter().enumerate() {
            let head = (i % 3 > 0).then(|| of(&nodes[i - i % 3]));
            guard.push(head, of(node));
            heads.extend(head.is_none().then(|| of(node)));
        }
        let mut expected = walk(&guard);
        let mut taken: Vec<*const TestNode> = Vec::new();
        let rest = guard.take_front(heads[key], |node| {
            let takes = taken.len() < count;
            taken.extend(takes.then(|| node.as_ptr()));
            takes
        });
        let at = NODES / 3 - 1 - key;
        let left = expected[at].1.split_off(count);
        assert_eq!(taken, expected[at].1, "from the head on");
        assert_eq!(rest.map(NodeRef::as_ptr), left.first().copied());
        expected[at].1 = left;
        expected.retain(|(_, ring)| !ring.is_empty());
        assert_eq!(walk(&guard), expected);
        for node in expected.iter().flat_map(|(_, ring)| ring) {
            // SAFETY: Q1: it is one of the nodes above, and linked.
            guard.unlink(unsafe { NodeRef::from_raw(*node) }.expect("not null"));
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
