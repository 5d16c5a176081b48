//! Block any thread on any key: fixed memory, no allocation, no lost wake, nothing to clean up.
//!
//! Waiters park in a fixed array of 512 cache-line slots chosen by hash, and nodes in their own
//! stack frames carry the full key: collisions cost a comparison, never a wrong or a lost wake.
//!
//! ```
//! use slotpark::ShardedWait;
//! use std::sync::atomic::{AtomicBool, Ordering};
//!
//! static READY: AtomicBool = AtomicBool::new(false);
//! let waits = ShardedWait::<String>::new();
//! std::thread::scope(|scope| {
//!     scope.spawn(|| {
//!         // Sleeps while the condition holds, and rechecks it after every wake.
//!         waits.wait_while(&"job 7".to_string(), || !READY.load(Ordering::Relaxed));
//!         assert!(READY.load(Ordering::Relaxed));
//!     });
//!     READY.store(true, Ordering::Relaxed); // first make the condition false,
//!     let _woken = waits.wake_all("job 7"); // then wake: exact count, nothing allocated
//! });
//! ```
#![forbid(unsafe_code)]

mod futex;
mod outcome;
mod wait;

pub use futex::{FutexKey, FutexWait, FutexWord};
pub use outcome::{WaitOutcome, WhileOutcome};
pub use slotpark_core::{
    Clock, Deadline, DefaultPlatform, Platform, Requeued, SLOTS_DEFAULT, SLOTS_MAX, Seeded,
    SlotCountError, SlotStats, Slots, Spin,
};
pub use wait::ShardedWait;

/// The engine, for those who build their own primitives.
pub use slotpark_core as core;

/// The chapters: why it is so, how it works, what it does not do. Their snippets are tested.
#[cfg(any(doc, doctest))]
pub mod chapters {
    #[doc = include_str!("../docs/internals.md")]
    pub mod internals {}
    #[doc = include_str!("../docs/limitations.md")]
    pub mod limitations {}
    #[doc = include_str!("../docs/orderings.md")]
    pub mod orderings {}
    #[doc = include_str!("../docs/platform.md")]
    pub mod platform {}
    #[doc = include_str!("../docs/why.md")]
    pub mod why {}
    /// The README's example.
    #[cfg(doctest)]
    #[doc = include_str!("../../README.md")]
    pub mod readme {}
}
