//! The engine of slotpark: threads park on keys in a fixed table of cache-line slots; nothing is
//! allocated to wait or to wake, and nothing has to be cleaned up.
//!
//! Most users want the crate `slotpark`, which hashes, converts times and forbids unsafe code. This
//! crate is for those who build their own primitives: all in-process unsafe code of the project
//! lives here.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(feature = "std", slotpark_loom, slotpark_shuttle))]
extern crate std;

mod any;
mod any_place;
mod any_task;
mod any_thread;
mod at;
mod choose;
mod close;
mod closed_key;
#[cfg(target_has_atomic = "64")]
mod counter;
mod each;
#[cfg(feature = "alloc")]
mod flight;
mod front;
mod futex;
#[cfg(feature = "alloc")]
mod gate;
mod hash;
mod home;
mod inspect;
mod interrupt;
mod keyed;
mod leave;
mod look;
#[cfg(feature = "alloc")]
mod mailbox;
mod node;
mod options;
mod park;
mod place;
mod platform;
mod prepare;
mod process;
mod queue;
mod raw;
mod reentry;
mod requeue;
mod semaphore;
mod slot;
mod slot_lock;
mod slots;
mod spin;
mod sync;
mod table;
mod task;
mod turn;
mod unpark;
mod unpark_both;
mod unpark_one;
mod waiter;
mod wakers;
pub mod word;

/// The traits that the locks implement, and the types that put values under them.
#[cfg(feature = "lock_api")]
pub use ::lock_api;
pub use any::{ANY_MAX, ParkedAny};
pub use any_task::WaitAny;
pub use at::At;
pub use choose::{Candidate, Choice, Filter};
pub use closed_key::ClosedKey;
#[cfg(target_has_atomic = "64")]
pub use counter::{EventError, RawEventCounter};
#[cfg(feature = "alloc")]
pub use flight::{FlightError, Flying, SingleFlight};
#[cfg(all(target_has_atomic = "64", not(any(slotpark_loom, slotpark_shuttle))))]
pub use futex::LinearMemory;
#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
pub use futex::{FutexAbi, FutexShared, FutexWaitv};
pub use futex::{
    FutexChange, FutexError, FutexFault, FutexMemory, FutexSize, FutexSpace, FutexTest,
    FutexTimeout, FutexTimespec, FutexValue, NativeMemory, PI_OWNER, PI_OWNER_DIED, PI_WAITERS,
    WakeCount,
};
#[cfg(feature = "alloc")]
pub use gate::{
    ArmError, ArmedLatch, Barrier, BarrierOutcome, Latch, LatchOutcome, LatchWait, Member,
    MemberWait,
};
pub use hash::{KeyHasher, Seeded, finalize};
pub use inspect::{
    Detail, Held, Inspect, KeyText, Kind, LOOK_MAX, Locking, Seen, Sink, WaitEnd, Waited, detail,
    set_detail, set_sink, set_stacks,
};
#[cfg(all(feature = "std", not(any(slotpark_loom, slotpark_shuttle))))]
pub use inspect::{TaskLabel, task_label};
pub use interrupt::Interrupter;
#[cfg(feature = "alloc")]
pub use keyed::{
    Condition, ConditionOutcome, Grow, Hold, HoldError, HoldMany, HoldOptions, Holding,
    HoldingMany, KeyList, KeyedLock, KeyedOptions, Merge, POOL_DEFAULT, PoolStats, Preference,
    TryHoldError, WaitCondition, Wanted, WhenFull,
};
#[cfg(feature = "alloc")]
pub use mailbox::{Mailbox, Receive, ReceiveError, Subscribed};
pub use options::{Left, Order, ParkOptions, Parked};
pub use platform::*;
pub use prepare::Prepared;
pub use process::{FutexKey, FutexWord};
#[cfg(not(slotpark_loom))]
pub use process::{PROCESS_HASHER, PROCESS_SLOTS, process_table};
pub use raw::{OnceState, RawCondvar, RawMutex, RawOnce, RawRwLock};
pub use reentry::slot_lock_held;
pub use requeue::{RequeueOptions, Requeued};
pub use semaphore::{AcquireError, PERMITS_MAX, RawSemaphore, TryAcquireError};
pub use slots::{SLOTS_DEFAULT, SLOTS_MAX, SlotCountError, SlotStats, Slots};
pub use spin::Spin;
pub use sync::AtomicU32;
pub use table::Table;
pub use task::Wait;
