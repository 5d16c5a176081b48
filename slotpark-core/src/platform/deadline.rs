//! Absolute points in time.

use super::Platform;

/// The clock that a deadline is read on.
///
/// ```
/// use slotpark_core::{Clock, Deadline};
/// assert_eq!(Deadline::new(Clock::Realtime, 1).clock(), Clock::Realtime);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// Never set, never jumps: `CLOCK_MONOTONIC`.
    Monotonic,
    /// The wall clock, nanoseconds since 1970, may be set: `CLOCK_REALTIME`.
    Realtime,
}

/// An absolute point in time: nanoseconds on a clock. Given to the kernel as such, so that early
/// returns and retries never stretch a wait.
///
/// ```
/// use slotpark_core::{Clock, Deadline};
/// let deadline = Deadline::new(Clock::Monotonic, 5_000_000_000);
/// assert_eq!(deadline.at_ns(), 5_000_000_000);
/// assert_eq!(deadline.clock(), Clock::Monotonic);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Deadline {
    clock: Clock,
    at_ns: u64,
}

impl Deadline {
    /// A deadline that is past on every clock. It is known to be past without reading one.
    ///
    /// ```
    /// use slotpark_core::{Deadline, DefaultPlatform};
    /// assert!(Deadline::PAST.is_past::<DefaultPlatform>());
    /// ```
    pub const PAST: Self = Self {
        clock: Clock::Monotonic,
        at_ns: 0,
    };

    /// The point `at_ns` nanoseconds on `clock`. 0 is always past; no value overflows.
    ///
    /// ```
    /// use slotpark_core::{Clock, Deadline, DefaultPlatform};
    /// assert!(!Deadline::new(Clock::Monotonic, u64::MAX).is_past::<DefaultPlatform>());
    /// ```
    #[must_use]
    pub const fn new(clock: Clock, at_ns: u64) -> Self {
        Self { clock, at_ns }
    }

    /// The point `timeout` from now on the monotonic clock, or `None`, which means for ever, when
    /// that is beyond the clock's range (about 292 years).
    ///
    /// ```
    /// use slotpark_core::{Deadline, DefaultPlatform};
    /// use std::time::Duration;
    /// assert_eq!(Deadline::after::<DefaultPlatform>(Duration::ZERO), Some(Deadline::PAST));
    /// assert_eq!(Deadline::after::<DefaultPlatform>(Duration::MAX), None);
    /// ```
    #[must_use]
    pub fn after<P: Platform>(timeout: core::time::Duration) -> Option<Self> {
        if timeout.is_zero() {
            return Some(Self::PAST);
        }
        let timeout_ns = u64::try_from(timeout.as_nanos()).ok()?;
        let at_ns = P::now_ns(Clock::Monotonic).checked_add(timeout_ns)?;
        // The kernel's time is a signed number of nanoseconds.
        i64::try_from(at_ns).ok()?;
        Some(Self {
            clock: Clock::Monotonic,
            at_ns,
        })
    }

    /// The clock.
    ///
    /// ```
    /// use slotpark_core::{Clock, Deadline};
    /// assert_eq!(Deadline::PAST.clock(), Clock::Monotonic);
    /// ```
    #[must_use]
    pub const fn clock(self) -> Clock {
        self.clock
    }

    /// The point in nanoseconds.
    ///
    /// ```
    /// use slotpark_core::Deadline;
    /// assert_eq!(Deadline::PAST.at_ns(), 0);
    /// ```
    #[must_use]
    pub const fn at_ns(self) -> u64 {
        self.at_ns
    }

    /// Whether the point has passed on its clock.
    ///
    /// ```
    /// use slotpark_core::{Clock, Deadline, DefaultPlatform};
    /// assert!(Deadline::new(Clock::Realtime, 1).is_past::<DefaultPlatform>());
    /// ```
    #[must_use]
    pub fn is_past<P: Platform>(self) -> bool {
        self.at_ns == 0 || P::now_ns(self.clock) >= self.at_ns
    }

    /// Nanoseconds left; 0 when past.
    ///
    /// ```
    /// use slotpark_core::{Clock, Deadline, DefaultPlatform};
    /// let deadline = Deadline::new(Clock::Monotonic, u64::MAX);
    /// assert!(deadline.remaining_ns::<DefaultPlatform>() > 0);
    /// assert_eq!(Deadline::PAST.remaining_ns::<DefaultPlatform>(), 0);
    /// ```
    #[must_use]
    pub fn remaining_ns<P: Platform>(self) -> u64 {
        if self.at_ns == 0 {
            0
        } else {
            self.at_ns.saturating_sub(P::now_ns(self.clock))
        }
    }
}
