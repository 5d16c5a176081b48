//! What a program consists of.

use slotpark_core::Order;

use crate::host::Resume;

pub(crate) const KEYS: u64 = 4;
pub(crate) const ALL: usize = usize::MAX;
pub(crate) const INTERRUPTERS: usize = 2;
/// Wakers of each task.
pub(crate) const BELLS: usize = 2;

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) shape: Shape,
    pub(crate) commands: Vec<Command>,
}

/// The slots of a table and the hash of each key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) slots: usize,
    pub(crate) hashes: [u64; KEYS as usize],
}

#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) step: Step,
    /// The comparison of two keys with this number, counted from 0, panics.
    pub(crate) panicking_comparison: Option<u8>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Wait(Plan),
    /// One of the threads that wait goes on.
    Run {
        who: usize,
        resume: Resume,
    },
    /// Somebody does something to one of the tasks, whether it waits or not; an odd number is one
    /// of those that are ended and have not looked, if there are any.
    Touch {
        who: usize,
        touch: Touch,
    },
    Pass {
        ns: u64,
    },
    Unpark {
        key: u64,
        count: usize,
    },
    UnparkLast {
        key: u64,
    },
    UnparkBits {
        key: u64,
        count: usize,
        bits: u32,
    },
    UnparkFilter {
        key: u64,
        count: usize,
        verdicts: Vec<Verdict>,
    },
    UnparkWith {
        key: u64,
        count: usize,
        verdicts: Vec<Verdict>,
        policy_panics: bool,
    },
    Requeue {
        from: u64,
        to: u64,
        wake_max: usize,
        move_max: usize,
        answer: Answer,
    },
    End(End),
}

/// Steps that end waits otherwise than by a wake of their key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Interrupt(usize),
    Clear(usize),
    CloseKey(u64),
    /// Makes an object that keeps a key closed.
    Seal(u64),
    /// Drops one of those objects.
    Unseal(usize),
    /// The keys in the mask are ended; which key's turn the question panics at.
    Where {
        is_close: bool,
        mask: u8,
        panics_at: Option<u8>,
    },
    /// Of the whole table, for ever.
    Close,
}

/// One who waits: how, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) manner: Manner,
    /// Only `Any` and `TaskAny` have more than one.
    pub(crate) keys: Vec<u64>,
    pub(crate) bits: u32,
    pub(crate) order: Order,
    /// Nanoseconds until its deadline.
    pub(crate) patience: Option<u64>,
    /// It says that it has validated before.
    pub(crate) validated: bool,
    /// A signal ends it, while it sleeps.
    pub(crate) until_signal: bool,
    /// In the order in which they are asked for; later ones are yes.
    pub(crate) answers: Vec<Answer>,
    /// Of `Any` and `TaskAny`; another one, or none, if it is in use.
    pub(crate) interrupter: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// `park_with`.
    Park {
        /// It stops between being linked and going to sleep.
        lingers: bool,
        before_sleep_panics: bool,
        on_leave_panics: bool,
    },
    /// `prepare`.
    Prepare {
        lingers: bool,
        then: Then,
    },
    /// A thread on several keys.
    Any,
    /// And what is done to it first.
    Task(Touch),
    TaskAny(Touch),
}

/// What a thread does once it is prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Waits,
    Leaves,
    Panics,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    /// With the Waker of this number.
    Poll(usize),
    Enable,
    TimeOut,
    Drop,
}

impl Plan {
    pub(crate) fn is_task(&self) -> bool {
        matches!(self.manner, Manner::Task(_) | Manner::TaskAny(_))
    }

    /// Its end is decided by a claim.
    pub(crate) fn has_claim(&self) -> bool {
        matches!(self.manner, Manner::Any | Manner::TaskAny(_))
    }

    pub(crate) fn is_prepared(&self) -> bool {
        matches!(self.manner, Manner::Prepare { .. })
    }
}

/// Tables of one slot and of two; keys of one hash, of one slot, and of neither.
pub(crate) const SHAPES: [Shape; 4] = [
    shape(1, [0, 1, 2, 3]),
    shape(1, [7, 7, 7, 7]),
    shape(2, [0, 1, 2, 3]),
    shape(2, [1, 1, 0, 0]),
];

const fn shape(slots: usize, hashes: [u64; KEYS as usize]) -> Shape {
    Shape { slots, hashes }
}

/// Of a `validate`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Yes,
    No,
    /// Only `park_with` has errors; for others this is no.
    Fails,
    Panics,
}

/// Of a filter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    Unpark,
    Skip,
    Stop,
    Panics,
}
