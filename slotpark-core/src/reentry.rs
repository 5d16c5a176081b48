//! Debug builds detect a call into a table made while this thread holds a slot lock.
//!
//! Closures that run under a slot lock (validate, filter, policy, `on_leave`, `Eq`) must not call a
//! table, and neither may a signal handler that interrupts them: the call could wait for a lock
//! that its own thread holds. A thread-local count of held locks turns that hang into a panic.

#[cfg(all(
    debug_assertions,
    feature = "std",
    not(any(slotpark_loom, slotpark_shuttle))
))]
mod held {
    use core::cell::Cell;

    std::thread_local! {
        // Const and without a destructor: no allocation, usable in thread-local destructors.
        static HELD: Cell<u32> = const { Cell::new(0) };
    }

    pub(crate) fn count() -> u32 {
        HELD.with(Cell::get)
    }

    pub(crate) fn add() {
        HELD.with(|held| held.set(held.get() + 1));
    }

    pub(crate) fn subtract() {
        HELD.with(|held| held.set(held.get() - 1));
    }

    #[cold]
    pub(crate) fn abort(why: &str) -> ! {
        std::eprintln!("{why}: a drop cannot panic, and aborts");
        std::process::abort();
    }
}

#[cfg(not(all(
    debug_assertions,
    feature = "std",
    not(any(slotpark_loom, slotpark_shuttle))
)))]
mod held {
    #[inline(always)]
    pub(crate) fn count() -> u32 {
        0
    }

    #[inline(always)]
    pub(crate) fn add() {}

    #[inline(always)]
    pub(crate) fn subtract() {}

    #[inline(always)]
    pub(crate) fn abort(_why: &str) {}
}

pub(crate) use held::{add, subtract};

/// Whether this thread holds a slot lock now. Always false in release builds, which do not count.
///
/// For tests: an allocator that asserts this in `alloc` proves that nothing allocates under a slot
/// lock.
///
/// ```
/// assert!(!slotpark_core::slot_lock_held());
/// ```
#[must_use]
pub fn slot_lock_held() -> bool {
    held::count() > 0
}

const REENTRY: &str = "slotpark: a table was called while this thread holds a slot lock: closures \
                       that run under the lock (validate, filter, policy, on_leave, Eq) and signal \
                       handlers must not do that";

/// Panics, in debug builds, if this thread holds a slot lock: called on entry to every operation.
#[inline(always)]
#[track_caller]
pub(crate) fn check() {
    assert!(held::count() == 0, "{REENTRY}");
}

/// Whether a panic is that of [`check`].
#[cfg(feature = "std")]
pub(crate) fn is_reentry(panic: &(dyn core::any::Any + Send)) -> bool {
    let said = panic.downcast_ref::<std::string::String>();
    said.is_some_and(|said| said == REENTRY) || panic.downcast_ref::<&str>() == Some(&REENTRY)
}

/// As [`check`], on entry to a drop, which must not panic before it has taken its node out of its
/// queue: aborts.
#[inline(always)]
pub(crate) fn check_drop() {
    if held::count() != 0 {
        held::abort(REENTRY);
    }
}
