//! The walk of a call along a queue: whom it comes to, and whom it passes over.

use super::call::{Call, Doing};
use super::{Oracle, in_call};
use crate::queues::Node;

#[derive(Clone, Debug)]
pub(super) struct Walk {
    nodes: Vec<Node>,
    at: usize,
}

impl Oracle {
    /// The lock of a key's slot is held: this is its queue, in the order in which it is walked.
    pub(super) fn look(&self, call: &mut Call, key: u64) {
        let undecided = |node: &Node| self.waits[&node.wait].is_undecided();
        let own = call.doing.own_wait();
        let heirs = own.and_then(|wait| self.waits[&wait].heirs());
        let is_to_last = heirs.map_or(call.doing.is_to_last(), |heirs| heirs.to_last);
        call.walks.entry(key).or_insert_with(|| {
            let nodes = self.queues.of_key(key).into_iter().map(|(node, _)| node);
            let mut nodes: Vec<_> = nodes.filter(undecided).collect();
            if is_to_last {
                nodes.reverse();
            }
            Walk { nodes, at: 0 }
        });
    }

    /// The key that the call walks now: its own, or that of a wake that it passes on.
    pub(super) fn key_of(&self, call: &Call) -> Option<u64> {
        if let Some(wait) = call.doing.own_wait() {
            return self.waits[&wait].heirs().map(|heirs| heirs.key);
        }
        call.doing.key()
    }

    /// Goes on to the next node of `wait`: nobody before it can have been taken.
    pub(super) fn walk_to(&mut self, call: &mut Call, key: u64, bits: u32, wait: u64) -> Node {
        if let Some(node) = call.candidate.take() {
            if node.wait == wait {
                return node;
            }
            self.pass_over(node);
        }
        loop {
            let walk = call.walks.get_mut(&key);
            let walk = walk.unwrap_or_else(|| panic!("wait {wait}: taken, and key {key} not seen"));
            let node = walk.nodes.get(walk.at).copied();
            let node = node.unwrap_or_else(|| panic!("wait {wait}: not its turn, or not its key"));
            walk.at += 1;
            if node.wait == wait {
                let fits = self.waits[&wait].begun.bits & bits != 0;
                assert!(fits, "wait {wait}: it has none of the bits");
                return node;
            }
            if self.waits[&node.wait].begun.bits & bits != 0 {
                self.pass_over(node);
            }
        }
    }

    pub(super) fn pass_over(&mut self, node: Node) {
        assert!(!self.is_open(node), "wait {}: passed over", node.wait);
        let wait = self.waits.get_mut(&node.wait).expect("it was begun");
        if wait.is_undecided() {
            wait.is_passed = true;
            self.seen.add("a wait that ended itself was passed over", 1);
        }
    }

    /// A walk over all keys is one moment: nobody else has changed a queue since it began.
    pub(super) fn assert_one_moment(&self, call: &Call) {
        if call.asked_last.is_some() {
            assert_eq!(self.changes, call.asked_at, "others changed a queue");
        }
    }

    /// How many waiters the call has left behind: those that it must have missed, and those that it
    /// may have seen.
    pub(super) fn behind(&self, call: &Call, key: u64, bits: u32) -> (usize, usize) {
        let fits = |node: &Node| self.waits[&node.wait].begun.bits & bits != 0;
        let is_open = |node: &&Node| self.is_open(**node);
        if let Some(walk) = call.walks.get(&key) {
            let rest = walk.nodes[walk.at..].iter().filter(|node| fits(node));
            return (rest.clone().filter(is_open).count(), rest.count());
        }
        // It has not looked: then there was a moment without anybody.
        let now = self.queues.of_key(key);
        let before = call.before[key as usize].iter();
        let stayed = before
            .filter(|place| now.contains(place))
            .map(|(node, _)| node);
        (stayed.filter(|node| fits(node)).filter(is_open).count(), 0)
    }
}

/// A filter is asked about the waiter with this tag, and takes it or not.
pub(crate) fn look_at(tag: u64, is_taken: bool) {
    in_call(|oracle, call| {
        let wait = oracle.of_tag(tag);
        let key = oracle.key_of(call).expect("a filter is a wake's");
        let node = oracle.walk_to(call, key, u32::MAX, wait);
        call.candidate = is_taken.then_some(node);
        oracle
            .seen
            .add("a filter skipped a wait", usize::from(!is_taken));
    });
}

/// A policy is told under the lock what was chosen, and whether others remain.
pub(crate) fn chosen(count: usize, remain: bool) {
    in_call(|oracle, call| {
        assert_eq!(count, call.done.woken, "what the policy is told");
        let key = oracle.key_of(call).expect("a policy is a wake's");
        let seen = call.walks.get(&key).map_or(0, |walk| walk.nodes.len());
        assert!(!remain || seen > count, "who remains?");
        let is_open = |(node, _): &(Node, u32)| oracle.is_open(*node);
        let stays = oracle.queues.of_key(key).iter().any(is_open);
        assert!(remain || !stays, "somebody remains");
    });
}

/// A requeue validates under both locks.
pub(crate) fn may_move(is_allowed: bool) {
    in_call(|oracle, call| {
        let key = oracle.key_of(call).expect("a requeue has a source");
        oracle.look(call, key);
        call.refused = !is_allowed;
    });
}

/// A walk over all keys comes to this one; whether it ends its waits.
pub(crate) fn asked(key: u64) -> bool {
    let is_wanted = in_call(|oracle, call| {
        let Doing::Where { keys, .. } = call.doing else {
            panic!("nobody asks about keys in {:?}", call.doing);
        };
        assert!(
            !call.walks.contains_key(&key),
            "key {key}: asked about twice"
        );
        let is_first = call.asked_last.is_none();
        oracle.look(call, key);
        call.asked_last = Some(key);
        if is_first {
            call.asked_at = oracle.changes;
        }
        oracle.assert_one_moment(call);
        keys >> key & 1 != 0
    });
    is_wanted.expect("it asks in a call")
}
