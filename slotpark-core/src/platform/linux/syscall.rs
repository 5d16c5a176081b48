//! A raw system call with six arguments, and the numbers that the engine needs.

#[cfg(not(miri))]
use core::arch::asm;

#[cfg(target_arch = "x86_64")]
pub(super) const FUTEX: usize = 202;
#[cfg(target_arch = "x86_64")]
pub(super) const GETRANDOM: usize = 318;
#[cfg(all(target_arch = "x86_64", not(miri)))]
pub(super) const GETTID: usize = 186;
#[cfg(all(target_arch = "x86_64", not(miri)))]
pub(super) const SCHED_YIELD: usize = 24;

/// The generic table of `asm-generic/unistd.h`, which aarch64 and riscv64 use.
#[cfg(not(target_arch = "x86_64"))]
pub(super) const FUTEX: usize = 98;
#[cfg(not(target_arch = "x86_64"))]
pub(super) const GETRANDOM: usize = 278;
#[cfg(not(any(target_arch = "x86_64", miri)))]
pub(super) const GETTID: usize = 178;
#[cfg(not(any(target_arch = "x86_64", miri)))]
pub(super) const SCHED_YIELD: usize = 124;

/// Makes a system call; the result is the kernel's: negative errno on failure.
///
/// # Safety
/// The call with these arguments is sound: pointers among them are valid for what it does.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline]
pub(super) unsafe fn syscall6(number: usize, arguments: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the x86_64 syscall convention: rax, rdi, rsi, rdx, r10, r8, r9; rcx and r11 are
    // overwritten; the memory that the call touches is the caller's contract.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
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
/// The call with these arguments is sound: pointers among them are valid for what it does.
#[cfg(all(target_arch = "aarch64", not(miri)))]
#[inline]
pub(super) unsafe fn syscall6(number: usize, arguments: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the aarch64 syscall convention: x8 and x0..x5, the result in x0; the memory that the
    // call touches is the caller's contract.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") arguments[0] as isize => result,
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
/// The call with these arguments is sound: pointers among them are valid for what it does.
#[cfg(all(target_arch = "riscv64", not(miri)))]
#[inline]
pub(super) unsafe fn syscall6(number: usize, arguments: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the riscv64 syscall convention: a7 and a0..a5, the result in a0; the memory that the
    // call touches is the caller's contract.
    unsafe {
        asm!(
            "ecall",
            in("a7") number,
            inlateout("a0") arguments[0] as isize => result,
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

/// Miri runs no assembly but knows libc's `syscall` for the futex and for getrandom.
///
/// # Safety
/// The call with these arguments is sound: pointers among them are valid for what it does.
#[cfg(miri)]
pub(super) unsafe fn syscall6(number: usize, arguments: [usize; 6]) -> isize {
    use core::ptr::with_exposed_provenance_mut as pointer;

    let [first, second, third, fourth, fifth, sixth] = arguments;
    let result = if number == FUTEX {
        // SAFETY: the caller's contract; Miri wants the arguments in the types of futex(2).
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                pointer::<u32>(first),
                second as i32,
                third as u32,
                pointer::<libc::timespec>(fourth).cast_const(),
                pointer::<u32>(fifth),
                sixth as u32,
            )
        }
    } else {
        // SAFETY: the caller's contract; Miri wants the arguments in the types of getrandom(2).
        unsafe {
            libc::syscall(
                libc::SYS_getrandom,
                pointer::<u8>(first),
                second,
                third as u32,
            )
        }
    };
    if result >= 0 {
        return result as isize;
    }
    // SAFETY: the location is this thread's own.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: errno is always readable.
    unsafe { -(*errno as isize) }
}
