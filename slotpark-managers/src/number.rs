//! Numbers that are given out once.

use std::sync::atomic::{AtomicU64, Ordering};

/// Names what has no other name: an end of a pipe, a descriptor of a queue. From 1 on.
#[derive(Debug)]
pub(crate) struct Numbers(AtomicU64);

impl Numbers {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(1))
    }

    pub(crate) fn next(&self) -> u64 {
        // ORDERING: none, relaxed: that a number is given out once is decided by the addition.
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}
