//! See who waits on what, since when, and why.

#![forbid(unsafe_code)]

mod deadlock;
mod graph;
mod json;
mod registry;
mod schema;
mod seen;
mod take;
mod threads;

#[cfg(unix)]
pub mod socket;

pub use deadlock::{Blocked, Deadlock, Link, deadlocks};
pub use json::ReadError;
pub use registry::{Registration, register, register_static};
pub use schema::{
    Detail, Holder, Key, Kind, Party, PartyKind, SCHEMA, Slot, Snapshot, Spread, Table, TopKey,
    Wait,
};
