//! Wakes: of nobody, which is what most of them find, and of tasks.

use std::hint::black_box;
use std::ptr::null_mut;
use std::sync::atomic::AtomicU32;

use gungraun::prelude::*;
use slotpark::{FutexAbi, FutexWait, KeyedNotify, ShardedWait};

use crate::fixture::{KEY, OTHERS, TIMES, Waits, forever, one_each, repeat, seeded};

#[library_benchmark]
#[bench::nobody(Waits::nobody())]
#[bench::other_key_in_slot(Waits::of(1, [OTHERS]))]
fn wake_one(waits: Waits) -> Waits {
    repeat(|| assert!(black_box(waits.table).wake_one(black_box(&KEY)) == 0));
    waits
}

#[library_benchmark]
#[bench::nobody(Waits::nobody())]
fn wake_all(waits: Waits) -> Waits {
    repeat(|| assert!(black_box(waits.table).wake_all(black_box(&KEY)) == 0));
    waits
}

#[library_benchmark]
#[bench::nobody(ShardedWait::with_hasher(seeded()))]
fn wake_one_str(waits: ShardedWait<String>) -> ShardedWait<String> {
    repeat(|| assert!(black_box(&waits).wake_one(black_box("job")) == 0));
    waits
}

fn notify() -> KeyedNotify<u64> {
    KeyedNotify::from_waits(ShardedWait::with_hasher(seeded()))
}

#[library_benchmark]
#[bench::nobody(notify())]
fn notify_one(notify: KeyedNotify<u64>) -> KeyedNotify<u64> {
    repeat(|| assert!(black_box(&notify).notify_one(black_box(&KEY)) == 0));
    notify
}

#[library_benchmark]
#[bench::nobody(notify())]
fn notify_all(notify: KeyedNotify<u64>) -> KeyedNotify<u64> {
    repeat(|| assert!(black_box(&notify).notify_all(black_box(&KEY)) == 0));
    notify
}

/// The seed of the process-wide table is drawn before anything is counted. It decides which of the
/// empty slots is looked at, and nothing else.
fn process() -> &'static FutexWait {
    let words = FutexWait::process();
    assert_eq!(words.wake(&AtomicU32::new(0), 1), 0);
    words
}

#[library_benchmark]
#[bench::nobody(process())]
fn futex_wake(words: &'static FutexWait) {
    let word = AtomicU32::new(0);
    repeat(|| assert!(black_box(words).wake(black_box(&word), 1) == 0));
}

#[library_benchmark]
#[bench::nobody(process())]
fn abi_wake(_seeded: &'static FutexWait) {
    static ABI: FutexAbi = FutexAbi::process();
    const WAKE_PRIVATE: i32 = 129;
    let mut word = 0_u32;
    repeat(|| {
        let (word, operation) = black_box((&raw mut word, WAKE_PRIVATE));
        // SAFETY: the word lives, and a wake reads nothing.
        let woken = unsafe { ABI.futex(word, operation, 1, 0, null_mut(), 0) };
        assert!(woken == 0);
    });
}

/// As many tables as there are rounds: each round wakes in one where nobody was woken.
fn fresh(slots: usize, keys: u64) -> &'static [Waits] {
    let waits = (0..TIMES).map(|_| Waits::of(slots, KEY..KEY + keys));
    forever(waits.collect::<Vec<_>>())
}

#[library_benchmark]
#[bench::alone(fresh(64, 1))]
#[bench::of_8_keys_in_slot(fresh(1, 8))]
fn wake_task(tables: &'static [Waits]) {
    one_each(tables, |waits| {
        assert!(waits.table.wake_one(black_box(&KEY)) == 1)
    });
}

fn ten_of_one_key() -> &'static [Waits] {
    let waits = (0..TIMES).map(|_| Waits::of(64, [KEY; 10]));
    forever(waits.collect::<Vec<_>>())
}

#[library_benchmark]
#[bench::of_10(ten_of_one_key())]
fn wake_all_tasks(tables: &'static [Waits]) {
    one_each(tables, |waits| {
        assert!(waits.table.wake_all(black_box(&KEY)) == 10)
    });
}

library_benchmark_group!(
    name = wakes,
    benchmarks = [
        wake_one,
        wake_all,
        wake_one_str,
        notify_one,
        notify_all,
        futex_wake,
        abi_wake,
        wake_task,
        wake_all_tasks
    ]
);
