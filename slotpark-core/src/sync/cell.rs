//! A shared cell that its surroundings guard: `core`'s `UnsafeCell`, with the contract on its
//! accesses.

use core::cell::UnsafeCell;

/// A value guarded by a lock, or by an ownership that the surrounding type explains.
#[derive(Debug)]
pub(crate) struct Guarded<T>(UnsafeCell<T>);

impl<T> Guarded<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// # Safety
    /// The caller holds what guards this cell: nobody else reads or writes it meanwhile.
    pub(crate) unsafe fn replace(&self, value: T) -> T {
        // SAFETY: by the caller's contract nobody else accesses the cell during this exchange.
        core::mem::replace(unsafe { &mut *self.0.get() }, value)
    }

    /// Where the value lies.
    ///
    /// # Safety
    /// The caller holds what guards this cell, and reads by the pointer only while it does.
    pub(crate) unsafe fn place(&self) -> *const T {
        self.0.get().cast_const()
    }
}

impl<T: Copy> Guarded<T> {
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
