//! What a wait brings, and how it ends.

use crate::platform::Deadline;

/// How a wait came to its end.
///
/// ```
/// use slotpark_core::{ParkOptions, Parked, Table};
/// let table = Table::<u64>::new();
/// assert_eq!(table.park(1, &7, ParkOptions::new(), || false), Parked::Stale);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Parked {
    /// A waker chose this waiter and counted it.
    Woken {
        /// What the waker handed over.
        token: u64,
    },
    /// `validate` said no: there was nothing to wait for.
    Stale,
    /// The deadline passed, and no waker had chosen this waiter.
    TimedOut,
}

/// What a wait brings beside its key: a deadline and a tag.
///
/// ```
/// use slotpark_core::{Deadline, ParkOptions, Parked, Table};
/// let options = ParkOptions::new().deadline(Some(Deadline::PAST)).tag(1);
/// assert_eq!(Table::<u64>::new().park(1, &7, options, || true), Parked::TimedOut);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParkOptions {
    pub(crate) deadline: Option<Deadline>,
    pub(crate) tag: u64,
    pub(crate) validated: bool,
}

impl ParkOptions {
    /// No deadline; a tag whose bits are all set, so that every bitset matches.
    ///
    /// ```
    /// use slotpark_core::ParkOptions;
    /// assert_eq!(ParkOptions::new(), ParkOptions::default());
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Self {
            deadline: None,
            tag: u64::MAX,
            validated: false,
        }
    }

    /// When the wait ends by itself; `None` is never.
    ///
    /// ```
    /// use slotpark_core::{Clock, Deadline, ParkOptions};
    /// let options = ParkOptions::new().deadline(Some(Deadline::new(Clock::Monotonic, 1)));
    /// assert_ne!(options, ParkOptions::new());
    /// ```
    #[must_use]
    pub const fn deadline(mut self, deadline: Option<Deadline>) -> Self {
        self.deadline = deadline;
        self
    }

    /// What filters see of this waiter. The low 32 bits are its bitset.
    ///
    /// ```
    /// use slotpark_core::ParkOptions;
    /// assert_eq!(ParkOptions::new().tag(u64::MAX), ParkOptions::new());
    /// ```
    #[must_use]
    pub const fn tag(mut self, tag: u64) -> Self {
        self.tag = tag;
        self
    }

    /// The caller has just run `validate`, before it spent anything on hashing or on the clock: it
    /// is not run again outside the slot lock.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// let mut runs = 0;
    /// let options = ParkOptions::new().validated();
    /// let parked = Table::<u64>::new().park(1, &7, options, || {
    ///     runs += 1;
    ///     false
    /// });
    /// assert_eq!((parked, runs), (Parked::Stale, 1));
    /// ```
    #[must_use]
    pub const fn validated(mut self) -> Self {
        self.validated = true;
        self
    }
}

impl Default for ParkOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Told to `on_leave`: how the waiters of the key stand after one of them has left.
///
/// ```
/// use slotpark_core::{Deadline, DefaultPlatform, ParkOptions, Parked, Table};
/// use std::time::Duration;
/// let mut last = false;
/// let soon = Deadline::after::<DefaultPlatform>(Duration::from_micros(1));
/// let options = ParkOptions::new().deadline(soon);
/// let table = Table::<u64>::new();
/// let yes = || Ok::<_, ()>(true);
/// let parked = table.park_with(1, &7, options, yes, || {}, |left| last = left.last);
/// // A microsecond may be over before the wait is queued: then nothing was left.
/// assert_eq!(parked, Ok(Parked::TimedOut));
/// assert_eq!(last, table.slot_stats(1).timeouts == 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Left {
    /// It was the last waiter of its key.
    pub last: bool,
}
