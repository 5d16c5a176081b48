//! See who waits on what, since when, and why.

#![forbid(unsafe_code)]

mod background;
mod deadlock;
mod detail;
mod dump;
mod graph;
mod json;
mod order;
mod registry;
mod schema;
mod seen;
mod take;
mod threads;
mod traced;
mod watch;
mod watchdog;
mod words;

#[cfg(unix)]
pub mod socket;

pub use deadlock::{Blocked, Deadlock, Link, deadlocks};
pub use dump::{dump, dump_sure};
pub use json::ReadError;
pub use order::{Asked, AskedByTask, Inversion, LockOrder, OrderChain, OrderStep};
pub use registry::{Registration, register, register_static};
pub use schema::{
    Detail, Holder, Key, Kind, Party, PartyKind, SCHEMA, Slot, Snapshot, Spread, Table, TopKey,
    Wait,
};
pub use watch::{DeadlockWatch, watch_deadlocks};
pub use watchdog::{Overdue, Watchdog};
