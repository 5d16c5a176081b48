//! How much is recorded, for the whole process.
//!
//! **Orderings**: none: the level is one number, and who sees an old one records as before.

/// How much is recorded, for the whole process: chosen by [`set_detail`], at any time.
///
/// ```
/// assert!(slotpark_core::Detail::Off < slotpark_core::Detail::Full);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Detail {
    /// What the engine needs itself: slots, hashes, kinds, the counters of slots.
    #[default]
    Off,
    /// Also who waited, told to a [`Sink`](crate::Sink): the busiest keys.
    Counters,
    /// Also since when, and by which thread or task; how long, told to the sink. Locks by key are
    /// all taken by way of their slot's lock.
    Timing,
    /// Also where in the source, and some stacks.
    Full,
}

impl Detail {
    const ALL: [Self; 4] = [Self::Off, Self::Counters, Self::Timing, Self::Full];
}

/// Chooses how much is recorded from now on. What waits or is held now says as much as it did when
/// it began.
///
/// A lock by key that was taken just by its slot's word knows no owner; after a look at the slot,
/// who takes it next is recorded.
///
/// ```
/// use slotpark_core::{Detail, detail, set_detail};
/// set_detail(Detail::Timing);
/// assert_eq!(detail(), Detail::Timing);
/// # set_detail(Detail::Off);
/// ```
pub fn set_detail(detail: Detail) {
    now::set(detail as u32);
}

/// How much is recorded now.
///
/// ```
/// assert_eq!(slotpark_core::detail(), slotpark_core::Detail::Off);
/// ```
#[inline]
#[must_use]
pub fn detail() -> Detail {
    let level = now::get() as usize;
    Detail::ALL.get(level).copied().unwrap_or_default()
}

/// Whether owners and times are recorded.
#[inline(always)]
pub(crate) fn is_timed() -> bool {
    now::get() >= Detail::Timing as u32
}

/// Whether locations are recorded.
pub(super) fn is_full() -> bool {
    now::get() >= Detail::Full as u32
}

/// Whether a sink is told.
#[inline(always)]
pub(super) fn is_counted() -> bool {
    now::get() >= Detail::Counters as u32
}

#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
mod now {
    use crate::sync::Plain;

    static LEVEL: Plain = Plain::new();

    pub(super) fn set(level: u32) {
        LEVEL.set(level);
    }

    #[inline(always)]
    pub(super) fn get() -> u32 {
        LEVEL.get()
    }
}

/// All threads of a model run on one thread of the system, and each test on its own.
#[cfg(any(slotpark_loom, slotpark_shuttle))]
mod now {
    use core::cell::Cell;

    std::thread_local! {
        static LEVEL: Cell<u32> = const { Cell::new(0) };
    }

    pub(super) fn set(level: u32) {
        LEVEL.with(|own| own.set(level));
    }

    pub(super) fn get() -> u32 {
        LEVEL.with(Cell::get)
    }
}
