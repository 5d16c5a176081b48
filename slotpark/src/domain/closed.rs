//! The atomics of domains: the flag that a close sets, and the numbers that are given out.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Whether a domain is closed.
#[derive(Default)]
pub(super) struct Closed(AtomicBool);

impl Closed {
    pub(super) fn set(&self) {
        // ORDERING: none, relaxed: the slot locks that a close takes after this publish it to who
        // looks under them (D1); who looks without one may be late.
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> bool {
        // ORDERING: none, relaxed: as above.
        self.0.load(Ordering::Relaxed)
    }
}

/// The half of all spaces that domains have; the other is for those who choose theirs.
const FIRST_SPACE: u64 = 1 << 63;

static NEXT_SPACE: AtomicU64 = AtomicU64::new(FIRST_SPACE);

/// A number that was never given out before. Half of all numbers of 64 bits outlast any process.
pub(super) fn next_space() -> u64 {
    // ORDERING: none, relaxed: that it is given out once is decided by the addition alone.
    NEXT_SPACE.fetch_add(1, Ordering::Relaxed)
}
