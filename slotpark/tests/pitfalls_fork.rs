//! The story of fork for the library's types, which lead to the engine's reset by `table()`.
#![cfg(target_os = "linux")]

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
#[path = "../../slotpark-core/tests/common/forked.rs"]
mod forked;

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use common::{leak, until, watchdog};
use forked::in_child;
use slotpark::core::{Filter, RawMutex, Table, process_table};
use slotpark::{FutexKey, FutexWait, ShardedWait, WaitOutcome, WhileOutcome};

static WORD: AtomicU32 = AtomicU32::new(0);
static OTHER: AtomicU32 = AtomicU32::new(0);

/// What a child does first.
fn reset<K>(table: &Table<K>) {
    // SAFETY: a child of a fork has one thread, which forked outside all closures.
    unsafe { table.reset_after_fork() };
}

fn wait_in_the_child(waits: &ShardedWait<String>) {
    let key = String::from("job 7");
    assert_eq!((waits.waiters("job 7"), waits.wake_all("job 7")), (0, 0));
    assert_eq!(waits.wait(&key, || false), WaitOutcome::Stale);
    let in_a_moment = Instant::now() + Duration::from_millis(1);
    let outcome = waits.wait_until(&key, || true, in_a_moment);
    assert_eq!(outcome, WaitOutcome::TimedOut);
    let outcome = waits.wait_while_for(&key, || true, Duration::from_millis(1));
    assert_eq!(outcome, WhileOutcome::TimedOut);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| waits.wait(&key, || true));
        while waits.waiters("job 7") == 0 {
            std::thread::yield_now();
        }
        assert_eq!(waits.wake_with_token("job 7", 9, 5), 1);
        let outcome = waiting.join().expect("a wait does not panic");
        assert_eq!(outcome, WaitOutcome::Woken { token: 5 });
    });
    assert_eq!((waits.waiters("job 7"), waits.wake_all("job 7")), (0, 0));
}

fn futex_in_the_child(futex: &'static FutexWait) {
    assert_eq!((futex.waiters(&WORD), futex.wake(&WORD, 9)), (0, 0));
    assert_eq!(futex.wait(&WORD, 1), WaitOutcome::Stale);
    let outcome = futex.wait_for(&WORD, 0, Duration::from_millis(1));
    assert_eq!(outcome, WaitOutcome::TimedOut);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| futex.wait(&WORD, 0));
        while futex.waiters(&WORD) == 0 {
            std::thread::yield_now();
        }
        assert_eq!(futex.requeue(&WORD, &OTHER, 0, 9).moved, 1);
        assert_eq!((futex.wake(&WORD, 9), futex.wake(&OTHER, 9)), (0, 1));
        let outcome = waiting.join().expect("a wait does not panic");
        assert!(outcome.is_woken(), "{outcome:?}");
    });
    assert_eq!((futex.waiters(&WORD), futex.waiters(&OTHER)), (0, 0));
}

/// The thread that forks is under no slot lock, but others are: of a table of the caller's and of
/// the process-wide one.
#[test]
fn fork_child_starts_clean() {
    let _watch = watchdog("fork_child_starts_clean");
    let waits: &'static ShardedWait<String> = leak(ShardedWait::with_slots(1));
    let futex = FutexWait::process();
    let sleepers = [
        std::thread::spawn(|| waits.wait(&"job 7".into(), || true)),
        std::thread::spawn(|| waits.wait(&"job 8".into(), || true)),
        std::thread::spawn(|| futex.wait(&WORD, 0)),
    ];
    until("all wait", || {
        waits.waiters("job 7") + waits.waiters("job 8") + futex.waiters(&WORD) == 3
    });
    let (held, is_over) = (leak(AtomicU32::new(0)), leak(AtomicU32::new(0)));
    let block = move || {
        held.fetch_add(1, Ordering::Release);
        while is_over.load(Ordering::Acquire) == 0 {
            std::thread::yield_now();
        }
    };
    let holders = [
        std::thread::spawn(move || {
            let looks = Cell::new(0);
            let validate = || {
                looks.set(looks.get() + 1);
                if looks.get() == 2 {
                    block();
                }
                looks.get() < 2
            };
            assert_eq!(waits.wait(&"job 9".into(), validate), WaitOutcome::Stale);
        }),
        std::thread::spawn(move || {
            let (table, key) = (futex.table(), FutexKey::of(&WORD));
            let slot = futex.waits().slot_of(&key) as u64;
            let none = table.unpark_with(
                slot,
                &key,
                1,
                |_| Filter::Stop,
                |_| {
                    block();
                    0
                },
            );
            assert_eq!(none, 0);
        }),
    ];
    until("both slot locks are held", || {
        held.load(Ordering::Acquire) == 2
    });
    in_child(|| {
        reset(waits.table());
        reset(futex.table());
        wait_in_the_child(waits);
        futex_in_the_child(futex);
    });
    is_over.store(1, Ordering::Release);
    for holder in holders {
        holder.join().expect("its checks held");
    }
    let woken = [
        waits.wake_all("job 7"),
        waits.wake_all("job 8"),
        futex.wake(&WORD, 9),
    ];
    assert_eq!(woken, [1, 1, 1], "the parent has noticed nothing");
    for sleeper in sleepers {
        assert!(sleeper.join().expect("no panic").is_woken());
    }
}

/// A mutex that others wait for in the parent, in the process-wide table: in the child nobody waits
/// for it, and it works.
#[test]
fn locks_after_a_fork() {
    let _watch = watchdog("locks_after_a_fork");
    let mutex: &'static RawMutex = leak(RawMutex::new());
    let futex = FutexWait::process();
    let waiters = || process_table().waiters(mutex.place().hash, &mutex.place().key);
    assert!(mutex.try_lock());
    let waiter = std::thread::spawn(|| {
        assert!(mutex.lock_at(mutex.place(), None));
        mutex.unlock_at(mutex.place());
    });
    until("somebody waits", || waiters() == 1);
    in_child(|| {
        // The other table over the same slots.
        reset(futex.table());
        assert_eq!(waiters(), 0);
        mutex.unlock_at(mutex.place());
        std::thread::scope(|scope| {
            assert!(mutex.try_lock(), "nobody took it");
            let waiting = scope.spawn(|| mutex.lock_at(mutex.place(), None));
            while waiters() == 0 {
                std::thread::yield_now();
            }
            mutex.unlock_at(mutex.place());
            assert!(waiting.join().expect("a lock does not panic"));
        });
    });
    assert_eq!(waiters(), 1, "the parent has noticed nothing");
    mutex.unlock_at(mutex.place());
    waiter.join().expect("a lock does not panic");
}
