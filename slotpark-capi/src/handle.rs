//! What all functions share: handles on the heap, results as C has them.

use core::ffi::{c_int, c_long};
use std::alloc::{Layout, alloc};

use slotpark_core::FutexError;

pub(crate) const ENOMEM: c_int = 12;
pub(crate) const EBUSY: c_int = 16;
pub(crate) const EINVAL: c_int = FutexError::Invalid.errno();

/// A value on the heap; `None` if there is no memory for it.
pub(crate) fn try_box<T>(value: T) -> Option<*mut T> {
    let layout = const {
        assert!(size_of::<T>() > 0, "a handle has an address");
        Layout::new::<T>()
    };
    // SAFETY: the layout is not empty, as asserted above.
    let place = unsafe { alloc(layout) }.cast::<T>();
    if place.is_null() {
        return None;
    }
    // SAFETY: the allocator's memory fits the layout, and is nobody else's.
    unsafe { place.write(value) };
    Some(place)
}

/// 0, or what went wrong.
pub(crate) fn status(answer: Result<(), FutexError>) -> c_int {
    answer.map_or_else(|error| -error.errno(), |()| 0)
}

/// A count, or what went wrong.
pub(crate) fn count(answer: Result<usize, FutexError>) -> c_long {
    match answer {
        // More waiters than that have no room in memory.
        Ok(count) => c_long::try_from(count).unwrap_or(c_long::MAX),
        Err(error) => -c_long::from(error.errno()),
    }
}
