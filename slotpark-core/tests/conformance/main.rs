//! The futex ABI against the kernel: every case runs on the kernel, on the process-wide table and
//! on a table of one slot, and has one expected answer. The kernel's run proves the cases.
#![cfg(all(
    target_os = "linux",
    target_pointer_width = "64",
    not(any(miri, slotpark_loom, slotpark_shuttle))
))]

#[path = "../common/mod.rs"]
mod common;
#[cfg(not(slotpark_portable))]
#[path = "../common/signalled.rs"]
mod signalled;

mod actors;
mod bytes;
mod calls;
mod contended;
mod immediate;
mod lock_queues;
mod locks;
mod moves;
mod others;
mod program;
mod queues;
mod random;
mod sides;
// Of another platform no table learns of signals.
#[cfg(not(slotpark_portable))]
mod signals;
mod vectors;
