//! shuttle's atomics: every access is a point where its scheduler may switch threads. They are
//! sequentially consistent, whatever the ordering says, so fences do nothing.

use core::cell::Cell;

pub use shuttle::sync::atomic::AtomicU32;
pub(crate) use shuttle::sync::atomic::{
    AtomicPtr, AtomicU16, AtomicU64, AtomicUsize, Ordering, fence,
};

pub(crate) use shuttle::hint::spin_loop;

pub(crate) use super::cell::Guarded;

/// What the model's kernel is built on.
pub(crate) use shuttle::{
    lazy_static,
    sync::{Condvar, Mutex},
    thread::yield_now,
};

/// A slot lock never spins in the model: each look would be one more switch.
pub(crate) const LOCK_SPIN_COUNT_MAX: u32 = 0;

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
