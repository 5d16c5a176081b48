//! Stories of waits that are ended: closed, interrupted, or decided by one of several keys.

mod common;

use std::pin::pin;

use common::bells::{Bell, poll, ready};
use common::faults::panics;
use common::spied::{Spied, on_clock};
use common::{FOREVER, Waiting, leak, nest, sleepy, watchdog};
use slotpark_core::{
    Clock, Deadline, DefaultPlatform, Interrupter, ParkOptions, Parked, RequeueOptions, Table,
};

const AT: (u64, u64) = (5, 1);
const TO: (u64, u64) = (6, 2);
const ALL: usize = usize::MAX;
const PAST: ParkOptions = FOREVER.deadline(Some(Deadline::PAST));

fn table() -> &'static Table<u64> {
    sleepy::<DefaultPlatform>(4)
}

/// wasmer 7.4.2 `disable_atomics`: a wait that began while the memory was closed slept for ever.
#[test]
fn close_is_sticky_under_the_lock() {
    let _watch = watchdog("close_is_sticky_under_the_lock");
    for _ in 0..200 {
        let table = table();
        let waits: Vec<_> = (0..3)
            .map(|key| Waiting::started(move || table.park(key, &key, FOREVER, || true)))
            .collect();
        let closed = table.close();
        assert!(closed <= 3);
        for wait in waits {
            assert_eq!(wait.outcome(), Parked::Closed);
        }
        assert!(table.is_closed());
        assert_eq!(table.close(), 0, "they are gone, and nobody comes");
        assert_eq!(table.park(9, &9, FOREVER, || true), Parked::Closed);
        assert_eq!(table.unpark(9, &9, ALL, 0), 0);
    }
}

/// What is said when more than one thing is true.
#[test]
fn the_first_true_outcome_is_told() {
    let interrupter = Interrupter::new();
    let table = table();
    let wait = |options, valid: bool| {
        interrupter.interrupt();
        let parked = table.park_interruptible(AT.0, &AT.1, options, &interrupter, || valid);
        (parked, interrupter.clear())
    };
    assert_eq!(wait(PAST, false), (Parked::Stale, true));
    assert_eq!(wait(PAST, true), (Parked::Interrupted, false));
    assert_eq!(table.park(AT.0, &AT.1, PAST, || true), Parked::TimedOut);
    assert_eq!(table.close(), 0);
    assert_eq!(wait(PAST, false), (Parked::Stale, true));
    assert_eq!(wait(PAST, true), (Parked::Closed, true));
    assert_eq!(table.park(AT.0, &AT.1, PAST, || true), Parked::Closed);
    assert_eq!(table.park(AT.0, &AT.1, FOREVER, || false), Parked::Stale);
}

/// An interrupt that ended a wait between its entry and its look at the clock was answered with
/// true, and the wait said that it timed out: then the next wait was interrupted, too.
#[test]
fn an_interrupt_that_ends_a_wait_is_told_although_its_deadline_has_passed() {
    let interrupter = leak(Interrupter::<Spied>::on_platform());
    let table = sleepy::<Spied>(4);
    on_clock(|| assert!(interrupter.interrupt(), "the wait has begun"));
    let options = FOREVER.deadline(Some(Deadline::new(Clock::Monotonic, 1)));
    let parked = table.park_interruptible(AT.0, &AT.1, options, interrupter, || true);
    assert_eq!(parked, Parked::Interrupted);
    assert!(!interrupter.is_pending(), "it was returned");
}

/// A wake that chose a waiter is told, whatever came after it.
#[test]
fn woken_beats_closed_and_interrupted() {
    let (table, interrupter) = (table(), Interrupter::new());
    let options = (AT.0, AT.1, ParkOptions::new());
    let mut task = pin!(table.wait_async(options.0, options.1, options.2, || true));
    assert!(poll(task.as_mut(), &Bell::new()).is_pending());
    let keys = [(TO.0, TO.1)];
    let mut any = pin!(table.wait_any_async(keys, FOREVER, Some(&interrupter), |_| true));
    assert!(poll(any.as_mut(), &Bell::new()).is_pending());
    assert_eq!(table.unpark(AT.0, &AT.1, 1, 7), 1);
    assert_eq!(table.unpark(TO.0, &TO.1, 1, 8), 1);
    assert!(!interrupter.interrupt(), "it came too late");
    assert_eq!(table.close(), 0);
    assert_eq!(ready(task.as_mut()), Parked::Woken { token: 7 });
    assert_eq!(ready(any.as_mut()).parked, Parked::Woken { token: 8 });
    assert!(interrupter.is_pending(), "the next wait will return it");
}

/// A closed key refuses waits while its node lives, and only then; others of its slot are free.
#[test]
fn a_key_is_closed_while_its_node_lives() {
    let _watch = watchdog("a_key_is_closed_while_its_node_lives");
    let table = sleepy::<DefaultPlatform>(1);
    let waits = [(); 3].map(|()| Waiting::queued(table, AT, FOREVER));
    let other = Waiting::queued(table, TO, FOREVER);
    {
        let mut first = pin!(table.closed_key(AT.0, AT.1));
        assert_eq!(first.as_mut().close(), 3);
        assert_eq!(first.as_mut().close(), 0);
        for wait in waits {
            assert_eq!(wait.outcome(), Parked::Closed);
        }
        {
            let mut second = pin!(table.closed_key(AT.0, AT.1));
            assert_eq!(second.as_mut().close(), 0);
        }
        assert_eq!(table.park(AT.0, &AT.1, FOREVER, || true), Parked::Closed);
        assert_eq!(table.park(AT.0, &AT.1, FOREVER, || false), Parked::Stale);
        assert_eq!(table.waiters(AT.0, &AT.1), 0);
        // Who is moved to it is ended there.
        let all = RequeueOptions {
            move_max: ALL,
            ..RequeueOptions::default()
        };
        let moved = table.requeue((TO.0, &TO.1), (AT.0, &AT.1), all, || Ok::<_, ()>(true));
        assert_eq!(moved.unwrap().unwrap().moved, 1);
        assert_eq!(other.outcome(), Parked::Closed);
    }
    let outcomes = nest(table, AT, 1, &mut || {
        assert_eq!(table.unpark(AT.0, &AT.1, ALL, 4), 1);
    });
    assert_eq!(outcomes, [Parked::Woken { token: 4 }]);
}

/// All keys of a process that died, whatever slot they are in; exactly those.
#[test]
fn a_walk_ends_the_waits_of_the_chosen_keys() {
    let _watch = watchdog("a_walk_ends_the_waits_of_the_chosen_keys");
    let table = table();
    let keys: Vec<u64> = (0..20).flat_map(|key| [key, key]).collect();
    let waits: Vec<_> = keys
        .iter()
        .map(|key| (*key, Waiting::queued(table, (*key, *key), FOREVER)))
        .collect();
    let mut tasks: Vec<_> = (0..20)
        .map(|key| Box::pin(table.wait_async(key, key, FOREVER, || true)))
        .collect();
    let bells: Vec<_> = tasks
        .iter_mut()
        .map(|task| {
            let bell = Bell::new();
            assert!(poll(task.as_mut(), &bell).is_pending());
            bell
        })
        .collect();
    let mut asked = Vec::new();
    let ended = table.close_where(|key| {
        asked.push(*key);
        *key < 7
    });
    assert_eq!(ended, 7 * 3);
    asked.sort_unstable();
    assert_eq!(asked, (0..20).collect::<Vec<_>>(), "each key once");
    assert_eq!(table.unpark_where(|key| *key >= 7, 3), 13 * 3);
    for (key, wait) in waits {
        let parked = Parked::Woken { token: 3 };
        let expected = if key < 7 { Parked::Closed } else { parked };
        assert_eq!(wait.outcome(), expected);
    }
    for (key, (mut task, bell)) in tasks.into_iter().zip(bells).enumerate() {
        let parked = Parked::Woken { token: 3 };
        let expected = if key < 7 { Parked::Closed } else { parked };
        assert_eq!((ready(task.as_mut()), bell.rings()), (expected, 1));
    }
}

/// A crowd of tasks of many keys: more Wakers than are taken in one hold of the locks.
#[test]
fn a_walk_wakes_a_crowd_of_tasks() {
    let table = table();
    let mut tasks: Vec<_> = (0..200)
        .map(|key| Box::pin(table.wait_async(key, key, FOREVER, || true)))
        .collect();
    let bell = Bell::new();
    for task in &mut tasks {
        assert!(poll(task.as_mut(), &bell).is_pending());
    }
    let dropped = tasks.split_off(150);
    assert_eq!(table.unpark_where(|_| true, 3), 200);
    assert_eq!(bell.rings(), 200);
    drop(dropped);
    for mut task in tasks {
        assert_eq!(ready(task.as_mut()), Parked::Woken { token: 3 });
    }
}

/// A panic while all slots are locked: they come free, and those chosen before are ended.
#[test]
fn panic_in_a_walk() {
    let _watch = watchdog("panic_in_a_walk");
    let table = table();
    let waits = [0, 1, 2, 3].map(|key| Waiting::queued(table, (key, key), FOREVER));
    let panicked = panics(|| {
        table.close_where(|key| {
            assert!(*key < 2, "bad");
            true
        })
    });
    assert_eq!(panicked, "bad");
    for (key, wait) in (0..).zip(waits) {
        let woken = table.unpark(key, &key, ALL, 6);
        assert_eq!(woken, usize::from(key >= 2));
        let expected = if key < 2 {
            Parked::Closed
        } else {
            Parked::Woken { token: 6 }
        };
        assert_eq!(wait.outcome(), expected);
    }
}

/// An interrupt ends the wait of now, or the next one; `clear` forgets it.
#[test]
fn an_interrupt_is_returned_once() {
    let _watch = watchdog("an_interrupt_is_returned_once");
    let table = table();
    let interrupter: &Interrupter = leak(Interrupter::new());
    let wait = move || table.park_interruptible(AT.0, &AT.1, FOREVER, interrupter, || true);
    let waiting = Waiting::started(wait);
    common::until("it is queued", || table.waiters(AT.0, &AT.1) == 1);
    assert!(interrupter.interrupt());
    assert_eq!(waiting.outcome(), Parked::Interrupted);
    assert_eq!(table.waiters(AT.0, &AT.1), 0);
    assert!(!interrupter.is_pending(), "it was returned");
    assert!(!interrupter.interrupt());
    assert_eq!(wait(), Parked::Interrupted);
    assert!(!interrupter.interrupt());
    assert!(interrupter.clear());
    let waiting = Waiting::started(wait);
    common::until("it is queued", || table.waiters(AT.0, &AT.1) == 1);
    assert_eq!(table.unpark(AT.0, &AT.1, 1, 5), 1);
    assert_eq!(waiting.outcome(), Parked::Woken { token: 5 });
}

/// A task that is dropped has not returned the interrupt that ended it: the next wait does.
#[test]
fn a_dropped_task_leaves_its_interrupt() {
    let (table, interrupter) = (table(), Interrupter::new());
    let wait = || Box::pin(table.wait_any_async([AT], FOREVER, Some(&interrupter), |_| true));
    let (mut first, bell) = (wait(), Bell::new());
    assert!(poll(first.as_mut(), &bell).is_pending());
    assert!(interrupter.interrupt());
    assert_eq!(bell.rings(), 1);
    drop(first);
    assert!(interrupter.is_pending());
    assert_eq!(ready(wait().as_mut()).parked, Parked::Interrupted);
    assert!(!interrupter.is_pending(), "it was returned");
}

/// Two waits at a time cannot share an interrupter; the first is not harmed by the attempt.
#[test]
fn an_interrupter_serves_one_wait_at_a_time() {
    let (table, interrupter) = (table(), Interrupter::new());
    let wait = |key| table.wait_any_async([(key, key)], FOREVER, Some(&interrupter), |_| true);
    let (mut first, mut second) = (Box::pin(wait(1)), Box::pin(wait(2)));
    assert!(poll(first.as_mut(), &Bell::new()).is_pending());
    let message = panics(|| poll(second.as_mut(), &Bell::new()).is_pending());
    assert!(message.contains("two waits at a time"), "{message}");
    drop(second);
    assert!(interrupter.interrupt());
    assert_eq!(ready(first.as_mut()).parked, Parked::Interrupted);
    assert_eq!(table.waiters(1, &1) + table.waiters(2, &2), 0);
}

/// A thread that only looked passes on the wake that had chosen it.
#[test]
fn a_prepared_thread_passes_the_wake_on() {
    let _watch = watchdog("a_prepared_thread_passes_the_wake_on");
    let table = table();
    let outcome = table.prepare(AT.0, &AT.1, FOREVER, |prepared| {
        let behind = Waiting::queued(table, AT, FOREVER);
        assert_eq!(table.unpark(AT.0, &AT.1, 1, 4), 1);
        let _: &_ = prepared;
        behind
    });
    assert_eq!(outcome.expect("not closed").token(), 4);
    let twice = table.prepare(AT.0, &AT.1, FOREVER, |prepared| {
        assert_eq!(table.unpark(AT.0, &AT.1, ALL, 5), 1);
        (prepared.wait(), prepared.wait())
    });
    let woken = Parked::Woken { token: 5 };
    assert_eq!(twice, Ok((woken, woken)));
    assert_eq!(
        panics(|| table.prepare(AT.0, &AT.1, FOREVER, |_| panic!("bad"))),
        "bad"
    );
    assert_eq!(table.waiters(AT.0, &AT.1), 0);
    assert_eq!(table.close(), 0);
    assert_eq!(
        table.prepare(AT.0, &AT.1, FOREVER, |_| ()),
        Err(Parked::Closed)
    );
}
