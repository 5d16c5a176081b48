//! Stories of waiters that are moved from key to key.

mod common;

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::counting::Counting;
use common::spied::{Spied, Spy};
use common::{FOREVER, Numbers, Waiting, a_second, in_an_hour, leak, nest, outlast};
use common::{sleepy, soon, until, watchdog};
use slotpark_core::{
    DefaultPlatform, Filter, ParkOptions, Parked, Platform, RequeueOptions, Requeued,
};
use slotpark_core::{Left, Table};

/// In tables of four slots: a key, another one in its slot, and one elsewhere.
const FROM: (u64, u64) = (5, 1);
const SAME_SLOT: (u64, u64) = (9, 2);
const OTHER_SLOT: (u64, u64) = (6, 3);
const ALL: usize = usize::MAX;

fn requeue<P: Platform>(
    table: &Table<u64, P>,
    from: (u64, u64),
    to: (u64, u64),
    wake_max: usize,
    move_max: usize,
) -> Requeued {
    let options = RequeueOptions {
        wake_max,
        move_max,
        token: 9,
    };
    let yes = || Ok::<_, Infallible>(true);
    match table.requeue((from.0, &from.1), (to.0, &to.1), options, yes) {
        Ok(requeued) => requeued.expect("validate said yes"),
        Err(never) => match never {},
    }
}

fn waiters<P: Platform>(table: &Table<u64, P>, at: (u64, u64)) -> usize {
    table.waiters(at.0, &at.1)
}

fn unpark<P: Platform>(table: &Table<u64, P>, at: (u64, u64), count: usize, token: u64) -> usize {
    table.unpark(at.0, &at.1, count, token)
}

/// Asterinas: a moved waiter whose time was up looked where it had begun, found nothing there,
/// reported a wake and left its entry behind.
#[test]
fn timeout_after_requeue() {
    let _watch = watchdog("timeout_after_requeue");
    let table = sleepy::<DefaultPlatform>(4);
    for to in [SAME_SLOT, OTHER_SLOT] {
        let resident = Waiting::queued(table, to, FOREVER);
        let timeouts = table.slot_stats(table.slot_index(to.0)).timeouts;
        let mut left: Option<Left> = None;
        let mut moved = 0;
        // Until the time was long enough for the wait to be queued.
        while moved == 0 {
            let deadline = soon(Duration::from_millis(2));
            let options = ParkOptions::new().deadline(deadline);
            let is_moved = || {
                moved = requeue(table, FROM, to, 0, ALL).moved;
                outlast(deadline);
            };
            let yes = || Ok::<_, ()>(true);
            let leaves = |how| left = Some(how);
            let parked = table.park_with(FROM.0, &FROM.1, options, yes, is_moved, leaves);
            assert_eq!(parked, Ok(Parked::TimedOut));
        }
        assert!(!left.expect("it was queued").last, "the key has a resident");
        let stats = table.slot_stats(table.slot_index(to.0));
        assert_eq!(stats.timeouts, timeouts + 1, "it left the slot it was in");
        assert_eq!((waiters(table, FROM), waiters(table, to)), (0, 1));
        assert_eq!(unpark(table, to, 1, 7), 1);
        assert_eq!(resident.token(), 7);
    }
}

/// The same, raced: a waiter reads its slot, is moved, and locks the slot that it was in.
#[test]
fn timeout_while_requeued_to_and_fro() {
    let _watch = watchdog("timeout_while_requeued_to_and_fro");
    let table = sleepy::<DefaultPlatform>(4);
    let over = leak(AtomicBool::new(false));
    let threads: Vec<_> = (0..3)
        .map(|seed| {
            std::thread::spawn(move || {
                let mut numbers = Numbers::new(seed);
                while !over.load(Ordering::Relaxed) {
                    let deadline = soon(Duration::from_micros(1 + numbers.below(60)));
                    let options = ParkOptions::new().deadline(deadline);
                    let parked = table.park(FROM.0, &FROM.1, options, || true);
                    assert_eq!(parked, Parked::TimedOut, "nobody wakes anybody here");
                }
            })
        })
        .collect();
    let mut time_is_left = a_second();
    while time_is_left() {
        requeue(table, FROM, OTHER_SLOT, 0, ALL);
        requeue(table, OTHER_SLOT, FROM, 0, ALL);
    }
    over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("every wait times out");
    }
    assert_eq!((waiters(table, FROM), waiters(table, OTHER_SLOT)), (0, 0));
}

/// elfuse #350: from a key to itself the loop met its own tail and ran `INT_MAX` times.
#[test]
fn requeue_same_key() {
    let table = sleepy::<Counting>(4);
    let outcomes = nest(table, FROM, 4, &mut || {
        let moved = requeue(table, FROM, FROM, 1, i32::MAX as usize);
        assert_eq!(moved, Requeued { woken: 1, moved: 3 });
        assert_eq!(waiters(table, FROM), 3);
        let once = requeue(table, FROM, FROM, 0, 2);
        assert_eq!(once, Requeued { woken: 0, moved: 2 });
        let counts = [1, 2, 3, 4].map(|token| unpark(table, FROM, 1, token));
        assert_eq!(counts, [1, 1, 1, 0], "the order is kept");
    });
    assert_eq!(outcomes, [9, 1, 2, 3].map(|token| Parked::Woken { token }));
}

/// Two keys in one slot: its lock is taken once, and moved waiters keep their order at the end.
#[test]
fn requeue_same_slot() {
    let table = sleepy::<Counting>(4);
    moves_in_order(table, SAME_SLOT);
}

/// Both locks are taken in index order: two requeues against each other neither deadlock nor lose
/// anybody.
#[test]
fn requeue_two_slots_both_directions() {
    let _watch = watchdog("requeue_two_slots_both_directions");
    moves_in_order(sleepy::<Counting>(4), OTHER_SLOT);
    let table = sleepy::<DefaultPlatform>(4);
    let homes = [FROM, OTHER_SLOT, FROM, OTHER_SLOT];
    let waits = homes.map(|at| Waiting::queued(table, at, FOREVER));
    let over = leak(AtomicBool::new(false));
    let mover = std::thread::spawn(|| {
        while !over.load(Ordering::Relaxed) {
            requeue(table, OTHER_SLOT, FROM, 0, 1);
        }
    });
    let mut time_is_left = a_second();
    while time_is_left() {
        requeue(table, FROM, OTHER_SLOT, 0, ALL);
    }
    over.store(true, Ordering::Relaxed);
    mover.join().expect("a requeue does not panic");
    let here = waiters(table, FROM) + waiters(table, OTHER_SLOT);
    assert_eq!(here, homes.len(), "nobody is lost, nobody is there twice");
    assert_eq!(
        unpark(table, FROM, ALL, 3) + unpark(table, OTHER_SLOT, ALL, 3),
        4
    );
    for waiting in waits {
        assert_eq!(waiting.token(), 3);
    }
}

/// The order itself: who stands at the upper lock holds the lower one, whichever way it moves.
#[test]
fn requeue_locks_the_lower_slot_first() {
    let _watch = watchdog("requeue_locks_the_lower_slot_first");
    let table = sleepy::<Spied>(4);
    // By their hashes FROM has the lower slot.
    for (from, to) in [(FROM, OTHER_SLOT), (OTHER_SLOT, FROM)] {
        let [mover_spy, looker_spy] = [(); 2].map(|()| -> &'static Spy { leak(Spy::default()) });
        let mut threads = Vec::new();
        let hold_the_upper = |_| {
            threads.push(std::thread::spawn(move || {
                mover_spy.follow();
                requeue(table, from, to, 0, ALL).moved
            }));
            until("the mover stands at a lock", || mover_spy.lock_sleeps() > 0);
            let looker = std::thread::spawn(move || {
                looker_spy.follow();
                // With a policy it takes the lock though nobody waits.
                table.unpark_with(FROM.0, &FROM.1, 1, |_| Filter::Unpark, |_| 0)
            });
            until("the looker stands at the lower lock or had it", || {
                looker_spy.lock_sleeps() > 0 || looker.is_finished()
            });
            assert!(!looker.is_finished(), "the lower slot is free: {from:?}");
            threads.push(looker);
            0
        };
        let all = |_: &_| Filter::Unpark;
        let woken = table.unpark_with(OTHER_SLOT.0, &OTHER_SLOT.1, 1, all, hold_the_upper);
        assert_eq!(woken, 0);
        for thread in threads {
            assert_eq!(thread.join().expect("nobody panics"), 0);
        }
    }
}

/// Of five waiters one is woken and two are moved behind a resident of `to`; FIFO on both keys.
fn moves_in_order(table: &Table<u64, Counting>, to: (u64, u64)) {
    let mut moved_outcomes = Vec::new();
    let resident = nest(table, to, 1, &mut || {
        moved_outcomes = nest(table, FROM, 5, &mut || {
            let moved = requeue(table, FROM, to, 1, 2);
            assert_eq!(moved, Requeued { woken: 1, moved: 2 });
            assert_eq!((waiters(table, FROM), waiters(table, to)), (2, 3));
            let target = [20, 21, 22, 23].map(|token| unpark(table, to, 1, token));
            let source = [10, 11, 12].map(|token| unpark(table, FROM, 1, token));
            assert_eq!((target, source), ([1, 1, 1, 0], [1, 1, 0]));
        });
    });
    assert_eq!(resident, [Parked::Woken { token: 20 }]);
    let expected = [9, 21, 22, 10, 11].map(|token| Parked::Woken { token });
    assert_eq!(moved_outcomes, expected);
    let stats = table.slot_stats(table.slot_index(to.0));
    assert_eq!(stats.requeues, 2);
}

/// A moved sleeper still sleeps where it began: woken in its new slot, it slept for ever.
#[test]
fn requeued_sleeper_is_woken_at_home() {
    let _watch = watchdog("requeued_sleeper_is_woken_at_home");
    let table = sleepy::<DefaultPlatform>(4);
    let with_deadline = ParkOptions::new().deadline(in_an_hour());
    let homes = [FROM, SAME_SLOT, OTHER_SLOT, (7, 4), FROM];
    let target = (4, 5);
    let waits: Vec<_> = homes
        .iter()
        .zip([FOREVER, with_deadline].into_iter().cycle())
        .map(|(at, options)| Waiting::asleep(table, *at, options))
        .collect();
    for at in [FROM, SAME_SLOT, OTHER_SLOT, (7, 4)] {
        assert!(requeue(table, at, target, 0, ALL).moved > 0);
        assert_eq!(unpark(table, at, ALL, 0), 0, "nobody is where it was");
    }
    // The first alone, then all others with one call, whatever their homes.
    assert_eq!(unpark(table, target, 1, 7), 1);
    until("the first returns", || waits[0].has_returned());
    assert_eq!(unpark(table, target, ALL, 7), 4);
    for waiting in waits {
        assert_eq!(waiting.token(), 7);
    }
}
