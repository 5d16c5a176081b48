//! How waits end.

use slotpark_core::Parked;

/// How a single wait came to its end. Only a waker that counted this wait makes it `Woken`.
///
/// ```
/// use slotpark::{ShardedWait, WaitOutcome};
/// let waits = ShardedWait::<u64>::new();
/// assert_eq!(waits.wait(&7, || false), WaitOutcome::Stale);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "look at the condition again: a wake says that it may have changed"]
#[non_exhaustive]
pub enum WaitOutcome {
    /// A waker chose this wait and counted it.
    Woken {
        /// What the waker handed over; 0 from wakes without a token.
        token: u64,
    },
    /// `validate` said no: there was nothing to wait for.
    Stale,
    /// The deadline passed and no waker had chosen this wait.
    TimedOut,
}

impl WaitOutcome {
    /// Whether a waker counted this wait.
    ///
    /// ```
    /// assert!(slotpark::WaitOutcome::Woken { token: 0 }.is_woken());
    /// ```
    #[must_use]
    pub const fn is_woken(self) -> bool {
        matches!(self, Self::Woken { .. })
    }
}

impl From<Parked> for WaitOutcome {
    fn from(parked: Parked) -> Self {
        match parked {
            Parked::Woken { token } => Self::Woken { token },
            Parked::TimedOut => Self::TimedOut,
            // `Parked` may grow; what this crate does not ask for cannot happen.
            _ => Self::Stale,
        }
    }
}

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
}
