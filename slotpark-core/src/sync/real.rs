//! The real atomics and cells: `core`'s.

use core::cell::UnsafeCell;

pub use core::sync::atomic::AtomicU32;
pub(crate) use core::sync::atomic::{
    AtomicPtr, AtomicU16, AtomicU64, AtomicUsize, Ordering, fence,
};

pub(crate) use core::hint::spin_loop;

/// How often a taker of a slot lock looks before it sleeps.
pub(crate) const LOCK_SPIN_COUNT_MAX: u32 = 64;

/// A value guarded by a lock, or by an ownership that the surrounding type explains.
#[derive(Debug)]
pub(crate) struct Guarded<T>(UnsafeCell<T>);

impl<T: Copy> Guarded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// # Safety
    /// The caller holds what guards this cell: nobody writes it meanwhile.
    pub(crate) unsafe fn get(&self) -> T {
        // SAFETY: by the caller's contract nobody writes the cell during this read.
        unsafe { *self.0.get() }
    }

    /// # Safety
    /// The caller holds what guards this cell: nobody else reads or writes it meanwhile.
    pub(crate) unsafe fn set(&self, value: T) {
        // SAFETY: by the caller's contract nobody else accesses the cell during this write.
        unsafe { *self.0.get() = value };
    }
}

/// The lifetime of a frame that others point to; checked in the model checker only.
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
