//! Locks by key: state only while a key is held or awaited, and none of it allocated.
//!
//! An absent key is free. A holder is a node: in the frame of a closure, or in the lock's pool for
//! guards and futures. As long as a slot has one holder and nobody who waits, the slot's *holder
//! word* alone leads to it: locking and unlocking cost one compare-exchange each (see `word`). Else
//! holders are nodes in the queue of their key, and the slot lock decides (see `rules`). Mutexes,
//! read-write locks and semaphores differ in their capacity, and in how much a holder takes of it.
//!
//! **Invariants**: H1, H2 (`word`), H3 to H6 (`rules`), E1, E2 (`pool`).
//!
//! **Lock order**: one slot lock. **Orderings**: HOLDER, ENTRY, and those of `park` and `task`.

#[cfg(feature = "alloc")]
mod condition;
#[cfg(feature = "alloc")]
mod condition_task;
#[cfg(feature = "alloc")]
mod grow;
#[cfg(feature = "alloc")]
mod guard;
#[cfg(feature = "alloc")]
mod lock;
#[cfg(feature = "alloc")]
mod look;
#[cfg(feature = "alloc")]
mod many;
#[cfg(feature = "alloc")]
mod options;
#[cfg(feature = "alloc")]
mod pool;
#[cfg(feature = "alloc")]
mod rules;
#[cfg(feature = "alloc")]
mod serve;
#[cfg(feature = "alloc")]
mod task;
#[cfg(feature = "alloc")]
mod thread;
#[cfg(feature = "alloc")]
mod told;
mod word;

#[cfg(feature = "alloc")]
pub(crate) use pool::{Entry, Pool};
pub(crate) use word::HolderWord;

#[cfg(feature = "alloc")]
pub use self::{
    condition::{Condition, ConditionOutcome},
    condition_task::WaitCondition,
    grow::Grow,
    guard::Holding,
    lock::KeyedLock,
    many::{HoldMany, HoldingMany, KeyList, Merge, Wanted},
    options::{
        HoldError, HoldOptions, KeyedOptions, POOL_DEFAULT, PoolStats, Preference, TryHoldError,
        WhenFull,
    },
    task::Hold,
};
