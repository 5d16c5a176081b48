//! Stories of memory, under an allocator that counts, and that ends the process when it is called
//! while the calling thread holds a slot lock.

mod common;
#[path = "common/watched.rs"]
mod watched;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::counting::{Counting, Counts, after};
use common::{FOREVER, Numbers, a_second, leak, outlast, skip, sleepy, soon, watchdog};
use slotpark_core::{Deadline, DefaultPlatform, Filter, ParkOptions, Parked};
use slotpark_core::{RequeueOptions, Table, finalize};
use watched::{COMPLAINT, Watched, allocated};

#[global_allocator]
static ALLOCATOR: Watched = Watched;

/// wasmtime #13981: a map entry for every key that was ever waited on, 49 MiB for a million.
#[test]
fn a_million_keys_leave_nothing() {
    let table = Table::<u64>::new();
    let no_time = ParkOptions::new().deadline(Some(Deadline::PAST));
    let wait_in_vain = |key: u64| {
        let parked = table.park(finalize(key), &key, no_time, || true);
        assert_eq!(parked, Parked::TimedOut);
    };
    // The first wait of a thread may make the thread's handle.
    wait_in_vain(0);
    assert_eq!(allocated(|| (0..1_000_000).for_each(wait_in_vain)), (0, 0));
    let mut linked = 0;
    assert_eq!(allocated(|| linked = linked_waits(&table, 100_000)), (0, 0));
    assert_eq!(linked, 100_000);
    let waiters = |key: u64| table.waiters(finalize(key), &key);
    assert_eq!((0..100_000).map(waiters).sum::<usize>(), 0);
}

/// Waits on distinct keys that are queued: most are woken before they sleep, the others time out.
fn linked_waits(table: &Table<u64>, count: u64) -> usize {
    let mut linked = 0;
    let mut key = 0;
    while linked < count as usize {
        key += 1;
        let hash = finalize(key);
        let woken = key % 8 != 0;
        let deadline = soon(Duration::from_micros(2)).filter(|_| !woken);
        let before_sleep = || {
            linked += 1;
            if woken {
                assert_eq!(table.unpark(hash, &key, 1, 0), 1);
            } else {
                outlast(deadline);
            }
        };
        let options = ParkOptions::new().deadline(deadline);
        let yes = || Ok::<_, ()>(true);
        let parked = table.park_with(hash, &key, options, yes, before_sleep, |_| {});
        assert_eq!(parked == Ok(Parked::TimedOut), !woken);
    }
    linked
}

/// The other half of the story: nothing is left in the slots either, so that a wake of any key
/// still finds out without a lock that nobody is there.
#[test]
fn a_million_keys_leave_no_announcement() {
    let table = sleepy::<Counting>(512);
    for key in 0..10_000_u64 {
        let hash = finalize(key);
        let soon = ParkOptions::new().deadline(after(1));
        assert_eq!(table.park(hash, &key, soon, || true), Parked::TimedOut);
        let mut runs = 0;
        let stale_under_the_lock = || {
            runs += 1;
            runs == 1
        };
        let parked = table.park(hash, &key, FOREVER, stale_under_the_lock);
        assert_eq!(parked, Parked::Stale);
        let wake = || assert_eq!(table.unpark(hash, &key, 1, 0), 1);
        let yes = || Ok::<_, ()>(true);
        let parked = table.park_with(hash, &key, FOREVER, yes, wake, |_| {});
        assert_eq!(parked, Ok(Parked::Woken { token: 0 }));
        let to = (finalize(key + 1), &(key + 1));
        let moved = table.requeue((hash, &key), to, everybody(), || Ok::<_, ()>(true));
        assert_eq!(moved.map(Option::unwrap_or_default), Ok(Default::default()));
    }
    for slot in 0..512 {
        let (counts, woken) = Counts::of(|| table.unpark(slot, &slot, usize::MAX, 0));
        assert_eq!((counts, woken), (Counts::default(), 0), "slot {slot}");
    }
}

fn everybody() -> RequeueOptions {
    RequeueOptions {
        wake_max: 0,
        move_max: usize::MAX,
        token: 0,
    }
}

/// parking_lot allocates for a thread's first wait and grows its table under the locks of all its
/// buckets. Here neither waiting nor waking allocates anything, under a lock or not.
#[test]
fn nothing_allocates_under_a_lock() {
    let _watch = watchdog("nothing_allocates_under_a_lock");
    let table = sleepy::<DefaultPlatform>(2);
    let over = leak(AtomicBool::new(false));
    let threads: Vec<_> = (0..3)
        .map(|seed| {
            std::thread::spawn(move || {
                let mut numbers = Numbers::new(seed);
                let mut step = || one_of_everything(table, &mut numbers);
                // The first wait of a thread may make the thread's handle.
                step();
                allocated(|| {
                    while !over.load(Ordering::Relaxed) {
                        step();
                    }
                })
            })
        })
        .collect();
    let mut time_is_left = a_second();
    while time_is_left() {
        for key in 0..4 {
            let _count = table.unpark(key, &key, usize::MAX, 0);
        }
    }
    over.store(true, Ordering::Relaxed);
    for thread in threads {
        assert_eq!(thread.join().expect("no story panics"), (0, 0));
    }
}

fn one_of_everything(table: &Table<u64>, numbers: &mut Numbers) {
    let (key, other) = (numbers.below(4), numbers.below(4));
    let deadline = soon(Duration::from_micros(1 + numbers.below(40)));
    let options = ParkOptions::new().deadline(deadline).tag(numbers.below(8));
    let yes = || Ok::<_, ()>(true);
    let _parked = table.park_with(key, &key, options, yes, || {}, |_| {});
    let _woken = table.unpark(other, &other, 1, 0);
    let _woken = table.unpark_bitset(other, &other, 1, 0b10, 0);
    let _woken = table.unpark_with(
        key,
        &key,
        2,
        |_| Filter::Unpark,
        |choice| choice.count as u64,
    );
    let _moved = table.requeue((key, &key), (other, &other), everybody(), yes);
    let _waiters = table.waiters(key, &key);
}

/// Who watches the watcher: a child whose `validate` allocates under the lock is caught.
#[test]
fn an_allocation_under_a_lock_is_noticed() {
    const STORY: &str = "an_allocation_under_a_lock_is_noticed";
    const CHILD: &str = "SLOTPARK_ALLOCATES";
    if std::env::var_os(CHILD).is_some() {
        let mut runs = 0;
        let _parked = Table::<u64>::new().park(1, &1, FOREVER, || {
            drop(std::hint::black_box(Box::new(1)));
            runs += 1;
            // Stale at last, so that a child that nobody stops ends too.
            runs < 2
        });
        return;
    }
    if !cfg!(debug_assertions) {
        return skip(STORY, "held slot locks are counted in debug builds");
    }
    let child = Command::new(std::env::current_exe().expect("this test has a path"))
        .args(["--exact", STORY])
        .env(CHILD, "1")
        .output()
        .expect("a test can run itself");
    assert!(!child.status.success());
    let complaint = String::from_utf8_lossy(&child.stderr);
    assert!(complaint.contains(COMPLAINT), "{complaint}");
}
