//! Every public operation of the engine under an allocator that counts. `Debug` is left out: it
//! writes to where its caller says.

mod common;
#[path = "common/sources.rs"]
mod sources;
#[path = "common/watched.rs"]
mod watched;

use std::collections::BTreeSet;
use std::future::Future;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::task::{Context, Waker};
use std::time::Duration;

use common::{FOREVER, outlast, soon};
use slotpark_core::{
    Clock, Deadline, DefaultPlatform, Filter, Interrupter, Order, ParkOptions, Parked,
    RequeueOptions, Seeded, Slots, Spin, Table, finalize, slot_lock_held, word,
};
use watched::{Watched, allocated};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

static SLOTS: Slots<u64, 4> = Slots::new();
static CLOSED: Slots<u64, 4> = Slots::new();

const ALL: usize = usize::MAX;
const AT: (u64, &u64) = (7, &7);
const TO: (u64, &u64) = (8, &8);
const KEYS: [(u64, u64); 2] = [(AT.0, *AT.1), (TO.0, *TO.1)];

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

const VERBS: [Operation; 8] = [
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

const OTHERS: [Operation; 25] = [
    ("table::over", |_| ignore(Table::over(&SLOTS))),
    ("table::with_spin", |_| {
        ignore(Table::over(&SLOTS).with_spin(Spin::Never));
    }),
    ("table::spin", |table| ignore(table.spin())),
    ("table::slot_count", |table| ignore(table.slot_count())),
    ("table::memory_bytes", |table| ignore(table.memory_bytes())),
    ("table::slot_index", |table| ignore(table.slot_index(AT.0))),
    ("table::slot_stats", |table| ignore(table.slot_stats(0))),
    ("table::reset_after_fork", |_| {
        let table = Table::over(&SLOTS);
        // SAFETY: nobody else uses this table, and no wait through another one is under way.
        unsafe { table.reset_after_fork() };
    }),
    ("slots::new", |_| ignore(black_box(Slots::<u64, 4>::new()))),
    ("options::new", |_| ignore(ParkOptions::new())),
    ("options::deadline", |_| {
        ignore(FOREVER.deadline(Some(Deadline::PAST)));
    }),
    ("options::tag", |_| ignore(FOREVER.tag(1))),
    ("options::validated", |_| ignore(FOREVER.validated())),
    ("hash::new", |_| ignore(Seeded::new().hash_one(7_u64))),
    ("hash::with_seed", |_| {
        ignore(Seeded::with_seed(1).hash_one("a string"));
    }),
    ("hash::finalize", |_| ignore(finalize(7))),
    ("word::load", |_| ignore(word::load(&AtomicU32::new(7)))),
    ("word::load_u64", |_| {
        ignore(word::load_u64(&AtomicU64::new(7)));
    }),
    ("reentry::slot_lock_held", |_| ignore(slot_lock_held())),
    ("platform/deadline::new", |_| {
        ignore(Deadline::new(Clock::Realtime, 1));
    }),
    ("platform/deadline::after", |_| {
        ignore(Deadline::after::<DefaultPlatform>(Duration::MAX));
    }),
    ("platform/deadline::clock", |_| {
        ignore(Deadline::PAST.clock());
    }),
    ("platform/deadline::at_ns", |_| {
        ignore(Deadline::PAST.at_ns());
    }),
    ("platform/deadline::is_past", |_| {
        ignore(Deadline::PAST.is_past::<DefaultPlatform>());
    }),
    ("platform/deadline::remaining_ns", |_| {
        ignore(Deadline::PAST.remaining_ns::<DefaultPlatform>());
    }),
];

/// A future that is queued, and not polled yet.
const ENABLED: Option<Parked> = None;

/// Tasks, waits on several keys, and what ends waits.
const TASKS: [Operation; 26] = [
    ("task::wait_async", |table| {
        let mut wait = pin!(table.wait_async(AT.0, *AT.1, FOREVER, || true));
        let mut context = Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(&mut context).is_pending());
        assert!(table.unpark(AT.0, AT.1, ALL, 0) > 0);
        assert!(wait.as_mut().poll(&mut context).is_ready());
    }),
    ("task::enable", |table| {
        let mut wait = pin!(table.wait_async(AT.0, *AT.1, FOREVER, || true));
        assert_eq!(wait.as_mut().enable(), ENABLED);
        ignore(table.unpark(AT.0, AT.1, 9, 0)); // dropped, it is passed on
    }),
    ("task::time_out", |table| {
        let mut wait = pin!(table.wait_async(AT.0, *AT.1, FOREVER, || true));
        assert_eq!(wait.as_mut().enable(), ENABLED);
        assert_eq!(wait.as_mut().time_out(), Parked::TimedOut);
    }),
    ("any_task::wait_any_async", |table| {
        let mut wait = pin!(table.wait_any_async(KEYS, FOREVER, None, |_| true));
        let mut context = Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(&mut context).is_pending());
        assert!(table.unpark(TO.0, TO.1, ALL, 0) > 0);
        assert!(wait.as_mut().poll(&mut context).is_ready());
    }),
    ("any_task::enable", |table| {
        let mut wait = pin!(table.wait_any_async(KEYS, FOREVER, None, |_| true));
        assert_eq!(wait.as_mut().enable(), None);
        ignore(table.unpark(TO.0, TO.1, 1, 0));
    }),
    ("any_task::time_out", |table| {
        let mut wait = pin!(table.wait_any_async(KEYS, FOREVER, None, |_| true));
        assert_eq!(wait.as_mut().enable(), None);
        assert_eq!(wait.as_mut().time_out().parked, Parked::TimedOut);
    }),
    ("any::park_any", |table| {
        let options = FOREVER.deadline(soon(Duration::from_micros(200)));
        let ended = table.park_any(&[AT, TO], options, |_| true);
        assert_eq!(ended.parked, Parked::TimedOut);
    }),
    ("any::park_any_interruptible", |table| {
        let interrupter = Interrupter::new();
        interrupter.interrupt();
        let ended = table.park_any_interruptible(&[AT, TO], FOREVER, &interrupter, |_| true);
        assert_eq!(ended.parked, Parked::Interrupted);
    }),
    ("any::park_interruptible", |table| {
        let options = FOREVER.deadline(soon(Duration::from_micros(200)));
        let interrupter = Interrupter::new();
        let parked = table.park_interruptible(AT.0, AT.1, options, &interrupter, || true);
        assert_eq!(parked, Parked::TimedOut);
    }),
    ("prepare::prepare", |table| {
        assert_eq!(table.prepare(AT.0, AT.1, FOREVER, |_| 1), Ok(1));
    }),
    ("prepare::wait", |table| {
        let options = FOREVER.deadline(soon(Duration::from_micros(200)));
        let parked = table.prepare(AT.0, AT.1, options, |prepared| prepared.wait());
        assert_eq!(parked, Ok(Parked::TimedOut));
    }),
    ("close::close", |_| ignore(Table::over(&CLOSED).close())),
    ("close::is_closed", |table| assert!(!table.is_closed())),
    ("close::close_key", |table| ignore(table.close_key(9, &9))),
    ("close::closed_key", |table| {
        let mut closed = pin!(table.closed_key(9, 9));
        assert_eq!(closed.as_mut().close(), 0);
    }),
    ("close::close_where", |table| {
        assert_eq!(table.close_where(|_| false), 0);
    }),
    ("close::unpark_where", |table| {
        ignore(table.unpark_where(|_| true, 0));
    }),
    ("interrupt::new", |_| ignore(Interrupter::new())),
    ("interrupt::on_platform", |_| {
        ignore(Interrupter::<DefaultPlatform>::on_platform());
    }),
    ("interrupt::interrupt", |_| {
        ignore(Interrupter::new().interrupt());
    }),
    ("interrupt::clear", |_| ignore(Interrupter::new().clear())),
    ("interrupt::is_pending", |_| {
        ignore(Interrupter::new().is_pending());
    }),
    ("options::order", |_| ignore(FOREVER.order(Order::Lifo))),
    ("options::is_woken", |_| ignore(Parked::Stale.is_woken())),
    // Many waits, more than Wakers are taken at a time.
    ("task::wait_async", |table| {
        let mut waits: [_; 40] =
            std::array::from_fn(|_| table.wait_async(AT.0, *AT.1, FOREVER, || true));
        // SAFETY: the array is not moved until it is dropped.
        let mut waits = waits
            .each_mut()
            .map(|wait| unsafe { Pin::new_unchecked(wait) });
        for wait in &mut waits {
            assert_eq!(wait.as_mut().enable(), ENABLED);
        }
        assert!(table.unpark(AT.0, AT.1, ALL, 0) >= 40);
    }),
    ("task::wait_async", |table| {
        let wait = table.wait_async(AT.0, *AT.1, FOREVER, || false);
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(wait).poll(&mut context).is_ready());
    }),
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
    for (name, operation) in VERBS.into_iter().chain(OTHERS).chain(TASKS) {
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
    let others = VERBS.iter().chain(&OTHERS).chain(&TASKS);
    let others = others.map(|(name, _)| *name);
    let listed: BTreeSet<_> = makers.chain(others).map(String::from).collect();
    assert_eq!(sources::public_functions(&src), listed);
}
