//! How waits end.

use crate::WaitOutcome;

/// How a wait with a recheck loop came to its end.
///
/// ```
/// use slotpark::{ShardedWait, WhileOutcome};
/// use std::time::Duration;
/// let waits = ShardedWait::<u64>::new();
/// assert_eq!(waits.wait_while_for(&7, || false, Duration::ZERO), WhileOutcome::Met);
/// assert_eq!(waits.wait_while_for(&7, || true, Duration::ZERO), WhileOutcome::TimedOut);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the condition may still hold"]
#[non_exhaustive]
pub enum WhileOutcome {
    /// The condition no longer held when it was last looked at.
    Met,
    /// The deadline passed while the condition held.
    TimedOut,
    /// The key or the table was closed while the condition held.
    Closed,
    /// The wait was interrupted while the condition held.
    Interrupted,
}

impl WhileOutcome {
    /// What a single wait says about the whole; `None` if it was woken, and the condition is to be
    /// looked at again.
    pub(crate) const fn of(outcome: WaitOutcome) -> Option<Self> {
        match outcome {
            WaitOutcome::Stale => Some(Self::Met),
            WaitOutcome::TimedOut => Some(Self::TimedOut),
            WaitOutcome::Closed => Some(Self::Closed),
            WaitOutcome::Interrupted => Some(Self::Interrupted),
            // `WaitOutcome` may grow: whatever it was, the condition is looked at again.
            _ => None,
        }
    }
}
