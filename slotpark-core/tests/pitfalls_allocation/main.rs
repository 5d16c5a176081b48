//! Every public operation of the engine under an allocator that counts. `Debug` is left out: it
//! writes to where its caller says.

#[path = "../common/mod.rs"]
mod common;
mod flight;
mod futex;
mod gates;
mod keyed;
mod locks;
mod mailbox;
mod others;
#[path = "../common/sources.rs"]
mod sources;
mod tasks;
#[path = "../common/watched.rs"]
mod watched;
mod words;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{FOREVER, outlast, soon};
use slotpark_core::{Detail, Filter, Parked, RequeueOptions, Table, set_detail};
use watched::{Watched, allocated};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

const ALL: usize = usize::MAX;
const AT: (u64, &u64) = (7, &7);
const TO: (u64, &u64) = (8, &8);

fn ignore<T>(_outcome: T) {}

fn yes() -> Result<bool, ()> {
    Ok(true)
}

type Maker = (&'static str, fn() -> Table<u64>);

/// What makes a table: one allocation of its slots.
const MAKERS: [Maker; 3] = [
    ("table::new", Table::new),
    ("table::with_slots", || Table::with_slots(500)),
    ("table::try_with_slots", || {
        Table::try_with_slots(512).expect("not absurd")
    }),
];

/// An operation and how it is called. Each is tried on an empty table and with three waiters.
type Operation = (&'static str, fn(&Table<u64>));

const VERBS: [Operation; 9] = [
    ("park::park", |table| {
        assert_eq!(table.park(AT.0, AT.1, FOREVER, || false), Parked::Stale);
        let mut looks = 0;
        let changed_meanwhile = || {
            looks += 1;
            looks < 2
        };
        let parked = table.park(AT.0, AT.1, FOREVER, changed_meanwhile);
        assert_eq!(parked, Parked::Stale);
        let options = FOREVER.deadline(soon(Duration::from_micros(200)));
        assert_eq!(table.park(AT.0, AT.1, options, || true), Parked::TimedOut);
    }),
    ("park::park_with", |table| {
        let options = FOREVER.deadline(soon(Duration::from_micros(200)));
        let late = || outlast(soon(Duration::from_micros(300)));
        let parked = table.park_with(AT.0, AT.1, options, yes, late, ignore);
        assert_eq!(parked, Ok(Parked::TimedOut));
        let faults = || Err(());
        let parked = table.park_with(AT.0, AT.1, FOREVER, faults, || {}, ignore);
        assert_eq!(parked, Err(()));
        let wake = || assert!(table.unpark(AT.0, AT.1, ALL, 0) > 0);
        let parked = table.park_with(AT.0, AT.1, FOREVER, yes, wake, ignore);
        assert_eq!(parked, Ok(Parked::Woken { token: 0 }));
    }),
    ("unpark::unpark", |table| {
        for count in [0, 1, ALL] {
            ignore(table.unpark(AT.0, AT.1, count, 0));
        }
    }),
    ("unpark::unpark_bitset", |table| {
        ignore(table.unpark_bitset(AT.0, AT.1, 1, 0, 0));
        ignore(table.unpark_bitset(AT.0, AT.1, ALL, 1, 0));
    }),
    ("unpark::unpark_filter", |table| {
        for verdict in [Filter::Stop, Filter::Skip, Filter::Unpark] {
            ignore(table.unpark_filter(AT.0, AT.1, ALL, |_| verdict, 0));
        }
    }),
    ("unpark::unpark_with", |table| {
        for verdict in [Filter::Stop, Filter::Skip, Filter::Unpark] {
            ignore(table.unpark_with(AT.0, AT.1, 2, |_| verdict, |_| 0));
        }
    }),
    ("unpark_one::unpark_last", |table| {
        ignore(table.unpark_last(AT.0, AT.1, 0));
    }),
    ("requeue::requeue", |table| {
        let options = RequeueOptions {
            wake_max: 1,
            move_max: ALL,
            token: 0,
        };
        let no = || Ok::<_, ()>(false);
        assert_eq!(table.requeue(AT, TO, options, no), Ok(None));
        assert_eq!(table.requeue(AT, TO, options, || Err(1)), Err(1));
        ignore(table.requeue(AT, AT, options, yes));
        ignore(table.requeue(AT, TO, options, yes));
    }),
    ("look::waiters", |table| ignore(table.waiters(AT.0, AT.1))),
];

/// Waits `levels` times within each other; `innermost` runs when all are queued.
fn queue(table: &Table<u64>, levels: usize, innermost: &mut dyn FnMut()) {
    if levels == 0 {
        return innermost();
    }
    let deeper = || queue(table, levels - 1, innermost);
    let parked = table.park_with(AT.0, AT.1, FOREVER, yes, deeper, ignore);
    assert!(matches!(parked, Ok(Parked::Woken { .. })), "{parked:?}");
}

/// A table is one allocation, and one that is given back; nothing else allocates at all.
#[test]
fn every_operation_allocates_nothing() {
    let bytes = 512 * 64;
    for (name, make) in MAKERS {
        let mut table = None;
        let made = allocated(|| table = Some(make()));
        assert_eq!(made, (1, bytes), "{name}");
        assert_eq!(allocated(|| drop(table.take())), (1, -bytes), "{name}");
    }
    let refused = || assert!(Table::<u64>::try_with_slots(0).is_err());
    assert_eq!(allocated(refused), (0, 0));
    let table = Table::<u64>::with_slots(2);
    // The first wait of a thread may make the thread's handle.
    queue(&table, 1, &mut || ignore(table.unpark(AT.0, AT.1, ALL, 0)));
    for detail in [Detail::Off, Detail::Full] {
        set_detail(detail);
        for (name, operation) in VERBS
            .into_iter()
            .chain(others::OTHERS)
            .chain(tasks::TASKS)
            .chain(words::WORDS)
            .chain(futex::FUTEXES)
            .chain(locks::locks())
        {
            for levels in [0, 3] {
                let mut own = None;
                let waits = allocated(|| {
                    queue(&table, levels, &mut || {
                        own = Some(allocated(|| operation(&table)));
                        ignore(table.unpark(AT.0, AT.1, ALL, 0));
                        ignore(table.unpark(TO.0, TO.1, ALL, 0));
                    });
                });
                assert_eq!(own, Some((0, 0)), "{name} with {levels} waiters");
                assert_eq!(waits, (0, 0), "{levels} waits around {name}");
            }
        }
    }
    set_detail(Detail::Off);
}

/// A public function that the lists above do not name is one that nobody has measured.
#[test]
fn every_operation_is_listed() {
    if cfg!(miri) {
        return common::skip(
            "every_operation_is_listed",
            "Miri need not read the sources",
        );
    }
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let makers = MAKERS.iter().map(|(name, _)| *name);
    let others = VERBS
        .iter()
        .chain(&others::OTHERS)
        .chain(&tasks::TASKS)
        .chain(&words::WORDS)
        .chain(&futex::FUTEXES);
    let others = others.map(|(name, _)| *name);
    let locks = locks::locks().map(|(name, _)| name);
    let mailbox = mailbox::names();
    let listed: BTreeSet<_> = makers
        .chain(others)
        .chain(locks)
        .chain(mailbox)
        .chain(keyed::names())
        .chain(flight::names())
        .chain(gates::names())
        .map(String::from)
        .collect();
    assert_eq!(sources::public_functions(&src), listed);
}
