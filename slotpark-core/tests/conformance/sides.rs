//! Who is asked: the kernel, or a table.

use std::sync::OnceLock;

use slotpark_core::{FutexAbi, FutexKey, FutexTimespec, Seeded, Table};

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
            // SAFETY: the caller's contract.
            Self::Table(_, abi) => unsafe { abi.futex(uaddr, op, val, fourth, uaddr2, val3) },
        }
    }
}

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
