//! The six commands, on the process's table.

use core::ptr;
use core::sync::atomic::AtomicU32;

use libc::{c_int, c_long};
use slotpark::{FutexKey, FutexWait, WaitOutcome};
use slotpark_core::{Clock, Deadline, Linux, Platform, Slots};

use crate::call::{self, Call, Timeout, Timespec};
use crate::layout::{Counter, SLOTS};
use crate::platform::{self, Interposed};
use crate::process;
use crate::row::Row;

static TABLE_SLOTS: Slots<FutexKey, SLOTS, Interposed> = Slots::new();

/// The table of this process, in .bss: usable before any constructor has run.
pub(crate) static TABLE: FutexWait<Interposed> = FutexWait::over(&TABLE_SLOTS);

/// Answers a futex call: the kernel's kind of result, or `None` if the call is the kernel's.
///
/// # Safety
/// The arguments are those of a futex call: the word of a wait or of a compare-and-requeue and the
/// timespec of a wait are readable, as the kernel would find them. Where the kernel would answer
/// EFAULT for memory that is not mapped, the program gets SIGSEGV instead.
pub(crate) unsafe fn serve(arguments: [c_long; 6]) -> Option<c_long> {
    let time_at = ptr::with_exposed_provenance::<Timespec>(arguments[3] as usize);
    let time = (call::is_wait(arguments) && !time_at.is_null())
        // SAFETY: the fourth argument of a wait is null or a timespec, perhaps not aligned.
        .then(|| unsafe { time_at.read_unaligned() });
    let row = process::row();
    let Some(call) = call::decode(arguments, time) else {
        row.add(Counter::Kernel, 1);
        return None;
    };
    Some(match call {
        Call::Wait {
            address,
            expected,
            bits,
            timeout,
        } => {
            // SAFETY: the caller's contract: the word is readable.
            wait(
                row,
                address,
                bits,
                timeout,
                || unsafe { value(address) } == expected,
            )
        }
        Call::Wake {
            address,
            count,
            bits,
        } => wake(row, || {
            let woken = TABLE.wake_key(key(address), count, bits);
            row.add(Counter::Woken, woken);
            woken as c_long
        }),
        Call::Requeue {
            from,
            to,
            expected,
            wake: wake_count,
            move_up_to,
        } => {
            row.add(Counter::Requeues, 1);
            // SAFETY: the caller's contract: a word that is compared is readable.
            let unchanged = || expected.is_none_or(|it| unsafe { value(from) } == it);
            let requeued = TABLE.requeue_key(key(from), key(to), wake_count, move_up_to, unchanged);
            requeued.map_or(c_long::from(-libc::EAGAIN), |requeued| {
                row.add(Counter::Woken, requeued.woken);
                row.add(Counter::Moved, requeued.moved);
                (requeued.woken + requeued.moved) as c_long
            })
        }
    })
}

fn wait(
    row: &Row,
    address: usize,
    bits: u32,
    timeout: Timeout,
    unchanged: impl FnMut() -> bool,
) -> c_long {
    let begun = Linux::now_ns(Clock::Monotonic);
    row.begin_wait(address);
    let outcome = TABLE.wait_key(key(address), bits, deadline(timeout, begun), unchanged);
    row.end_wait(Linux::now_ns(Clock::Monotonic).saturating_sub(begun));
    let errno: c_int = match outcome {
        WaitOutcome::Woken { .. } => 0,
        WaitOutcome::TimedOut => {
            row.add(Counter::Timeouts, 1);
            libc::ETIMEDOUT
        }
        // Nothing else happens to a futex wait; EAGAIN makes every caller look again.
        _ => {
            row.add(Counter::Stale, 1);
            libc::EAGAIN
        }
    };
    c_long::from(-errno)
}

fn wake(row: &Row, wake: impl FnOnce() -> c_long) -> c_long {
    let (result, kernel_asked) = platform::kernel_asked(wake);
    row.add(Counter::Wakes, 1);
    row.add(Counter::WakesQuiet, usize::from(!kernel_asked));
    result
}

fn deadline(timeout: Timeout, now_ns: u64) -> Option<Deadline> {
    match timeout {
        Timeout::Never => None,
        Timeout::After(0) => Some(Deadline::PAST),
        Timeout::After(wait_ns) => Some(Deadline::new(
            Clock::Monotonic,
            now_ns.saturating_add(wait_ns),
        ))
        .filter(|deadline| i64::try_from(deadline.at_ns()).is_ok()),
        Timeout::Monotonic(at_ns) => Some(Deadline::new(Clock::Monotonic, at_ns)),
        Timeout::Realtime(at_ns) => Some(Deadline::new(Clock::Realtime, at_ns)),
    }
}

/// One process, one space.
fn key(address: usize) -> FutexKey {
    FutexKey::new(0, address as u64)
}

/// The word at an address. What it guards is ordered by the program's own accesses, as with the
/// kernel's futex; the slot's lock orders this one.
///
/// # Safety
/// `address` is that of a readable, aligned 32-bit word.
unsafe fn value(address: usize) -> u32 {
    // SAFETY: the caller's contract; the program accesses the word atomically while others may
    // write it, since it is a futex word.
    let word = unsafe { AtomicU32::from_ptr(ptr::with_exposed_provenance_mut(address)) };
    slotpark_core::word::load(word)
}
