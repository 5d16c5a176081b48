//! What is measured of the managers.

mod blocked;
mod pipes;
mod processes;
mod signals;

pub(crate) use blocked::BlockedRead;
pub(crate) use pipes::{PipeBlocks, PipeRoundTrip};
pub(crate) use processes::Processes;
pub(crate) use signals::Signals;
