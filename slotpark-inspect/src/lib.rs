//! See who waits on what, since when, and why.

#![forbid(unsafe_code)]

mod background;
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
pub use detail::{sample_stacks, set_detail};
pub use dump::{dump, dump_sure};
pub use folded::folded;
#[cfg(feature = "html")]
pub use html::{page, page_sure};
pub use json::ReadError;
#[cfg(feature = "metrics")]
pub use metered::record_metrics;
pub use order::{Asked, AskedByTask, Inversion, LockOrder, OrderChain, OrderStep};
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
