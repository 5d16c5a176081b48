//! An allocator that counts per thread, and that ends the process when it is called while the
//! calling thread holds a slot lock.
#![allow(dead_code, reason = "each file of tests uses its part")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;

use slotpark_core::slot_lock_held;

/// See the file. It is to be the `#[global_allocator]` of its test program.
pub(crate) struct Watched;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

pub(crate) const COMPLAINT: &str = "the allocator was called while this thread holds a slot lock";

fn seen(bytes: isize) {
    if slot_lock_held() {
        // Not by a panic, which an allocator must not raise, and which would allocate.
        let _ = std::io::stderr().write_all(COMPLAINT.as_bytes());
        std::process::abort();
    }
    CALLS.set(CALLS.get() + 1);
    BYTES.set(BYTES.get() + bytes);
}

// SAFETY: everything is passed to the system's allocator; what is added neither allocates nor
// unwinds.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        seen(layout.size() as isize);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        seen(-(layout.size() as isize));
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Calls of the allocator and bytes kept by what `run` does on this thread.
pub(crate) fn allocated(run: impl FnOnce()) -> (usize, isize) {
    let (calls, bytes) = (CALLS.get(), BYTES.get());
    run();
    (CALLS.get() - calls, BYTES.get() - bytes)
}
