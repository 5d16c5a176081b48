//! What waits of guests return.

use std::error::Error;
use std::fmt;

/// How a wait of a guest ended, as its instruction returns it.
///
/// ```
/// use slotpark::DomainOutcome;
/// assert_eq!(DomainOutcome::TimedOut.code(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub enum DomainOutcome {
    /// A notify has counted this wait.
    Woken,
    /// The word was not what was expected: there was nothing to wait for.
    NotEqual,
    /// The time was over, and nobody had ended this wait before.
    TimedOut,
}

impl DomainOutcome {
    /// The number that `memory.atomic.wait32` and `wait64` of WebAssembly return: 0, 1, 2.
    ///
    /// ```
    /// use slotpark::DomainOutcome;
    /// assert_eq!(DomainOutcome::Woken.code(), 0);
    /// assert_eq!(DomainOutcome::NotEqual.code(), 1);
    /// ```
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Woken => 0,
            Self::NotEqual => 1,
            Self::TimedOut => 2,
        }
    }
}

/// Why a wait of a guest has no result: its guest does not go on here, or traps.
///
/// ```
/// use slotpark::{DomainError, WaitDomain};
/// let wait = WaitDomain::new().wait32(8, 0, -1, || Err("beyond the end of the memory"));
/// assert_eq!(wait, Err(DomainError::Fault("beyond the end of the memory")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DomainError<E> {
    /// The address is no multiple of the word's size. Nothing was read.
    Misaligned,
    /// The word could not be read; what its closure said.
    Fault(E),
    /// The domain, or its whole table, was closed, before the wait or during it.
    Closed,
    /// The memory at its address went during the wait.
    Unmapped,
    /// Its thread's interrupter ended it, or had been told to before it began.
    Interrupted,
}

impl<E: fmt::Display> fmt::Display for DomainError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misaligned => f.write_str("the address is no multiple of the word's size"),
            Self::Fault(fault) => write!(f, "the word could not be read: {fault}"),
            Self::Closed => f.write_str("the domain is closed"),
            Self::Unmapped => f.write_str("the memory at the address went during the wait"),
            Self::Interrupted => f.write_str("the wait was interrupted"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> Error for DomainError<E> {}
