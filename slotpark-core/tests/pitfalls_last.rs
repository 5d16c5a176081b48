//! Stories of wakes of the last in the queue: who that is, and who gets a wake that it gave up.

mod common;

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::bells::{Bell, poll, poll_with, ready, trap};
use common::queued::{assert_empty, boxed, queued, queued_with, table};
use common::{FOREVER, Waiting, leak, watchdog};
use slotpark_core::{Filter, Order, Parked, Table};

const AT: (u64, u64) = (5, 1);
const TO: (u64, u64) = (6, 2);
const ALL: usize = usize::MAX;

fn wake_last(table: &Table<u64>, token: u64) -> usize {
    table.unpark_last(AT.0, &AT.1, token)
}

/// A stack that pops from the wrong end: the wake of the last is for whom a wake of one would come
/// to last, whatever threads, tasks and orders there are.
#[test]
fn the_last_is_the_youngest() {
    let _watch = watchdog("the_last_is_the_youngest");
    let table = table();
    let (mut first, first_bell) = queued(table, AT);
    let thread = Waiting::queued(table, AT, FOREVER);
    let (mut late, late_bell) = queued(table, AT);
    let (mut before, _) = queued_with(table, AT, FOREVER.order(Order::Lifo));
    let (mut urgent, _) = queued_with(table, AT, FOREVER.order(Order::Priority(1)));
    let (_other, other_bell) = queued(table, TO);
    assert_eq!(wake_last(table, 1), 1);
    assert_eq!((first_bell.rings(), late_bell.rings()), (0, 1));
    assert_eq!(ready(late.as_mut()), Parked::Woken { token: 1 });
    assert_eq!(wake_last(table, 2), 1);
    assert_eq!(thread.token(), 2);
    assert_eq!(wake_last(table, 3), 1);
    assert_eq!(ready(first.as_mut()), Parked::Woken { token: 3 });
    assert_eq!((wake_last(table, 4), wake_last(table, 5)), (1, 1));
    assert_eq!(ready(before.as_mut()), Parked::Woken { token: 4 });
    assert_eq!(ready(urgent.as_mut()), Parked::Woken { token: 5 });
    assert_eq!(wake_last(table, 6), 0, "nobody is left of the key");
    assert_eq!(other_bell.rings(), 0, "another key in the same slot");
    drop(_other);
    assert_empty(table);
}

/// As WAMR did with the first one: two wakes that hit the same node. One from each end, and both
/// are counted.
#[test]
fn a_first_and_a_last_wake_wake_two() {
    let _watch = watchdog("a_first_and_a_last_wake_wake_two");
    let table = table();
    for first_first in [false, true] {
        let waits = [0, 1].map(|_| Waiting::queued(table, AT, FOREVER));
        let first = || table.unpark(AT.0, &AT.1, 1, 1);
        let counts = match first_first {
            true => (first(), wake_last(table, 2)),
            false => (wake_last(table, 2), first()),
        };
        assert_eq!(counts, (1, 1));
        assert_eq!(table.waiters(AT.0, &AT.1), 0);
        assert_eq!(waits.map(Waiting::token), [1, 2]);
    }
    let only = Waiting::queued(table, AT, FOREVER);
    assert_eq!((wake_last(table, 3), wake_last(table, 4)), (1, 0));
    assert_eq!(only.token(), 3);
    assert_empty(table);
}

/// tokio #4618, from the other end: the last is dropped after it was chosen. Its wake goes to the
/// youngest left, not to the oldest, and from there on again.
#[test]
fn a_dropped_last_passes_the_wake_on_to_the_youngest_left() {
    let _watch = watchdog("a_dropped_last_passes_the_wake_on_to_the_youngest_left");
    let table = table();
    let (mut first, first_bell) = queued(table, AT);
    let (middle, middle_bell) = queued(table, AT);
    let (last, last_bell) = queued(table, AT);
    assert_eq!(wake_last(table, 7), 1);
    assert_eq!(last_bell.rings(), 1);
    drop(last);
    assert_eq!((first_bell.rings(), middle_bell.rings()), (0, 1));
    // Who came after the wake is the youngest then.
    let late = Waiting::queued(table, AT, FOREVER);
    drop(middle);
    assert_eq!(late.token(), 7);
    // A thread that is queued and does not wait passes it on, too.
    let prepared = table.prepare(AT.0, &AT.1, FOREVER, |_| wake_last(table, 8));
    assert_eq!(prepared, Ok(1));
    assert_eq!(ready(first.as_mut()), Parked::Woken { token: 8 });
    // With nobody left it has counted a wait that was dropped.
    let (only, _) = queued(table, AT);
    assert_eq!(wake_last(table, 9), 1);
    drop(only);
    assert_empty(table);
}

/// Nodes at the end of the ring that do not wait: marked by a wake that has not taken their Wakers
/// yet, claimed by another key, or keeping the key closed. They are passed over.
#[test]
fn the_last_that_waits_is_woken() {
    let _watch = watchdog("the_last_that_waits_is_woken");
    let table = table();
    // More tasks than Wakers are taken at a time: the rest stays linked while the first is called.
    let (mut oldest, _) = queued(table, AT);
    let woken = leak(AtomicUsize::new(0));
    let mut crowd: Vec<_> = (0..40).map(|_| boxed(table, AT, FOREVER)).collect();
    let waker = trap(move || woken.store(wake_last(table, 1), Ordering::Relaxed));
    assert!(poll_with(crowd[0].as_mut(), &waker).is_pending());
    for other in &mut crowd[1..] {
        assert!(poll(other.as_mut(), &Bell::new()).is_pending());
    }
    let mut is_first = true;
    let but_the_first = |_: &_| match std::mem::take(&mut is_first) {
        true => Filter::Skip,
        false => Filter::Unpark,
    };
    let others = table.unpark_filter(AT.0, &AT.1, ALL, but_the_first, 2);
    assert_eq!((others, woken.load(Ordering::Relaxed)), (40, 1));
    assert_eq!(ready(oldest.as_mut()), Parked::Woken { token: 1 });
    for task in &mut crowd {
        assert_eq!(ready(task.as_mut()), Parked::Woken { token: 2 });
    }
    // Claimed by its other key, and not polled since.
    let (mut old, _) = queued(table, AT);
    let mut of_two = pin!(table.wait_any_async([AT, TO], FOREVER, None, |_| true));
    assert_eq!(of_two.as_mut().enable(), None);
    assert_eq!(table.unpark(TO.0, &TO.1, 1, 3), 1);
    assert_eq!((wake_last(table, 4), wake_last(table, 5)), (1, 0));
    assert_eq!(ready(old.as_mut()), Parked::Woken { token: 4 });
    assert_eq!(ready(of_two).entry, Some(1));
    // Of a closed key.
    let mut closed = pin!(table.closed_key(AT.0, AT.1));
    assert_eq!(closed.as_mut().close(), 0);
    assert_eq!(wake_last(table, 6), 0);
    assert_empty(table);
}
