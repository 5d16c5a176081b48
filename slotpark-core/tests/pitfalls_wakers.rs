//! Stories of Wakers: crowds of them, and such that panic, drop other futures, or are replaced.

mod common;

use std::sync::{Arc, Mutex};

use common::bells::{Bell, poll, poll_with, ready, trap};
use common::faults::panics;
use common::queued::{Boxed, assert_empty, boxed, queued, table};
use common::{FOREVER, watchdog};
use slotpark_core::{Parked, Table};

const AT: (u64, u64) = (5, 1);
const ALL: usize = usize::MAX;

fn wake(table: &Table<u64>, count: usize, token: u64) -> usize {
    table.unpark(AT.0, &AT.1, count, token)
}

/// More tasks than Wakers are taken at a time: each Waker is called once, and none is missed.
#[test]
fn a_crowd_of_tasks_is_woken_once_each() {
    let table = table();
    let mut crowd: Vec<_> = (0..100).map(|_| queued(table, AT)).collect();
    assert_eq!(wake(table, 70, 5), 70);
    let rings: Vec<usize> = crowd.iter().map(|(_, bell)| bell.rings()).collect();
    assert_eq!(rings, [vec![1; 70], vec![0; 30]].concat(), "in their order");
    assert_eq!(table.waiters(AT.0, &AT.1), 30);
    assert_eq!(wake(table, ALL, 5), 30);
    for (future, bell) in &mut crowd {
        assert_eq!(bell.rings(), 1);
        assert_eq!(ready(future.as_mut()), Parked::Woken { token: 5 });
    }
    assert_empty(table);
}

/// A Waker that panics: the rest of the wake is woken first, and the queue stays sound.
#[test]
fn panic_in_waker() {
    let table = table();
    let mut crowd: Vec<_> = (0..20).map(|_| queued(table, AT)).collect();
    let mut bad = boxed(table, AT, FOREVER);
    let waker = trap(|| panic!("a bad Waker"));
    assert!(poll_with(bad.as_mut(), &waker).is_pending());
    crowd.extend((0..60).map(|_| queued(table, AT)));
    assert_eq!(panics(|| wake(table, ALL, 3)), "a bad Waker");
    for (future, bell) in &mut crowd {
        assert_eq!(bell.rings(), 1);
        assert_eq!(ready(future.as_mut()), Parked::Woken { token: 3 });
    }
    assert_eq!(ready(bad.as_mut()), Parked::Woken { token: 3 });
    let (mut next, _) = queued(table, AT);
    assert_eq!(wake(table, 1, 4), 1);
    assert_eq!(ready(next.as_mut()), Parked::Woken { token: 4 });
    assert_empty(table);
}

/// A Waker that `wake_all` calls drops other futures of the same wake: those whose Wakers were
/// called, those whose were taken with its own, and those that are still to be taken.
#[test]
fn drop_from_inside_a_waker() {
    let _watch = watchdog("drop_from_inside_a_waker");
    let table = table();
    let crowd = Arc::new(Mutex::new(Vec::new()));
    let others = Arc::clone(&crowd);
    let mut dropper = boxed(table, AT, FOREVER);
    let waker = trap(move || {
        let mut others = others.lock().expect("no other trap");
        for place in [75, 50, 33, 20, 10, 0] {
            let (future, _): (Boxed, Arc<Bell>) = others.remove(place);
            drop(future);
        }
    });
    {
        let mut crowd = crowd.lock().expect("not shared yet");
        crowd.extend((0..12).map(|_| queued(table, AT)));
        assert!(poll_with(dropper.as_mut(), &waker).is_pending());
        crowd.extend((0..80).map(|_| queued(table, AT)));
    }
    assert_eq!(wake(table, ALL, 3), 93);
    let mut crowd = crowd.lock().expect("the trap is over");
    assert_eq!(crowd.len(), 86);
    for (future, bell) in crowd.iter_mut() {
        assert_eq!(bell.rings(), 1);
        assert_eq!(ready(future.as_mut()), Parked::Woken { token: 3 });
    }
    assert_eq!(ready(dropper.as_mut()), Parked::Woken { token: 3 });
    assert_empty(table);
}

/// The same with a wake of a number: what the dropped had goes on to those behind, exactly.
#[test]
fn drops_from_inside_a_waker_pass_the_wake_on() {
    let _watch = watchdog("drops_from_inside_a_waker_pass_the_wake_on");
    let table = table();
    let crowd = Arc::new(Mutex::new(Vec::new()));
    let others = Arc::clone(&crowd);
    let mut dropper = boxed(table, AT, FOREVER);
    let waker = trap(move || {
        let chosen: Vec<(Boxed, Arc<Bell>)> =
            others.lock().expect("no other trap").drain(..80).collect();
        drop(chosen);
    });
    assert!(poll_with(dropper.as_mut(), &waker).is_pending());
    let more = (0..170).map(|_| queued(table, AT));
    crowd.lock().expect("not shared yet").extend(more);
    assert_eq!(wake(table, 81, 3), 81);
    let mut crowd = crowd.lock().expect("the trap is over");
    let woken = crowd.iter().filter(|(_, bell)| bell.rings() == 1).count();
    assert_eq!((crowd.len(), woken), (90, 80));
    assert_eq!(table.waiters(AT.0, &AT.1), 10);
    assert_eq!(ready(dropper.as_mut()), Parked::Woken { token: 3 });
    crowd.clear();
    assert_empty(table);
}

/// A future may go from thread to thread and from Waker to Waker: the last one is called.
#[test]
fn the_last_waker_is_called() {
    let table = table();
    let (mut future, old) = queued(table, AT);
    let new = Bell::new();
    let future = std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            assert!(poll(future.as_mut(), &new).is_pending());
            assert!(poll(future.as_mut(), &new).is_pending());
            future
        });
        thread.join().expect("nothing panics")
    });
    assert_eq!(Arc::strong_count(&old), 1, "the old Waker is dropped");
    assert_eq!(wake(table, 1, 0), 1);
    assert_eq!((old.rings(), new.rings()), (0, 1));
    drop(future);
    assert_eq!(Arc::strong_count(&new), 1, "and so is the new one");
    assert_empty(table);
}
