//! Numbers of the process that order nothing: plain, also in the model checkers, and constant.

#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
use core::sync::atomic::AtomicU32;
#[cfg(feature = "alloc")]
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering;

/// A number that anybody may change at any time, and that publishes nothing.
#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
pub(crate) struct Plain(AtomicU32);

#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
impl Plain {
    pub(crate) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> u32 {
        // ORDERING: none, relaxed: one number, which publishes nothing.
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, number: u32) {
        // ORDERING: none, relaxed: as in `get`.
        self.0.store(number, Ordering::Relaxed);
    }

    /// Counts; the number before.
    pub(crate) fn next(&self) -> u32 {
        // ORDERING: none, relaxed: a counter.
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A number of this process, never the same twice until a `usize` overflows.
#[cfg(feature = "alloc")]
pub(crate) fn next_number() -> u64 {
    static LAST: AtomicUsize = AtomicUsize::new(0);
    // ORDERING: none, relaxed: a counter.
    LAST.fetch_add(1, Ordering::Relaxed) as u64 + 1
}
