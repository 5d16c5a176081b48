//! The calls of threads: what each does, whom it has looked at, and what it must have found.

use std::collections::BTreeMap;

use super::{Oracle, in_call, wait::Decision};
use crate::program::{ALL, KEYS};
use crate::queues::Node;

/// What a thread does in the table now.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doing {
    /// Anything with the wait of its own, also leaving it.
    Wait {
        wait: u64,
    },
    /// A wake; `bits` of its own choice, and what a chosen waiter passes on.
    Wake {
        key: u64,
        token: u64,
        count_max: usize,
        bits: u32,
        passes_on: u32,
    },
    Requeue {
        from: u64,
        to: u64,
        token: u64,
        wake_max: usize,
        move_max: usize,
    },
    Count {
        key: u64,
    },
    /// Ends all waits of a key.
    CloseKey {
        key: u64,
    },
    /// Wakes (with a token) or closes all keys of a set.
    Where {
        keys: u64,
        token: Option<u64>,
    },
    CloseTable,
    /// What tells nothing.
    Other,
}

impl Doing {
    pub(super) fn own_wait(self) -> Option<u64> {
        match self {
            Self::Wait { wait } => Some(wait),
            _ => None,
        }
    }

    /// The key whose queue it looks at, if it is one.
    fn key(self) -> Option<u64> {
        match self {
            Self::Wake { key, .. } | Self::Count { key } | Self::CloseKey { key } => Some(key),
            Self::Requeue { from, .. } => Some(from),
            _ => None,
        }
    }
}

/// What a thread has done so far in its call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) woken: usize,
    pub(crate) closed: usize,
    pub(crate) moved: usize,
    /// Locks taken because somebody seemed to be there.
    pub(crate) looks: usize,
    /// A sleep ended because of the deadline.
    pub(crate) overslept: bool,
    /// Those whom it could have taken at its end: at least, at most.
    pub(crate) waiting: (usize, usize),
}

/// The queue of a key as it stood under its lock, and how far it has been walked.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    nodes: Vec<Node>,
    at: usize,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) doing: Doing,
    pub(super) done: Done,
    walks: BTreeMap<u64, Walk>,
    /// All queues when it began, with the number of each node's moves.
    before: Vec<Vec<(Node, u32)>>,
    /// Whom a filter has said yes to, and nothing was told of since.
    candidate: Option<Node>,
    /// The key that a walk over all keys has come to.
    pub(super) asked_last: Option<u64>,
    /// It did nothing, since its `validate` said no.
    refused: bool,
}

impl Oracle {
    pub(super) fn begin_call(&self, doing: Doing) -> Call {
        Call {
            doing,
            done: Done::default(),
            walks: BTreeMap::new(),
            before: (0..KEYS).map(|key| self.queues.of_key(key)).collect(),
            candidate: None,
            asked_last: None,
            refused: false,
        }
    }

    /// The lock of a key's slot is held: this is its queue.
    pub(super) fn look(&self, call: &mut Call, key: u64) {
        let undecided = |node: &Node| self.waits[&node.wait].is_undecided();
        call.walks.entry(key).or_insert_with(|| {
            let nodes = self.queues.of_key(key).into_iter().map(|(node, _)| node);
            Walk {
                nodes: nodes.filter(undecided).collect(),
                at: 0,
            }
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

    fn pass_over(&mut self, node: Node) {
        assert!(!self.is_open(node), "wait {}: passed over", node.wait);
        let wait = self.waits.get_mut(&node.wait).expect("it was begun");
        if wait.is_undecided() {
            wait.is_passed = true;
            self.seen.add("a wait that ended itself was passed over", 1);
        }
    }

    /// How many waiters the call has left behind: those that it must have missed, and those that it
    /// may have seen.
    fn behind(&self, call: &Call, key: u64, bits: u32) -> (usize, usize) {
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

    pub(super) fn end_call(&mut self, mut call: Call) -> Done {
        if let Some(node) = call.candidate.take() {
            self.pass_over(node);
        }
        let done = call.done;
        let missed = |key, bits| self.behind(&call, key, bits).0;
        let missed = match call.doing {
            Doing::Wake {
                key,
                count_max,
                bits,
                ..
            } if done.woken < count_max => missed(key, bits),
            Doing::Requeue {
                from,
                wake_max,
                move_max,
                ..
            } if !call.refused => {
                let moves_all =
                    done.moved + done.closed < move_max && !self.closings.may_be_closed();
                let takes_all = done.woken < wake_max || moves_all;
                if takes_all { missed(from, u32::MAX) } else { 0 }
            }
            Doing::CloseKey { key } => missed(key, u32::MAX),
            Doing::Where { keys, .. } => {
                let keys = (0..KEYS).filter(|key| keys >> key & 1 != 0);
                keys.map(|key| missed(key, u32::MAX)).sum()
            }
            Doing::CloseTable => {
                let left = self.queues.all().into_iter();
                left.filter(|node| self.is_open(*node)).count()
            }
            _ => 0,
        };
        assert_eq!(
            missed, 0,
            "{:?}: waiters that it must have taken",
            call.doing
        );
        let waiting = match (self.key_of(&call), call.doing) {
            (Some(key), Doing::Wait { wait }) => {
                let bits = self.waits[&wait].heirs().map_or(0, |heirs| heirs.bits);
                self.behind(&call, key, bits)
            }
            (Some(key), _) => self.behind(&call, key, u32::MAX),
            (None, _) => (0, 0),
        };
        Done { waiting, ..done }
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
        oracle.look(call, key);
        call.asked_last = Some(key);
        keys >> key & 1 != 0
    });
    is_wanted.expect("it asks in a call")
}

/// Decisions that other threads take for a wait, by the call that they are in.
pub(super) fn decision(doing: Doing, is_wake: bool) -> Option<Decision> {
    match (doing, is_wake) {
        (
            Doing::Wake {
                token, passes_on, ..
            },
            true,
        ) => Some(Decision::Woken { token, passes_on }),
        (Doing::Requeue { token, .. }, true)
        | (
            Doing::Where {
                token: Some(token), ..
            },
            true,
        ) => Some(Decision::Woken {
            token,
            passes_on: 0,
        }),
        (
            Doing::CloseKey { .. }
            | Doing::CloseTable
            | Doing::Requeue { .. }
            | Doing::Where { token: None, .. },
            false,
        ) => Some(Decision::Closed),
        _ => None,
    }
}

/// What a wake passes on: nothing of a wake of everybody.
pub(crate) fn passed_on(count: usize, bits: u32) -> u32 {
    if count == ALL { 0 } else { bits }
}
