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
    let gauge = |name, help, value: fn(&Snapshot, &Table) -> f64, add: fn(f64, f64) -> f64| {
        let mut values = BTreeMap::new();
        for (label, table) in labelled(snapshot) {
            let sum = values.entry((label, None)).or_insert(0.0);
            *sum = add(*sum, value(snapshot, table));
        }
        Measure {
            name,
            help,
            values: Values::Gauge(values),
        }
    };
    let sum = |left: f64, right: f64| left + right;
    let waiting = by_kind(snapshot, |table| {
        table.waits.iter().map(|wait| wait.kind).collect()
    });
    let holding = by_kind(snapshot, |table| {
        table.holders.iter().map(|holder| holder.kind).collect()
    });
    let mut all = vec![
        Measure {
            name: "slotpark_waiting",
            help: "Places in queues, by what is waited for",
            values: waiting,
        },
        Measure {
            name: "slotpark_holding",
            help: "Who holds a key, by how",
            values: holding,
        },
        gauge(
            "slotpark_slots",
            "Slots",
            |_, table| float(table.slot_count),
            sum,
        ),
        gauge(
            "slotpark_slots_used",
            "Slots in which somebody waits or holds",
            |_, table| float(table.slots.iter().filter(|slot| slot.keys > 0).count()),
            sum,
        ),
        gauge(
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
        gauge(
            "slotpark_wait_longest_seconds",
            "The longest of the waits that go on now, where it is recorded",
            |snapshot, table| longest(snapshot, table),
            f64::max,
        ),
    ];
    let counters: [(_, _, fn(&Slot) -> u32); 6] = [
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
    all.extend(counters.map(|(name, help, value)| counter(snapshot, name, help, value)));
    all
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
