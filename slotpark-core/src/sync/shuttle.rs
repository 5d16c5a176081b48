//! shuttle's atomics: every access is a point where its scheduler may switch threads. They are
//! sequentially consistent, whatever the ordering says, so fences do nothing.

use core::cell::Cell;

pub use shuttle::sync::atomic::AtomicU32;
pub(crate) use shuttle::sync::atomic::{
    AtomicPtr, AtomicU8, AtomicU16, AtomicU64, AtomicUsize, Ordering, fence,
};

pub(crate) use shuttle::hint::spin_loop;

/// A guarded value, whose exchange is two steps: a second thread inside is noticed.
#[derive(Debug)]
pub(crate) struct Guarded<T> {
    cell: super::cell::Guarded<T>,
    inside: Cell<bool>,
}

impl<T> Guarded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self {
            cell: super::cell::Guarded::new(value),
            inside: Cell::new(false),
        }
    }

    /// # Safety
    /// The caller holds what guards this cell: nobody else reads or writes it meanwhile.
    pub(crate) unsafe fn replace(&self, value: T) -> T {
        assert!(!self.inside.replace(true), "two threads exchange one value");
        // ORDERING: none, relaxed: an access that switches threads, and publishes nothing.
        AtomicU32::new(0).load(Ordering::Relaxed);
        // SAFETY: the caller's contract.
        let old = unsafe { self.cell.replace(value) };
        self.inside.set(false);
        old
    }

    /// Where the value lies.
    ///
    /// # Safety
    /// The caller holds what guards this cell, and reads by the pointer only while it does.
    pub(crate) unsafe fn place(&self) -> *const T {
        // SAFETY: the caller's contract.
        unsafe { self.cell.place() }
    }
}

impl<T: Copy> Guarded<T> {
    /// # Safety
    /// The caller holds what guards this cell: nobody writes it meanwhile.
    pub(crate) unsafe fn get(&self) -> T {
        // SAFETY: the caller's contract.
        unsafe { self.cell.get() }
    }

    /// # Safety
    /// The caller holds what guards this cell: nobody else reads or writes it meanwhile.
    pub(crate) unsafe fn set(&self, value: T) {
        // SAFETY: the caller's contract.
        unsafe { self.cell.set(value) };
    }
}

/// What the model's kernel is built on.
pub(crate) use shuttle::{
    lazy_static,
    sync::{Condvar, Mutex},
    thread::yield_now,
};

/// A slot lock never spins in the model: each look would be one more switch.
pub(crate) const LOCK_SPIN_COUNT_MAX: u32 = 0;

/// Who comes for a barging lock gives way to nobody in the model.
pub(crate) const GIVE_WAY_COUNT_MAX: u32 = 0;

/// A wake of two tasks takes the second Waker in a later hold of the lock.
pub(crate) const WAKERS_MAX: usize = 1;

const ALIVE: u32 = 0x0A11_7E00;

/// The lifetime of a frame that others point to. All threads of a run take turns on one thread of
/// the system, so that a plain cell sees every touch that comes late.
#[derive(Debug)]
pub(crate) struct Alive(Cell<u32>);

impl Alive {
    pub(crate) fn new() -> Self {
        Self(Cell::new(ALIVE))
    }

    /// Every touch of the frame by anybody.
    pub(crate) fn touch(&self) {
        assert!(self.0.get() == ALIVE, "a frame was touched after its end");
    }

    /// The frame ends here: a later touch fails the run, as long as nothing else has taken the
    /// frame's place.
    pub(crate) fn end(&self) {
        self.0.set(0);
    }
}

/// All threads begin at the first entry of a pool: a run can be repeated.
pub(crate) fn here() -> usize {
    0
}
