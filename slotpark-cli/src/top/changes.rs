//! What differs between two looks at one process.

use std::collections::{HashMap, HashSet};

use slotpark_inspect::{Slot, Snapshot, Table, Wait};

use super::rows::{Row, wait_row};
use crate::shown;

/// A counter that has grown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) table: String,
    pub(crate) what: String,
    pub(crate) by: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    pub(crate) new: Vec<Row>,
    pub(crate) gone: Vec<Row>,
    /// Waits that are in both.
    pub(crate) same: usize,
    /// Sums of tables first, then slots, those that have grown most first.
    pub(crate) growth: Vec<Change>,
}

/// How many slots are named.
const SLOTS_SHOWN: usize = 10;

pub(crate) fn between(then: &Snapshot, now: &Snapshot) -> Changes {
    let (before, after) = (identities(then), identities(now));
    let only = |of: &Snapshot, other: &HashSet<Identity>| {
        let rows = waits(of).filter(|(table, wait)| !other.contains(&identity(table, wait)));
        rows.map(|(table, wait)| wait_row(of, &table.name, wait))
            .collect()
    };
    Changes {
        new: only(now, &before),
        gone: only(then, &after),
        same: before.intersection(&after).count(),
        growth: growth(then, now),
    }
}

/// What tells one wait in one queue from all others, also from a later one in the same memory.
type Identity = (String, usize, u64, u64, Option<u64>);

fn identity(table: &Table, wait: &Wait) -> Identity {
    let name = table.name.clone();
    (name, wait.slot, wait.key.hash, wait.wait, wait.since_ns)
}

fn waits(of: &Snapshot) -> impl Iterator<Item = (&Table, &Wait)> {
    of.tables
        .iter()
        .flat_map(|table| table.waits.iter().map(move |wait| (table, wait)))
}

fn identities(of: &Snapshot) -> HashSet<Identity> {
    waits(of)
        .map(|(table, wait)| identity(table, wait))
        .collect()
}

/// The counters of a slot, by name.
fn counters(slot: &Slot) -> [(&'static str, u32); 6] {
    [
        ("parks", slot.parks),
        ("wakes", slot.wakes),
        ("timeouts", slot.timeouts),
        ("cancels", slot.cancels),
        ("requeues", slot.requeues),
        ("collisions", slot.collisions),
    ]
}

fn growth(then: &Snapshot, now: &Snapshot) -> Vec<Change> {
    let mut changes = Vec::new();
    for after in &now.tables {
        let Some(before) = then.tables.iter().find(|table| table.name == after.name) else {
            continue;
        };
        let table = shown::plain(&after.name);
        let mut sums = [0_u64; 6];
        let mut slots = Vec::new();
        let olds: HashMap<usize, &Slot> =
            before.slots.iter().map(|slot| (slot.index, slot)).collect();
        for slot in &after.slots {
            let old = olds
                .get(&slot.index)
                .map_or_else(Slot::default, |slot| **slot);
            // Counters wrap.
            let grown = counters(slot).map(|(_, count)| count);
            let was = counters(&old).map(|(_, count)| count);
            for (sum, (now, then)) in sums.iter_mut().zip(grown.into_iter().zip(was)) {
                *sum += u64::from(now.wrapping_sub(then));
            }
            slots.push((slot.parks.wrapping_sub(old.parks), slot.index));
        }
        let named = counters(&Slot::default()).into_iter().zip(sums);
        for ((name, _), by) in named.filter(|(_, by)| *by > 0) {
            let (table, what) = (table.clone(), name.to_owned());
            changes.push(Change { table, what, by });
        }
        slots.retain(|(by, _)| *by > 0);
        slots.sort_by_key(|(by, index)| (u32::MAX - by, *index));
        for (by, index) in slots.into_iter().take(SLOTS_SHOWN) {
            let (table, what) = (table.clone(), format!("parks in slot {index}"));
            let by = by.into();
            changes.push(Change { table, what, by });
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::fixture;

    #[test]
    fn equal_looks_differ_in_nothing() {
        let look = fixture::busy();
        let changes = between(&look, &look);
        assert!(changes.new.is_empty() && changes.gone.is_empty() && changes.growth.is_empty());
        assert_eq!(changes.same, 200);
    }

    #[test]
    fn who_came_and_went_is_told() {
        let then = fixture::deadlocked();
        let mut now = then.clone();
        let table = &mut now.tables[0];
        let mut new = table.waits.remove(2);
        new.since_ns = Some(1);
        table.waits.push(new);
        table.slots[0].parks = 2;
        table.slots[1].parks += 5;
        let mut then = then;
        then.tables[0].slots[0].parks = u32::MAX;
        let changes = between(&then, &now);
        assert_eq!(
            (changes.new.len(), changes.gone.len(), changes.same),
            (1, 1, 3)
        );
        let parks: Vec<_> = changes
            .growth
            .iter()
            .map(|change| (change.what.as_str(), change.by))
            .collect();
        assert_eq!(
            parks,
            [("parks", 8), ("parks in slot 9", 5), ("parks in slot 7", 3)]
        );
    }
}
