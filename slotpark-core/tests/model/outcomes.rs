//! What waits, wakes and requeues come to, on the table and in the model.

use slotpark_core::{Parked, ParkedAny};

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Woken(u64),
    Stale,
    TimedOut,
    Closed,
    Interrupted,
    /// A prepared thread did not wait.
    Left,
    Failed,
    Panicked,
}

impl From<Parked> for Ended {
    fn from(parked: Parked) -> Self {
        match parked {
            Parked::Woken { token } => Self::Woken(token),
            Parked::Stale => Self::Stale,
            Parked::TimedOut => Self::TimedOut,
            Parked::Closed => Self::Closed,
            Parked::Interrupted => Self::Interrupted,
            other => unreachable!("no wait ends so: {other:?}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) ended: Ended,
    /// The key that ended it, of those that say so.
    pub(crate) entry: Option<usize>,
    /// What `on_leave` was told, if it ran.
    pub(crate) was_last: Option<bool>,
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Self {
        Self {
            ended,
            entry: None,
            was_last: None,
        }
    }
}

impl From<ParkedAny> for Outcome {
    fn from(ended: ParkedAny) -> Self {
        Self {
            entry: ended.entry,
            ..Ended::from(ended.parked).into()
        }
    }
}

/// How far a wait has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Lingers,
    Sleeps,
    /// A task, which is queued.
    Waits,
    Ended(Outcome),
    /// A task, which is no more.
    Dropped,
}

impl Progress {
    pub(crate) fn ended(self) -> Option<Ended> {
        match self {
            Self::Ended(outcome) => Some(outcome.ended),
            _ => None,
        }
    }
}

/// What a wake came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Woken {
    /// `None` if it panicked.
    pub(crate) count: Option<usize>,
    /// In the order in which the filter was asked.
    pub(crate) looked_at: Vec<u64>,
    /// What the policy was told: how many were chosen, and whether others remain.
    pub(crate) choice: Option<(usize, bool)>,
}

/// How a requeue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    Done { woken: usize, moved: usize },
    Refused,
    Failed,
    Panicked,
}

/// The counters of one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) parks: u32,
    pub(crate) wakes: u32,
    pub(crate) timeouts: u32,
    pub(crate) cancels: u32,
    pub(crate) requeues: u32,
    pub(crate) collisions: u32,
}
