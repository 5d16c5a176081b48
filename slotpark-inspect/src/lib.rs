//! See who waits on what, since when, and why.

#![forbid(unsafe_code)]

mod schema;

pub use schema::{
    Detail, Holder, Key, Kind, Party, PartyKind, SCHEMA, Slot, Snapshot, Spread, Table, TopKey,
    Wait,
};
