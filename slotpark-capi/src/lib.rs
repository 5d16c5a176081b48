//! The C ABI of slotpark: `futex(2)` on the process-wide table, tables of the caller's, and waits
//! that can be interrupted. C programs include `slotpark.h`, which is made from this crate.
//!
//! **Results.** 0 or a count, or a failure as a negative number of Linux's `errno.h`, on every
//! platform; `errno` itself is not touched. What can be known to be wrong is -EINVAL, a null handle
//! too.
//!
//! **Panics** end the process with a message: each function is `extern "C"`, which nothing unwinds
//! out of. No argument causes one; in debug builds a call from a signal handler that has
//! interrupted a call may.
//!
//! **Lifetimes.** A table, or an interrupter, may be destroyed only after every call on it has
//! returned. That a waiter runs again is not enough: the call that has woken it may still be
//! inside. Calls are counted, and destroying what is in use is refused with -EBUSY.
//!
//! **Memory.** What `create` allocates is all: no other function does.
//!
//! **Invariants**
//! - C1 A handle that is not null is one that `create` gave out and `destroy` has not taken back,
//!   or the process-wide table. That is the caller's contract in every function here.
//! - C2 From its entry to its end a call holds a lock of the handle's for reading; `destroy` has
//!   taken each of them for writing, once, before it frees anything. Calls that begin meanwhile
//!   break the caller's contract.

mod calls;
mod handle;
mod interrupter;
mod numeric;
mod table;
mod types;
mod waits;
mod wakes;

pub use interrupter::{
    SlotInterrupter, slot_interrupter_clear, slot_interrupter_create, slot_interrupter_destroy,
    slot_interrupter_interrupt,
};
pub use numeric::{
    slot_futex, slot_futex_on, slot_futex_waitv, slot_futex2_requeue, slot_futex2_wait,
    slot_futex2_wake, slot_thread_exited,
};
pub use table::{
    SlotTable, slot_close, slot_drop_range, slot_reset_after_fork, slot_stats, slot_table_create,
    slot_table_destroy, slot_table_process,
};
pub use types::{
    SLOT_ALL, SLOT_CLOCK_MONOTONIC, SLOT_CLOCK_REALTIME, SLOT_PRIVATE, SLOT_SHARED_AS_PRIVATE,
    SLOT_SIZE_U8, SLOT_SIZE_U16, SLOT_SIZE_U32, SLOT_SIZE_U64, SLOT_VERSION, SlotTableStats,
    SlotTimespec, SlotWaitvEntry, slot_version,
};
pub use waits::{
    slot_wait, slot_wait_bitset, slot_wait_interruptible, slot_wait_until, slot_wait8, slot_wait16,
    slot_wait64, slot_waitv,
};
pub use wakes::{slot_cmp_requeue, slot_requeue, slot_waiters, slot_wake, slot_wake_bitset};
