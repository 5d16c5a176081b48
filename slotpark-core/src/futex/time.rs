//! When a wait gives up.

use core::time::Duration;

use crate::futex::error::FutexError;
use crate::platform::{Clock, Deadline, Platform};

/// When a wait gives up.
///
/// ```
/// use slotpark_core::FutexTimeout;
/// use std::time::Duration;
/// assert_ne!(FutexTimeout::Never, FutexTimeout::Relative(Duration::MAX));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FutexTimeout {
    /// Never.
    #[default]
    Never,
    /// After this time on the monotonic clock.
    Relative(Duration),
    /// When the monotonic clock, CLOCK_MONOTONIC, shows this.
    Monotonic(Duration),
    /// When the wall clock shows this time since 1970: CLOCK_REALTIME, which may be set.
    Realtime(Duration),
}

impl FutexTimeout {
    /// Reads the clock for a time from now on. The kernel's time ends after 292 years, and so long
    /// is for ever.
    pub(super) fn deadline<P: Platform>(self) -> Option<Deadline> {
        match self {
            Self::Never => None,
            Self::Relative(wait) => Deadline::after::<P>(wait),
            Self::Monotonic(at) => nanoseconds(at).map(|at| Deadline::new(Clock::Monotonic, at)),
            Self::Realtime(at) => nanoseconds(at).map(|at| Deadline::new(Clock::Realtime, at)),
        }
    }
}

fn nanoseconds(time: Duration) -> Option<u64> {
    i64::try_from(time.as_nanos()).ok().map(i64::unsigned_abs)
}

/// A `struct timespec` of a 64-bit system (`struct __kernel_timespec`), as the caller wrote it.
///
/// ```
/// use slotpark_core::FutexTimespec;
/// let second = FutexTimespec { seconds: 1, nanoseconds: 0 };
/// assert_eq!(size_of_val(&second), 16);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FutexTimespec {
    /// `tv_sec`; below 0 is EINVAL.
    pub seconds: i64,
    /// `tv_nsec`; below 0 or above 999,999,999 is EINVAL.
    pub nanoseconds: i64,
}

impl FutexTimespec {
    /// The time, if it is one.
    pub(super) fn duration(self) -> Result<Duration, FutexError> {
        let seconds = u64::try_from(self.seconds).map_err(|_| FutexError::Invalid)?;
        match u32::try_from(self.nanoseconds) {
            Ok(part_ns) if part_ns < 1_000_000_000 => Ok(Duration::new(seconds, part_ns)),
            _ => Err(FutexError::Invalid),
        }
    }
}

/// The timespec at an address, if that is not 0. It need not be aligned.
///
/// # Safety
/// Unless it is 0, a timespec can be read there.
pub(super) unsafe fn read_time(time: *const FutexTimespec) -> Result<Option<Duration>, FutexError> {
    if time.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's contract.
    unsafe { time.read_unaligned() }.duration().map(Some)
}
