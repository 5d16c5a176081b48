//! The calls that are inside a handle: whoever destroys it must find none.
//!
//! A call stands in one of a few lines, by its address, so that calls on different words share no
//! counter; those on one word meet in its slot anyway.

use std::sync::{PoisonError, RwLock, RwLockReadGuard};

const LINES: usize = 16;

/// Locks that calls hold for reading (C2).
#[derive(Default)]
pub(crate) struct Calls {
    lines: [Line; LINES],
}

/// On a cache line of its own.
#[derive(Default)]
#[repr(align(64))]
struct Line(RwLock<()>);

/// A call, until it is dropped.
pub(crate) type Inside<'c> = RwLockReadGuard<'c, ()>;

impl Calls {
    /// A call begins, on the word at this address or on none in particular.
    pub(crate) fn enter(&self, address: u64) -> Inside<'_> {
        // Fibonacci hashing: addresses of neighbours, and those a page apart, spread.
        let line = address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60;
        let line = &self.lines[line as usize % LINES].0;
        line.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether no call is inside.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line.0.try_write().is_ok())
    }
}
