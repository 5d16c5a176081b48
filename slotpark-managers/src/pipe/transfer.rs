//! What reads and writes have in common: a call looks, moves what it can, waits, looks again.

use crate::event::Seen;

/// The most buffers that one call can name: `IOV_MAX`.
pub(super) const SLICES_MAX: usize = 1024;

/// What a look at the pipe has come to.
pub(super) enum Step {
    Done(usize),
    /// There is nothing to be done before the version changes.
    Wait(Seen),
}
