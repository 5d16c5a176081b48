//! The border to the kernel: a raw system call, and libc's way to report its result.

use core::arch::asm;

use libc::c_long;

/// Makes a system call; the result is the kernel's: negative errno on failure.
///
/// # Safety
/// The pointers among the arguments are valid for what the call does with them.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) unsafe fn raw_syscall(number: c_long, arguments: [c_long; 6]) -> c_long {
    let result: c_long;
    // SAFETY: the x86_64 syscall convention; the kernel overwrites rcx and r11. The effects of the
    // call are the caller's contract.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") arguments[0],
            in("rsi") arguments[1],
            in("rdx") arguments[2],
            in("r10") arguments[3],
            in("r8") arguments[4],
            in("r9") arguments[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Makes a system call; the result is the kernel's: negative errno on failure.
///
/// # Safety
/// The pointers among the arguments are valid for what the call does with them.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub(crate) unsafe fn raw_syscall(number: c_long, arguments: [c_long; 6]) -> c_long {
    let result: c_long;
    // SAFETY: the aarch64 syscall convention. The effects of the call are the caller's contract.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") arguments[0] => result,
            in("x1") arguments[1],
            in("x2") arguments[2],
            in("x3") arguments[3],
            in("x4") arguments[4],
            in("x5") arguments[5],
            options(nostack),
        );
    }
    result
}

/// Makes a system call; the result is the kernel's: negative errno on failure.
///
/// # Safety
/// The pointers among the arguments are valid for what the call does with them.
#[cfg(target_arch = "riscv64")]
#[inline(always)]
pub(crate) unsafe fn raw_syscall(number: c_long, arguments: [c_long; 6]) -> c_long {
    let result: c_long;
    // SAFETY: the riscv64 syscall convention. The effects of the call are the caller's contract.
    unsafe {
        asm!(
            "ecall",
            in("a7") number,
            inlateout("a0") arguments[0] => result,
            in("a1") arguments[1],
            in("a2") arguments[2],
            in("a3") arguments[3],
            in("a4") arguments[4],
            in("a5") arguments[5],
            options(nostack),
        );
    }
    result
}

/// What libc's `syscall` returns for a result of the kernel: -1 and errno for a failure, which is
/// one of the 4,095 highest values; anything else as it is, with errno left alone.
#[inline(always)]
pub(crate) fn libc_result(result: c_long) -> c_long {
    if !(-4095..0).contains(&result) {
        return result;
    }
    // SAFETY: libc hands out the address of this thread's errno, which lives as long as the thread.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: see above; nobody else writes this thread's errno.
    unsafe { errno.write(-result as i32) };
    -1
}

#[cfg(test)]
mod tests {
    use super::libc_result;

    #[test]
    fn failures_set_errno_and_nothing_else_does() {
        for result in [0, 1, -4096, i64::MIN, i64::MAX] {
            libc_result(-libc::EPERM as i64);
            assert_eq!(libc_result(result), result);
            assert_eq!(
                std::io::Error::last_os_error().raw_os_error(),
                Some(libc::EPERM)
            );
        }
        for errno in [1, 11, 4095] {
            assert_eq!(libc_result(-errno), -1);
            assert_eq!(
                std::io::Error::last_os_error().raw_os_error(),
                Some(errno as i32)
            );
        }
    }
}
