//! What a table shows of itself: who waits on what, who holds what, since when.
//!
//! A look takes one slot lock at a time, copies what is there into memory of the caller's, and
//! allocates nothing under the lock.

mod by;
mod copy;
mod seen;
mod text;

#[cfg(feature = "alloc")]
pub(crate) use by::looks_by;
pub use copy::LOOK_MAX;
pub use seen::{Inspect, Kind, Seen};
pub use text::KeyText;

/// How much is recorded, for the whole process.
///
/// ```
/// assert!(slotpark_core::Detail::Off < slotpark_core::Detail::Full);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Detail {
    /// What the engine needs itself: slots, hashes, kinds.
    #[default]
    Off,
    /// Also histograms' counters and the busiest keys.
    Counters,
    /// Also since when, and by which thread or task.
    Timing,
    /// Also where in the source, and some stacks.
    Full,
}
