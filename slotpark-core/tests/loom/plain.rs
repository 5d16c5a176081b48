//! Plain memory shared by threads, which something under test must order.

use loom::cell::UnsafeCell;

/// A number that is not atomic: loom fails the run when two accesses are not ordered.
#[derive(Debug)]
pub(crate) struct Plain(UnsafeCell<u32>);

// SAFETY: loom reports accesses that are not ordered, before they can do harm.
unsafe impl Sync for Plain {}
// SAFETY: a number is tied to no thread; loom reports accesses that are not ordered.
unsafe impl Send for Plain {}

impl Plain {
    pub(crate) fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    pub(crate) fn get(&self) -> u32 {
        self.0.with(|value| {
            // SAFETY: loom reports a write that is not ordered with this read.
            unsafe { *value }
        })
    }

    pub(crate) fn set(&self, new: u32) {
        self.0.with_mut(|value| {
            // SAFETY: loom reports an access that is not ordered with this write.
            unsafe { *value = new }
        });
    }
}
