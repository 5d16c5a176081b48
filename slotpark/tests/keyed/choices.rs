//! What was chosen, and is said in the docs.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use slotpark::{KeyedOptions, KeyedRwLock, KeyedSemaphore, Preference};

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

/// Whether a reader behind a writer comes in when another writer leaves.
fn goes_by_phases(lock: &KeyedRwLock<u64>) -> bool {
    let first = lock.write(7);
    let mut writes = Box::pin(lock.write_async(7));
    let mut reads = Box::pin(lock.read_async(7));
    assert!(poll(&mut writes).is_pending());
    assert!(poll(&mut reads).is_pending());
    drop(first);
    poll(&mut reads).is_ready()
}

#[test]
fn a_read_write_lock_goes_by_phases_unless_told_otherwise() {
    let with = |options| KeyedRwLock::with_options(options).expect("not absurd");
    let options = KeyedOptions::new().slots(64);
    assert!(goes_by_phases(&KeyedRwLock::new()));
    assert!(goes_by_phases(&KeyedRwLock::default()));
    assert!(goes_by_phases(&with(options)));
    assert!(!goes_by_phases(&with(options.preference(Preference::Fifo))));
}

/// Readers of a barging lock pass a writer that waits; they do not pass an upgrade.
#[test]
fn barging_readers_pass_writers_and_no_upgrade() {
    let options = KeyedOptions::new().preference(Preference::Barging);
    let lock = KeyedRwLock::<u64>::with_options(options).expect("not absurd");
    let reader = lock.read(7);
    let mut writes = Box::pin(lock.write_async(7));
    assert!(poll(&mut writes).is_pending());
    assert!(lock.try_read(7).is_ok());
    let mut upgrades = Box::pin(lock.upgradable_read(7).upgrade_async());
    assert!(poll(&mut upgrades).is_pending());
    assert!(lock.try_read(7).is_err());
    drop(reader);
    assert!(poll(&mut upgrades).is_ready());
}

/// More permits than there are could never come.
#[test]
fn more_permits_than_there_are_are_a_mistake() {
    let semaphore = KeyedSemaphore::<u64>::new(3);
    let asked: [&dyn Fn(); 4] = [
        &|| drop(semaphore.acquire_many(7, 4)),
        &|| drop(semaphore.try_acquire_many(7, 4)),
        &|| drop(semaphore.acquire_async(7, 4)),
        &|| semaphore.with_permits(&7, 4, || ()),
    ];
    for ask in asked {
        assert!(catch_unwind(AssertUnwindSafe(ask)).is_err());
        assert_eq!((semaphore.available(&7), semaphore.waiters(&7)), (3, 0));
    }
    assert_eq!(semaphore.pool_stats().taken, 0);
    let mut permit = semaphore.acquire_many(7, 2);
    assert!(catch_unwind(AssertUnwindSafe(|| permit.release(3))).is_err());
    assert_eq!((permit.count(), semaphore.available(&7)), (2, 1));
}

/// No permits are asked for in turn, and hold nothing.
#[test]
fn no_permits_wait_in_turn() {
    let semaphore = KeyedSemaphore::<u64>::new(1);
    let none = semaphore.acquire_many(7, 0);
    assert_eq!((none.count(), semaphore.available(&7)), (0, 1));
    let one = semaphore.acquire(7);
    assert!(semaphore.try_acquire_many(7, 0).is_ok());
    let mut waits = Box::pin(semaphore.acquire_async(7, 1));
    assert!(poll(&mut waits).is_pending());
    assert!(semaphore.try_acquire_many(7, 0).is_err());
    drop((one, none));
    assert!(poll(&mut waits).is_ready());
}
