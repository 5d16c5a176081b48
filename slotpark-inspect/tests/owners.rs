//! Threads that hang in locks of a byte and of a word, whose owners are known beside them.

mod common;

use std::sync::{Arc, Barrier};
use std::thread;

use common::watchdog::{until, watchdog};
use slotpark::{Mutex, RwLock};
use slotpark_inspect::{Detail, Kind, Snapshot, deadlocks, set_detail};

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

/// Who is in the deadlock of these keys, sorted.
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
    for link in &found[0].links {
        let held = &link.waits[0].held[0];
        let location = held.location.as_deref().unwrap_or_default();
        assert!(location.contains("owners.rs:"), "{location:?}");
    }
    let names = found[0]
        .links
        .iter()
        .filter_map(|link| link.by.name.clone());
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
