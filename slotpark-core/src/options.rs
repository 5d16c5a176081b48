//! What a wait brings, and how it ends.

use core::panic::Location;

use crate::inspect::{Caller, WaitEnd};
use crate::platform::Deadline;
use crate::waiter::{Ending, GaveUp, Until, Verdict};

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
    /// The deadline passed, and nobody had ended this wait before.
    TimedOut,
    /// The key or the whole table was closed, before the wait or during it.
    Closed,
    /// Its interrupter ended it, or had been told to before it began; or a signal did, if it had
    /// [asked for that](ParkOptions::until_signal).
    Interrupted,
}

impl Parked {
    /// Whether a waker counted this wait.
    ///
    /// ```
    /// assert!(slotpark_core::Parked::Woken { token: 0 }.is_woken());
    /// ```
    #[must_use]
    pub const fn is_woken(self) -> bool {
        matches!(self, Self::Woken { .. })
    }
}

impl From<Verdict> for Parked {
    fn from(verdict: Verdict) -> Self {
        match verdict.ending {
            Ending::Woken => Self::Woken {
                token: verdict.token,
            },
            Ending::Closed => Self::Closed,
            Ending::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Parked> for WaitEnd {
    fn from(parked: Parked) -> Self {
        match parked {
            Parked::Woken { .. } => Self::Woken,
            Parked::Stale => Self::Cancelled,
            Parked::TimedOut => Self::TimedOut,
            Parked::Closed => Self::Closed,
            Parked::Interrupted => Self::Interrupted,
        }
    }
}

impl From<GaveUp> for Parked {
    fn from(gave_up: GaveUp) -> Self {
        match gave_up {
            GaveUp::TimedOut => Self::TimedOut,
            GaveUp::Interrupted => Self::Interrupted,
        }
    }
}

/// Where a waiter stands among those of its key.
///
/// ```
/// use slotpark_core::{Order, ParkOptions};
/// assert_eq!(ParkOptions::new().order(Order::Fifo), ParkOptions::new());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Behind all others. Takes constant time.
    #[default]
    Fifo,
    /// Before all others without a priority. Takes one step per waiter with a priority.
    Lifo,
    /// Behind those of at least this priority, before the rest; all others have 0. Takes one step
    /// per waiter that it stands behind, or constant time at the end.
    Priority(u32),
}

impl Order {
    pub(crate) const fn weight(self) -> u32 {
        match self {
            Self::Fifo | Self::Lifo => 0,
            Self::Priority(weight) => weight,
        }
    }
}

/// What a wait brings beside its key: what ends it, a tag, its place in the queue.
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
    pub(crate) order: Order,
    pub(crate) validated: bool,
    pub(crate) until_signal: bool,
    pub(crate) caller: Caller,
}

impl ParkOptions {
    /// No deadline; a tag whose bits are all set, so that every bitset matches. Who looks at the
    /// wait is shown the caller of this as where it was asked for.
    ///
    /// ```
    /// use slotpark_core::ParkOptions;
    /// assert_eq!(ParkOptions::new(), ParkOptions::default());
    /// ```
    #[must_use]
    #[track_caller]
    pub const fn new() -> Self {
        Self {
            deadline: None,
            tag: u64::MAX,
            order: Order::Fifo,
            validated: false,
            until_signal: false,
            caller: Caller::here(),
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

    /// Where it stands among the waiters of its key. Whoever is moved to another key keeps its
    /// priority and stands behind its equals there.
    ///
    /// ```
    /// use slotpark_core::{Order, ParkOptions};
    /// assert_ne!(ParkOptions::new().order(Order::Lifo), ParkOptions::new());
    /// ```
    #[must_use]
    pub const fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// The caller has just run `validate`, before it spent anything on hashing or on the clock: it
    /// is not run again outside the slot lock. Of a future this is said of its first wait only.
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

    /// A signal ends the wait, as [`Parked::Interrupted`]: its handler ran in this thread, on
    /// Linux, while that slept. With a deadline that is any handler, without one a handler that was
    /// installed without SA_RESTART: so it is with a futex wait of the kernel.
    ///
    /// Nothing is said of a signal whose handler runs before the thread sleeps, or while it spins.
    /// A wait that a waker has counted does not end so. Other platforms know no signals, and
    /// neither do futures.
    ///
    /// ```
    /// use slotpark_core::{Deadline, ParkOptions, Parked, Table};
    /// let options = ParkOptions::new().deadline(Some(Deadline::PAST)).until_signal();
    /// assert_eq!(Table::<u64>::new().park(1, &7, options, || true), Parked::TimedOut);
    /// ```
    #[must_use]
    pub const fn until_signal(mut self) -> Self {
        self.until_signal = true;
        self
    }

    /// Asked for there, as those who look are shown: for who calls the engine on behalf of others.
    ///
    /// ```
    /// let here = std::panic::Location::caller();
    /// let options = slotpark_core::ParkOptions::new().called_from(here);
    /// ```
    #[must_use]
    pub const fn called_from(self, location: &'static Location<'static>) -> Self {
        self.called(Caller::at(location))
    }

    /// Asked for elsewhere.
    pub(crate) const fn called(mut self, caller: Caller) -> Self {
        self.caller = caller;
        self
    }

    pub(crate) const fn until(&self) -> Until {
        Until {
            deadline: self.deadline,
            signal: self.until_signal,
        }
    }
}

impl Default for ParkOptions {
    #[track_caller]
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
    /// It was the last waiter of its key: of the key to which it had been moved, if it had.
    pub last: bool,
    /// It had been moved to another key, or to the one that it came from by way of another.
    pub moved: bool,
}
