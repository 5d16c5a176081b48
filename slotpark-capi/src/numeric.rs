//! The kernel's own calls, by its numbers: what `syscall(SYS_futex, ...)` and its kin would say.

use core::ffi::{c_int, c_long, c_uint, c_ulong};

use slotpark_core::FutexAbi;

use crate::handle::EINVAL;
use crate::table::{Call, SlotTable};
use crate::types::{SlotTimespec, SlotWaitvEntry};

// The fourth argument carries a pointer, and results are counts of threads.
const _: () = assert!(
    size_of::<c_ulong>() == size_of::<usize>(),
    "the C ABI is for systems whose `long` is as wide as a pointer"
);

/// What the process-wide calls answer by: a static, whose parts need not be put together first.
static ABI: FutexAbi<'_> = FutexAbi::process();

/// `futex(2)` on the process-wide table: the kernel's arguments and its result; `-errno` on
/// failure.
///
/// Private operations only: `FUTEX_PRIVATE_FLAG` (128) is set in `op`, or it is -ENOSYS, as for
/// operations that are not known. `timeout_or_val2` is the address of a `slot_timespec` or 0 for
/// waits, and a count where the kernel has one. FUTEX_WAKE of 0 or less wakes one; a requeue takes
/// 0 literally, and refuses what is less.
///
/// What differs from the kernel: where nothing is mapped, a call that reads there is a SIGSEGV
/// instead of EFAULT, unless the address is NULL; a requeued waiter always stands behind those who
/// wait at the target already; FUTEX_LOCK_PI and its kin hand over in order of arrival and lend no
/// priority, and the end of an owner is told by `slot_thread_exited`.
///
/// # Safety
/// The word that the operation reads or changes (that at `uaddr` for waits and FUTEX_CMP_REQUEUE,
/// at `uaddr2` for FUTEX_WAKE_OP) is NULL, or readable, or writable, as long as the call lasts, and
/// accessed atomically by others; the timespec of a wait is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_futex(
    uaddr: *mut u32,
    op: c_int,
    val: u32,
    timeout_or_val2: c_ulong,
    uaddr2: *mut u32,
    val3: u32,
) -> c_long {
    // SAFETY: the caller's contract, handed on.
    unsafe { ABI.futex(uaddr, op, val, timeout_or_val2 as usize, uaddr2, val3) as c_long }
}

/// `futex_waitv(2)` on the process-wide table: waits on 1 to 128 words of 32 bits. The timeout is a
/// point in time on the clock 0 or 1, NULL is for ever.
///
/// Returns the place of the last entry found woken, or `-errno`. Every wake of one of the words
/// counts this wait until it has left that word's queue.
///
/// # Safety
/// `waiters` is NULL or that of `nr` entries, whose words are as those of `slot_futex`; `timeout`
/// is NULL or readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_futex_waitv(
    waiters: *const SlotWaitvEntry,
    nr: c_uint,
    flags: c_uint,
    timeout: *const SlotTimespec,
    clockid: c_int,
) -> c_long {
    // SAFETY: the caller's contract, handed on; the structs are the same.
    unsafe { ABI.waitv(waiters.cast(), nr, flags, timeout.cast(), clockid) as c_long }
}

/// futex2's `futex_wake` on the process-wide table: wakes up to `nr` waiters with a bit in common
/// with `mask`; 0 wakes none. `flags` is `SLOT_SIZE_U32 | SLOT_PRIVATE`.
///
/// Returns how many, or `-errno`. It reads nothing at `uaddr`.
#[unsafe(no_mangle)]
pub extern "C" fn slot_futex2_wake(
    uaddr: *mut u32,
    mask: c_ulong,
    nr: c_int,
    flags: c_uint,
) -> c_long {
    ABI.futex2_wake(uaddr, mask as usize, nr, flags) as c_long
}

/// futex2's `futex_wait` on the process-wide table: waits while the word is `val`, until a wake
/// with a bit in common with `mask`, or a point in time on the clock 0 or 1; NULL is for ever.
/// `flags` is `SLOT_SIZE_U32 | SLOT_PRIVATE`.
///
/// Returns 0, or `-errno`.
///
/// # Safety
/// The word is as that of `slot_futex`; `timeout` is NULL or readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_futex2_wait(
    uaddr: *mut u32,
    val: c_ulong,
    mask: c_ulong,
    flags: c_uint,
    timeout: *const SlotTimespec,
    clockid: c_int,
) -> c_long {
    let (val, mask) = (val as usize, mask as usize);
    // SAFETY: the caller's contract, handed on; the timespecs are the same.
    unsafe { ABI.futex2_wait(uaddr, val, mask, flags, timeout.cast(), clockid) as c_long }
}

/// futex2's `futex_requeue` on the process-wide table: from the first entry's word, if it holds
/// that entry's value, to the second's.
///
/// Returns how many it has woken and moved, or `-errno`.
///
/// # Safety
/// `waiters` is NULL or that of two entries; the first one's word is as that of `slot_futex`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_futex2_requeue(
    waiters: *const SlotWaitvEntry,
    flags: c_uint,
    nr_wake: c_int,
    nr_requeue: c_int,
) -> c_long {
    // SAFETY: the caller's contract, handed on; the structs are the same.
    unsafe { ABI.futex2_requeue(waiters.cast(), flags, nr_wake, nr_requeue) as c_long }
}

/// As `slot_futex`, on a table; -EINVAL if that is NULL. A table that was made with
/// `SLOT_SHARED_AS_PRIVATE` answers operations without `FUTEX_PRIVATE_FLAG` as private ones.
///
/// # Safety
/// As `slot_futex`; `table` is NULL or a table that is not destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_futex_on(
    table: *mut SlotTable,
    uaddr: *mut u32,
    op: c_int,
    val: u32,
    timeout_or_val2: c_ulong,
    uaddr2: *mut u32,
    val3: u32,
) -> c_long {
    // SAFETY: the caller's contract, which is C1.
    let Some(call) = (unsafe { Call::enter(table, uaddr) }) else {
        return (-EINVAL).into();
    };
    let abi = call.abi;
    // SAFETY: the caller's contract, handed on.
    unsafe { abi.futex(uaddr, op, val, timeout_or_val2 as usize, uaddr2, val3) as c_long }
}

/// Tells that the thread `tid` of this process has come to its end without giving back its locks,
/// those of FUTEX_LOCK_PI: each that others wait for on this table is handed over to the first one,
/// with FUTEX_OWNER_DIED set, as the kernel does. Returns how many; -EINVAL for a NULL table.
///
/// Call it after the thread is joined: who comes for its locks later is told so (-ESRCH) anyhow.
/// Nothing calls it by itself.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_thread_exited(table: *mut SlotTable, tid: u32) -> c_long {
    // SAFETY: the caller's contract, which is C1.
    let Some(call) = (unsafe { Call::enter(table, core::ptr::null::<u32>()) }) else {
        return (-EINVAL).into();
    };
    c_long::try_from(call.abi.thread_exited(tid)).unwrap_or(c_long::MAX)
}
