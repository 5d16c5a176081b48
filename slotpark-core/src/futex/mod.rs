//! Linux's futex operations on a table: in types, on the words of any memory, and by the kernel's
//! numbers, on those of this process.
//!
//! **States**: none of its own. A call reads its arguments, in the kernel's order, and then is a
//! verb of the table.
//!
//! **Lock order**: that of the verbs. **Orderings**: those of the verbs; WORD for the one word that
//! is changed, and for those that are locks.
#![cfg_attr(
    any(slotpark_loom, slotpark_shuttle),
    allow(dead_code, reason = "the numeric calls are not made there")
)]

#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
mod abi;
#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
mod answer;
#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
mod call;
mod error;
#[cfg(all(target_has_atomic = "64", not(any(slotpark_loom, slotpark_shuttle))))]
mod linear;
mod lock;
mod lock_word;
mod memory;
mod move_to_lock;
mod space;
mod time;
mod unlock;
#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
mod vector;
mod verbs;
mod waits;
mod wakes;
mod word_op;

#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
pub use abi::FutexAbi;
#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
pub use call::FutexShared;
pub use error::FutexError;
#[cfg(all(target_has_atomic = "64", not(any(slotpark_loom, slotpark_shuttle))))]
pub use linear::LinearMemory;
pub use lock_word::{PI_OWNER, PI_OWNER_DIED, PI_WAITERS};
pub use memory::{FutexFault, FutexMemory, FutexSize, FutexValue, NativeMemory};
pub use space::{FutexSpace, WakeCount};
pub use time::{FutexTimeout, FutexTimespec};
#[cfg(not(any(slotpark_loom, slotpark_shuttle)))]
pub use vector::FutexWaitv;
pub use word_op::{FutexChange, FutexTest};
