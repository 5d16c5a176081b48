//! Stories of keyed locks of more than one unit: phases, upgrades, many permits.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use slotpark_core::{
    HoldOptions, Holding, KeyedLock, KeyedOptions, Preference, TryHoldError, WhenFull,
};

type Lock = KeyedLock<u64>;

const AT: u64 = 1;
const KEY: u64 = 7;

fn lock(capacity: u32, preference: Preference) -> Lock {
    let options = KeyedOptions::new().slots(1).preference(preference);
    Lock::with_options(capacity, options.pool(8, WhenFull::Fail)).expect("not absurd")
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn hold(lock: &Lock, amount: u32) -> Holding<'_, u64, slotpark_core::DefaultPlatform> {
    lock.try_hold(AT, KEY, HoldOptions::new(amount))
        .expect("it is free")
}

/// A growth is forgotten while it waits, and its guard dropped: what still points to the guard's
/// place finds it, for ever. The key stays held, and nothing else is touched.
#[test]
fn forgotten_growth_is_safe() {
    for preference in [Preference::Fifo, Preference::Barging] {
        let lock = lock(3, preference);
        let mut guard = hold(&lock, 1);
        let other = hold(&lock, 1);
        let mut grow = Box::pin(guard.grow_async(2));
        assert!(poll(grow.as_mut()).is_pending());
        std::mem::forget(grow);
        drop(guard);
        assert_eq!((lock.held(AT, &KEY), lock.waiters(AT, &KEY)), (2, 1));
        // Its turn comes.
        drop(other);
        assert_eq!((lock.held(AT, &KEY), lock.waiters(AT, &KEY)), (3, 0));
        let refused = lock.try_hold(AT, KEY, HoldOptions::new(1)).err();
        assert_eq!(refused, Some(TryHoldError::Busy));
        assert_eq!(lock.pool_stats().taken, 1);
        let another = lock.try_hold(AT, KEY + 1, HoldOptions::new(3));
        assert!(another.is_ok(), "other keys are free");
    }
}

/// A reader that upgrades waits for those who read. Whoever comes meanwhile waits behind it, also
/// where they would take a free key past a waiter.
#[test]
fn an_upgrade_is_not_overtaken() {
    let preferences = [Preference::Fifo, Preference::PhaseFair, Preference::Barging];
    for preference in preferences {
        let lock = lock(4, preference);
        let mut upgrading = hold(&lock, 3);
        let reader = hold(&lock, 1);
        let mut grow = Box::pin(upgrading.grow_async(1));
        assert!(poll(grow.as_mut()).is_pending());
        drop(reader);
        // Granted, and not polled.
        assert_eq!(lock.held(AT, &KEY), 4, "{preference:?}");
        assert!(poll(grow.as_mut()).is_ready());
        drop(grow);
        upgrading.shrink(2);
        let reader = hold(&lock, 1);
        let mut grow = Box::pin(upgrading.grow_async(2));
        assert!(poll(grow.as_mut()).is_pending());
        let late = lock.try_hold(AT, KEY, HoldOptions::new(1)).err();
        assert_eq!(late, Some(TryHoldError::Busy), "{preference:?}");
        let mut reads = pin!(lock.hold_async(AT, KEY, HoldOptions::new(1)));
        assert!(poll(reads.as_mut()).is_pending());
        drop(reader);
        assert_eq!(lock.held(AT, &KEY), 4, "{preference:?}");
        assert!(poll(grow.as_mut()).is_ready());
        drop(grow);
        assert!(poll(reads.as_mut()).is_pending());
        drop(upgrading);
        assert!(poll(reads).is_ready());
    }
}

/// A growth that was granted and not polled is dropped: its guard holds what it held, and others
/// come in.
#[test]
fn a_dropped_growth_gives_back() {
    let lock = lock(2, Preference::Fifo);
    let mut guard = hold(&lock, 1);
    let other = hold(&lock, 1);
    let mut grow = Box::pin(guard.grow_async(1));
    assert!(poll(grow.as_mut()).is_pending());
    let mut waits = pin!(lock.hold_async(AT, KEY, HoldOptions::new(1)));
    assert!(poll(waits.as_mut()).is_pending());
    drop(other);
    assert_eq!(lock.held(AT, &KEY), 2);
    drop(grow);
    assert!(poll(waits).is_ready(), "it is free for the next");
    assert_eq!(lock.held(AT, &KEY), 1);
    drop(guard);
    assert_eq!(lock.pool_stats().taken, 0);
}

/// A growth that waits is dropped: who stood behind it, and fits, comes in.
#[test]
fn a_dropped_growth_lets_others_through() {
    let lock = lock(3, Preference::Fifo);
    let mut guard = hold(&lock, 1);
    let other = hold(&lock, 1);
    let mut grow = Box::pin(guard.grow_async(2));
    assert!(poll(grow.as_mut()).is_pending());
    let mut waits = pin!(lock.hold_async(AT, KEY, HoldOptions::new(1)));
    assert!(poll(waits.as_mut()).is_pending());
    drop(grow);
    assert!(poll(waits).is_ready());
    drop(other);
}

/// When a writer leaves, readers come in that stand behind other writers; when they leave, the next
/// writer does, before readers that came later.
#[test]
fn readers_come_in_by_phases() {
    let lock = lock(4, Preference::PhaseFair);
    let writer = hold(&lock, 4);
    let wait = |amount| {
        let mut wait = Box::pin(lock.hold_async(AT, KEY, HoldOptions::new(amount)));
        assert!(poll(wait.as_mut()).is_pending());
        wait
    };
    let (mut first, mut writes, mut second) = (wait(1), wait(4), wait(1));
    drop(writer);
    let readers = [poll(first.as_mut()), poll(second.as_mut())];
    assert!(readers.iter().all(Poll::is_ready));
    assert!(poll(writes.as_mut()).is_pending());
    let mut late = wait(1);
    drop(readers);
    let Poll::Ready(writer) = poll(writes.as_mut()) else {
        panic!("it is the writer's turn");
    };
    assert!(poll(late.as_mut()).is_pending());
    drop(writer);
    assert!(poll(late.as_mut()).is_ready());
}

/// Who wants more than a reader, and fits beside them, comes in with them.
#[test]
fn who_fits_beside_readers_comes_in() {
    let lock = lock(8, Preference::PhaseFair);
    let writer = hold(&lock, 8);
    let mut upgradable = pin!(lock.hold_async(AT, KEY, HoldOptions::new(5)));
    let mut reads = pin!(lock.hold_async(AT, KEY, HoldOptions::new(1)));
    assert!(poll(upgradable.as_mut()).is_pending());
    assert!(poll(reads.as_mut()).is_pending());
    drop(writer);
    let reader = poll(reads);
    assert!(reader.is_ready());
    assert!(poll(upgradable).is_ready(), "nothing is in its way");
}

/// Two permits come back at once, and two wait for one each: both are woken.
#[test]
fn a_barging_release_wakes_as_many_as_there_is_room_for() {
    let lock = lock(2, Preference::Barging);
    let two = hold(&lock, 2);
    let mut waits = [0, 1].map(|_| Box::pin(lock.hold_async(AT, KEY, HoldOptions::new(1))));
    for wait in &mut waits {
        assert!(poll(wait.as_mut()).is_pending());
    }
    drop(two);
    assert_eq!(lock.waiters(AT, &KEY), 0, "both were woken");
    assert!(waits.iter_mut().all(|wait| poll(wait.as_mut()).is_ready()));
}

/// Who was woken for two comes too late, since one has been taken: the other is enough for who
/// waits for one.
#[test]
fn a_barging_waiter_that_is_too_late_passes_on() {
    let lock = lock(2, Preference::Barging);
    let two = hold(&lock, 2);
    let mut large = pin!(lock.hold_async(AT, KEY, HoldOptions::new(2)));
    let mut small = pin!(lock.hold_async(AT, KEY, HoldOptions::new(1)));
    assert!(poll(large.as_mut()).is_pending());
    assert!(poll(small.as_mut()).is_pending());
    drop(two);
    let one = hold(&lock, 1);
    assert!(poll(large.as_mut()).is_pending());
    assert_eq!(lock.waiters(AT, &KEY), 1, "the other was woken");
    assert!(poll(small).is_ready());
    drop(one);
}

/// A writer waits already when a reader upgrades: the upgrade is first, else both wait for ever.
#[test]
fn an_upgrade_stands_in_front() {
    for preference in [Preference::Fifo, Preference::PhaseFair] {
        let lock = lock(4, preference);
        let mut upgrading = hold(&lock, 3);
        let reader = hold(&lock, 1);
        let mut writes = pin!(lock.hold_async(AT, KEY, HoldOptions::new(4)));
        assert!(poll(writes.as_mut()).is_pending());
        let mut grow = Box::pin(upgrading.grow_async(1));
        assert!(poll(grow.as_mut()).is_pending());
        drop(reader);
        assert!(poll(grow.as_mut()).is_ready(), "{preference:?}");
        drop(grow);
        drop(upgrading);
        assert!(poll(writes).is_ready());
    }
}

/// Who asks for all stays first, though what is free is enough for who stands behind.
#[test]
fn a_large_request_stays_first() {
    let lock = lock(3, Preference::Fifo);
    let held = [0, 1].map(|_| hold(&lock, 1));
    let mut large = pin!(lock.hold_async(AT, KEY, HoldOptions::new(3)));
    let mut small = pin!(lock.hold_async(AT, KEY, HoldOptions::new(1)));
    assert!(poll(large.as_mut()).is_pending());
    assert!(poll(small.as_mut()).is_pending());
    let [first, second] = held;
    drop(first);
    assert_eq!(lock.held(AT, &KEY), 1, "nobody was let past");
    drop(second);
    let all = poll(large);
    assert!(all.is_ready());
    assert!(poll(small.as_mut()).is_pending());
    drop(all);
    assert!(poll(small).is_ready());
}
