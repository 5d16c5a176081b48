//! The engine's Linux platform for a program that may be interrupted by signals anywhere, and for a
//! report that counts.
//!
//! The kernel's futex may be called from a signal handler, so ours may: a handler that ran while
//! its own thread holds a slot lock, or while others wait to be released, would wait for itself.
//! So that part runs with all signals blocked. While a thread spins or sleeps it holds nothing, and
//! signals come through.

use core::cell::Cell;
use core::mem::size_of;
use core::ptr;
use core::sync::atomic::AtomicU32;

use libc::c_long;
use slotpark_core::{Clock, Deadline, Event, Linux, Platform, Slept};

use crate::layout::Counter;
use crate::{abi, process};

/// Linux with signals blocked in the critical part.
#[derive(Debug)]
pub(crate) enum Interposed {}

/// The kernel's own signal set: one bit per signal.
const SIGNAL_SET_BYTES: usize = size_of::<u64>();

/// All signals are blocked while this lives; then the mask is what it was.
#[derive(Debug)]
pub(crate) struct SignalsBlocked {
    before: u64,
}

impl SignalsBlocked {
    pub(crate) fn new() -> Self {
        let all = u64::MAX;
        let mut before = 0;
        set_mask(&all, Some(&mut before));
        Self { before }
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        set_mask(&self.before, None);
    }
}

/// Sets the thread's mask, by the system call itself: libc's function leaves out the signals that
/// it keeps for itself, and their handlers must not run here either.
fn set_mask(mask: &u64, before: Option<&mut u64>) {
    let arguments = [
        libc::SIG_SETMASK as c_long,
        ptr::from_ref(mask).expose_provenance() as c_long,
        before.map_or(0, |before| ptr::from_mut(before).expose_provenance()) as c_long,
        SIGNAL_SET_BYTES as c_long,
        0,
        0,
    ];
    // SAFETY: both pointers are null or to live sets of the size given.
    unsafe { abi::raw_syscall(libc::SYS_rt_sigprocmask, arguments) };
}

thread_local! {
    /// Whether the kernel was asked to wake somebody.
    static KERNEL_ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a wake; the second part says whether it asked the kernel to wake somebody. A signal handler
/// may do the same in the middle of it.
pub(crate) fn kernel_asked<T>(wake: impl FnOnce() -> T) -> (T, bool) {
    let before = KERNEL_ASKED.replace(false);
    let result = wake();
    (result, KERNEL_ASKED.replace(before))
}

// SAFETY: sleeping, waking and time are those of `Linux`, whose contract is this one; masking
// signals and counting call no table and do not unwind.
unsafe impl Platform for Interposed {
    const GROUP_SLEEP: bool = Linux::GROUP_SLEEP;
    type Handle = <Linux as Platform>::Handle;
    type Critical = SignalsBlocked;

    fn handle() -> Self::Handle {
        Linux::handle()
    }

    fn critical() -> SignalsBlocked {
        SignalsBlocked::new()
    }

    fn sleep(word: &AtomicU32, expected: u32, bits: u32, deadline: Option<Deadline>) -> Slept {
        Linux::sleep(word, expected, bits, deadline)
    }

    fn wake_group(word: &AtomicU32, bits: u32) {
        KERNEL_ASKED.set(true);
        Linux::wake_group(word, bits);
    }

    fn wake_thread(word: *const AtomicU32, handle: &Self::Handle) {
        KERNEL_ASKED.set(true);
        Linux::wake_thread(word, handle);
    }

    fn lock_sleep(word: &AtomicU32, expected: u32) {
        KERNEL_ASKED.set(true);
        Linux::lock_sleep(word, expected);
    }

    fn lock_wake(word: &AtomicU32) {
        KERNEL_ASKED.set(true);
        Linux::lock_wake(word);
    }

    fn now_ns(clock: Clock) -> u64 {
        Linux::now_ns(clock)
    }

    fn ticks() -> u64 {
        Linux::ticks()
    }

    fn cpu() -> u32 {
        Linux::cpu()
    }

    fn give_way() {
        Linux::give_way();
    }

    fn observe(event: Event, slot: usize) {
        match event {
            Event::Park => process::row().park(slot),
            Event::Collision => process::row().add(Counter::Collisions, 1),
            Event::Wake => process::row().add(Counter::Woken, 1),
            Event::Requeue => process::row().add(Counter::Moved, 1),
            _ => {}
        }
    }
}
