//! What there is to measure in a snapshot, with a bounded number of labels: names of tables and
//! kinds, never keys or parties.

use std::collections::BTreeMap;

use crate::{Kind, Slot, Snapshot, Table};

/// So many tables have labels of their own; what is in others is counted as `other`.
pub(crate) const TABLES_MAX: usize = 64;

const OTHER: &str = "other";

/// One measure.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) values: Values,
}

/// By table, and by kind where there are kinds.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Gauge(BTreeMap<Labels, f64>),
    /// Ever so many. Those of slots wrap at 2^32, which looks as if the program had started anew.
    Counter(BTreeMap<Labels, u64>),
}

pub(crate) type Labels = (String, Option<&'static str>);

pub(crate) fn measures(snapshot: &Snapshot) -> Vec<Measure> {
    let waits = |table: &Table| table.waits.iter().map(|wait| wait.kind).collect();
    let holders = |table: &Table| table.holders.iter().map(|holder| holder.kind).collect();
    let mut all = vec![
        Measure {
            name: "slotpark_waiting",
            help: "Places in queues, by what is waited for",
            values: by_kind(snapshot, waits),
        },
        Measure {
            name: "slotpark_holding",
            help: "Who holds a key, by how",
            values: by_kind(snapshot, holders),
        },
    ];
    all.extend(GAUGES.map(|(name, help, value, add)| gauge(snapshot, name, help, value, add)));
    all.extend(COUNTERS.map(|(name, help, value)| counter(snapshot, name, help, value)));
    all
}

/// A name, what it is, its value of a table, and how those of several tables come together.
type Gauge = (
    &'static str,
    &'static str,
    fn(&Snapshot, &Table) -> f64,
    fn(f64, f64) -> f64,
);

const GAUGES: [Gauge; 4] = [
    (
        "slotpark_slots",
        "Slots",
        |_, table| float(table.slot_count),
        sum,
    ),
    (
        "slotpark_slots_used",
        "Slots in which somebody waits or holds",
        |_, table| float(table.slots.iter().filter(|slot| slot.keys > 0).count()),
        sum,
    ),
    (
        "slotpark_queue_longest",
        "Waiters in the longest queue of one key",
        |_, table| {
            float(
                table
                    .slots
                    .iter()
                    .map(|slot| slot.longest)
                    .max()
                    .unwrap_or(0),
            )
        },
        f64::max,
    ),
    (
        "slotpark_wait_longest_seconds",
        "The longest of the waits that go on now, where it is recorded",
        longest,
        f64::max,
    ),
];

/// A name, what it is, its value of a slot.
type Counter = (&'static str, &'static str, fn(&Slot) -> u32);

const COUNTERS: [Counter; 6] = [
    ("slotpark_parks", "Waiters linked", |slot| slot.parks),
    ("slotpark_wakes", "Waiters woken", |slot| slot.wakes),
    (
        "slotpark_timeouts",
        "Waiters whose deadline passed",
        |slot| slot.timeouts,
    ),
    (
        "slotpark_cancels",
        "Waiters that left for another reason",
        |slot| slot.cancels,
    ),
    (
        "slotpark_requeues",
        "Waiters moved to another key",
        |slot| slot.requeues,
    ),
    (
        "slotpark_collisions",
        "Waiters linked among other keys",
        |slot| slot.collisions,
    ),
];

fn sum(left: f64, right: f64) -> f64 {
    left + right
}

fn gauge(
    snapshot: &Snapshot,
    name: &'static str,
    help: &'static str,
    value: fn(&Snapshot, &Table) -> f64,
    add: fn(f64, f64) -> f64,
) -> Measure {
    let mut values = BTreeMap::new();
    for (label, table) in labelled(snapshot) {
        let all = values.entry((label, None)).or_insert(0.0);
        *all = add(*all, value(snapshot, table));
    }
    Measure {
        name,
        help,
        values: Values::Gauge(values),
    }
}

fn counter(
    snapshot: &Snapshot,
    name: &'static str,
    help: &'static str,
    value: fn(&Slot) -> u32,
) -> Measure {
    let mut values = BTreeMap::new();
    for (label, table) in labelled(snapshot) {
        let sum: u64 = table.slots.iter().map(|slot| u64::from(value(slot))).sum();
        *values.entry((label, None)).or_insert(0) += sum;
    }
    Measure {
        name,
        help,
        values: Values::Counter(values),
    }
}

/// All kinds of all tables, also those of which there is none: a gauge that is not set keeps its
/// last value.
fn by_kind(snapshot: &Snapshot, kinds: fn(&Table) -> Vec<Kind>) -> Values {
    let mut values = BTreeMap::new();
    for (label, table) in labelled(snapshot) {
        for kind in KINDS {
            values
                .entry((label.clone(), Some(name(kind))))
                .or_insert(0.0);
        }
        for kind in kinds(table) {
            *values
                .entry((label.clone(), Some(name(kind))))
                .or_insert(0.0) += 1.0;
        }
    }
    Values::Gauge(values)
}

fn labelled(snapshot: &Snapshot) -> impl Iterator<Item = (String, &Table)> {
    let tables = snapshot.tables.iter().enumerate();
    tables.map(|(number, table)| {
        let label = if number < TABLES_MAX {
            &table.name
        } else {
            OTHER
        };
        (label.to_owned(), table)
    })
}

const KINDS: [Kind; 6] = [
    Kind::Wait,
    Kind::Lock,
    Kind::Read,
    Kind::Upgradable,
    Kind::Permit,
    Kind::Closed,
];

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Wait => "wait",
        Kind::Lock => "lock",
        Kind::Read => "read",
        Kind::Upgradable => "upgradable",
        Kind::Permit => "permit",
        Kind::Closed => "closed",
        Kind::Unknown => "unknown",
    }
}

fn longest(snapshot: &Snapshot, table: &Table) -> f64 {
    let since = table.waits.iter().filter_map(|wait| wait.since_ns).min();
    let longest = since.map_or(0, |since| snapshot.at_ns.saturating_sub(since));
    std::time::Duration::from_nanos(longest).as_secs_f64()
}

#[allow(clippy::cast_precision_loss, reason = "nobody counts 2^52 of them")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded() {
        let table = |number| Table {
            name: format!("t{number}"),
            slot_count: 2,
            ..Table::default()
        };
        let snapshot = Snapshot {
            tables: (0..1_000).map(table).collect(),
            ..Snapshot::default()
        };
        for measure in measures(&snapshot) {
            let count = match &measure.values {
                Values::Gauge(values) => values.len(),
                Values::Counter(values) => values.len(),
            };
            assert!(count <= (TABLES_MAX + 1) * 7, "{}: {count}", measure.name);
            if let ("slotpark_slots", Values::Gauge(values)) = (measure.name, measure.values) {
                assert!((values[&(OTHER.to_owned(), None)] - 1872.0).abs() < 0.1);
            }
        }
    }
}
