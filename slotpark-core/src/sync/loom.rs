//! loom's atomics and cells: every access is a point where the model checker may switch threads.

use loom::cell::UnsafeCell;

pub use loom::sync::atomic::AtomicU32;
pub(crate) use loom::sync::atomic::{
    AtomicPtr, AtomicU8, AtomicU16, AtomicU64, AtomicUsize, Ordering, fence,
};

pub(crate) use loom::hint::spin_loop;

/// What the model's kernel is built on.
pub(crate) use loom::{
    lazy_static,
    sync::{Condvar, Mutex},
    thread::yield_now,
};

/// A slot lock never spins in the model: each look would be one more state.
pub(crate) const LOCK_SPIN_COUNT_MAX: u32 = 0;

/// Who comes for a barging lock gives way to nobody in the model.
pub(crate) const GIVE_WAY_COUNT_MAX: u32 = 0;

/// A wake of two tasks takes the second Waker in a later hold of the lock: the model checker sees
/// what lies between two holds.
pub(crate) const WAKERS_MAX: usize = 1;

/// A value guarded by a lock, or by an ownership that the surrounding type explains. loom fails
/// the run when an access is not ordered after the last write.
#[derive(Debug)]
pub(crate) struct Guarded<T>(UnsafeCell<T>);

impl<T> Guarded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// # Safety
    /// The caller holds what guards this cell: nobody else reads or writes it meanwhile.
    pub(crate) unsafe fn replace(&self, new: T) -> T {
        self.0.with_mut(|value| {
            // SAFETY: by the caller's contract nobody else accesses the cell during this exchange.
            core::mem::replace(unsafe { &mut *value }, new)
        })
    }

    /// Where the value lies.
    ///
    /// # Safety
    /// The caller holds what guards this cell, and reads by the pointer only while it does.
    pub(crate) unsafe fn place(&self) -> *const T {
        self.0.with(|value| value)
    }
}

impl<T: Copy> Guarded<T> {
    /// # Safety
    /// The caller holds what guards this cell: nobody writes it meanwhile.
    pub(crate) unsafe fn get(&self) -> T {
        self.0.with(|value| {
            // SAFETY: by the caller's contract nobody writes the cell during this read.
            unsafe { *value }
        })
    }

    /// # Safety
    /// The caller holds what guards this cell: nobody else reads or writes it meanwhile.
    pub(crate) unsafe fn set(&self, new: T) {
        self.0.with_mut(|value| {
            // SAFETY: by the caller's contract nobody else accesses the cell during this write.
            unsafe { *value = new }
        });
    }
}

/// The lifetime of a frame that others point to.
#[derive(Debug)]
pub(crate) struct Alive(UnsafeCell<bool>);

impl Alive {
    pub(crate) fn new() -> Self {
        Self(UnsafeCell::new(true))
    }

    /// Every touch of the frame by anybody.
    pub(crate) fn touch(&self) {
        self.0.with(|alive| {
            // SAFETY: loom reports a concurrent `end` before this read can be wrong.
            assert!(unsafe { *alive }, "a frame was touched after its end");
        });
    }

    /// The frame ends here: a later touch, or one not ordered before this, fails the run.
    pub(crate) fn end(&self) {
        self.0.with_mut(|alive| {
            // SAFETY: loom reports a touch that is not ordered before this write.
            unsafe { *alive = false }
        });
    }
}

/// All threads begin at the first entry of a pool: a run can be repeated.
pub(crate) fn here() -> usize {
    0
}
