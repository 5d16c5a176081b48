//! Who holds the locks of a byte or a word, which have no room for it themselves.
//!
//! With the feature `inspect`: from the level of detail on that asks for times, who takes a lock is
//! entered in a fixed list beside it, and looks at the process-wide table show what is there.
//! Without it, and in the model checkers, nothing is here.

#[cfg(all(feature = "inspect", not(any(slotpark_loom, slotpark_shuttle))))]
mod kept;
#[cfg(not(all(feature = "inspect", not(any(slotpark_loom, slotpark_shuttle)))))]
#[path = "nothing.rs"]
mod kept;
#[cfg(all(feature = "inspect", not(any(slotpark_loom, slotpark_shuttle))))]
mod list;

pub(crate) use kept::{add, changed, gave, reset, took, unlisted};

/// What a lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    Mutex,
    RwLock,
}
