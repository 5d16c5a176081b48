//! The lock of one slot: a word that spins briefly, then sleeps.
//!
//! **States**: FREE - LOCKED (nobody sleeps) - CONTENDED (somebody may sleep: the unlocker wakes
//! one). **Invariants**: L1 between `lock` and `unlock` exactly one thread is inside; what it wrote
//! is visible to the next one. **Orderings**: LOCK.

use core::marker::PhantomData;

use crate::platform::Platform;
use crate::sync::{AtomicU32, LOCK_SPIN_COUNT_MAX, Ordering, const_unless_loom, spin_loop};

const FREE: u32 = 0;
const LOCKED: u32 = 1;
const CONTENDED: u32 = 2;

#[derive(Debug)]
pub(crate) struct SlotLock<P>(AtomicU32, PhantomData<fn() -> P>);

impl<P: Platform> SlotLock<P> {
    const_unless_loom! {
        pub(crate) fn new() -> Self {
            Self(AtomicU32::new(FREE), PhantomData)
        }
    }

    #[inline]
    pub(crate) fn lock(&self) {
        if !self.try_take() {
            self.lock_contended();
        }
    }

    #[inline]
    pub(crate) fn unlock(&self) {
        // ORDERING: LOCK release side: what was written inside is visible to the next taker.
        if self.0.swap(FREE, Ordering::Release) == CONTENDED {
            P::lock_wake(&self.0);
        }
    }

    #[inline]
    fn try_take(&self) -> bool {
        // ORDERING: LOCK acquire side: the last holder's writes are visible from here; relaxed on
        // failure, which learns nothing.
        self.0
            .compare_exchange(FREE, LOCKED, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    #[cold]
    fn lock_contended(&self) {
        for _ in 0..LOCK_SPIN_COUNT_MAX {
            spin_loop();
            // ORDERING: none, relaxed: a look; `try_take` decides.
            match self.0.load(Ordering::Relaxed) {
                FREE if self.try_take() => return,
                CONTENDED => break,
                _ => {}
            }
        }
        // Takes the lock as CONTENDED even if nobody else sleeps: at most one wake for nothing.
        // ORDERING: LOCK acquire side: the last holder's writes are visible from here.
        while self.0.swap(CONTENDED, Ordering::Acquire) != FREE {
            P::lock_sleep(&self.0, CONTENDED);
        }
    }

    /// Whether anybody was inside at this moment.
    #[cfg(all(feature = "inspect", not(any(slotpark_loom, slotpark_shuttle))))]
    pub(crate) fn is_locked(&self) -> bool {
        // ORDERING: none, relaxed: a look.
        self.0.load(Ordering::Relaxed) != FREE
    }

    /// Forgets a holder that no longer exists: in the child of a fork.
    pub(crate) fn reset(&self) {
        // ORDERING: none, relaxed: only one thread exists.
        self.0.store(FREE, Ordering::Relaxed);
    }
}
