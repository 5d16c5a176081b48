//! What neither waits nor wakes.

use std::future::Future;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::panic::Location;
use std::pin::pin;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};
use std::task::{Context, Waker};
use std::time::Duration;

use slotpark_core::{
    Clock, Deadline, DefaultPlatform, FutexKey, Held, Inspect, KeyText, PROCESS_HASHER,
    ParkOptions, Seeded, Seen, Sink, Slots, Spin, Table, Waited, detail, finalize, set_detail,
    set_sink, set_stacks, slot_lock_held, task_label, word,
};

use super::common::FOREVER;
use super::{AT, Operation, ignore};

struct Silent;

impl Sink for Silent {
    fn waited(&self, _waited: &Waited) {}
    fn held(&self, _held: &Held) {}
}

static SLOTS: Slots<u64, 4> = Slots::new();
static FUTEX_SLOTS: Slots<FutexKey, 4> = Slots::new();

pub(crate) const OTHERS: [Operation; 39] = [
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
    ("slots::is_out_of_memory", |_| {
        let refused = Table::<u64>::try_with_slots(0).expect_err("0 are too few");
        ignore(refused.is_out_of_memory());
    }),
    ("options::new", |_| ignore(ParkOptions::new())),
    ("options::deadline", |_| {
        ignore(FOREVER.deadline(Some(Deadline::PAST)));
    }),
    ("options::tag", |_| ignore(FOREVER.tag(1))),
    ("options::validated", |_| ignore(FOREVER.validated())),
    ("options::until_signal", |_| ignore(FOREVER.until_signal())),
    ("hash::new", |_| ignore(Seeded::new().hash_one(7_u64))),
    ("hash::with_seed", |_| {
        ignore(Seeded::with_seed(1).hash_one("a string"));
    }),
    ("hash::like", |_| {
        ignore(Seeded::like(&PROCESS_HASHER).hash_one(7_u64))
    }),
    ("hash::finalize", |_| ignore(finalize(7))),
    // Those that a macro makes, for all widths.
    ("word::$name", |_| {
        ignore(word::load(&AtomicU32::new(7)));
        ignore(word::load_u8(&AtomicU8::new(7)));
        ignore(word::load_u16(&AtomicU16::new(7)));
        ignore(word::load_u64(&AtomicU64::new(7)));
        ignore(word::compare_exchange(&AtomicU32::new(7), 7, 8));
        ignore(word::compare_exchange_u64(&AtomicU64::new(7), 7, 8));
    }),
    ("word::update", |_| {
        ignore(word::update(&AtomicU32::new(7), |old| old + 1));
    }),
    ("inspect/text::with_key_text", |_| {
        let table = Table::over(&SLOTS).with_key_text();
        ignore(table.look(3, &mut [Seen::default(); 4]));
    }),
    // The key type of this table is not that of the others.
    ("process/describe::with_futex_text", |_| {
        ignore(Table::over(&FUTEX_SLOTS).with_futex_text());
    }),
    ("inspect/seen::is_exclusive", |table| {
        let mut seen = [Seen::default(); 4];
        let found = table.look(table.slot_index(AT.0), &mut seen);
        ignore((found, seen.map(|seen| seen.kind.is_exclusive())));
    }),
    ("inspect/level::detail", |_| ignore(detail())),
    ("inspect/level::set_detail", |_| set_detail(detail())),
    ("inspect/sink::set_sink", |_| ignore(set_sink(&Silent))),
    ("inspect/sink::set_stacks", |_| set_stacks(1)),
    ("inspect/who::task_label", |table| {
        let park = async { ignore(table.park(AT.0, AT.1, FOREVER, || false)) };
        let mut task = pin!(task_label("a task", park));
        let mut context = Context::from_waker(Waker::noop());
        assert!(task.as_mut().poll(&mut context).is_ready());
    }),
    ("options::called_from", |_| {
        ignore(FOREVER.called_from(Location::caller()));
    }),
    ("inspect/text::as_str", |_| {
        ignore(KeyText::default().as_str().len());
    }),
    ("inspect/text::is_cut", |_| {
        ignore(KeyText::default().is_cut())
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
