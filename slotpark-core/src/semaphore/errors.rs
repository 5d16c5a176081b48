//! Why permits were not acquired.

use core::fmt;

/// Why permits were not acquired.
///
/// ```
/// use slotpark_core::AcquireError;
/// assert_eq!(AcquireError::Closed.to_string(), "the semaphore is closed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcquireError {
    /// The semaphore was closed, before or while waiting.
    Closed,
    /// The deadline passed first.
    TimedOut,
}

/// Why permits were not acquired at once.
///
/// ```
/// use slotpark_core::TryAcquireError;
/// assert_eq!(TryAcquireError::NoPermits.to_string(), "too few permits are free");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// The semaphore is closed.
    Closed,
    /// Too few are free, or others wait for them.
    NoPermits,
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the semaphore is closed",
            Self::TimedOut => "the permits did not come before the deadline",
        })
    }
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the semaphore is closed",
            Self::NoPermits => "too few permits are free",
        })
    }
}

impl core::error::Error for AcquireError {}
impl core::error::Error for TryAcquireError {}
