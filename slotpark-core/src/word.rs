//! The caller's word: what `validate` closures compare, and FUTEX_WAKE_OP changes.

use crate::sync::{AtomicU32, Ordering, fence};

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

/// Changes a caller-owned word in one step, and returns what it was: what was done before comes
/// before it, and what is done after comes after, as callers give locks back with it.
///
/// ```
/// use std::sync::atomic::AtomicU32;
/// let word = AtomicU32::new(7);
/// assert_eq!(slotpark_core::word::update(&word, |old| old + 1), 7);
/// assert_eq!(slotpark_core::word::load(&word), 8);
/// ```
pub fn update(word: &AtomicU32, change: impl Fn(u32) -> u32) -> u32 {
    let mut old = load(word);
    loop {
        // ORDERING: WORD release side: who changes the word next sees what was done before this
        // change. Relaxed on failure, which looks again.
        match word.compare_exchange(old, change(old), Ordering::Release, Ordering::Relaxed) {
            Ok(_) => break,
            Err(now) => old = now,
        }
    }
    // ORDERING: WORD acquire side: what was done before the last change is visible from here.
    fence(Ordering::Acquire);
    old
}
