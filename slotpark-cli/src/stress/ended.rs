//! How waits end.

use slotpark::{WaitOutcome, WhileOutcome};

/// How a wait came to its end, whatever part of the library it went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Woken {
        token: u64,
    },
    Stale,
    TimedOut,
    Closed,
    Interrupted,
    /// Who waited went away before the end.
    GivenUp,
    /// By a panic that was planned.
    Panicked,
}

impl From<WhileOutcome> for Ended {
    fn from(outcome: WhileOutcome) -> Self {
        match outcome {
            WhileOutcome::TimedOut => Self::TimedOut,
            WhileOutcome::Closed => Self::Closed,
            WhileOutcome::Interrupted => Self::Interrupted,
            _ => Self::Stale,
        }
    }
}

impl From<WaitOutcome> for Ended {
    fn from(outcome: WaitOutcome) -> Self {
        match outcome {
            WaitOutcome::Woken { token } => Self::Woken { token },
            WaitOutcome::TimedOut => Self::TimedOut,
            WaitOutcome::Closed => Self::Closed,
            WaitOutcome::Interrupted => Self::Interrupted,
            _ => Self::Stale,
        }
    }
}
