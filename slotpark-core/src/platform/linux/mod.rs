//! Linux: sleeping and waking by the private futex, through raw syscalls.
//!
//! The library never calls libc's `syscall`: under `slotpark run` that function is ours, and a
//! call would come back into the table.

mod syscall;

use core::ptr;

use super::{Clock, Deadline, Platform, Slept};
use crate::hash::finalize;
use crate::sync::AtomicU32;
use syscall::{FUTEX, GETRANDOM, syscall6};

/// The futex of Linux, by raw syscall (x86_64, aarch64, riscv64).
///
/// ```
/// use slotpark_core::{Clock, Linux, Platform};
/// assert!(Linux::now_ns(Clock::Monotonic) <= Linux::now_ns(Clock::Monotonic));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Linux {}

// SAFETY: FUTEX_WAIT_BITSET compares the word and queues the caller under the kernel's bucket lock
// (futex(2)), a wake of the same address and a common bit ends it; a wake reads nothing at the
// address of a private futex; none of these functions calls a table or unwinds.
unsafe impl Platform for Linux {
    const GROUP_SLEEP: bool = true;
    type Handle = ();
    type Critical = ();

    #[inline(always)]
    fn handle() {}

    #[inline(always)]
    fn critical() {}

    fn sleep(word: &AtomicU32, expected: u32, bits: u32, deadline: Option<Deadline>) -> Slept {
        let mut operation = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG;
        let time = deadline.map(|deadline| {
            if deadline.clock() == Clock::Realtime {
                operation |= libc::FUTEX_CLOCK_REALTIME;
            }
            timespec(deadline.at_ns())
        });
        let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
        let arguments = [
            ptr::from_ref(word).addr(),
            operation as usize,
            expected as usize,
            time.addr(),
            0,
            bits as usize,
        ];
        expose(word, time);
        // SAFETY: `word` is a live 4-byte word, `time` is null or a live timespec; the kernel reads
        // both and writes neither.
        let result = unsafe { syscall6(FUTEX, arguments) };
        if result == -(libc::ETIMEDOUT as isize) {
            Slept::TimedOut
        } else if result == -(libc::EINTR as isize) {
            // With a deadline after every handler; without one the kernel itself goes on with the
            // sleep after a handler with SA_RESTART.
            Slept::Interrupted
        } else {
            Slept::Early
        }
    }

    fn wake_group(word: &AtomicU32, bits: u32) {
        let operation = libc::FUTEX_WAKE_BITSET | libc::FUTEX_PRIVATE_FLAG;
        let arguments = [
            // Not `addr`: a Miri that was never told of the address takes it for a bad one and does
            // nothing, not even the barrier by which the sleeper sees that the word has changed.
            ptr::from_ref(word).expose_provenance(),
            operation as usize,
            i32::MAX as usize,
            0,
            0,
            bits as usize,
        ];
        // SAFETY: the kernel takes a private futex's address as a name and reads nothing there.
        unsafe { syscall6(FUTEX, arguments) };
    }

    fn wake_thread(word: *const AtomicU32, _handle: &()) {
        wake_one(word);
    }

    #[cold]
    fn lock_sleep(word: &AtomicU32, expected: u32) {
        Self::sleep(word, expected, u32::MAX, None);
    }

    #[cold]
    fn lock_wake(word: &AtomicU32) {
        wake_one(word);
    }

    fn now_ns(clock: Clock) -> u64 {
        let clock = match clock {
            Clock::Monotonic => libc::CLOCK_MONOTONIC,
            Clock::Realtime => libc::CLOCK_REALTIME,
        };
        let mut time = timespec(0);
        // SAFETY: `time` is a live timespec for the call to fill.
        let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
        debug_assert_eq!(
            result, 0,
            "clock_gettime cannot fail for a clock that every Linux has"
        );
        // A wall clock set before 1970 reads as its start.
        u64::try_from(time.tv_sec).map_or(0, |seconds| {
            seconds.saturating_mul(1_000_000_000) + time.tv_nsec as u64
        })
    }

    fn ticks() -> u64 {
        Self::now_ns(Clock::Monotonic)
    }

    #[cfg(not(miri))]
    fn give_way() {
        // SAFETY: sched_yield has no arguments and touches no memory.
        unsafe { syscall6(syscall::SCHED_YIELD, [0; 6]) };
    }

    #[cfg(not(miri))]
    fn cpu() -> u32 {
        // SAFETY: asks for a number that libc keeps or the vDSO reads, and touches no memory.
        let cpu = unsafe { libc::sched_getcpu() };
        // -1, "cannot be told", is the largest number.
        cpu as u32
    }
}

/// Ends one sleep on a word. The word may be gone by now.
fn wake_one(word: *const AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // Not `addr`: see `wake_group`.
    let address = word.expose_provenance();
    let arguments = [address, operation as usize, 1, 0, 0, 0];
    // SAFETY: the kernel takes the address of a private futex as a name and reads nothing there.
    unsafe { syscall6(FUTEX, arguments) };
}

/// Tells the compiler (and Miri) that these addresses leave the program as integers.
fn expose(word: &AtomicU32, time: *const libc::timespec) {
    let _ = ptr::from_ref(word).expose_provenance();
    let _ = time.expose_provenance();
}

fn timespec(at_ns: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: (at_ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (at_ns % 1_000_000_000) as libc::c_long,
    }
}

/// A number that nobody can guess: the kernel's, or the best guess where it has none (yet).
pub(crate) fn entropy(address: usize) -> u64 {
    let mut bytes = [0_u8; 8];
    let arguments = [
        bytes.as_mut_ptr().expose_provenance(),
        bytes.len(),
        libc::GRND_NONBLOCK as usize,
        0,
        0,
        0,
    ];
    // SAFETY: the kernel writes at most `bytes.len()` bytes to the live buffer.
    let result = unsafe { syscall6(GETRANDOM, arguments) };
    if result == bytes.len() as isize {
        return u64::from_ne_bytes(bytes);
    }
    finalize(address as u64) ^ finalize(Linux::now_ns(Clock::Monotonic))
}

/// Whether threads have numbers that can be asked for.
pub(crate) const HAS_THREAD_IDS: bool = !cfg!(miri);

/// The number of the calling thread.
#[cfg(not(miri))]
pub(crate) fn thread_id() -> Option<u32> {
    // SAFETY: gettid has no arguments and cannot fail.
    let id = unsafe { syscall6(syscall::GETTID, [0; 6]) };
    u32::try_from(id).ok()
}

/// What the kernel says of a thread as the owner of a futex: 0, or a negative errno: ESRCH if it
/// has come to its end, be it joined yet or not. It is asked by a try to lock a word of ours.
#[cfg(not(miri))]
pub(crate) fn ask_of_owner(id: u32) -> isize {
    let word = AtomicU32::new(id);
    let operation = libc::FUTEX_TRYLOCK_PI | libc::FUTEX_PRIVATE_FLAG;
    let address = ptr::from_ref(&word).expose_provenance();
    // SAFETY: `word` is a live 4-byte word, which the kernel reads and marks.
    let result = unsafe { syscall6(FUTEX, [address, operation as usize, 0, 0, 0, 0]) };
    match -result as i32 {
        libc::ESRCH | libc::EPERM => result,
        // It is locked, and so its owner lives; or the kernel cannot tell.
        _ => 0,
    }
}

/// Miri has no locks that lend priorities.
#[cfg(miri)]
pub(crate) fn thread_id() -> Option<u32> {
    None
}

#[cfg(miri)]
pub(crate) fn ask_of_owner(_id: u32) -> isize {
    0
}
