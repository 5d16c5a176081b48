//! Interrupters: what ends the wait of one thread from outside, whatever it waits for.

use core::ffi::c_int;
use core::{fmt, ptr};
use std::sync::{Mutex, MutexGuard, TryLockError};

use slotpark_core::Interrupter;

use crate::calls::{Calls, Inside};
use crate::handle::{EBUSY, EINVAL, ENOMEM, try_box};

/// Ends the wait that uses it, from outside, whatever it waits for: one for each thread that can be
/// interrupted. One wait at a time uses it.
pub struct SlotInterrupter {
    calls: Calls,
    /// Held by the wait that uses it.
    wait: Mutex<()>,
    interrupter: Interrupter,
}

impl fmt::Debug for SlotInterrupter {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlotInterrupter").finish_non_exhaustive()
    }
}

/// A wait that uses an interrupter, and is inside it (C2).
pub(crate) struct Waits<'i> {
    pub(crate) interrupter: &'i Interrupter,
    _wait: MutexGuard<'i, ()>,
    _inside: Inside<'i>,
}

impl<'i> Waits<'i> {
    /// A wait begins, or why it cannot.
    ///
    /// # Safety
    /// C1.
    pub(crate) unsafe fn enter(interrupter: *const SlotInterrupter) -> Result<Self, c_int> {
        // SAFETY: C1: null, or an interrupter that lives.
        let handle = unsafe { interrupter.as_ref() }.ok_or(EINVAL)?;
        let inside = handle.calls.enter(0);
        let wait = match handle.wait.try_lock() {
            Ok(wait) => wait,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(EBUSY),
        };
        Ok(Self {
            interrupter: &handle.interrupter,
            _wait: wait,
            _inside: inside,
        })
    }
}

/// Makes an interrupter, which is one allocation.
///
/// Returns 0 and the interrupter in `*interrupter`, or -EINVAL for NULL, or -ENOMEM and NULL.
///
/// # Safety
/// `interrupter` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_interrupter_create(interrupter: *mut *mut SlotInterrupter) -> c_int {
    if interrupter.is_null() {
        return -EINVAL;
    }
    let made = try_box(SlotInterrupter {
        calls: Calls::default(),
        wait: Mutex::new(()),
        interrupter: Interrupter::new(),
    });
    // SAFETY: the caller's contract: it is not null, and so writable.
    unsafe { interrupter.write(made.unwrap_or(ptr::null_mut())) };
    if made.is_some() { 0 } else { -ENOMEM }
}

/// Destroys an interrupter: only after every call with it has returned, as for
/// `slot_table_destroy`.
///
/// Returns 0; or -EBUSY, and nothing is destroyed, if a call with it is inside; -EINVAL for NULL.
///
/// # Safety
/// `interrupter` is NULL or one that is not destroyed, and no call with it begins any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_interrupter_destroy(interrupter: *mut SlotInterrupter) -> c_int {
    // SAFETY: C1: null, or an interrupter that lives.
    let Some(handle) = (unsafe { interrupter.as_ref() }) else {
        return -EINVAL;
    };
    if !handle.calls.is_empty() {
        return -EBUSY;
    }
    // SAFETY: `create` made it of a box's layout; by C2 nobody is inside, nor comes by the caller's
    // contract.
    drop(unsafe { Box::from_raw(interrupter) });
    0
}

/// Ends the wait that uses this interrupter now with -EINTR, and returns 1. If there is none, or
/// something else has ended it, it returns 0, and the next wait with it returns -EINTR at its
/// start. -EINVAL for NULL.
///
/// # Safety
/// `interrupter` is NULL or one that is not destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_interrupter_interrupt(interrupter: *mut SlotInterrupter) -> c_int {
    // SAFETY: the caller's contract, which is C1.
    unsafe { ask(interrupter, Interrupter::interrupt) }
}

/// Forgets an interrupt that no wait has returned yet: 1 if there was one, else 0. -EINVAL for
/// NULL.
///
/// # Safety
/// `interrupter` is NULL or one that is not destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_interrupter_clear(interrupter: *mut SlotInterrupter) -> c_int {
    // SAFETY: the caller's contract, which is C1.
    unsafe { ask(interrupter, Interrupter::clear) }
}

/// # Safety
/// C1.
unsafe fn ask(interrupter: *const SlotInterrupter, what: fn(&Interrupter) -> bool) -> c_int {
    // SAFETY: C1: null, or an interrupter that lives.
    let Some(handle) = (unsafe { interrupter.as_ref() }) else {
        return -EINVAL;
    };
    let _inside = handle.calls.enter(0);
    what(&handle.interrupter).into()
}
