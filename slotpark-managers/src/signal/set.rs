//! Sets of signals.

use std::fmt;
use std::ops::{BitAnd, BitOr, Not};

use super::number::Signal;

/// A set of signals: a mask, or what is pending. Signal `n` is bit `n - 1`, as in the kernel's
/// `sigset_t`.
///
/// ```
/// use slotpark_managers::{Signal, SignalSet};
/// let set = SignalSet::EMPTY.with(Signal::INT).with(Signal::HUP);
/// assert_eq!(set.bits(), 0b11);
/// assert_eq!(format!("{set:?}"), "{SIGHUP, SIGINT}");
/// assert!(!(!set).contains(Signal::INT));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SignalSet(u64);

impl SignalSet {
    /// None.
    pub const EMPTY: Self = Self(0);
    /// All.
    pub const ALL: Self = Self(u64::MAX);

    /// Those whose bits are set.
    ///
    /// ```
    /// use slotpark_managers::{Signal, SignalSet};
    /// assert!(SignalSet::from_bits(1).contains(Signal::HUP));
    /// ```
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// A bit for each.
    ///
    /// ```
    /// assert_eq!(slotpark_managers::SignalSet::ALL.bits(), u64::MAX);
    /// ```
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// These and `signal`.
    ///
    /// ```
    /// use slotpark_managers::{Signal, SignalSet};
    /// assert_eq!(SignalSet::EMPTY.with(Signal::RT_MAX).bits(), 1 << 63);
    /// ```
    #[must_use]
    pub const fn with(self, signal: Signal) -> Self {
        Self(self.0 | 1 << signal.index())
    }

    /// These without `signal`.
    ///
    /// ```
    /// use slotpark_managers::{Signal, SignalSet};
    /// assert_eq!(SignalSet::from_bits(3).without(Signal::INT), SignalSet::from_bits(1));
    /// ```
    #[must_use]
    pub const fn without(self, signal: Signal) -> Self {
        Self(self.0 & !(1 << signal.index()))
    }

    /// Whether `signal` is one of these.
    ///
    /// ```
    /// use slotpark_managers::{Signal, SignalSet};
    /// assert!(SignalSet::ALL.contains(Signal::TERM));
    /// ```
    #[must_use]
    pub const fn contains(self, signal: Signal) -> bool {
        self.0 & 1 << signal.index() != 0
    }

    /// Whether there are none.
    ///
    /// ```
    /// assert!(slotpark_managers::SignalSet::EMPTY.is_empty());
    /// ```
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These as a mask: without what nobody can block.
    pub(super) const fn as_mask(self) -> Self {
        self.without(Signal::KILL).without(Signal::STOP)
    }

    /// What stops a process.
    pub(super) const STOPS: Self = Self::EMPTY
        .with(Signal::STOP)
        .with(Signal::TSTP)
        .with(Signal::TTIN)
        .with(Signal::TTOU);

    /// What an instruction brings on, and is to be told before the thread goes on.
    const SYNCHRONOUS: Self = Self::EMPTY
        .with(Signal::SEGV)
        .with(Signal::BUS)
        .with(Signal::ILL)
        .with(Signal::TRAP)
        .with(Signal::FPE)
        .with(Signal::SYS);

    /// The one to take first: the lowest, but what an instruction brings on before all others.
    pub(super) fn first(self) -> Option<Signal> {
        let urgent = self & Self::SYNCHRONOUS;
        let set = if urgent.is_empty() { self } else { urgent };
        (!set.is_empty()).then(|| Signal::at(set.0.trailing_zeros()))
    }

    fn signals(self) -> impl Iterator<Item = Signal> {
        let all = (0..u64::BITS).map(Signal::at);
        all.filter(move |signal| self.contains(*signal))
    }
}

impl BitOr for SignalSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for SignalSet {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for SignalSet {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl FromIterator<Signal> for SignalSet {
    fn from_iter<I: IntoIterator<Item = Signal>>(signals: I) -> Self {
        signals.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.signals()).finish()
    }
}
