//! What a table shows of itself: who waits on what, who holds what, since when.
//!
//! A look takes one slot lock at a time, copies what is there into memory of the caller's, and
//! allocates nothing under the lock.

mod by;
mod copy;
mod level;
mod seen;
mod sink;
mod text;
mod trace;
mod who;

pub use copy::LOOK_MAX;
#[cfg(feature = "alloc")]
pub(crate) use level::is_timed;
pub use level::{Detail, detail, set_detail};
pub use seen::{Inspect, Kind, Seen};
pub use sink::{Held, Locking, Sink, WaitEnd, Waited, set_sink, set_stacks};
#[cfg(feature = "alloc")]
pub(crate) use sink::{ask, came};
pub use text::KeyText;
#[cfg(feature = "alloc")]
pub(crate) use trace::held;
pub(crate) use trace::{Caller, Traced, stamp_woken, waited};
pub(crate) use who::forget;
#[cfg(all(feature = "std", not(any(slotpark_loom, slotpark_shuttle))))]
pub use who::{TaskLabel, task_label};
