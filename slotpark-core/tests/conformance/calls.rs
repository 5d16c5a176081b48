//! Calls by name: what stands in a line of a table of cases.

use std::sync::atomic::AtomicU32;

use slotpark_core::FutexTimespec;

use super::sides::{Side, address_of};

/// The words of one case: `A` and `B`, which begin as 7 and 9.
pub(crate) type Words = [AtomicU32; 2];

pub(crate) const VALUES: [u32; 2] = [7, 9];

/// An address argument.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    A,
    B,
    /// In the middle of a word.
    Odd,
    Null,
    /// Nothing is mapped there.
    Nowhere,
    /// The kernel's half.
    High,
}
pub(crate) use At::{A, B, High, Nowhere, Null, Odd};

/// The fourth argument.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fourth {
    Count(i32),
    Time(i64, i64),
}
pub(crate) use Fourth::{Count, Time};

/// Nothing as a fourth argument, and for ever.
pub(crate) const NONE: Fourth = Count(0);
/// No time at all.
pub(crate) const NOW: Fourth = Time(0, 0);

/// One call: uaddr, operation, val, the fourth argument, uaddr2, val3.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call(
    pub(crate) At,
    pub(crate) i32,
    pub(crate) i32,
    pub(crate) Fourth,
    pub(crate) At,
    pub(crate) u32,
);

const PRIVATE: i32 = libc::FUTEX_PRIVATE_FLAG;
pub(crate) const WAIT: i32 = libc::FUTEX_WAIT | PRIVATE;
pub(crate) const WAKE: i32 = libc::FUTEX_WAKE | PRIVATE;
pub(crate) const REQUEUE: i32 = libc::FUTEX_REQUEUE | PRIVATE;
pub(crate) const CMP_REQUEUE: i32 = libc::FUTEX_CMP_REQUEUE | PRIVATE;
pub(crate) const WAKE_OP: i32 = libc::FUTEX_WAKE_OP | PRIVATE;
pub(crate) const WAIT_BITSET: i32 = libc::FUTEX_WAIT_BITSET | PRIVATE;
pub(crate) const WAKE_BITSET: i32 = libc::FUTEX_WAKE_BITSET | PRIVATE;
pub(crate) const LOCK_PI: i32 = libc::FUTEX_LOCK_PI | PRIVATE;
pub(crate) const LOCK_PI2: i32 = 13 | PRIVATE;
pub(crate) const TRYLOCK_PI: i32 = libc::FUTEX_TRYLOCK_PI | PRIVATE;
pub(crate) const UNLOCK_PI: i32 = libc::FUTEX_UNLOCK_PI | PRIVATE;
pub(crate) const WAIT_REQUEUE_PI: i32 = libc::FUTEX_WAIT_REQUEUE_PI | PRIVATE;
pub(crate) const CMP_REQUEUE_PI: i32 = libc::FUTEX_CMP_REQUEUE_PI | PRIVATE;
pub(crate) const REALTIME: i32 = libc::FUTEX_CLOCK_REALTIME;
pub(crate) const ALL: i32 = i32::MAX;
pub(crate) const ANY: u32 = u32::MAX;

pub(crate) const EPERM: isize = -1;
pub(crate) const ESRCH: isize = -3;
pub(crate) const EDEADLK: isize = -35;
pub(crate) const EAGAIN: isize = -11;
pub(crate) const EFAULT: isize = -14;
pub(crate) const EINVAL: isize = -22;
pub(crate) const ENOSYS: isize = -38;
pub(crate) const ETIMEDOUT: isize = -110;

/// FUTEX_OP of the manual page.
pub(crate) const fn word_op(op: u32, arg: i32, cmp: u32, cmparg: i32) -> u32 {
    op << 28 | cmp << 24 | (arg as u32 & 0xfff) << 12 | (cmparg as u32 & 0xfff)
}

impl At {
    pub(crate) fn address(self, words: &Words) -> *mut u32 {
        match self {
            A => words[0].as_ptr(),
            B => words[1].as_ptr(),
            Odd => words[0].as_ptr().wrapping_byte_add(2),
            Null => std::ptr::null_mut(),
            // Below what the kernel lets anybody map.
            Nowhere => std::ptr::without_provenance_mut(0x1000),
            High => std::ptr::without_provenance_mut(usize::MAX & !0xfff),
        }
    }
}

impl Call {
    /// Makes the call.
    ///
    /// # Safety
    /// If the call reads or changes a word, its address is A, B or refused.
    pub(crate) unsafe fn make(self, side: Side, words: &Words) -> isize {
        let Self(at, op, val, fourth, at2, val3) = self;
        let time = match fourth {
            Time(seconds, nanoseconds) => Some(FutexTimespec {
                seconds,
                nanoseconds,
            }),
            Count(_) => None,
        };
        let fourth = match fourth {
            Count(count) => count as isize as usize,
            Time(..) => address_of(time.as_ref()),
        };
        let (uaddr, uaddr2) = (at.address(words), at2.address(words));
        // SAFETY: the caller's contract.
        unsafe { side.futex(uaddr, op, val as u32, fourth, uaddr2, val3) }
    }
}

pub(crate) fn values(words: &Words) -> [u32; 2] {
    words
        .each_ref()
        .map(|word| word.load(std::sync::atomic::Ordering::SeqCst))
}

/// The kernel's number of the calling thread.
pub(crate) fn thread_id() -> u32 {
    // SAFETY: gettid has no arguments.
    let id = unsafe { libc::syscall(libc::SYS_gettid) };
    u32::try_from(id).expect("a thread has a number")
}
