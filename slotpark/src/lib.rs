//! Block any thread or task on any key: fixed memory, no allocation, no lost wake, nothing to clean
//! up.
//!
//! Waiters park in a fixed array of 512 cache-line slots chosen by hash. Their nodes lie in their
//! own stack frames and carry the full key: a collision costs a comparison, never a wrong or a lost
//! wake.
//!
//! ```
//! use slotpark::ShardedWait;
//! use std::sync::atomic::{AtomicBool, Ordering};
//!
//! static READY: AtomicBool = AtomicBool::new(false);
//! let waits = ShardedWait::<String>::new(); // 32 KiB, once
//! std::thread::scope(|scope| {
//!     scope.spawn(|| {
//!         // Sleeps while the condition holds, and looks again after every wake.
//!         waits.wait_while(&"job 7".to_string(), || !READY.load(Ordering::Acquire));
//!         assert!(READY.load(Ordering::Acquire));
//!     });
//!     READY.store(true, Ordering::Release); // first change the condition,
//!     let _woken = waits.wake_all("job 7"); // then wake: exact count, nothing allocated
//! });
//! ```
//!
//! # Is it for you?
//!
//! Does a key need state of its own?
//!
//! | state | example | use |
//! |---|---|---|
//! | none | wait until a word changes, until a job is done | [`ShardedWait`], [`FutexWait`] |
//! | none | words of guests: of a wasm memory, an isolate | [`WaitDomain`] |
//! | none | Linux's futex, of guests or by number | [`FutexSpace`], [`FutexAbi`] |
//! | none | events by key, of which nothing is stored | [`KeyedNotify`] |
//! | none, but a value to hand over | the reply to a request | [`Mailbox`] |
//! | transient: while it is made | what many ask a slow source for | [`SingleFlight`] |
//! | transient: while awaited | so many parts are done; all are here | [`Latch`], [`Barrier`] |
//! | transient: while in use | lock by key | [`KeyedMutex`], [`KeyedRwLock`], [`..Semaphore`][S] |
//! | its own, in your object | a mutex of 1 byte | `Mutex` (feature `lock_api`), [`Once`] |
//! | persistent | a buffer, a handler table, a cached value | a map for it; its waiters wait here |
//!
//! [S]: KeyedSemaphore
//!
//! A program for each of them: chapter *patterns*. What to ask, and worked answers: chapter
//! *decide*. What to write instead of a map of locks: chapter *migration*.
//!
//! Not for: waiting across processes, priority inheritance. See the chapter *limitations* for these
//! and for what to use instead.
//!
//! # Guarantees
//!
//! | | |
//! |---|---|
//! | allocation | none to wait or to wake; to lock a key, none unless all places are taken |
//! | memory | 64 bytes a slot, whatever the number of keys ever used |
//! | spurious wakes | none from collisions; recheck: the condition may have changed back |
//! | lost wakes | none, if the condition is changed before the wake |
//! | fairness | first in, first out, per key, threads and tasks alike; other orders on request |
//! | cancellation | a dropped future passes on the wake that had chosen it ([`WaitFuture`]) |
//! | counts | a wake returns exactly how many waits it ended |
//! | deadlines | absolute; a wait counted by a waker never times out |
//! | panics | of your closures and of `Eq` and `Hash` are yours; the queue stays sound |
//! | `Send`, `Sync` | if the key is `Sync` |
//! | fork | [`core::Table::reset_after_fork`] in the child, by `table()` or `engine()` |
//! | global allocators | on Linux: usable inside one, in thread-local destructors, before `main` |
//! | signals | not from a handler: it may interrupt the holder of a slot lock |
//!
//! Of what is held by key (the chapter *patterns* has the whole table, with the tests):
//!
//! | | |
//! |---|---|
//! | memory | 512 slots and 256 places for guards; nothing for a key that is not in use |
//! | keys | by full equality: two keys never exclude each other, whatever their hashes |
//! | order | first come, first served; readers and writers by phases; barging on request |
//! | wakes | as many as can go on: no herd |
//! | guards | `Send`, may live over an `await`, block their own key only |
//! | a dropped future | gives up what it was granted, to the next |
//! | a panic | unlocks; no poison |
//! | a forgotten guard | keeps its key and its place |
#![forbid(unsafe_code)]

mod barrier;
mod counter;
mod domain;
mod flight;
mod futex;
mod keyed;
mod latch;
#[cfg(feature = "lock_api")]
mod locks;
mod mailbox;
mod notify;
mod once;
mod outcome;
mod semaphore;
mod wait;

use std::hash::{BuildHasher, Hash};

pub use barrier::{Barrier, BarrierMember};
pub use counter::{EventCounter, Ticket};
pub use domain::{DomainError, DomainOutcome, WaitDomain};
pub use flight::SingleFlight;
pub use futex::FutexWait;
pub use keyed::{
    KeyedCondvar, KeyedMutex, KeyedMutexGuard, KeyedPermit, KeyedReadGuard, KeyedRwLock,
    KeyedSemaphore, KeyedUpgradableGuard, KeyedUpgraded, KeyedWriteGuard, LockError, LockMode,
    LockOptions, ManyGuard, TryLockError,
};
pub use latch::Latch;
#[cfg(feature = "lock_api")]
pub use locks::{
    Condvar, MappedMutexGuard, Mutex, MutexGuard, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard, WaitTimeoutResult,
};
pub use mailbox::Mailbox;
pub use notify::{KeyedNotify, Notified};
pub use once::Once;
pub use outcome::WhileOutcome;
pub use semaphore::{Permit, Semaphore};
/// How a single wait came to its end. Only a waker that counted this wait makes it `Woken`.
pub use slotpark_core::Parked as WaitOutcome;
/// How a wait on several keys came to its end, and by which key.
pub use slotpark_core::ParkedAny as AnyOutcome;
/// A wait as a future: made by [`ShardedWait::wait_async`].
pub use slotpark_core::Wait as WaitFuture;
/// A wait on several keys as a future: made by [`ShardedWait::wait_any_async`].
pub use slotpark_core::WaitAny as WaitAnyFuture;
pub use slotpark_core::{
    ANY_MAX, AcquireError, ArmError, ArmedLatch, BarrierOutcome, Clock, ClosedKey,
    ConditionOutcome, Deadline, DefaultPlatform, EventError, FlightError, Flying, FutexAbi,
    FutexChange, FutexError, FutexFault, FutexKey, FutexMemory, FutexSize, FutexSpace, FutexTest,
    FutexTimeout, FutexValue, FutexWord, HoldingMany, Inspect, Interrupter, KeyList, KeyedOptions,
    LatchOutcome, LatchWait, LinearMemory, MemberWait, OnceState, Order, PERMITS_MAX, PI_OWNER,
    PI_OWNER_DIED, PI_WAITERS, POOL_DEFAULT, ParkOptions, Platform, PoolStats, Preference,
    Prepared, Receive, ReceiveError, Requeued, SLOTS_DEFAULT, SLOTS_MAX, Seeded, SlotCountError,
    SlotStats, Slots, Spin, Subscribed, TryAcquireError, WakeCount, WhenFull,
};
pub use slotpark_core::{Detail, TaskLabel, detail, set_detail, task_label};
pub use wait::ShardedWait;

/// The hash of a key, as tables want it.
#[inline]
fn hash_of<Q: Hash + ?Sized>(hasher: &impl BuildHasher, key: &Q) -> u64 {
    slotpark_core::finalize(hasher.hash_one(key))
}

/// The engine's deadline for a point in time: already past costs one reading of the clock.
fn until<P: Platform>(deadline: std::time::Instant) -> Option<Deadline> {
    Deadline::after::<P>(deadline.saturating_duration_since(std::time::Instant::now()))
}

/// The engine, for those who build their own primitives.
pub use slotpark_core as core;

/// The chapters: why it is so, how it works, what it does not do. Their snippets are tested.
#[cfg(any(doc, doctest))]
pub mod chapters {
    #[doc = include_str!("../docs/c.md")]
    pub mod c {}
    #[doc = include_str!("../docs/comparison.md")]
    pub mod comparison {}
    #[doc = include_str!("../docs/decide.md")]
    pub mod decide {}
    #[doc = include_str!("../docs/futex.md")]
    pub mod futex {}
    // Its snippet is tested where the crate is that it is about.
    #[cfg(all(doc, not(doctest)))]
    #[doc = include_str!("../docs/hangs.md")]
    pub mod hangs {}
    #[doc = include_str!("../docs/internals.md")]
    pub mod internals {}
    #[doc = include_str!("../docs/limitations.md")]
    pub mod limitations {}
    #[doc = include_str!("../docs/migration.md")]
    pub mod migration {}
    #[doc = include_str!("../docs/orderings.md")]
    pub mod orderings {}
    #[doc = include_str!("../docs/patterns.md")]
    pub mod patterns {}
    #[doc = include_str!("../docs/performance.md")]
    pub mod performance {}
    #[doc = include_str!("../docs/platform.md")]
    pub mod platform {}
    #[doc = include_str!("../docs/verification.md")]
    pub mod verification {}
    #[doc = include_str!("../docs/why.md")]
    pub mod why {}
    /// The README's example.
    #[cfg(doctest)]
    #[doc = include_str!("../../README.md")]
    pub mod readme {}
}
