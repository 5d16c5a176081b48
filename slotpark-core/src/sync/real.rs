//! The real atomics and cells: `core`'s.

pub use core::sync::atomic::AtomicU32;
pub(crate) use core::sync::atomic::{
    AtomicPtr, AtomicU8, AtomicU16, AtomicU64, AtomicUsize, Ordering, fence,
};

pub(crate) use core::hint::spin_loop;

pub(crate) use super::cell::Guarded;

/// How often a taker of a slot lock looks before it sleeps.
pub(crate) const LOCK_SPIN_COUNT_MAX: u32 = 64;

/// How many Wakers a wake takes in one hold of a slot lock.
pub(crate) const WAKERS_MAX: usize = 32;

/// The lifetime of a frame that others point to; checked in the model checkers only.
#[derive(Debug)]
pub(crate) struct Alive;

impl Alive {
    pub(crate) const fn new() -> Self {
        Self
    }

    /// Every touch of the frame by anybody.
    #[inline(always)]
    pub(crate) fn touch(&self) {}

    /// The frame ends here: a later touch, or one not ordered before this, is a defect.
    #[inline(always)]
    pub(crate) fn end(&self) {}
}
