//! The real atomics and cells: `core`'s.

pub use core::sync::atomic::AtomicU32;
pub(crate) use core::sync::atomic::{
    AtomicPtr, AtomicU8, AtomicU16, AtomicU64, AtomicUsize, Ordering, fence,
};

pub(crate) use core::hint::spin_loop;

pub(crate) use super::cell::Guarded;

/// How often a taker of a slot lock looks before it sleeps.
pub(crate) const LOCK_SPIN_COUNT_MAX: u32 = 64;

/// How often who comes for a barging lock gives way and looks before it queues.
pub(crate) const GIVE_WAY_COUNT_MAX: u32 = 10;

/// How many Wakers a wake takes in one hold of a slot lock.
pub(crate) const WAKERS_MAX: usize = 64;

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

/// A number that differs between threads, and as a rule not between calls of one: each finds its
/// own entries of a pool where it left them, in its own cache.
#[inline]
pub(crate) fn here() -> usize {
    /// Stacks of two threads lie farther apart; frames of one thread seldom.
    const STACK_BYTES: usize = 64 * 1024;
    let local = 0_u8;
    let place = core::ptr::from_ref(&local).addr() / STACK_BYTES;
    // Neighbours apart, and all of the upper half used: what follows takes the low bits.
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    ((place as u64).wrapping_mul(ODD) >> 32) as usize
}
