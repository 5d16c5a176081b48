//! Every adapter really locks: nobody else gets in while a guard lives, and somebody does after.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use crossbeam_utils::atomic::AtomicCell;

use super::*;
use crate::measure::locks::{
    AsyncLockEngine, AsyncPermitEngine, FlightEngine, LockEngine, PermitEngine,
};

const THREADS: u64 = 3;
const TURNS: u64 = 40;

/// Threads add one in two steps, which loses additions unless they exclude each other.
fn excludes(name: &str, in_turn: impl Fn(&dyn Fn()) + Sync) {
    let sum = AtomicCell::new(0);
    let add = || {
        let old: u64 = sum.load();
        std::thread::yield_now();
        sum.store(old + 1);
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..TURNS).for_each(|_| in_turn(&add)));
        }
    });
    assert_eq!(sum.load(), THREADS * TURNS, "{name}: nobody else gets in");
}

fn locks<E: LockEngine>() {
    let engine = E::new();
    excludes(E::NAME, |add| {
        let _guard = engine.lock(7);
        add();
    });
    excludes(E::NAME, |add| engine.with_lock(7, add));
}

/// For those that lock by key, and not by its hash only.
fn locks_by_key<E: LockEngine>() {
    locks::<E>();
    let engine = E::new();
    let guards: Vec<_> = (0..2000).map(|key| engine.lock(key)).collect();
    drop(guards);
}

/// Two share what a third would have to wait for.
fn lets_two_in<E: LockEngine>() {
    let engine = E::new();
    let guards = [7, 7].map(|key| engine.lock(key));
    drop(guards);
    drop(engine.lock(7));
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn locks_for_tasks<E: AsyncLockEngine>() {
    let engine = E::new();
    let held = poll(pin!(engine.lock(7)));
    assert!(held.is_ready(), "{}: the key is free", E::NAME);
    let mut second = pin!(engine.lock(7));
    assert!(poll(second.as_mut()).is_pending(), "{}: it waits", E::NAME);
    assert!(poll(pin!(engine.lock(8))).is_ready(), "{}", E::NAME);
    drop(held);
    assert!(poll(second).is_ready(), "{}: it is free again", E::NAME);
    assert!(poll(pin!(engine.lock(7))).is_ready(), "{}", E::NAME);
}

fn permits<E: PermitEngine>() {
    let engine = E::new(1);
    excludes(E::NAME, |add| {
        let _permit = engine.acquire();
        add();
    });
    let engine = E::new(2);
    let both = [engine.acquire(), engine.acquire()];
    drop(both);
}

fn permits_for_tasks<E: AsyncPermitEngine>() {
    let engine = E::new(1);
    let held = poll(pin!(engine.acquire_async()));
    assert!(held.is_ready(), "{}: there is a permit", E::NAME);
    let mut second = pin!(engine.acquire_async());
    assert!(poll(second.as_mut()).is_pending(), "{}: it waits", E::NAME);
    drop(held);
    assert!(poll(second).is_ready(), "{}: it is back", E::NAME);
}

fn flies<E: FlightEngine>() {
    let engine = E::new();
    assert_eq!(engine.run(7, || 70), 70, "{}", E::NAME);
    assert_eq!(engine.run(8, || 80), 80, "{}", E::NAME);
    // No two make the value of one key at the same time, whoever keeps it and whoever does not.
    let makers: Vec<AtomicCell<u32>> = (0..TURNS).map(|_| AtomicCell::new(0)).collect();
    let made = AtomicCell::new(0_u64);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for (key, makers) in (100..).zip(&makers) {
                    let value = engine.run(key, || {
                        assert_eq!(makers.fetch_add(1), 0, "{}: alone", E::NAME);
                        std::thread::yield_now();
                        makers.fetch_sub(1);
                        made.fetch_add(1);
                        key * 10
                    });
                    assert_eq!(value, key * 10, "{}: of its key", E::NAME);
                }
            });
        }
    });
    assert!(made.load() >= TURNS, "{}: every key has one", E::NAME);
}

#[test]
fn every_engine_of_locks_excludes() {
    locks_by_key::<SlotparkMutex>();
    locks_by_key::<SlotparkBargingMutex>();
    locks_by_key::<LockMap>();
    locks_by_key::<Lockable>();
    locks_by_key::<KeyedLock>();
    locks_by_key::<DashMapRemoved>();
    locks_by_key::<DashMapKept>();
    locks::<Striped512>();
    locks::<ParkingLot>();
    locks::<ParkingLotFair>();
    locks::<StdMutex>();
    locks::<SlotparkWord>();
    locks::<SlotparkWordFair>();
    lets_two_in::<SlotparkRead>();
    lets_two_in::<SlotparkPermit>();
    lets_two_in::<DashMapRead>();
    lets_two_in::<DashMapSemaphore>();
}

#[test]
fn every_engine_of_locks_for_tasks_excludes() {
    locks_for_tasks::<SlotparkMutex>();
    locks_for_tasks::<AsyncLockable>();
    locks_for_tasks::<AsyncKeyedLock>();
    locks_for_tasks::<DashMapTokio>();
    locks_for_tasks::<DashMapAsyncLock>();
}

#[test]
fn every_semaphore_has_as_many_permits_as_it_says() {
    permits::<SlotparkSemaphore>();
    permits::<SlotparkBargingSemaphore>();
    permits::<TokioSemaphore>();
    permits::<AsyncLockSemaphore>();
    permits::<StdCondvar>();
    permits_for_tasks::<SlotparkSemaphore>();
    permits_for_tasks::<TokioSemaphore>();
    permits_for_tasks::<AsyncLockSemaphore>();
}

#[test]
fn every_engine_of_flights_makes_one_value_at_a_time() {
    flies::<SlotparkFlight>();
    flies::<Moka>();
    flies::<DashMapOnce>();
}
