//! The naive queues: for each key its nodes, by priority, and among equals the first come first
//! (or the youngest, if it asked for that).

use std::collections::BTreeMap;

use slotpark_core::Order;

/// The place of a wait in the queue of one of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node {
    pub(crate) wait: u64,
    pub(crate) entry: usize,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    node: Node,
    weight: u32,
    /// How often it was moved from another key.
    moves: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Queues(BTreeMap<u64, Vec<Place>>);

impl Queues {
    /// A node comes; true if it stands before others.
    pub(crate) fn push(&mut self, key: u64, node: Node, order: Order) -> bool {
        let weight = match order {
            Order::Priority(weight) => weight,
            _ => 0,
        };
        let place = Place {
            node,
            weight,
            moves: 0,
        };
        self.insert(key, place, order == Order::Lifo)
    }

    fn insert(&mut self, key: u64, place: Place, in_front: bool) -> bool {
        let queue = self.0.entry(key).or_default();
        let stands_before = |other: &Place| match in_front {
            true => other.weight > place.weight,
            false => other.weight >= place.weight,
        };
        let at = queue.iter().position(|other| !stands_before(other));
        queue.insert(at.unwrap_or(queue.len()), place);
        at.is_some()
    }

    /// A node leaves; the key it was queued for, and how often it had been moved.
    pub(crate) fn remove(&mut self, node: Node) -> Option<(u64, u32)> {
        let (key, place) = self.take(node)?;
        Some((key, place.moves))
    }

    fn take(&mut self, node: Node) -> Option<(u64, Place)> {
        self.0.iter_mut().find_map(|(key, queue)| {
            let at = queue.iter().position(|place| place.node == node)?;
            Some((*key, queue.remove(at)))
        })
    }

    /// A node goes to another key, where it keeps its priority and stands behind its equals.
    pub(crate) fn change_key(&mut self, node: Node, to: u64) {
        let (_, mut place) = self.take(node).expect("who is moved was queued");
        place.moves += 1;
        self.insert(to, place, false);
    }

    /// The nodes of a key, with the number of their moves.
    pub(crate) fn of_key(&self, key: u64) -> Vec<(Node, u32)> {
        let queue = self.0.get(&key).into_iter().flatten();
        queue.map(|place| (place.node, place.moves)).collect()
    }

    /// The nodes of a wait with their keys, by entry.
    pub(crate) fn of_wait(&self, wait: u64) -> Vec<(Node, u64)> {
        let mut nodes = Vec::new();
        for (key, queue) in &self.0 {
            let own = queue.iter().filter(|place| place.node.wait == wait);
            nodes.extend(own.map(|place| (place.node, *key)));
        }
        nodes.sort_unstable();
        nodes
    }

    pub(crate) fn all(&self) -> Vec<Node> {
        let places = self.0.values().flatten();
        places.map(|place| place.node).collect()
    }
}
