//! Linux's futex operations on a table: in types, on the words of any memory, and by the kernel's
//! numbers, on those of this process.
//!
//! **States**: none of its own. A call reads its arguments, in the kernel's order, and then is a
//! verb of the table.
//!
//! **Lock order**: that of the verbs. **Orderings**: those of the verbs; WORD for the one word that
//! is changed.

mod abi;
mod answer;
mod call;
mod error;
#[cfg(target_has_atomic = "64")]
mod linear;
mod memory;
mod space;
mod time;
mod vector;
mod verbs;
mod waits;
mod wakes;
mod word_op;

pub use abi::FutexAbi;
pub use call::FutexShared;
pub use error::FutexError;
#[cfg(target_has_atomic = "64")]
pub use linear::LinearMemory;
pub use memory::{FutexFault, FutexMemory, FutexSize, FutexValue, NativeMemory};
pub use space::{FutexSpace, WakeCount};
pub use time::{FutexTimeout, FutexTimespec};
pub use vector::FutexWaitv;
pub use word_op::{FutexChange, FutexTest};
