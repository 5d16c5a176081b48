//! Which futex calls are ours.
//!
//! A call is ours if all its words are private and of 32 bits, and its command is one of those that
//! need no priority inheritance. The others meet none of ours: a shared word and a private one are
//! two, and the commands with priority inheritance meet each other only. They are the kernel's, as
//! is whatever this kernel may know and we do not.
//!
//! A call with an address of the kernel's half is the kernel's too: it refuses that, whatever else
//! is wrong, before anything has happened, and reading there would be a SIGSEGV.

use core::ptr;

use libc::{c_int, c_long};
use slotpark_core::FutexWaitv;

use crate::addresses::is_kernels;

/// The numbers of the younger calls, the same on every architecture.
pub(crate) const FUTEX_WAITV: c_long = 449;
pub(crate) const FUTEX2_WAKE: c_long = 454;
pub(crate) const FUTEX2_WAIT: c_long = 455;
pub(crate) const FUTEX2_REQUEUE: c_long = 456;

const PRIVATE: c_int = libc::FUTEX_PRIVATE_FLAG;
const WAIT: c_int = libc::FUTEX_WAIT | PRIVATE;
const WAKE: c_int = libc::FUTEX_WAKE | PRIVATE;
const REQUEUE: c_int = libc::FUTEX_REQUEUE | PRIVATE;
const CMP_REQUEUE: c_int = libc::FUTEX_CMP_REQUEUE | PRIVATE;
const WAKE_OP: c_int = libc::FUTEX_WAKE_OP | PRIVATE;
const WAIT_BITSET: c_int = libc::FUTEX_WAIT_BITSET | PRIVATE;
const WAKE_BITSET: c_int = libc::FUTEX_WAKE_BITSET | PRIVATE;

/// FUTEX2_SIZE_U32 and FUTEX2_PRIVATE.
const PRIVATE_U32: u32 = 0x82;

/// As many as `futex_waitv` takes.
const WAITERS_MAX: u32 = 128;

/// What a call that is ours does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    /// Waits on one word.
    Wait,
    /// Waits on as many.
    WaitOnEach(usize),
    Wake,
    Requeue,
}

/// Whether this is the number of a futex call.
#[inline]
pub(crate) fn is_futex(number: c_long) -> bool {
    matches!(
        number,
        libc::SYS_futex | FUTEX_WAITV | FUTEX2_WAKE..=FUTEX2_REQUEUE
    )
}

/// What the call does, if it is ours.
///
/// # Safety
/// The arguments are those of a futex call of this number: the entries of a `futex_waitv`, and of
/// futex2's requeue, can be read.
pub(crate) unsafe fn ours(number: c_long, arguments: [c_long; 6]) -> Option<Does> {
    let [first, second, third, fourth, fifth, _] = arguments;
    let (does, addresses) = match number {
        libc::SYS_futex => match second as c_int & !libc::FUTEX_CLOCK_REALTIME {
            WAIT | WAIT_BITSET => (Does::Wait, [first, fourth]),
            WAKE | WAKE_BITSET => (Does::Wake, [first, 0]),
            WAKE_OP => (Does::Wake, [first, fifth]),
            REQUEUE | CMP_REQUEUE => (Does::Requeue, [first, fifth]),
            _ => return None,
        },
        FUTEX2_WAKE if fourth as u32 == PRIVATE_U32 => (Does::Wake, [first, 0]),
        FUTEX2_WAIT if fourth as u32 == PRIVATE_U32 => (Does::Wait, [first, fifth]),
        FUTEX_WAITV if third as u32 == 0 && (1..=WAITERS_MAX).contains(&(second as u32)) => {
            (Does::WaitOnEach(second as u32 as usize), [first, fourth])
        }
        FUTEX2_REQUEUE if second as u32 == 0 => (Does::Requeue, [first, 0]),
        _ => return None,
    };
    if addresses.into_iter().any(is_kernels) {
        return None;
    }
    let count = match (does, number) {
        (Does::WaitOnEach(count), _) => count,
        (_, FUTEX2_REQUEUE) => 2,
        _ => return Some(does),
    };
    // SAFETY: the caller's contract.
    let list = || unsafe { entries(first, count) };
    let is_private = |entry: FutexWaitv| entry.flags == PRIVATE_U32;
    let is_ours = match does {
        // Neither side can wait on words of both kinds at once; here such a call is refused.
        Does::WaitOnEach(_) => list().any(is_private),
        _ => list().all(is_private),
    };
    let mut addresses = list().map(|entry| entry.uaddr as c_long);
    (is_ours && !addresses.any(is_kernels)).then_some(does)
}

/// The entries of a list; none if there is no list.
///
/// # Safety
/// `at` is 0, or `count` entries can be read there for as long as the iterator is used.
pub(crate) unsafe fn entries(at: c_long, count: usize) -> impl Iterator<Item = FutexWaitv> {
    let list = ptr::with_exposed_provenance::<FutexWaitv>(at as usize);
    let count = if list.is_null() { 0 } else { count };
    // SAFETY: the caller's contract; the kernel asks for no alignment.
    (0..count).map(move |index| unsafe { list.wrapping_add(index).read_unaligned() })
}

#[cfg(test)]
mod tests;
