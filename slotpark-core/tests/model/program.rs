//! What a program consists of.

pub(crate) const KEYS: u64 = 4;
pub(crate) const ALL: usize = usize::MAX;

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
    Park(Park),
    /// One of those who wait goes on. If it is past its deadline and woken, its sleep says which.
    Run {
        who: usize,
        says_timed_out: bool,
    },
    Pass {
        ns: u64,
    },
    Unpark {
        key: u64,
        count: usize,
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
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Park {
    pub(crate) key: u64,
    pub(crate) bits: u32,
    /// Nanoseconds until its deadline.
    pub(crate) patience: Option<u64>,
    /// It says that it has validated before.
    pub(crate) validated: bool,
    pub(crate) answers: [Answer; 2],
    /// It stops between being linked and going to sleep.
    pub(crate) lingers: bool,
    pub(crate) before_sleep_panics: bool,
    pub(crate) on_leave_panics: bool,
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
