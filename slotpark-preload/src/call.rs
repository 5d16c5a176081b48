//! Which futex calls are ours, and what they ask for.
//!
//! A call is ours if the kernel would accept it and it concerns private 32-bit words. One that the
//! kernel would refuse (bad timeout, flags, bits, counts or address) is left to the kernel: it
//! refuses without side effects, with the right errno in the right order, whatever its version.
//! None of our waiters can stand at an address that the kernel alone answers for, so nothing is
//! missed.

use libc::{c_int, c_long};

/// One futex call that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// FUTEX_WAIT, FUTEX_WAIT_BITSET.
    Wait {
        address: usize,
        expected: u32,
        bits: u32,
        timeout: Timeout,
    },
    /// FUTEX_WAKE, FUTEX_WAKE_BITSET.
    Wake {
        address: usize,
        count: usize,
        bits: u32,
    },
    /// FUTEX_REQUEUE, FUTEX_CMP_REQUEUE (with an expected value).
    Requeue {
        from: usize,
        to: usize,
        expected: Option<u32>,
        wake: usize,
        move_up_to: usize,
    },
}

/// When a wait gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    Never,
    /// Nanoseconds from now on the monotonic clock.
    After(u64),
    /// A point on the monotonic clock.
    Monotonic(u64),
    /// A point on the wall clock.
    Realtime(u64),
}

/// A `struct timespec` as the caller wrote it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timespec {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: i64,
}

const WAIT: c_int = libc::FUTEX_WAIT;
const WAKE: c_int = libc::FUTEX_WAKE;
const REQUEUE: c_int = libc::FUTEX_REQUEUE;
const CMP_REQUEUE: c_int = libc::FUTEX_CMP_REQUEUE;
const WAIT_BITSET: c_int = libc::FUTEX_WAIT_BITSET;
const WAIT_BITSET_REALTIME: c_int = libc::FUTEX_WAIT_BITSET | libc::FUTEX_CLOCK_REALTIME;
const WAKE_BITSET: c_int = libc::FUTEX_WAKE_BITSET;

/// The first address that no program has without asking for it (x86_64 with 5-level tables). The
/// kernel answers for those above: mostly with EFAULT.
const ADDRESS_END: usize = if cfg!(target_arch = "x86_64") {
    1 << 47
} else {
    1 << 48
};

/// Whether this call, if it is ours, waits; its fourth argument is then the address of a timespec
/// or 0.
pub(crate) fn is_wait(arguments: [c_long; 6]) -> bool {
    matches!(
        private_command(arguments),
        Some(WAIT | WAIT_BITSET | WAIT_BITSET_REALTIME)
    )
}

/// Reads the arguments of a futex call. `time` is what stands at the fourth argument if
/// [`is_wait`] and it is not 0. `None`: the call is the kernel's.
pub(crate) fn decode(arguments: [c_long; 6], time: Option<Timespec>) -> Option<Call> {
    let command = private_command(arguments)?;
    let [address, _, value, fourth, second_address, third_value] = arguments;
    let address = usable(address)?;
    // The kernel takes the lower half of a register for its 32-bit arguments.
    let (value, third_value) = (value as u32, third_value as u32);
    match command {
        WAIT | WAIT_BITSET | WAIT_BITSET_REALTIME => {
            let bits = if command == WAIT {
                u32::MAX
            } else {
                third_value
            };
            // At address 0 a wait is refused, but a wake or a requeue is not.
            let valid = address != 0 && bits != 0;
            let timeout = timeout(command, time)?;
            valid.then_some(Call::Wait {
                address,
                expected: value,
                bits,
                timeout,
            })
        }
        WAKE | WAKE_BITSET => {
            let bits = if command == WAKE {
                u32::MAX
            } else {
                third_value
            };
            // The kernel counts a waiter before it compares: 0 and negative counts wake one.
            let count = usize::try_from(value as i32).unwrap_or(1).max(1);
            (bits != 0).then_some(Call::Wake {
                address,
                count,
                bits,
            })
        }
        _ => {
            let to = usable(second_address)?;
            let wake = usize::try_from(value as i32).ok()?;
            let move_up_to = usize::try_from(fourth as i32).ok()?;
            let expected = (command == CMP_REQUEUE).then_some(third_value);
            // The comparison reads the word, which the kernel refuses at address 0.
            let valid = address != 0 || expected.is_none();
            valid.then_some(Call::Requeue {
                from: address,
                to,
                expected,
                wake,
                move_up_to,
            })
        }
    }
}

/// The command with its clock flag, if it is one of the six and private.
fn private_command(arguments: [c_long; 6]) -> Option<c_int> {
    let operation = arguments[1] as c_int;
    let command = operation & !libc::FUTEX_PRIVATE_FLAG;
    let known = matches!(
        command,
        WAIT | WAKE | REQUEUE | CMP_REQUEUE | WAIT_BITSET | WAIT_BITSET_REALTIME | WAKE_BITSET
    );
    (known && operation != command).then_some(command)
}

/// The address, if it is a multiple of 4 and one that a program can have.
fn usable(address: c_long) -> Option<usize> {
    let address = address as usize;
    (address % 4 == 0 && address < ADDRESS_END).then_some(address)
}

/// The timeout of a wait; `None` if the kernel refuses it.
fn timeout(command: c_int, time: Option<Timespec>) -> Option<Timeout> {
    let Some(Timespec {
        seconds,
        nanoseconds,
    }) = time
    else {
        return Some(Timeout::Never);
    };
    let seconds = u64::try_from(seconds).ok()?;
    let nanoseconds = u64::try_from(nanoseconds)
        .ok()
        .filter(|&part| part < 1_000_000_000)?;
    let total = seconds
        .saturating_mul(1_000_000_000)
        .saturating_add(nanoseconds);
    Some(match command {
        // The kernel's time ends after 292 years, and so long is for ever.
        _ if total >= i64::MAX as u64 => Timeout::Never,
        WAIT => Timeout::After(total),
        WAIT_BITSET => Timeout::Monotonic(total),
        _ => Timeout::Realtime(total),
    })
}

#[cfg(test)]
mod tests;
