//! Stories of tasks: futures that are dropped, leaked and polled anew; Wakers that panic or drop.

mod common;

use std::pin::pin;
use std::task::Waker;

use common::bells::{Bell, poll, ready};
use common::faults::panics;
use common::queued::{assert_empty, boxed, queued, queued_with, table, yes};
use common::{FOREVER, Waiting, watchdog};
use slotpark_core::{Filter, Order, Parked, RequeueOptions, Table};

const AT: (u64, u64) = (5, 1);
const TO: (u64, u64) = (6, 2);
const ALL: usize = usize::MAX;

fn wake(table: &Table<u64>, count: usize, token: u64) -> usize {
    table.unpark(AT.0, &AT.1, count, token)
}

/// tokio #4618, embassy #6964, emscripten #27492: the head of the queue is dropped after it was
/// chosen, and the wake is gone. Here it goes on, with its token, to the first that it fits.
#[test]
fn cancelled_future_passes_the_wake_on() {
    let table = table();
    let (first, _) = queued_with(table, AT, FOREVER.tag(0b10));
    let (unfit, unfit_bell) = queued_with(table, AT, FOREVER.tag(0b01));
    let (mut fit, bell) = queued_with(table, AT, FOREVER.tag(0b10));
    assert_eq!(table.unpark_bitset(AT.0, &AT.1, 1, 0b10, 7), 1);
    assert_eq!((unfit_bell.rings(), bell.rings()), (0, 0));
    drop(first);
    assert_eq!((unfit_bell.rings(), bell.rings()), (0, 1));
    assert_eq!(ready(fit.as_mut()), Parked::Woken { token: 7 });
    // One that is passed on is passed on again.
    let (second, _) = queued(table, AT);
    drop(unfit);
    assert_eq!(wake(table, 1, 8), 1);
    let thread = Waiting::queued(table, AT, FOREVER);
    drop(second);
    assert_eq!(thread.token(), 8, "threads and tasks are of one queue");
    assert_empty(table);
}

/// A wake without a bitset fits a waiter whose tag has no bits in its low half, when it is passed
/// on as when it is made; a wake with one does not, whatever its bits.
#[test]
fn a_wake_without_bits_is_passed_on_to_who_has_none() {
    let table = table();
    let (first, _) = queued(table, AT);
    let (mut bare, bell) = queued_with(table, AT, FOREVER.tag(1 << 32));
    assert_eq!(table.unpark_bitset(AT.0, &AT.1, 1, u32::MAX, 1), 1);
    drop(first);
    assert_eq!(bell.rings(), 0, "it has no bit in common");
    let (first, _) = queued_with(table, AT, FOREVER.order(Order::Priority(1)));
    assert_eq!(wake(table, 1, 2), 1);
    drop(first);
    assert_eq!(bell.rings(), 1);
    assert_eq!(ready(bare.as_mut()), Parked::Woken { token: 2 });
    assert_empty(table);
}

/// With nobody behind it the wake has counted a wait that was dropped, and is over.
#[test]
fn a_dropped_wake_without_an_heir_is_counted() {
    let table = table();
    let (only, _) = queued(table, AT);
    assert_eq!(wake(table, 3, 1), 1);
    drop(only);
    let (mut late, bell) = queued(table, AT);
    assert_eq!(bell.rings(), 0, "nothing is stored");
    assert_eq!(wake(table, 1, 2), 1);
    assert_eq!(ready(late.as_mut()), Parked::Woken { token: 2 });
    assert_empty(table);
}

/// A wake of everybody, one with a filter or a policy, and a closing are for those chosen alone.
#[test]
fn only_a_wake_of_some_is_passed_on() {
    let table = table();
    let wakes: [fn(&Table<u64>) -> usize; 4] = [
        |table| wake(table, ALL, 0),
        |table| table.unpark_filter(AT.0, &AT.1, 1, |_| Filter::Unpark, 0),
        |table| table.unpark_with(AT.0, &AT.1, 1, |_| Filter::Unpark, |_| 0),
        |table| table.close_key(AT.0, &AT.1),
    ];
    for wake_it in wakes {
        let (first, _) = queued(table, AT);
        assert_eq!(wake_it(table), 1);
        let (second, bell) = queued(table, AT);
        drop(first);
        assert_eq!(bell.rings(), 0);
        assert_eq!(table.waiters(AT.0, &AT.1), 1);
        drop(second);
    }
    assert_empty(table);
}

/// What was moved before it was woken is passed on at the key that it was moved to.
#[test]
fn a_moved_wake_is_passed_on_where_it_was_made() {
    let table = table();
    let (moved, _) = queued(table, AT);
    let (mut here, bell) = queued(table, TO);
    let all = RequeueOptions {
        move_max: ALL,
        ..RequeueOptions::default()
    };
    let (from, to) = ((AT.0, &AT.1), (TO.0, &TO.1));
    let done = table.requeue(from, to, all, || Ok::<_, ()>(true));
    assert_eq!(done.unwrap().unwrap().moved, 1);
    // Priorities are equal: the moved one stands behind. Both are chosen, the second is dropped.
    let (mut third, third_bell) = queued(table, TO);
    assert_eq!(table.unpark(TO.0, &TO.1, 2, 9), 2);
    drop(moved);
    assert_eq!((bell.rings(), third_bell.rings()), (1, 1));
    assert_eq!(ready(here.as_mut()), Parked::Woken { token: 9 });
    assert_eq!(ready(third.as_mut()), Parked::Woken { token: 9 });
    assert_empty(table);
}

/// A future that is never dropped keeps its place and swallows a wake, and nothing dangles: its key
/// is its own, and its memory is never used for anything else.
#[test]
fn leaked_future_is_safe() {
    let table = Table::<String>::new();
    let mut leaked = Box::pin(table.wait_async(5, "job".to_owned(), FOREVER, yes));
    assert!(poll(leaked.as_mut(), &Bell::new()).is_pending());
    std::mem::forget(leaked);
    assert_eq!(table.waiters(5, "job"), 1);
    assert_eq!(table.unpark(5, "other", ALL, 0), 0, "its key is compared");
    assert_eq!(table.unpark(5, "job", ALL, 0), 1);
    let mut leaked = Box::pin(table.wait_async(5, "job".to_owned(), FOREVER, yes));
    assert!(poll(leaked.as_mut(), &Bell::new()).is_pending());
    std::mem::forget(leaked);
    drop(table); // touches no node
}

/// Registered before its first await, it misses no wake, and needs no Waker for that.
#[test]
fn enabled_before_the_first_await() {
    let table = table();
    let mut future = boxed(table, AT, FOREVER);
    assert_eq!(future.as_mut().enable(), None);
    assert_eq!(future.as_mut().enable(), None, "once is enough");
    assert_eq!(wake(table, 1, 6), 1);
    assert_eq!(ready(future.as_mut()), Parked::Woken { token: 6 });
    // Finished, it may be polled again: a new wait.
    assert!(poll(future.as_mut(), &Bell::new()).is_pending());
    assert_eq!(table.waiters(AT.0, &AT.1), 1);
    assert_eq!(future.as_mut().time_out(), Parked::TimedOut);
    assert_empty(table);
}

/// A `validate` that panics at either of its runs leaves a future that waits nowhere.
#[test]
fn panic_in_validate_of_a_task() {
    let table = table();
    for panicking in 1..=2 {
        let mut runs = 0;
        let validate = move || {
            runs += 1;
            assert!(runs != panicking, "bad");
            true
        };
        let mut future = Box::pin(table.wait_async(AT.0, AT.1, FOREVER, validate));
        assert_eq!(panics(|| poll(future.as_mut(), &Bell::new())), "bad");
        assert_empty(table);
        assert!(poll(future.as_mut(), &Bell::new()).is_pending());
        assert_eq!(wake(table, 1, 2), 1);
        assert_eq!(ready(future.as_mut()), Parked::Woken { token: 2 });
    }
}

/// Those who come first are served first; a later one may ask for the front, or for more.
#[test]
fn order_is_asked_for_by_each_wait() {
    let table = table();
    let orders = [
        Order::Fifo,
        Order::Lifo,
        Order::Priority(1),
        Order::Lifo,
        Order::Priority(2),
        Order::Priority(1),
        Order::Fifo,
        Order::Priority(0),
    ];
    let mut waits = orders.map(|order| queued_with(table, AT, FOREVER.order(order)));
    let expected = [4, 2, 5, 3, 1, 0, 6, 7];
    for (token, place) in expected.into_iter().enumerate() {
        assert_eq!(wake(table, 1, token as u64), 1);
        let token = token as u64;
        assert_eq!(ready(waits[place].0.as_mut()), Parked::Woken { token });
    }
    assert_empty(table);
}

/// A thread and a task of one key are woken in the order in which they came.
#[test]
fn threads_and_tasks_are_one_queue() {
    let _watch = watchdog("threads_and_tasks_are_one_queue");
    let table = table();
    let (mut first, _) = queued(table, AT);
    let second = Waiting::queued(table, AT, FOREVER);
    let (mut third, bell) = queued(table, AT);
    assert_eq!(wake(table, 2, 1), 2);
    assert_eq!(ready(first.as_mut()), Parked::Woken { token: 1 });
    assert_eq!(second.token(), 1);
    assert_eq!((bell.rings(), wake(table, ALL, 2)), (0, 1));
    assert_eq!(ready(third.as_mut()), Parked::Woken { token: 2 });
    assert_empty(table);
}

/// In the child of a fork a future of the parent's queue is in none: it ends, and may be dropped.
#[test]
fn a_future_of_before_a_fork_is_in_no_queue() {
    let table = table();
    let (mut polled, _) = queued(table, AT);
    let (dropped, _) = queued(table, AT);
    // SAFETY: this test's thread alone uses the table: what a child has to do, done in the parent.
    unsafe { table.reset_after_fork() };
    assert_eq!(table.waiters(AT.0, &AT.1), 0);
    let (mut new, _) = queued(table, AT);
    assert_eq!(ready(polled.as_mut()), Parked::Closed);
    drop(dropped);
    assert_eq!(wake(table, ALL, 1), 1);
    assert_eq!(ready(new.as_mut()), Parked::Woken { token: 1 });
    assert!(pin!(table.wait_async(5, 1, FOREVER, || false)).enable() == Some(Parked::Stale));
    let _ = Waker::noop();
}
