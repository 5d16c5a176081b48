//! Who is asked: the kernel, or a table.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;

use slotpark_core::{FutexAbi, FutexKey, FutexTimespec, FutexWaitv, Seeded, Table};

use super::calls::{ESRCH, LOCK_PI, TRYLOCK_PI, thread_id};

/// One who answers futex calls.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Kernel,
    Table(&'static str, FutexAbi<'static>),
}

/// All of them, the kernel first.
pub(crate) fn sides() -> [Side; 3] {
    static ONE_SLOT: OnceLock<Table<FutexKey>> = OnceLock::new();
    static HASHER: Seeded = Seeded::new();
    let one_slot = ONE_SLOT.get_or_init(|| Table::with_slots(1));
    [
        Side::Kernel,
        Side::Table("process-wide", FutexAbi::process()),
        Side::Table("one slot", FutexAbi::over(one_slot, &HASHER)),
    ]
}

impl Side {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Table(name, _) => name,
        }
    }

    /// Where the platform knows no numbers of threads, a table is given them with each call.
    ///
    /// # Safety
    /// As [`FutexAbi::futex`].
    pub(crate) unsafe fn futex(
        self,
        uaddr: *const u32,
        op: i32,
        val: u32,
        fourth: usize,
        uaddr2: *mut u32,
        val3: u32,
    ) -> isize {
        match self {
            // SAFETY: the caller's contract; the kernel checks addresses itself.
            Self::Kernel => kernel(unsafe {
                libc::syscall(libc::SYS_futex, uaddr, op, val, fourth, uaddr2, val3)
            }),
            Self::Table(_, abi) => {
                let abi = if abi.answers(LOCK_PI) {
                    abi
                } else {
                    abi.with_thread(thread_id(), is_alive)
                };
                // SAFETY: the caller's contract.
                unsafe { abi.futex(uaddr, op, val, fourth, uaddr2, val3) }
            }
        }
    }

    /// # Safety
    /// As [`FutexAbi::waitv`].
    pub(crate) unsafe fn waitv(
        self,
        waiters: *const FutexWaitv,
        nr: u32,
        flags: u32,
        timeout: *const FutexTimespec,
        clockid: i32,
    ) -> isize {
        match self {
            Self::Kernel => {
                // SAFETY: the caller's contract; the kernel checks addresses itself.
                kernel(unsafe { libc::syscall(FUTEX_WAITV, waiters, nr, flags, timeout, clockid) })
            }
            // SAFETY: the caller's contract.
            Self::Table(_, abi) => unsafe { abi.waitv(waiters, nr, flags, timeout, clockid) },
        }
    }

    pub(crate) fn futex2_wake(self, uaddr: *const u32, mask: usize, nr: i32, flags: u32) -> isize {
        match self {
            // SAFETY: a wake reads nothing.
            Self::Kernel => kernel(unsafe { libc::syscall(FUTEX_WAKE, uaddr, mask, nr, flags) }),
            Self::Table(_, abi) => abi.futex2_wake(uaddr, mask, nr, flags),
        }
    }

    /// # Safety
    /// As [`FutexAbi::futex2_wait`].
    pub(crate) unsafe fn futex2_wait(
        self,
        uaddr: *const u32,
        (val, mask): (usize, usize),
        flags: u32,
        timeout: *const FutexTimespec,
        clockid: i32,
    ) -> isize {
        match self {
            // SAFETY: the caller's contract; the kernel checks addresses itself.
            Self::Kernel => kernel(unsafe {
                libc::syscall(FUTEX_WAIT, uaddr, val, mask, flags, timeout, clockid)
            }),
            // SAFETY: the caller's contract.
            Self::Table(_, abi) => unsafe {
                abi.futex2_wait(uaddr, val, mask, flags, timeout, clockid)
            },
        }
    }

    /// # Safety
    /// As [`FutexAbi::futex2_requeue`].
    pub(crate) unsafe fn futex2_requeue(
        self,
        waiters: *const FutexWaitv,
        flags: u32,
        nr_wake: i32,
        nr_requeue: i32,
    ) -> isize {
        match self {
            Self::Kernel => {
                // SAFETY: the caller's contract; the kernel checks addresses itself.
                kernel(unsafe { libc::syscall(FUTEX_REQUEUE, waiters, flags, nr_wake, nr_requeue) })
            }
            // SAFETY: the caller's contract.
            Self::Table(_, abi) => unsafe {
                abi.futex2_requeue(waiters, flags, nr_wake, nr_requeue)
            },
        }
    }

    /// Whether it has this call: kernels before Linux 5.16 have no waitv, those before 6.7 no
    /// futex2.
    pub(crate) fn has_futex2(self) -> bool {
        self.futex2_wake(std::ptr::null(), 1, 1, 0x82) == 0
    }
}

/// What an embedder with threads of its own says: here of the system's, by trying to lock a word.
fn is_alive(tid: u32) -> bool {
    let word = AtomicU32::new(tid);
    let none = std::ptr::null_mut();
    // SAFETY: the contract of `futex`: the word lives, and there is no timeout.
    let tried = unsafe { Side::Kernel.futex(word.as_ptr(), TRYLOCK_PI, 0, 0, none, 0) };
    tried != ESRCH
}

const FUTEX_WAITV: libc::c_long = 449;
const FUTEX_WAKE: libc::c_long = 454;
const FUTEX_WAIT: libc::c_long = 455;
const FUTEX_REQUEUE: libc::c_long = 456;

/// The address of a timespec as the fourth argument.
pub(crate) fn address_of(time: Option<&FutexTimespec>) -> usize {
    time.map_or(0, |time| std::ptr::from_ref(time).expose_provenance())
}

/// libc's result as the kernel gave it.
fn kernel(result: libc::c_long) -> isize {
    if result != -1 {
        return result as isize;
    }
    let errno = std::io::Error::last_os_error().raw_os_error();
    -(errno.expect("a failure has a number") as isize)
}
