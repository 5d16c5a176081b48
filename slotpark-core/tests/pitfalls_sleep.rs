//! Stories of sleeping in groups, and of deadlines that pass while a waker is at work.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::spied::{Spied, Spy};
use common::{FOREVER, Numbers, Waiting, asleep, in_an_hour, leak, sleepy, soon, until, watchdog};
use slotpark_core::{DefaultPlatform, Filter, ParkOptions, Parked, Table};

const AT: (u64, u64) = (5, 1);
const ALL: usize = usize::MAX;

/// JDK-8386085: waits with tiny timeouts on few keys spent all their time unlinking.
#[test]
fn short_timeouts_do_not_livelock() {
    let _watch = watchdog("short_timeouts_do_not_livelock");
    let table = sleepy::<DefaultPlatform>(1);
    storm(table, 4, 1_500, |table, numbers| {
        table.unpark(AT.0, &numbers.below(4), 1, 0)
    });
}

/// A waiter whose time was up after `wake_all` had detached it cut the waker's chain, or ran ahead
/// of a waker that still read its frame.
#[test]
fn timed_out_while_spliced() {
    let _watch = watchdog("timed_out_while_spliced");
    let table = sleepy::<Spied>(1);
    let mut spliced = 0;
    let mut timeout = Duration::from_millis(50);
    // A slow machine may let a deadline pass before the wake: then once more, with more time.
    while spliced < 3 {
        timeout *= 2;
        let spies = [(); 3].map(|()| -> &'static Spy { leak(Spy::default()) });
        let waits = spies.map(|spy| {
            let deadline = soon(timeout);
            Waiting::started(move || {
                spy.follow();
                table.park(AT.0, &AT.1, ParkOptions::new().deadline(deadline), || true)
            })
        });
        until("all are queued or too late", || {
            table.waiters(AT.0, &AT.1) == 3 || waits.iter().any(Waiting::has_returned)
        });
        let mut ran_ahead = false;
        let hold = |choice: slotpark_core::Choice| {
            spliced = choice.count;
            if spliced == 3 {
                // The choice stands, the release is still to come, and every deadline passes.
                until(
                    "all wait for their release alone, or one runs ahead",
                    || {
                        ran_ahead = waits.iter().any(Waiting::has_returned);
                        ran_ahead || spies.iter().all(|spy| spy.endless_sleeps() > 0)
                    },
                );
            }
            7
        };
        let woken = table.unpark_with(AT.0, &AT.1, ALL, |_| Filter::Unpark, hold);
        assert!(
            !ran_ahead,
            "a waiter returned before its waker had released it"
        );
        assert_eq!(woken, spliced);
        let outcomes = waits.map(Waiting::outcome);
        let counted = outcomes
            .iter()
            .filter(|outcome| **outcome == Parked::Woken { token: 7 });
        assert_eq!(counted.count(), woken, "{outcomes:?}");
    }
    let table = sleepy::<DefaultPlatform>(1);
    storm(table, 4, 1_500, |table, _| table.unpark(AT.0, &0, ALL, 0));
}

/// Waits with tiny timeouts on four keys against a waker: who was counted was woken, nobody else.
fn storm(
    table: &'static Table<u64>,
    threads: u64,
    waits: usize,
    wake: impl Fn(&Table<u64>, &mut Numbers) -> usize,
) {
    let (running, woken) = (leak(AtomicUsize::new(0)), leak(AtomicUsize::new(0)));
    let threads: Vec<_> = (0..threads)
        .map(|seed| {
            running.fetch_add(1, Ordering::Relaxed);
            std::thread::spawn(move || {
                let mut numbers = Numbers::new(seed);
                for _ in 0..waits {
                    let deadline = soon(Duration::from_micros(1 + numbers.below(30)));
                    let options = ParkOptions::new().deadline(deadline);
                    // Half of the waits are on one key.
                    let key = numbers.below(8) % 5 % 4;
                    match table.park(AT.0, &key, options, || true) {
                        Parked::Woken { .. } => woken.fetch_add(1, Ordering::Relaxed),
                        Parked::TimedOut => 0,
                        other => panic!("{other:?}: validate never said no"),
                    };
                }
                running.fetch_sub(1, Ordering::Release);
            })
        })
        .collect();
    let mut numbers = Numbers::new(99);
    let mut counted = 0;
    while running.load(Ordering::Acquire) > 0 {
        counted += wake(table, &mut numbers);
        std::thread::yield_now();
    }
    for thread in threads {
        thread.join().expect("every wait ends well");
    }
    assert_eq!(woken.load(Ordering::Relaxed), counted);
    assert_eq!(
        (0..4).map(|key| table.waiters(AT.0, &key)).sum::<usize>(),
        0
    );
    let stats = table.slot_stats(0);
    assert_eq!(stats.wakes as usize, counted);
    assert_eq!(stats.parks, stats.wakes + stats.timeouts);
}

/// The prototype put waits with a deadline to sleep elsewhere: the wake never reached them, and an
/// hour went by.
#[test]
fn group_sleep_with_deadline() {
    let _watch = watchdog("group_sleep_with_deadline");
    let table = sleepy::<DefaultPlatform>(1);
    let with_deadline = ParkOptions::new().deadline(in_an_hour());
    // Alone, then as a group in which some have no deadline.
    for group in [
        vec![with_deadline],
        vec![with_deadline, FOREVER, with_deadline],
    ] {
        let waits: Vec<_> = group
            .into_iter()
            .map(|options| Waiting::asleep(table, AT, options))
            .collect();
        assert_eq!(table.unpark(AT.0, &AT.1, ALL, 7), waits.len());
        for waiting in waits {
            assert_eq!(waiting.token(), 7);
        }
    }
}

/// 32 bits for any number of sleepers: told to wake one, the kernel woke the other owner of a bit.
#[test]
fn shared_bit_wakes_the_right_one() {
    let _watch = watchdog("shared_bit_wakes_the_right_one");
    for sleepers in [40, 70] {
        let table = sleepy::<DefaultPlatform>(1);
        let waits: Vec<_> = (0..sleepers)
            .map(|key| (key, Waiting::queued(table, (AT.0, key), FOREVER)))
            .collect();
        until("all are asleep", || {
            waits.iter().all(|(_, waiting)| asleep(&waiting.task))
        });
        // The youngest first: whoever shares a bit with an older sleeper is woken before it.
        for (key, waiting) in waits.into_iter().rev() {
            assert_eq!(table.unpark(AT.0, &key, 1, 100 + key), 1);
            assert_eq!(waiting.token(), 100 + key);
        }
        // And all of one key with one call, also those beyond the bits.
        let waits: Vec<_> = (0..sleepers)
            .map(|_| Waiting::queued(table, AT, FOREVER))
            .collect();
        assert_eq!(table.unpark(AT.0, &AT.1, ALL, 1), waits.len());
        for waiting in waits {
            assert_eq!(waiting.token(), 1);
        }
    }
}
