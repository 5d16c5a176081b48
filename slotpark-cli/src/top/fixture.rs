//! Snapshots to test views with.

use slotpark_inspect::{
    Detail, Holder, Key, Kind, Party, PartyKind, SCHEMA, Slot, Snapshot, Spread, Table, TopKey,
    Wait,
};

const S: u64 = 1_000_000_000;
const NOW: u64 = 100 * S;

pub(crate) fn key(text: &str, hash: u64) -> Key {
    Key {
        hash,
        text: (!text.is_empty()).then(|| text.to_owned()),
        is_cut: false,
    }
}

fn thread(name: &str, id: u64) -> Party {
    Party {
        kind: PartyKind::Thread,
        id: Some(id),
        name: Some(name.to_owned()),
        ..Party::default()
    }
}

fn task(name: &str, id: u64) -> Party {
    Party {
        kind: PartyKind::Task,
        thread: Some(4242),
        ..thread(name, id)
    }
}

fn slot(index: usize, waiting: usize, parks: u32, collisions: u32) -> Slot {
    Slot {
        index,
        waiting,
        keys: waiting.min(2),
        longest: waiting,
        parks,
        wakes: parks / 2,
        timeouts: parks / 10,
        cancels: 0,
        requeues: 0,
        collisions,
    }
}

fn wait(slot: usize, key: Key, kind: Kind, by: Party, age_s: u64, line: u32) -> Wait {
    Wait {
        slot,
        wait: u64::from(line) * 16 + slot as u64,
        kind,
        place: 0,
        weight: 1,
        since_ns: Some(NOW - age_s * S),
        location: Some(format!("src/bank/transfer.rs:{line}:17")),
        stack: vec!["bank::transfer".to_owned(), "bank::worker".to_owned()],
        key,
        by,
        ..Wait::default()
    }
}

fn holder(slot: usize, key: Key, kind: Kind, by: Party, line: u32) -> Holder {
    Holder {
        slot: Some(slot),
        kind,
        weight: 1,
        label: Some("accounts".to_owned()),
        since_ns: Some(NOW - 61 * S),
        location: Some(format!("src/bank/transfer.rs:{line}:17")),
        key,
        by,
        ..Holder::default()
    }
}

fn spread(of: &str) -> Spread {
    let buckets = (0..12).map(|step| (1_000 << step, 1 + (step * 37) % 50));
    Spread {
        of: of.to_owned(),
        count: 300,
        percentiles: vec![
            (50.0, 32_000),
            (90.0, 512_000),
            (99.0, 1_900_000),
            (100.0, 2_000_000),
        ],
        buckets: buckets.collect(),
        ..Spread::default()
    }
}

fn snapshot(tables: Vec<Table>) -> Snapshot {
    Snapshot {
        schema: SCHEMA,
        process: 4242,
        program: "bank".to_owned(),
        at_ns: NOW,
        took_ns: 43_000,
        detail: Detail::Full,
        tables,
    }
}

/// A thread and a task that wait for each other, one thread behind them, and one that waits for a
/// wake.
pub(crate) fn deadlocked() -> Snapshot {
    let (seven, nine) = (key("account 7", 0x7007), key("account 9", 0x9009));
    let (left, right) = (thread("left", 4243), task("right", 12));
    let table = Table {
        name: "accounts".to_owned(),
        slot_count: 64,
        slots: vec![slot(7, 1, 12, 1), slot(9, 2, 900, 40), slot(63, 1, 3, 0)],
        waits: vec![
            wait(9, nine.clone(), Kind::Lock, left.clone(), 60, 31),
            wait(7, seven.clone(), Kind::Lock, right.clone(), 59, 44),
            Wait {
                place: 1,
                ..wait(9, nine.clone(), Kind::Lock, thread("audit", 4244), 12, 80)
            },
            Wait {
                since_ns: None,
                location: None,
                stack: Vec::new(),
                ..wait(63, key("", 0xfeed), Kind::Wait, Party::default(), 0, 1)
            },
        ],
        holders: vec![
            holder(7, seven.clone(), Kind::Lock, left, 30),
            holder(9, nine.clone(), Kind::Lock, right, 43),
        ],
        histograms: ["wait", "hold", "wake_to_run"].map(spread).to_vec(),
        top_keys: [(nine, 900), (seven, 12)]
            .map(|(key, waits)| TopKey {
                key,
                waits,
                waited_ns: Some(waits * 1_000_000),
            })
            .to_vec(),
        ..Table::default()
    };
    snapshot(vec![table])
}

/// Two tables, many waiters, no owners.
pub(crate) fn busy() -> Snapshot {
    let waits = (0..200_u64).map(|index| {
        let slot = usize::try_from(index * index % 512).unwrap_or(0);
        let by = thread(&format!("worker-{index}"), 5000 + index);
        let key = key(&format!("job {}", index % 40), index % 40 * 0x1111);
        Wait {
            wait: index,
            ..wait(slot, key, Kind::Wait, by, index % 90, 10)
        }
    });
    let slots = (0..512).map(|index| {
        let parks = u32::try_from(index * 2_654_435_761 % 5000).unwrap_or(0);
        slot(index, index * 7 % 11 / 8, parks, parks / 20)
    });
    let jobs = Table {
        name: "jobs".to_owned(),
        slot_count: 512,
        slots: slots.collect(),
        waits: waits.collect(),
        ..Table::default()
    };
    let quiet = Table {
        name: "quiet".to_owned(),
        slot_count: 65_536,
        ..Table::default()
    };
    Snapshot {
        at_ns: NOW + S,
        ..snapshot(vec![jobs, quiet])
    }
}
