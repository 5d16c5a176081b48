//! The library behind `slotpark run`: takes the place of libc's `syscall`, so that a program's
//! private futexes wait on slotpark's slots.
//!
//! The dynamic linker binds a program's calls of `syscall` to the first library that defines it,
//! and `LD_PRELOAD` makes that this one. Rust's std and parking_lot reach their futexes this way.
//! Calls on private 32-bit words are answered here ([`call`] says which, and [`futex`] how); every
//! other call is made as it came.
//!
//! What runs here runs in a program that knows nothing of it, perhaps in a signal handler, in the
//! child of a fork or before `main`. So nothing here allocates, takes a lock of std or libc, or
//! changes errno on success; and no call goes to libc's `syscall`, since that is this function. A
//! thread that ends leaves nothing here: a wait is in the frame of its own call, and what is kept
//! by thread is one flag without a destructor. The exception is [`inspect`], which is off unless it
//! is asked for, and has threads of its own.
#![cfg(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    ),
    not(slotpark_loom)
))]

mod abi;
mod addresses;
mod call;
mod fork;
mod futex;
mod inspect;
mod layout;
mod platform;
mod process;
mod row;

use libc::c_long;

/// libc's `syscall`.
///
/// libc declares it variadic, and stable Rust cannot define a variadic function. It need not: on
/// x86_64, aarch64 and riscv64 Linux integers and pointers behind an ellipsis travel exactly like
/// named ones, the number and five (x86_64) or all six arguments in registers, the sixth on the
/// stack. Arguments that the caller left out are read as whatever stands there and handed on,
/// which is what libc's own function does.
///
/// # Safety
/// As libc's: the pointers among the arguments are valid for what the call does with them.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    let arguments = [a, b, c, d, e, f];
    if call::is_futex(number) {
        // SAFETY: the caller's contract: the arguments are those of this futex call.
        if let Some(result) = unsafe { futex::serve(number, arguments) } {
            return abi::libc_result(result);
        }
    }
    // SAFETY: the caller's contract, handed on.
    let result = unsafe { abi::raw_syscall(number, arguments) };
    abi::libc_result(result)
}
