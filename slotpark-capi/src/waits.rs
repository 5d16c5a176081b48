//! Waits.

use core::ffi::{c_int, c_long};
use core::time::Duration;

use slotpark_core::{ANY_MAX, FutexError, FutexTimeout, FutexValue};

use crate::handle::{EINVAL, count, status};
use crate::interrupter::{SlotInterrupter, Waits};
use crate::table::{Call, SlotTable, address};
use crate::types::{
    SLOT_CLOCK_MONOTONIC, SLOT_CLOCK_REALTIME, SLOT_PRIVATE, SLOT_SIZE_U8, SLOT_SIZE_U16,
    SLOT_SIZE_U32, SLOT_SIZE_U64, SlotTimespec, SlotWaitvEntry,
};

/// Sleeps while the word holds `expected`, until woken, or for `timeout_ns` nanoseconds: a negative
/// number is for ever, and with 0 it compares and never sleeps. The comparison and the sleep are
/// one step for every wake that comes after a change of the word.
///
/// Returns 0 if it was woken, and counted by that wake, and then for no other reason. -EAGAIN if
/// the word holds something else; -ETIMEDOUT; -ECANCELED if the table was closed, or the memory
/// dropped; -EINTR if it was interrupted; -EFAULT for NULL instead of a word; -EINVAL for an
/// address that is no multiple of the word's size, and for a NULL table. As with every futex, look
/// at the word again whatever it returns.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed. The word is readable as long as the call
/// lasts, and accessed atomically by others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_wait(
    table: *mut SlotTable,
    uaddr: *const u32,
    expected: u32,
    timeout_ns: i64,
) -> c_int {
    // SAFETY: the caller's contract, handed on.
    unsafe { wait(table, uaddr, expected, u32::MAX, after(timeout_ns)) }
}

/// As `slot_wait`, on a word of 64 bits.
///
/// # Safety
/// As `slot_wait`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_wait64(
    table: *mut SlotTable,
    uaddr: *const u64,
    expected: u64,
    timeout_ns: i64,
) -> c_int {
    // SAFETY: the caller's contract, handed on.
    unsafe { wait(table, uaddr, expected, u32::MAX, after(timeout_ns)) }
}

/// As `slot_wait`, on a word of 8 bits.
///
/// # Safety
/// As `slot_wait`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_wait8(
    table: *mut SlotTable,
    uaddr: *const u8,
    expected: u8,
    timeout_ns: i64,
) -> c_int {
    // SAFETY: the caller's contract, handed on.
    unsafe { wait(table, uaddr, expected, u32::MAX, after(timeout_ns)) }
}

/// As `slot_wait`, on a word of 16 bits.
///
/// # Safety
/// As `slot_wait`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_wait16(
    table: *mut SlotTable,
    uaddr: *const u16,
    expected: u16,
    timeout_ns: i64,
) -> c_int {
    // SAFETY: the caller's contract, handed on.
    unsafe { wait(table, uaddr, expected, u32::MAX, after(timeout_ns)) }
}

/// As `slot_wait`, until a wake whose bits have one in common with `bits`; no bits are -EINVAL.
///
/// # Safety
/// As `slot_wait`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_wait_bitset(
    table: *mut SlotTable,
    uaddr: *const u32,
    expected: u32,
    bits: u32,
    timeout_ns: i64,
) -> c_int {
    // SAFETY: the caller's contract, handed on.
    unsafe { wait(table, uaddr, expected, bits, after(timeout_ns)) }
}

/// As `slot_wait_bitset`, until a point in time on a clock: `SLOT_CLOCK_MONOTONIC` or
/// `SLOT_CLOCK_REALTIME`. With NULL for the time it is for ever, and the clock is not looked at;
/// another clock, or a time that is none, is -EINVAL.
///
/// # Safety
/// As `slot_wait`; `deadline` is NULL or readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_wait_until(
    table: *mut SlotTable,
    uaddr: *const u32,
    expected: u32,
    bits: u32,
    deadline: *const SlotTimespec,
    clockid: c_int,
) -> c_int {
    // SAFETY: the caller's contract: null or readable.
    match unsafe { until(deadline, clockid) } {
        // SAFETY: the caller's contract, handed on.
        Ok(timeout) => unsafe { wait(table, uaddr, expected, bits, timeout) },
        Err(error) => -error.errno(),
    }
}

/// As `slot_wait_bitset`, and `slot_interrupter_interrupt` ends it with -EINTR, also one that came
/// before it and that no wait has returned yet. -EBUSY if another wait uses the interrupter,
/// -EINVAL for NULL.
///
/// # Safety
/// As `slot_wait`; `interrupter` is NULL or one that is not destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_wait_interruptible(
    table: *mut SlotTable,
    interrupter: *mut SlotInterrupter,
    uaddr: *const u32,
    expected: u32,
    bits: u32,
    timeout_ns: i64,
) -> c_int {
    // SAFETY: the caller's contract, which is C1.
    let Some(call) = (unsafe { Call::enter(table, uaddr) }) else {
        return -EINVAL;
    };
    // SAFETY: as above, C1 by the caller's contract.
    let waits = match unsafe { Waits::enter(interrupter) } {
        Ok(waits) => waits,
        Err(errno) => return -errno,
    };
    // SAFETY: the caller's contract: the word is readable.
    let words = unsafe { call.words() };
    let (at, timeout) = (address(uaddr), after(timeout_ns));
    status(words.wait_interruptible(waits.interrupter, at, expected, bits, timeout))
}

/// Sleeps while all of 1 to 128 words hold what their entries say, until one is woken, or for
/// `timeout_ns` nanoseconds, as `slot_wait`. Words may have any size; `SLOT_PRIVATE` in their flags
/// means nothing here.
///
/// Returns the place of the last entry that was found woken, from 0; every wake of one of the words
/// counts this wait until it has left that word's queue, as by `slot_futex_waitv`. Else as
/// `slot_wait`; -EINVAL also for a number of entries out of range, NULL instead of them, unknown
/// flags, and a value that does not fit its word.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed; `entries` is NULL or that of `nr` entries,
/// whose words are as those of `slot_wait`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_waitv(
    table: *mut SlotTable,
    entries: *const SlotWaitvEntry,
    nr: u32,
    timeout_ns: i64,
) -> c_long {
    // SAFETY: the caller's contract, which is C1.
    let call = unsafe { Call::enter(table, entries) };
    let nr = nr as usize;
    let (Some(call), false, 1..=ANY_MAX) = (call, entries.is_null(), nr) else {
        return (-EINVAL).into();
    };
    let mut words = [(0, FutexValue::U8(0)); ANY_MAX];
    for (at, word) in words[..nr].iter_mut().enumerate() {
        // SAFETY: the caller's contract: there are more than `at`.
        let entry = unsafe { entries.add(at) };
        // SAFETY: as above, it is there; perhaps not aligned.
        let entry = unsafe { entry.read_unaligned() };
        let Some(value) = value(entry) else {
            return (-EINVAL).into();
        };
        *word = (entry.uaddr, value);
    }
    // SAFETY: the caller's contract: the words are readable. Who wrote their addresses as numbers
    // has exposed them.
    let space = unsafe { call.words() };
    count(space.wait_each(&words[..nr], after(timeout_ns)))
}

/// What the word of an entry is expected to hold.
fn value(entry: SlotWaitvEntry) -> Option<FutexValue> {
    if entry.reserved != 0 {
        return None;
    }
    match entry.flags & !SLOT_PRIVATE {
        SLOT_SIZE_U8 => u8::try_from(entry.val).map(FutexValue::U8).ok(),
        SLOT_SIZE_U16 => u16::try_from(entry.val).map(FutexValue::U16).ok(),
        SLOT_SIZE_U32 => u32::try_from(entry.val).map(FutexValue::U32).ok(),
        SLOT_SIZE_U64 => Some(FutexValue::U64(entry.val)),
        _ => None,
    }
}

/// # Safety
/// C1, and the word is readable as long as the call lasts.
unsafe fn wait<W: Into<FutexValue>>(
    table: *const SlotTable,
    uaddr: *const W,
    expected: W,
    bits: u32,
    timeout: FutexTimeout,
) -> c_int {
    // SAFETY: the caller's contract, which is C1.
    let Some(call) = (unsafe { Call::enter(table, uaddr) }) else {
        return -EINVAL;
    };
    // SAFETY: the caller's contract: the word is readable.
    let words = unsafe { call.words() };
    status(words.wait_bitset(address(uaddr), expected, bits, timeout))
}

/// A time from now on; a negative one is for ever.
fn after(timeout_ns: i64) -> FutexTimeout {
    match u64::try_from(timeout_ns) {
        Ok(timeout_ns) => FutexTimeout::Relative(Duration::from_nanos(timeout_ns)),
        Err(_) => FutexTimeout::Never,
    }
}

/// A point in time on a clock by its number, or for ever.
///
/// # Safety
/// `deadline` is null or readable.
unsafe fn until(deadline: *const SlotTimespec, clockid: c_int) -> Result<FutexTimeout, FutexError> {
    if deadline.is_null() {
        return Ok(FutexTimeout::Never);
    }
    // SAFETY: the caller's contract; perhaps not aligned.
    let deadline = unsafe { deadline.read_unaligned() };
    let seconds = u64::try_from(deadline.tv_sec).map_err(|_| FutexError::Invalid)?;
    let part_ns = u32::try_from(deadline.tv_nsec).map_err(|_| FutexError::Invalid)?;
    if part_ns > 999_999_999 {
        return Err(FutexError::Invalid);
    }
    let at = Duration::new(seconds, part_ns);
    match clockid {
        SLOT_CLOCK_REALTIME => Ok(FutexTimeout::Realtime(at)),
        SLOT_CLOCK_MONOTONIC => Ok(FutexTimeout::Monotonic(at)),
        _ => Err(FutexError::Invalid),
    }
}
