//! Threads that hang in locks of a byte and of a word, whose owners are known beside them.

mod common;

use std::sync::{Arc, Barrier};
use std::task::{Context, Waker};
use std::thread;

use common::watchdog::{until, watchdog};
use slotpark::core::{Inspect, Seen, SlotStats, task_label};
use slotpark::{KeyedMutex, KeyedSemaphore, Mutex, RwLock, RwLockUpgradableReadGuard};
use slotpark_inspect::{
    Detail, Kind, Snapshot, deadlocks, dump, page, register_static, set_detail,
};

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().name(name.into()).spawn(run);
    drop(thread.expect("there is room for a thread"));
}

fn key<T>(name: &str, lock: *const T) -> String {
    format!("{name} at {:#x}", lock.addr())
}

/// Of which kinds the holds of a key are.
fn holds(key: &str) -> Vec<Kind> {
    let holders = Snapshot::take()
        .tables
        .into_iter()
        .flat_map(|table| table.holders);
    let holders = holders.filter(|holder| holder.key.text.as_deref() == Some(key));
    holders.map(|holder| holder.kind).collect()
}

fn waits(key: &str) -> usize {
    let waits = Snapshot::take()
        .tables
        .into_iter()
        .flat_map(|table| table.waits);
    waits
        .filter(|wait| wait.key.text.as_deref() == Some(key))
        .count()
}

/// Who is in the deadlock in which somebody waits for each of these keys, sorted.
fn circle(keys: [&str; 2]) -> Vec<String> {
    until("both wait", || keys.iter().all(|key| waits(key) == 1));
    let first = Snapshot::take();
    let mut found = deadlocks(&first, &Snapshot::take());
    found.retain(|deadlock| {
        let waits = deadlock.links.iter().flat_map(|link| &link.waits);
        waits
            .map(|blocked| &blocked.wait.key.text)
            .any(|text| text.as_deref() == Some(keys[0]))
    });
    assert_eq!(found.len(), 1, "{}", slotpark_inspect::dump(&first));
    let links = &found[0].links;
    for held in links.iter().flat_map(|link| &link.waits) {
        let held = &held.held[0];
        let location = held.location.as_deref().unwrap_or_default();
        assert!(location.contains("owners.rs:"), "{location:?}");
        assert!(held.since_ns.is_some());
    }
    let names = links.iter().filter_map(|link| link.by.name.clone());
    let mut names = names.collect::<Vec<_>>();
    names.sort();
    names
}

#[test]
fn two_threads_and_two_mutexes() {
    let _watchdog = watchdog("two mutexes");
    set_detail(Detail::Full);
    static LOCKS: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];
    let both = Arc::new(Barrier::new(2));
    for (name, first, second) in [("left", 0, 1), ("right", 1, 0)] {
        let both = Arc::clone(&both);
        spawn(name, move || {
            let _first = LOCKS[first].lock();
            both.wait();
            let _second = LOCKS[second].lock();
        });
    }
    let keys = LOCKS.each_ref().map(|lock| key("mutex", lock));
    assert_eq!(circle([&keys[0], &keys[1]]), ["left", "right"]);
}

#[test]
fn two_threads_that_write() {
    let _watchdog = watchdog("two writers");
    set_detail(Detail::Full);
    static LOCKS: [RwLock<()>; 2] = [RwLock::new(()), RwLock::new(())];
    let both = Arc::new(Barrier::new(2));
    for (name, first, second) in [("left", 0, 1), ("right", 1, 0)] {
        let both = Arc::clone(&both);
        spawn(name, move || {
            let _first = LOCKS[first].write();
            both.wait();
            let _second = LOCKS[second].write();
        });
    }
    let keys = LOCKS.each_ref().map(|lock| key("rwlock", lock));
    assert_eq!(circle([&keys[0], &keys[1]]), ["left", "right"]);
}

#[test]
fn who_reads_upgrades_and_goes() {
    set_detail(Detail::Full);
    let lock = RwLock::new(());
    let key = key("rwlock", &raw const lock);
    let (reads, upgradable) = (lock.read(), lock.upgradable_read());
    let mut kinds = holds(&key);
    kinds.sort_by_key(|kind| *kind == Kind::Read);
    assert_eq!(kinds, [Kind::Upgradable, Kind::Read]);
    drop(reads);
    let writes = slotpark::RwLockUpgradableReadGuard::upgrade(upgradable);
    assert_eq!(holds(&key), [Kind::Lock]);
    let reads = slotpark::RwLockWriteGuard::downgrade(writes);
    assert_eq!(holds(&key), [Kind::Read]);
    drop(reads);
    assert_eq!(holds(&key), []);
}

#[test]
fn a_mutex_and_locks_by_key() {
    let _watchdog = watchdog("a mutex and locks by key");
    set_detail(Detail::Full);
    static LOCKS: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];
    let by_key = Box::leak(Box::new(KeyedMutex::<&str>::new().with_key_text()));
    let by_key = &*by_key;
    register_static("beside mutexes", by_key).keep();
    let permits = Box::leak(Box::new(KeyedSemaphore::<&str>::new(1).with_key_text()));
    let permits = &*permits;
    register_static("semaphores of one", permits).keep();
    let meet = || {
        let both = Arc::new(Barrier::new(2));
        (Arc::clone(&both), both)
    };

    let (here, there) = meet();
    spawn("mutex first", move || {
        let _first = LOCKS[0].lock();
        here.wait();
        let _second = by_key.lock("beside");
    });
    spawn("key first", move || {
        let _first = by_key.lock("beside");
        there.wait();
        let _second = LOCKS[0].lock();
    });
    let mutex = key("mutex", &raw const LOCKS[0]);
    assert_eq!(circle([&mutex, "\"beside\""]), ["key first", "mutex first"]);

    let (here, there) = meet();
    spawn("mutex first", move || {
        let _first = LOCKS[1].lock();
        here.wait();
        let _second = permits.acquire("one");
    });
    spawn("permit first", move || {
        let _first = permits.acquire("one");
        there.wait();
        let _second = LOCKS[1].lock();
    });
    let mutex = key("mutex", &raw const LOCKS[1]);
    assert_eq!(circle([&mutex, "\"one\""]), ["mutex first", "permit first"]);
}

/// It waits for the readers to go, but not for itself.
#[test]
fn who_upgrades_and_who_reads() {
    let _watchdog = watchdog("who upgrades and who reads");
    set_detail(Detail::Full);
    static LOCK: RwLock<()> = RwLock::new(());
    static MUTEX: Mutex<()> = Mutex::new(());
    let both = Arc::new(Barrier::new(2));
    let there = Arc::clone(&both);
    spawn("upgrades", move || {
        let _mutex = MUTEX.lock();
        let upgradable = LOCK.upgradable_read();
        there.wait();
        let _writes = RwLockUpgradableReadGuard::upgrade(upgradable);
    });
    spawn("reads", move || {
        let _reads = LOCK.read();
        both.wait();
        let _mutex = MUTEX.lock();
    });
    let keys = [
        key("rwlock", &raw const LOCK),
        key("mutex", &raw const MUTEX),
    ];
    assert_eq!(circle([&keys[0], &keys[1]]), ["reads", "upgrades"]);
}

#[test]
fn a_task_that_blocks_the_thread_that_polls_it() {
    let _watchdog = watchdog("a task that blocks the thread that polls it");
    set_detail(Detail::Full);
    static LOCKS: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];
    let both = Arc::new(Barrier::new(2));
    let there = Arc::clone(&both);
    spawn("other", move || {
        let _first = LOCKS[1].lock();
        there.wait();
        let _second = LOCKS[0].lock();
    });
    spawn("executor", move || {
        let mut task = Box::pin(task_label("async", async move {
            let _first = LOCKS[0].lock();
            both.wait();
            let _second = LOCKS[1].lock();
        }));
        let mut context = Context::from_waker(Waker::noop());
        let _never = task.as_mut().poll(&mut context);
    });
    let keys = LOCKS.each_ref().map(|lock| key("mutex", lock));
    let names = circle([&keys[0], &keys[1]]);
    assert_eq!(names, ["async", "executor", "other"]);
}

/// Those who found no room are counted, wherever a snapshot is shown.
#[test]
fn who_found_no_room_is_told() {
    struct Full;

    impl Inspect for Full {
        fn slot_count(&self) -> usize {
            1
        }

        fn slot_stats(&self, _index: usize) -> SlotStats {
            SlotStats::default()
        }

        fn look(&self, _index: usize, _room: &mut [Seen]) -> usize {
            0
        }

        fn unlisted(&self) -> usize {
            7
        }
    }

    let snapshot = Snapshot::of(&[("full", &Full)]);
    let table = &snapshot.tables[0];
    assert_eq!((table.unlisted, table.left_out), (7, 0));
    let said = "7 locked so far with no room to note by whom";
    assert!(dump(&snapshot).contains(said), "{}", dump(&snapshot));
    assert!(page(&snapshot).contains("7 locks were taken so far with no room to note by whom"));
    let json = snapshot.to_json();
    assert_eq!(Snapshot::from_json(&json).expect("its own form"), snapshot);
    // Of a program that does not know them yet.
    let old = json.replacen("\"unlisted\":7", "\"older\":7", 1);
    assert_ne!(old, json);
    let old = Snapshot::from_json(&old).expect("what is absent is none");
    assert_eq!(old.tables[0].unlisted, 0);
}
