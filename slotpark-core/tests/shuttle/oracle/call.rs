//! The calls of threads: what each does, and what it must have found by its end.

use std::collections::BTreeMap;

use super::Oracle;
use super::wait::Decision;
use super::walk::Walk;
use crate::program::{ALL, KEYS};
use crate::queues::Node;

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
        /// From the end of the queue.
        to_last: bool,
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

    pub(super) fn is_to_last(self) -> bool {
        matches!(self, Self::Wake { to_last: true, .. })
    }

    /// The key whose queue it looks at, if it is one.
    pub(super) fn key(self) -> Option<u64> {
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

#[derive(Debug)]
pub(super) struct Call {
    pub(super) doing: Doing,
    pub(super) done: Done,
    pub(super) walks: BTreeMap<u64, Walk>,
    /// All queues when it began, with the number of each node's moves.
    pub(super) before: Vec<Vec<(Node, u32)>>,
    /// Whom a filter has said yes to, and nothing was told of since.
    pub(super) candidate: Option<Node>,
    /// The key that a walk over all keys has come to, and the changes by then.
    pub(super) asked_last: Option<u64>,
    pub(super) asked_at: usize,
    /// It did nothing, since its `validate` said no.
    pub(super) refused: bool,
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
            asked_at: 0,
            refused: false,
        }
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

/// Decisions that other threads take for a wait, by the call that they are in.
pub(super) fn decision(doing: Doing, is_wake: bool) -> Option<Decision> {
    match (doing, is_wake) {
        (
            Doing::Wake {
                token,
                passes_on,
                to_last,
                ..
            },
            true,
        ) => Some(Decision::Woken {
            token,
            passes_on,
            to_last,
        }),
        (Doing::Requeue { token, .. }, true)
        | (
            Doing::Where {
                token: Some(token), ..
            },
            true,
        ) => Some(Decision::Woken {
            token,
            passes_on: 0,
            to_last: false,
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
