//! Every public operation of the library under an allocator that counts. `Debug` is left out: it
//! writes to where its caller says.

#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
mod domains;
mod ends;
mod flight;
mod gates;
mod keyed;
mod mailbox;
mod notify;
#[path = "../../../slotpark-core/tests/common/sources.rs"]
mod sources;
#[path = "../../../slotpark-core/tests/common/watched.rs"]
mod watched;
mod words;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use common::{leak, until, watchdog};
use slotpark::core::Table;
use slotpark::{Deadline, DefaultPlatform, FutexKey, FutexWait, Seeded, ShardedWait, Slots};
use watched::{Watched, allocated};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

static SLOTS: Slots<u64, 4> = Slots::new();
static FUTEX_SLOTS: Slots<FutexKey, 4> = Slots::new();

const ALL: usize = usize::MAX;
const FROM: FutexKey = FutexKey::new(1, 2);
const TO: FutexKey = FutexKey::new(1, 3);

fn ignore<T>(_outcome: T) {}

/// One table of each type, and a word that all waits look at.
struct Scene {
    waits: ShardedWait<u64>,
    futex: FutexWait,
    word: AtomicU32,
    other: AtomicU32,
}

impl Scene {
    fn is_closed(&self) -> bool {
        self.word.load(Ordering::Relaxed) == 0
    }

    fn parks(&self) -> u32 {
        self.waits.slot_stats(0).parks + self.futex.waits().slot_stats(0).parks
    }

    /// Ends every wait, wherever it was moved.
    fn open(&self) {
        self.word.store(1, Ordering::Relaxed);
        for key in [7, 8] {
            ignore(self.waits.wake_all(&key));
        }
        for word in [&self.word, &self.other] {
            ignore(self.futex.wake(word, ALL));
        }
        for key in [FROM, TO] {
            ignore(self.futex.wake_key(key, ALL, u32::MAX));
        }
    }
}

/// A wait, and whether it ends by itself when its time is over.
type Wait = (&'static str, bool, fn(&Scene, Duration));

const WAITS: [Wait; 12] = [
    ("wait/waits::wait", false, |scene, _| {
        ignore(scene.waits.wait(&7, || scene.is_closed()));
    }),
    ("wait/waits::wait_until", true, |scene, timeout| {
        let deadline = Instant::now() + timeout;
        ignore(scene.waits.wait_until(&7, || scene.is_closed(), deadline));
    }),
    ("wait/waits::wait_for", true, |scene, timeout| {
        ignore(scene.waits.wait_for(&7, || scene.is_closed(), timeout));
    }),
    ("wait/waits::wait_with", true, |scene, timeout| {
        let deadline = Deadline::after::<DefaultPlatform>(timeout);
        ignore(scene.waits.wait_with(&7, 1, deadline, || scene.is_closed()));
    }),
    ("wait/waits::wait_while", false, |scene, _| {
        let _met = scene.waits.wait_while(&7, || scene.is_closed());
    }),
    ("wait/waits::wait_while_until", true, |scene, timeout| {
        let deadline = Instant::now() + timeout;
        let outcome = scene
            .waits
            .wait_while_until(&7, || scene.is_closed(), deadline);
        ignore(outcome);
    }),
    ("wait/waits::wait_while_for", true, |scene, timeout| {
        ignore(
            scene
                .waits
                .wait_while_for(&7, || scene.is_closed(), timeout),
        );
    }),
    ("futex/words::wait", false, |scene, _| {
        ignore(scene.futex.wait(&scene.word, 0));
    }),
    ("futex/words::wait_until", true, |scene, timeout| {
        let deadline = Instant::now() + timeout;
        ignore(scene.futex.wait_until(&scene.word, 0, deadline));
    }),
    ("futex/words::wait_for", true, |scene, timeout| {
        ignore(scene.futex.wait_for(&scene.word, 0, timeout));
    }),
    ("futex/words::wait_bitset", true, |scene, timeout| {
        let deadline = Deadline::after::<DefaultPlatform>(timeout);
        ignore(scene.futex.wait_bitset(&scene.word, 0, 1, deadline));
    }),
    ("futex/keys::wait_key", true, |scene, timeout| {
        let deadline = Deadline::after::<DefaultPlatform>(timeout);
        ignore(
            scene
                .futex
                .wait_key(FROM, 1, deadline, || scene.is_closed()),
        );
    }),
];

/// What is called while threads wait on key 7, on the word and on the explicit key.
type Operation = (&'static str, fn(&Scene));

const OPERATIONS: [Operation; 30] = [
    ("wait/wakes::wake_one", |s| ignore(s.waits.wake_one(&7))),
    ("wait/wakes::wake_last", |s| ignore(s.waits.wake_last(&7))),
    ("wait/wakes::wake", |s| ignore(s.waits.wake(&7, 2))),
    ("wait/wakes::wake_all", |s| ignore(s.waits.wake_all(&7))),
    ("wait/wakes::wake_with_token", |s| {
        ignore(s.waits.wake_with_token(&7, ALL, 9));
    }),
    ("wait/wakes::wake_bitset", |s| {
        ignore(s.waits.wake_bitset(&7, ALL, 1, 9));
    }),
    ("wait/wakes::waiters", |s| {
        assert_eq!(s.waits.waiters(&7), 1);
    }),
    ("wait/wakes::requeue", |s| {
        assert_eq!(s.waits.requeue(&7, &8, 0, ALL, || false), None);
        let done = s.waits.requeue(&7, &8, 0, ALL, || true);
        assert_eq!(done.map(|done| done.moved), Some(1));
    }),
    ("wait/mod::over", |_| ignore(ShardedWait::over(&SLOTS))),
    ("wait/mod::from_table", |_| {
        ignore(ShardedWait::from_table(Table::over(&SLOTS), Seeded::new()));
    }),
    ("wait/mod::table", |s| ignore(s.waits.table())),
    ("wait/mod::slots", |s| ignore(s.waits.slots())),
    ("wait/mod::memory_bytes", |s| ignore(s.waits.memory_bytes())),
    ("wait/mod::slot_stats", |s| ignore(s.waits.slot_stats(0))),
    ("wait/mod::spin", |s| ignore(s.waits.spin())),
    ("wait/mod::slot_of", |s| ignore(s.waits.slot_of(&7))),
    ("futex/mod::process", |_| ignore(FutexWait::process())),
    ("futex/mod::over", |_| ignore(FutexWait::over(&FUTEX_SLOTS))),
    ("futex/mod::abi", |s| ignore(s.futex.abi())),
    ("futex/mod::space", |s| {
        ignore(s.futex.space(1, slotpark::LinearMemory::new(&[])));
    }),
    ("futex/mod::table", |s| ignore(s.futex.table())),
    ("futex/mod::waits", |s| ignore(s.futex.waits())),
    ("futex/words::wake", |s| ignore(s.futex.wake(&s.word, ALL))),
    ("futex/words::wake_bitset", |s| {
        ignore(s.futex.wake_bitset(&s.word, ALL, 1));
    }),
    ("futex/words::requeue", |s| {
        let done = s.futex.requeue(&s.word, &s.other, 0, ALL);
        assert_eq!(done.moved, 1);
    }),
    ("futex/words::cmp_requeue", |s| {
        let done = s.futex.cmp_requeue(&s.word, 5, &s.other, 0, ALL);
        assert_eq!(done, None);
        let done = s.futex.cmp_requeue(&s.word, 0, &s.other, 1, ALL);
        assert_eq!(done.map(|done| done.woken), Some(1));
    }),
    ("futex/keys::wake_key", |s| {
        ignore(s.futex.wake_key(FROM, ALL, 1));
    }),
    ("futex/keys::requeue_key", |s| {
        let done = s.futex.requeue_key(FROM, TO, 0, ALL, || true);
        assert_eq!(done.map(|done| done.moved), Some(1));
    }),
    ("futex/words::waiters", |s| {
        assert_eq!(s.futex.waiters(&s.word), 1);
    }),
    // A table that is refused is not made.
    ("wait/mod::try_with_slots", |_| {
        assert!(ShardedWait::<u64>::try_with_slots(0).is_err());
    }),
];

/// What makes a table of 512 slots.
const MADE: [&str; 6] = [
    "wait/mod::new",
    "wait/mod::with_slots",
    "wait/mod::try_with_slots",
    "wait/mod::with_hasher",
    "futex/mod::new",
    "futex/mod::with_slots",
];

fn assert_made<T>(name: &str, make: impl FnOnce() -> T) {
    let (mut made, bytes) = (None, 512 * 64);
    assert_eq!(allocated(|| made = Some(make())), (1, bytes), "{name}");
    assert_eq!(allocated(|| drop(made.take())), (1, -bytes), "{name}");
}

/// A table is one allocation, which is given back.
#[test]
fn a_table_is_one_allocation() {
    assert_made(MADE[0], ShardedWait::<u64>::new);
    assert_made(MADE[1], || ShardedWait::<u64>::with_slots(300));
    assert_made(MADE[2], || ShardedWait::<u64>::try_with_slots(512));
    let hasher = Seeded::with_seed(1);
    assert_made(MADE[3], || ShardedWait::<u64, _>::with_hasher(hasher));
    assert_made(MADE[4], FutexWait::new);
    assert_made(MADE[5], || FutexWait::with_slots(257));
    assert_made("with_key_text", || {
        ShardedWait::<u64>::new().with_key_text()
    });
    assert_made(MADE[0], ShardedWait::<u64>::default);
    assert_made(MADE[4], FutexWait::default);
}

/// Waits that are woken, that find nothing to wait for, and that time out; and everything that is
/// done to those who wait: none allocates.
#[test]
fn every_operation_allocates_nothing() {
    let _watch = watchdog("every_operation_allocates_nothing");
    for (name, ends_by_itself, wait) in WAITS {
        let allocations = waiters([wait], |scene| {
            let hour = Duration::from_secs(3_600);
            if ends_by_itself {
                let timed_out = allocated(|| wait(scene, Duration::from_micros(300)));
                assert_eq!(timed_out, (0, 0), "{name} times out");
            }
            assert_eq!(allocated(|| scene.open()), (0, 0), "waking {name}");
            let stale = allocated(|| wait(scene, hour));
            assert_eq!(stale, (0, 0), "{name} is stale");
        });
        assert_eq!(allocations, [(0, 0)], "{name} is woken");
    }
    let kinds = [WAITS[0].2, WAITS[7].2, WAITS[11].2];
    for (name, operation) in OPERATIONS.into_iter().chain(ends::ENDS).chain(words::WORDS) {
        let allocations = waiters(kinds, |scene| {
            assert_eq!(allocated(|| operation(scene)), (0, 0), "{name}");
            scene.open();
        });
        assert_eq!(allocations, [(0, 0); 3], "waits around {name}");
    }
}

/// What threads allocate in these waits, of which `run` sees all queued and ends each.
fn waiters<const N: usize>(
    waits: [fn(&Scene, Duration); N],
    run: impl FnOnce(&Scene),
) -> [(usize, isize); N] {
    let scene: &'static Scene = leak(Scene {
        waits: ShardedWait::with_slots(1),
        futex: FutexWait::with_slots(1),
        word: AtomicU32::new(0),
        other: AtomicU32::new(0),
    });
    let threads = waits.map(|wait| {
        std::thread::spawn(move || {
            // Taking the thread's handle for the first time may allocate.
            ignore(std::thread::current());
            allocated(|| wait(scene, Duration::from_secs(3_600)))
        })
    });
    until("all wait", || scene.parks() == N as u32);
    run(scene);
    threads.map(|thread| thread.join().expect("a wait does not panic"))
}

/// A public function that the lists above do not name is one that nobody has measured.
#[test]
fn every_operation_is_listed() {
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let waits = WAITS.iter().map(|(name, ..)| *name);
    let others = OPERATIONS.iter().chain(&ends::ENDS).chain(&words::WORDS);
    let others = others.map(|(name, _)| *name).chain(mailbox::names());
    let others = others.chain(notify::names()).chain(keyed::names());
    let others = others.chain(flight::names()).chain(gates::names());
    let others = others.chain(domains::names());
    let listed = waits.chain(others).chain(MADE).map(String::from);
    let listed: BTreeSet<_> = listed.collect();
    assert_eq!(sources::public_functions(&src), listed);
}
