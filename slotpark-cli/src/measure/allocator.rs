//! The program's allocator: the system's, and a count of what is allocated while somebody counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// All three are relaxed: they count, and publish nothing. Who reads them has seen the work end by
// other means.
static ON: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicI64 = AtomicI64::new(0);

/// What was allocated in the whole process while the counting was on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allocated {
    /// Calls that got memory; growing a block counts.
    pub(crate) allocations: u64,
    /// Bytes got less bytes given back.
    pub(crate) live_bytes: i64,
}

/// Counts from zero. A process counts for one sample, so the counting is not switched off again.
pub(crate) fn start_counting() {
    ALLOCATIONS.store(0, Ordering::Relaxed);
    LIVE_BYTES.store(0, Ordering::Relaxed);
    ON.store(true, Ordering::Relaxed);
}

/// The count so far.
pub(crate) fn counted() -> Allocated {
    Allocated {
        allocations: ALLOCATIONS.load(Ordering::Relaxed),
        live_bytes: LIVE_BYTES.load(Ordering::Relaxed),
    }
}

struct Counting;

impl Counting {
    #[inline]
    fn note(allocations: u64, bytes: i64) {
        // Off in the samples of time: there an allocation costs what the system's costs.
        if ON.load(Ordering::Relaxed) {
            ALLOCATIONS.fetch_add(allocations, Ordering::Relaxed);
            LIVE_BYTES.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

/// The size of a block as a signed number; no layout is larger than `isize::MAX`.
fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

// SAFETY: every call is handed to `System` as it came, which keeps the contract of `GlobalAlloc`;
// the counting beside it neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note(1, signed(layout.size()));
        // SAFETY: the caller's promise about the layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::note(1, signed(layout.size()));
        // SAFETY: the caller's promise about the layout is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Self::note(0, -signed(layout.size()));
        // SAFETY: the caller's promise is passed on, and every block of ours came from `System`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        Self::note(1, signed(new_size) - signed(layout.size()));
        // SAFETY: the caller's promise is passed on, and every block of ours came from `System`.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_is_kept_and_what_is_given_back() {
        start_counting();
        let before = counted();
        let kept = std::hint::black_box(vec![0_u8; 1 << 20]);
        let during = counted();
        // Other tests allocate at the same time, so the block is larger than all they do.
        assert!(during.allocations > before.allocations);
        assert!(during.live_bytes - before.live_bytes > 1 << 19);
        drop(kept);
        assert!(counted().live_bytes - before.live_bytes < 1 << 19);
    }
}
