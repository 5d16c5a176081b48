//! Futures that are queued.

use std::pin::Pin;
use std::sync::Arc;

use slotpark_core::{DefaultPlatform, ParkOptions, Table, Wait};

use super::bells::{Bell, poll};
use super::faults::{AT, TO};
use super::{FOREVER, leak};

pub(crate) type Boxed = Pin<Box<Wait<'static, u64, fn() -> bool, DefaultPlatform>>>;

pub(crate) fn yes() -> bool {
    true
}

pub(crate) fn table() -> &'static Table<u64> {
    leak(Table::with_slots(4))
}

pub(crate) fn boxed(
    table: &'static Table<u64>,
    (hash, key): (u64, u64),
    options: ParkOptions,
) -> Boxed {
    Box::pin(table.wait_async(hash, key, options, yes as fn() -> bool))
}

/// A future that is queued, with the bell that its wake rings.
pub(crate) fn queued(table: &'static Table<u64>, at: (u64, u64)) -> (Boxed, Arc<Bell>) {
    queued_with(table, at, FOREVER)
}

pub(crate) fn queued_with(
    table: &'static Table<u64>,
    at: (u64, u64),
    options: ParkOptions,
) -> (Boxed, Arc<Bell>) {
    let (mut future, bell) = (boxed(table, at, options), Bell::new());
    assert!(poll(future.as_mut(), &bell).is_pending());
    (future, bell)
}

/// Nobody waits, and nobody was lost or counted twice.
#[track_caller]
pub(crate) fn assert_empty(table: &Table<u64>) {
    let (mut linked, mut gone) = (0, 0);
    for slot in 0..table.slot_count() {
        let stats = table.slot_stats(slot);
        linked += stats.parks;
        gone += stats.wakes + stats.timeouts + stats.cancels;
    }
    assert_eq!(linked, gone, "who was linked was woken or left, once");
    for (hash, key) in [AT, TO] {
        assert_eq!(table.waiters(hash, &key), 0);
    }
}
