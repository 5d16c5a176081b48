//! See who waits on what in slotpark's tables, since when, and why.
//!
//! ```
//! use std::sync::Arc;
//! use slotpark::KeyedMutex;
//! use slotpark_inspect::{Detail, Snapshot, deadlocks, dump, register, set_detail};
//!
//! let accounts = Arc::new(KeyedMutex::<u64>::new().with_key_text());
//! let shown = register("accounts", &accounts); // until it is dropped
//! set_detail(Detail::Full); // since when, by whom and where: it costs, see below
//!
//! let guard = accounts.lock(7);
//! let first = Snapshot::take();
//! assert!(dump(&first).contains("holds the lock accounts/7"));
//! assert!(deadlocks(&first, &Snapshot::take()).is_empty());
//! # drop(guard);
//! # set_detail(Detail::Off);
//! ```
//!
//! | to know | use |
//! |---|---|
//! | what there is now | [`Snapshot::take`], then [`dump`], JSON, [`folded`], `page` |
//! | the same of another process | [`socket::serve`] there, [`socket::Client`] here |
//! | who can never go on | [`deadlocks`] of two looks, or [`watch_deadlocks`] |
//! | what could deadlock, in a run that does not | [`watch_lock_order`], [`LockOrder`] |
//! | what takes too long | [`Watchdog`] |
//! | where time goes | [`Table::histograms`], [`Table::top_keys`], `prometheus`, `record_metrics` |
//! | whether the hash is good | [`Table::spreading`] |
//!
//! # What each level says
//!
//! | [`Detail`] | of a wait or a holder | besides |
//! |---|---|---|
//! | `Off` | key, kind, thread or task, place in the queue | counters of slots |
//! | `Counters` | the same | busiest keys |
//! | `Timing` | since when, which thread or task, label | histograms |
//! | `Full` | also where in the source, and some stacks ([`sample_stacks`]) | |
//!
//! Before `Timing` nobody has a number: no deadlock and no long wait can be told. What began before
//! the level was raised says what it could say then.
//!
//! # What it cannot know
//!
//! - A task has a number and a name if its future was made by [`slotpark::task_label`]. Others are
//!   *a task*, each time another one, and in no deadlock.
//! - Who holds is who locked. A guard that was handed to somebody else is still the first one's,
//!   and a circle through it may be none.
//! - Locks of one word (`Mutex`, `RwLock`, `Semaphore`) have no holders in a table while nobody
//!   looks for them: their waits are shown, their owners are not.
//! - A wait may have a deadline, or an interrupter: a circle through it ends by that.

#![forbid(unsafe_code)]

mod background;
mod busiest;
mod deadlock;
mod detail;
mod dump;
mod folded;
#[cfg(any(feature = "metrics", feature = "prometheus"))]
mod gauges;
mod graph;
#[cfg(feature = "html")]
mod html;
mod json;
#[cfg(feature = "metrics")]
mod metered;
mod order;
#[cfg(feature = "prometheus")]
mod prometheus;
mod record;
mod registry;
mod schema;
mod seen;
mod spreading;
mod stacks;
mod take;
mod threads;
mod traced;
#[cfg(feature = "html")]
mod tree;
mod watch;
mod watchdog;
mod words;

#[cfg(unix)]
pub mod socket;

pub use deadlock::{Blocked, Deadlock, Link, deadlocks};
pub use detail::{recorder, sample_stacks, set_detail};
pub use dump::{dump, dump_sure};
pub use folded::folded;
#[cfg(feature = "html")]
pub use html::{page, page_sure};
pub use json::ReadError;
#[cfg(feature = "metrics")]
pub use metered::record_metrics;
pub use order::{
    Asked, AskedByTask, Inversion, LockOrder, LockOrderWatch, OrderChain, OrderStep,
    watch_lock_order,
};
#[cfg(feature = "prometheus")]
pub use prometheus::prometheus;
pub use registry::{Registration, register, register_static};
pub use schema::{
    Detail, Holder, Key, Kind, Party, PartyKind, SCHEMA, Slot, Snapshot, Spread, Table, TopKey,
    Wait,
};
pub use spreading::{Spreading, Verdict, expected_collisions};
pub use watch::{DeadlockWatch, watch_deadlocks};
pub use watchdog::{Overdue, Watchdog};

/// The chapter *find out why it hangs*.
#[cfg(all(doctest, unix))]
#[doc = include_str!("../../slotpark/docs/hangs.md")]
mod hangs {}
