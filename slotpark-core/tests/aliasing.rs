//! What others point to while its owner makes references to it, or moves the one that it has.
//!
//! Nodes are neighbours in one slot, so that who leaves goes by its neighbours' pointers. That no
//! borrow of an owner takes these away is for Miri to see; a plain run sees who leaves.

mod common;

use std::pin::pin;
use std::time::Duration;

use common::bells::{Bell, poll};
use common::queued::assert_empty;
use common::{FOREVER, soon, watchdog};
use slotpark_core::{
    Barrier, HoldOptions, KeyedLock, KeyedOptions, Latch, Merge, ParkOptions, Parked, Table,
    Wanted, WhenFull,
};

/// Of the same slot and hash.
const KEYS: [(u64, u64); 3] = [(1, 7), (1, 8), (1, 7)];
const ONE: HoldOptions = HoldOptions::new(1);

fn entries() -> [(u64, &'static u64); 3] {
    KEYS.each_ref().map(|(hash, key)| (*hash, key))
}

/// The closers of a key are looked at, closed again, and leave in any order.
#[test]
fn closers_leave_from_the_middle() {
    let table = Table::<u64>::with_slots(1);
    let mut first = Box::pin(table.closed_key(1, 7));
    let mut second = Box::pin(table.closed_key(1, 7));
    let mut third = Box::pin(table.closed_key(1, 7));
    for closed in [&mut first, &mut second, &mut third] {
        assert_eq!(closed.as_mut().close(), 0);
        assert_eq!(closed.as_mut().close(), 0);
        assert!(format!("{closed:?}").contains("true"));
    }
    drop(second);
    drop(first);
    assert_eq!(table.park(1, &7, FOREVER, || true), Parked::Closed);
    // Moved, while what it points to stays.
    let moved = third;
    drop(moved);
    assert_eq!(table.park(1, &7, FOREVER, || false), Parked::Stale);
}

/// A wait on several keys is refused when some of its nodes are queued: each leaves by the others.
#[test]
fn a_refused_wait_leaves_by_its_own_nodes() {
    let table = Table::<u64>::with_slots(1);
    for options in [FOREVER, FOREVER.validated()] {
        let (mut asked, last) = (0, 2);
        let ended = table.park_each(&entries(), options, |entry| {
            asked += usize::from(entry == last);
            // Yes outside the lock, no under it.
            Ok::<_, ()>(entry != last || (asked == 1 && options == FOREVER))
        });
        let ended = ended.expect("no error");
        assert_eq!((ended.parked, ended.entry), (Parked::Stale, Some(last)));
        let mut asked = 0;
        let ended = table.park_any(&entries(), options, |entry| {
            asked += usize::from(entry == last);
            entry != last || (asked == 1 && options == FOREVER)
        });
        assert_eq!((ended.parked, ended.entry), (Parked::Stale, Some(last)));
    }
    assert_empty(&table);
}

/// A wait on several keys ends by a wake of one, or by its deadline, with its nodes queued.
#[test]
fn a_wait_that_has_ended_leaves_by_its_own_nodes() {
    let _watchdog = watchdog("a_wait_that_has_ended_leaves_by_its_own_nodes");
    let table = Table::<u64>::with_slots(1);
    let each = |options| {
        let ended = table.park_each(&entries(), options, |_| Ok::<_, ()>(true));
        ended.expect("no error").parked
    };
    let any = |options| table.park_any(&entries(), options, |_| true).parked;
    let waits: [&dyn Fn(ParkOptions) -> Parked; 2] = [&each, &any];
    for wait in waits {
        let ended = wait(FOREVER.deadline(soon(Duration::from_millis(20))));
        assert_eq!(ended, Parked::TimedOut);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while table.unpark(1, &8, 1, 0) == 0 {
                    std::thread::yield_now();
                }
            });
            assert!(wait(FOREVER).is_woken());
        });
    }
    assert_empty(&table);
}

/// The same as a future, between the futures of others.
#[test]
fn a_task_on_several_keys_leaves_by_its_own_nodes() {
    let table = &Table::<u64>::with_slots(1);
    let queued = || {
        let mut wait = Box::pin(table.wait_async(1, 7, FOREVER, || true));
        assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
        wait
    };
    let before = queued();
    let mut any = Box::pin(table.wait_any_async(KEYS, FOREVER, None, |_| true));
    assert!(poll(any.as_mut(), &Bell::new()).is_pending());
    let after = queued();
    assert!(poll(any.as_mut(), &Bell::new()).is_pending());
    drop(before);
    let mut moved = any;
    assert_eq!(moved.as_mut().time_out().parked, Parked::TimedOut);
    drop(moved);
    drop(after);
    assert_empty(table);
}

/// A guard that is leaked stays a holder wherever its lock is moved.
#[test]
fn a_lock_is_moved_with_its_holders() {
    let options = KeyedOptions::new().slots(1);
    let lock = KeyedLock::<u64>::with_options(1, options).expect("a slot");
    for key in [7, 8] {
        std::mem::forget(lock.hold(1, key, ONE).expect("free"));
    }
    let lock = Box::new(lock);
    let guard = lock.hold(1, 9, ONE).expect("free");
    assert!(lock.try_hold(1, 7, ONE).is_err());
    assert!(lock.try_hold(1, 8, ONE).is_err());
    drop(guard);
    assert_eq!(lock.held(1, &9), 0);
}

/// Places that were allocated are given back while their neighbours stay.
#[test]
fn places_are_given_back() {
    let options = KeyedOptions::new().slots(1);
    let options = options.pool(1, WhenFull::Allocate);
    let lock = KeyedLock::<u64>::with_options(1, options).expect("a slot");
    let mut guards: Vec<_> = (0..4)
        .map(|key| lock.hold(1, key, ONE).expect("free"))
        .collect();
    drop(guards.swap_remove(1));
    drop(guards.swap_remove(0));
    drop(guards);
    assert_eq!(lock.pool_stats().taken, 0);

    let wanted = [0, 1, 2, 3].map(|key| Wanted::new(1, key, 1));
    let held = lock.hold_many(wanted, Merge::Max, None).expect("free");
    let held = Box::new(held);
    assert_eq!(held.keys().count(), 4);
    assert!(lock.try_hold_many(wanted, Merge::Max).is_err());
    drop(held);

    let latch = Latch::<u64>::with_options(options).expect("a slot");
    let armed = [7, 8].map(|key| latch.arm(1, key, 2).expect("free"));
    let [first, second] = armed;
    drop(first);
    assert_eq!(latch.remaining(1, &8), 2);
    drop(second);

    let barrier = Barrier::<u64>::with_options(options).expect("a slot");
    let members = [7, 7, 7].map(|key| barrier.register(1, key).expect("a place"));
    let [first, second, third] = members;
    drop(second);
    drop(first);
    assert_eq!(barrier.members(1, &7), 1);
    drop(third);
}

/// Who waits for a key of a lock has two nodes; the future leaves with both, and so it grows.
#[test]
fn who_waits_for_a_lock_leaves() {
    let lock = KeyedLock::<u64>::with_options(2, KeyedOptions::new().slots(1)).expect("a slot");
    let mut guard = lock.hold(1, 7, ONE).expect("free");
    let other = lock.hold(1, 7, ONE).expect("free");
    let bell = Bell::new();
    let mut waits: Vec<_> = (0..3)
        .map(|_| Box::pin(lock.hold_async(1, 7, ONE)))
        .collect();
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &bell).is_pending());
        assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
    }
    drop(waits.swap_remove(1));
    let mut grow = Box::pin(guard.grow_async(1));
    assert!(poll(grow.as_mut(), &bell).is_pending());
    drop(grow);
    assert!(lock.try_hold(1, 7, ONE).is_err());
    drop(guard);
    let mut many = pin!(
        lock.hold_many_async([Wanted::new(1, 7, 2), Wanted::new(1, 8, 1)], Merge::Sum)
            .expect("places")
    );
    assert!(poll(many.as_mut(), &bell).is_pending());
    drop(other);
    drop(waits);
    assert!(poll(many.as_mut(), &bell).is_ready());
}
