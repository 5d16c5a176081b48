//! Reading the caller's word: what `validate` closures compare.

use crate::sync::{AtomicU32, Ordering};

/// Reads a caller-owned word inside a `validate` closure.
///
/// ```
/// use std::sync::atomic::AtomicU32;
/// assert_eq!(slotpark_core::word::load(&AtomicU32::new(7)), 7);
/// ```
#[inline]
#[must_use]
pub fn load(word: &AtomicU32) -> u32 {
    // ORDERING: none, relaxed: DEKKER's fences order this read against the waker's write; the
    // value itself publishes nothing.
    word.load(Ordering::Relaxed)
}

/// Reads a caller-owned 64-bit word inside a `validate` closure.
///
/// ```
/// use std::sync::atomic::AtomicU64;
/// assert_eq!(slotpark_core::word::load_u64(&AtomicU64::new(1 << 40)), 1 << 40);
/// ```
#[cfg(target_has_atomic = "64")]
#[inline]
#[must_use]
pub fn load_u64(word: &crate::sync::AtomicU64) -> u64 {
    // ORDERING: none, relaxed: as in `load`.
    word.load(Ordering::Relaxed)
}
