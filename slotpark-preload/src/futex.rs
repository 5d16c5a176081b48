//! The futex calls that are ours, on the process's table, and what is counted of them.

use core::ptr;

use libc::{c_int, c_long};
use slotpark_core::{Clock, FutexAbi, FutexKey, Linux, Platform, Seeded, Slots, Table};

use crate::call::{self, Does};
use crate::fork;
use crate::layout::{Counter, SLOTS};
use crate::platform::{self, Interposed};
use crate::process;
use crate::row::Row;

static TABLE_SLOTS: Slots<FutexKey, SLOTS, Interposed> = Slots::new();

/// The table of this process, in .bss: usable before any constructor has run.
pub(crate) static TABLE: Table<FutexKey, Interposed> = Table::over(&TABLE_SLOTS).with_futex_text();

static HASHER: Seeded = Seeded::new();

static ABI: FutexAbi<'static, Interposed> = FutexAbi::over(&TABLE, &HASHER);

/// Answers a futex call: the kernel's kind of result, or `None` if the call is the kernel's.
///
/// # Safety
/// The arguments are those of a futex call of this number, and the words, lists and timespecs that
/// it reads or changes are there, as the kernel would find them. Where the kernel would answer
/// EFAULT for memory that is not mapped, the program gets SIGSEGV instead.
pub(crate) unsafe fn serve(number: c_long, arguments: [c_long; 6]) -> Option<c_long> {
    fork::enter();
    let row = process::row();
    // SAFETY: the caller's contract.
    let Some(does) = (unsafe { call::ours(number, arguments) }) else {
        row.add(Counter::Kernel, 1);
        return None;
    };
    // SAFETY: the caller's contract.
    let answer = || unsafe { answer(number, arguments) };
    let result = match does {
        Does::Wait => {
            row.note_key(arguments[0] as usize);
            wait(row, answer)
        }
        Does::WaitOnEach(count) => {
            // SAFETY: the caller's contract: so many entries are there.
            for entry in unsafe { call::entries(arguments[0], count) } {
                row.note_key(entry.uaddr as usize);
            }
            wait(row, answer)
        }
        Does::Wake => wake(row, answer),
        Does::Requeue => requeue(row, answer),
    };
    Some(result)
}

/// Makes the call on the table.
///
/// # Safety
/// As [`serve`]; the call is ours.
unsafe fn answer(number: c_long, arguments: [c_long; 6]) -> c_long {
    let [a, b, c, d, e, f] = arguments;
    // The kernel takes the lower half of a register for its 32-bit arguments, and so do these.
    let result = match number {
        call::FUTEX_WAITV => {
            let (list, time) = (pointer(a), pointer(d));
            // SAFETY: the caller's contract.
            unsafe { ABI.waitv(list, b as u32, c as u32, time, e as c_int) }
        }
        call::FUTEX2_WAKE => ABI.futex2_wake(pointer(a), b as usize, c as c_int, d as u32),
        call::FUTEX2_WAIT => {
            let (word, time) = (pointer(a), pointer(e));
            let (value, bits) = (b as usize, c as usize);
            // SAFETY: the caller's contract.
            unsafe { ABI.futex2_wait(word, value, bits, d as u32, time, f as c_int) }
        }
        call::FUTEX2_REQUEUE => {
            // SAFETY: the caller's contract.
            unsafe { ABI.futex2_requeue(pointer(a), b as u32, c as c_int, d as c_int) }
        }
        _ => {
            let (word, second) = (pointer(a), pointer::<u32>(e).cast_mut());
            // SAFETY: the caller's contract.
            unsafe { ABI.futex(word, b as c_int, c as u32, d as usize, second, f as u32) }
        }
    };
    result as c_long
}

const EAGAIN: c_long = -(libc::EAGAIN as c_long);
const ETIMEDOUT: c_long = -(libc::ETIMEDOUT as c_long);
const EINTR: c_long = -(libc::EINTR as c_long);

fn wait(row: &Row, wait: impl FnOnce() -> c_long) -> c_long {
    let begun = Linux::now_ns(Clock::Monotonic);
    row.begin_wait();
    let result = wait();
    let counter = match result {
        0.. => None,
        EAGAIN => Some(Counter::Stale),
        ETIMEDOUT => Some(Counter::Timeouts),
        EINTR => Some(Counter::Interrupted),
        _ => {
            row.refuse_wait();
            row.add(refusal(result), 1);
            return result;
        }
    };
    row.end_wait(Linux::now_ns(Clock::Monotonic).saturating_sub(begun));
    if let Some(counter) = counter {
        row.add(counter, 1);
    }
    result
}

/// What a wait counts as that was refused. ENOSYS is said of one kind of call that is ours, that on
/// words of both kinds at once: programs are ready for it, since older kernels say it too.
fn refusal(result: c_long) -> Counter {
    if result == -c_long::from(libc::ENOSYS) {
        Counter::Unanswered
    } else {
        Counter::Refused
    }
}

fn wake(row: &Row, wake: impl FnOnce() -> c_long) -> c_long {
    let (result, kernel_asked) = platform::kernel_asked(wake);
    if result < 0 {
        row.add(Counter::Refused, 1);
    } else {
        row.add(Counter::Wakes, 1);
        row.add(Counter::WakesQuiet, usize::from(!kernel_asked));
    }
    result
}

fn requeue(row: &Row, requeue: impl FnOnce() -> c_long) -> c_long {
    let result = requeue();
    let is_one = result >= 0 || result == EAGAIN;
    let counter = if is_one {
        Counter::Requeues
    } else {
        Counter::Refused
    };
    row.add(counter, 1);
    result
}

fn pointer<T>(register: c_long) -> *const T {
    ptr::with_exposed_provenance(register as usize)
}
