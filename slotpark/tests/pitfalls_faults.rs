//! Stories of panics in keys, hashers and closures, in every call that runs them, with two threads
//! in the queue: they stay there, every count is exact, and nothing is left announced.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::borrow::Borrow;
use std::cell::Cell;
use std::hash::{BuildHasher, Hash, Hasher};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::faults::panics;
use common::spied::{Spied, Spy};
use common::{leak, until, watchdog};
use slotpark::core::{KeyHasher, Seeded, Table};
use slotpark::{Deadline, FutexKey, FutexWait, Requeued, ShardedWait, WaitOutcome};

/// What fails on this thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sore {
    Nothing,
    Hasher,
    Hash,
    Eq,
    Borrow,
}

thread_local! {
    static SORE: Cell<Sore> = const { Cell::new(Sore::Nothing) };
}

fn hurt(what: Sore) {
    assert!(SORE.get() != what, "sore");
}

#[derive(Clone, Copy)]
struct Key(u64);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hurt(Sore::Hash);
        self.0.hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        hurt(Sore::Eq);
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Borrow<u64> for Key {
    fn borrow(&self) -> &u64 {
        hurt(Sore::Borrow);
        &self.0
    }
}

struct Builder(Seeded);

impl BuildHasher for Builder {
    type Hasher = KeyHasher;

    fn build_hasher(&self) -> KeyHasher {
        hurt(Sore::Hasher);
        self.0.build_hasher()
    }
}

type Waits = ShardedWait<Key, Builder, Spied>;

const AT: Key = Key(7);
const TO: Key = Key(8);
const ALL: usize = usize::MAX;

/// A call and its name.
type Call<'c> = (&'static str, &'c dyn Fn());

/// A table of one slot with two threads on key 7.
struct Scene {
    waits: &'static Waits,
    spy: &'static Spy,
    threads: [JoinHandle<WaitOutcome>; 2],
}

impl Scene {
    fn new() -> Self {
        let table = Table::with_slots(1);
        let waits: &Waits = leak(ShardedWait::from_table(table, Builder(Seeded::new())));
        let threads = [1, 2].map(|count| {
            let thread = std::thread::spawn(|| waits.wait(&AT, || true));
            until("a thread is queued", || waits.waiters(&AT) == count);
            thread
        });
        let spy = leak(Spy::default());
        spy.follow();
        Self {
            waits,
            spy,
            threads,
        }
    }

    /// Makes each call in turn, which must panic and do nothing.
    fn all_panic(&self, sore: Sore, calls: &[Call<'_>]) {
        for (name, call) in calls {
            SORE.set(sore);
            let message = panics(call);
            SORE.set(Sore::Nothing);
            assert_eq!(message, "sore", "{name}");
            assert_eq!(self.waits.waiters(&AT), 2, "after {name}");
            assert_eq!(self.waits.waiters(&TO), 0, "after {name}");
            assert_eq!(self.waits.wake_all(&TO), 0, "after {name}");
        }
    }

    /// The two are woken, each by its own wake, and nobody is left.
    fn end(self) {
        let waits = self.waits;
        assert_eq!(waits.wake_with_token(&AT, 1, 1), 1);
        assert_eq!(waits.wake_with_token(&AT, ALL, 2), 1);
        let outcomes = self.threads.map(|thread| thread.join().expect("no panic"));
        assert_eq!(outcomes, [1, 2].map(|token| WaitOutcome::Woken { token }));
        let locks = self.spy.locks();
        assert_eq!((waits.wake_all(&AT), waits.wake_all(&TO)), (0, 0));
        assert_eq!(self.spy.locks(), locks, "somebody is announced");
    }
}

fn ignore<T>(_outcome: T) {}

/// What hashes and compares keys: all of them hash, these compare too.
fn calls_that_compare(waits: &Waits, call: &mut dyn FnMut(&[Call<'_>])) {
    let hour = Duration::from_secs(3_600);
    let late = || Instant::now() + hour;
    let deadline = Deadline::after::<Spied>(hour);
    call(&[
        ("wait", &|| ignore(waits.wait(&AT, || true))),
        ("wait_until", &|| {
            ignore(waits.wait_until(&AT, || true, late()));
        }),
        ("wait_for", &|| ignore(waits.wait_for(&AT, || true, hour))),
        ("wait_with", &|| {
            ignore(waits.wait_with(&AT, 1, deadline, || true));
        }),
        ("wait_while", &|| ignore(waits.wait_while(&AT, || true))),
        ("wait_while_until", &|| {
            ignore(waits.wait_while_until(&AT, || true, late()));
        }),
        ("wait_while_for", &|| {
            ignore(waits.wait_while_for(&AT, || true, hour));
        }),
        ("wake_one", &|| ignore(waits.wake_one(&AT))),
        ("wake", &|| ignore(waits.wake(&AT, 2))),
        ("wake_all", &|| ignore(waits.wake_all(&AT))),
        ("wake_with_token", &|| {
            ignore(waits.wake_with_token(&AT, ALL, 3));
        }),
        ("wake_bitset", &|| ignore(waits.wake_bitset(&AT, ALL, 1, 3))),
        ("waiters", &|| ignore(waits.waiters(&AT))),
        ("requeue", &|| {
            ignore(waits.requeue(&AT, &TO, 0, ALL, || true));
        }),
    ]);
}

#[test]
fn panic_in_hash() {
    let _watch = watchdog("panic_in_hash");
    let scene = Scene::new();
    let waits = scene.waits;
    for sore in [Sore::Hasher, Sore::Hash] {
        calls_that_compare(waits, &mut |calls| scene.all_panic(sore, calls));
        scene.all_panic(sore, &[("slot_of", &|| ignore(waits.slot_of(&AT)))]);
    }
    scene.end();
}

#[test]
fn panic_in_eq() {
    let _watch = watchdog("panic_in_eq");
    let scene = Scene::new();
    calls_that_compare(scene.waits, &mut |calls| scene.all_panic(Sore::Eq, calls));
    scene.end();
}

#[test]
fn panic_in_borrow() {
    let _watch = watchdog("panic_in_borrow");
    let scene = Scene::new();
    let waits = scene.waits;
    scene.all_panic(
        Sore::Borrow,
        &[
            ("wake_one", &|| ignore(waits.wake_one(&7_u64))),
            ("wake", &|| ignore(waits.wake(&7_u64, 2))),
            ("wake_all", &|| ignore(waits.wake_all(&7_u64))),
            ("wake_with_token", &|| {
                ignore(waits.wake_with_token(&7_u64, ALL, 3));
            }),
            ("wake_bitset", &|| {
                ignore(waits.wake_bitset(&7_u64, ALL, 1, 3));
            }),
            ("waiters", &|| ignore(waits.waiters(&7_u64))),
        ],
    );
    scene.end();
}

/// A `validate` or condition that panics when it is looked at for the `last`th time.
fn fails_at(last: u32) -> impl FnMut() -> bool {
    let mut looks = 0;
    move || {
        looks += 1;
        assert!(looks < last, "sore");
        true
    }
}

/// Outside the slot lock, under it, and under the locks of a requeue.
#[test]
fn panic_in_validate() {
    let _watch = watchdog("panic_in_validate");
    let scene = Scene::new();
    let waits = scene.waits;
    let hour = Duration::from_secs(3_600);
    let late = || Instant::now() + hour;
    let deadline = Deadline::after::<Spied>(hour);
    for last in [1, 2] {
        let fails = || fails_at(last);
        scene.all_panic(
            Sore::Nothing,
            &[
                ("wait", &|| ignore(waits.wait(&AT, fails()))),
                ("wait_until", &|| {
                    ignore(waits.wait_until(&AT, fails(), late()));
                }),
                ("wait_for", &|| ignore(waits.wait_for(&AT, fails(), hour))),
                ("wait_with", &|| {
                    ignore(waits.wait_with(&AT, 1, deadline, fails()));
                }),
                ("wait_while", &|| ignore(waits.wait_while(&AT, fails()))),
                ("wait_while_until", &|| {
                    ignore(waits.wait_while_until(&AT, fails(), late()));
                }),
                ("wait_while_for", &|| {
                    ignore(waits.wait_while_for(&AT, fails(), hour));
                }),
            ],
        );
    }
    let requeue = || ignore(waits.requeue(&AT, &TO, 1, ALL, || fails_at(1)()));
    scene.all_panic(Sore::Nothing, &[("requeue", &requeue)]);
    scene.end();
}

/// A condition that panics when it is looked at again after a wake: the wake was counted and spent,
/// and nobody else's.
#[test]
fn panic_in_a_condition_after_a_wake() {
    let _watch = watchdog("panic_in_a_condition_after_a_wake");
    let scene = Scene::new();
    let waits = scene.waits;
    for last in [3, 4] {
        let fails = std::thread::spawn(move || panics(|| waits.wait_while(&TO, fails_at(last))));
        until("it is queued", || waits.waiters(&TO) == 1);
        assert_eq!(waits.wake_all(&TO), 1);
        assert_eq!(fails.join().expect("the panic was caught"), "sore");
        assert_eq!((waits.waiters(&AT), waits.waiters(&TO)), (2, 0));
    }
    scene.end();
}

/// The closures of a futex's explicit keys.
#[test]
fn panic_in_a_futex_closure() {
    let _watch = watchdog("panic_in_a_futex_closure");
    let futex: &'static FutexWait = leak(FutexWait::with_slots(1));
    let (from, to) = (FutexKey::new(1, 7), FutexKey::new(1, 8));
    let thread = std::thread::spawn(move || futex.wait_key(from, 1, None, || true));
    until("a thread is queued", || futex.waits().waiters(&from) == 1);
    for last in [1, 2] {
        let wait = || futex.wait_key(from, 1, None, fails_at(last));
        assert_eq!(panics(wait), "sore");
        assert_eq!(futex.waits().waiters(&from), 1);
    }
    let requeue = || futex.requeue_key(from, to, 1, ALL, || fails_at(1)());
    assert_eq!(panics(requeue), "sore");
    assert_eq!(futex.waits().waiters(&from), 1);
    let moved = futex.requeue_key(from, to, 0, ALL, || true);
    let expected = Requeued { woken: 0, moved: 1 };
    assert_eq!(moved, Some(expected));
    assert_eq!(
        (futex.wake_key(from, ALL, 1), futex.wake_key(to, ALL, 1)),
        (0, 1)
    );
    let outcome = thread.join().expect("a wait does not panic");
    assert_eq!(outcome, WaitOutcome::Woken { token: 0 });
}
