//! The platform of targets that have none: using a table with it does not compile.

use super::{Clock, Deadline, Platform, Slept};
use crate::sync::AtomicU32;

/// Stands where a platform would be on targets that have none built in. A table that uses it does
/// not compile: name your host's platform instead.
#[derive(Clone, Copy, Debug)]
pub enum HostMissing {}

// SAFETY: `GROUP_SLEEP` fails to evaluate in every program that would sleep or wake by it.
unsafe impl Platform for HostMissing {
    const GROUP_SLEEP: bool = panic!("no platform is built in for this target: name the host's");
    type Handle = ();
    type Critical = ();

    fn handle() {}

    fn critical() {}

    fn sleep(_: &AtomicU32, _: u32, _: u32, _: Option<Deadline>) -> Slept {
        Slept::Early
    }

    fn wake_group(_: &AtomicU32, _: u32) {}

    fn wake_thread(_: *const AtomicU32, (): &()) {}

    fn lock_sleep(_: &AtomicU32, _: u32) {}

    fn lock_wake(_: &AtomicU32) {}

    fn now_ns(_: Clock) -> u64 {
        1
    }

    fn ticks() -> u64 {
        0
    }
}

/// A bare host has neither clock nor random numbers that this crate knows of: a host gives its own
/// seed by `Seeded::with_seed`.
pub(crate) fn entropy(address: usize) -> u64 {
    crate::hash::finalize(address as u64)
}
