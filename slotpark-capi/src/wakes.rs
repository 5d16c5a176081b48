//! Wakes, and moves from word to word.

use core::ffi::{c_long, c_void};

use slotpark_core::{Requeued, WakeCount};

use crate::handle::{EINVAL, count};
use crate::table::{Call, SlotTable, address};

/// 0 is nobody, `SLOT_ALL` is all.
fn up_to(count: u32) -> WakeCount {
    match count {
        u32::MAX => WakeCount::All,
        count => WakeCount::N(count),
    }
}

fn sum(requeued: Requeued) -> usize {
    requeued.woken + requeued.moved
}

/// Wakes the first `count` waiters at an address, in the order in which they came; `SLOT_ALL` is
/// all, 0 is nobody. First change the word, then wake. Words of all widths at one address have one
/// queue.
///
/// Returns how many: exactly those whose waits return 0 because of this. -EINVAL for a NULL table.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed. Nothing is read at `address`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_wake(
    table: *mut SlotTable,
    address: *const c_void,
    count: u32,
) -> c_long {
    // SAFETY: the caller's contract, handed on.
    unsafe { slot_wake_bitset(table, address, count, u32::MAX) }
}

/// As `slot_wake`, those whose bits have one in common with `bits`; no bits are -EINVAL.
///
/// # Safety
/// As `slot_wake`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_wake_bitset(
    table: *mut SlotTable,
    address: *const c_void,
    count: u32,
    bits: u32,
) -> c_long {
    // SAFETY: the caller's contract, which is C1.
    let Some(call) = (unsafe { Call::enter(table, address) }) else {
        return (-EINVAL).into();
    };
    // SAFETY: a wake reads no word.
    let words = unsafe { call.words() };
    self::count(words.wake_bitset(self::address(address), up_to(count), bits))
}

/// Wakes the first `wake` waiters at `from`, and moves the next `moves` to `to`, behind those who
/// wait there. `SLOT_ALL` is all, 0 is nobody. Prefer `slot_cmp_requeue`, which cannot race a
/// change of the word.
///
/// Returns how many it has woken and moved. -EINVAL for a NULL table.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed. Nothing is read at the addresses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_requeue(
    table: *mut SlotTable,
    from: *const c_void,
    to: *const c_void,
    wake: u32,
    moves: u32,
) -> c_long {
    // SAFETY: the caller's contract, which is C1.
    let Some(call) = (unsafe { Call::enter(table, from) }) else {
        return (-EINVAL).into();
    };
    // SAFETY: nothing is compared, so no word is read.
    let words = unsafe { call.words() };
    let requeued = words.requeue(address(from), address(to), up_to(wake), up_to(moves));
    count(requeued.map(sum))
}

/// As `slot_requeue`, if the word at `from` still holds `expected`; -EAGAIN if not, -EFAULT for
/// NULL there, -EINVAL for an address that is no multiple of 4.
///
/// # Safety
/// As `slot_requeue`, and the word at `from` is readable, and accessed atomically by others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_cmp_requeue(
    table: *mut SlotTable,
    from: *const u32,
    expected: u32,
    to: *const c_void,
    wake: u32,
    moves: u32,
) -> c_long {
    // SAFETY: the caller's contract, which is C1.
    let Some(call) = (unsafe { Call::enter(table, from) }) else {
        return (-EINVAL).into();
    };
    // SAFETY: the caller's contract: the word is readable.
    let words = unsafe { call.words() };
    let (from, to) = (address(from), address(to));
    count(
        words
            .cmp_requeue(from, expected, to, up_to(wake), up_to(moves))
            .map(sum),
    )
}

/// The number of waiters at an address at this moment, exactly. -EINVAL for a NULL table.
///
/// # Safety
/// `table` is NULL or a table that is not destroyed. Nothing is read at `address`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn slot_waiters(table: *const SlotTable, address: *const c_void) -> c_long {
    // SAFETY: the caller's contract, which is C1.
    let Some(call) = (unsafe { Call::enter(table, address) }) else {
        return (-EINVAL).into();
    };
    // SAFETY: to count reads no word.
    let words = unsafe { call.words() };
    count(Ok(words.waiters(self::address(address))))
}
