//! Stories of lost, stolen and doubled wakes: each test is named after a bug that shipped.

mod common;

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use common::spied::{Spied, Spy, on_wake};
use common::{FOREVER, Waiting, a_second, asleep, in_an_hour, leak, nest, outlast};
use common::{sleepy, soon, until, watchdog};
use slotpark_core::{
    DefaultPlatform, Filter, ParkOptions, Parked, Platform, Table, finalize, word,
};

/// A hash and a key: the place that most stories play at.
const AT: (u64, u64) = (5, 1);
const ALL: usize = usize::MAX;

/// The naive slot: two keys share it, and `wake_one(a)` wakes the waiter of b while a's sleeps on.
#[test]
fn collision_wakes_the_right_key() {
    let _watch = watchdog("collision_wakes_the_right_key");
    let table = sleepy::<DefaultPlatform>(4);
    let same_hash = ((5, 1), (5, 2));
    let same_slot = ((5, 1), (9, 2));
    for (a, b) in [same_hash, same_slot] {
        for (first, second) in [(a, b), (b, a)] {
            let waits = [first, second].map(|at| Waiting::queued(table, at, FOREVER));
            assert_eq!(table.unpark(a.0, &3, ALL, 0), 0, "nobody waits on key 3");
            let [early, late] = waits;
            assert_eq!(table.unpark(second.0, &second.1, 1, 2), 1);
            until("anybody returns", || {
                early.has_returned() || late.has_returned()
            });
            assert!(late.has_returned(), "{first:?} got the wake of {second:?}");
            assert_eq!(late.token(), 2);
            assert_eq!(table.waiters(first.0, &first.1), 1);
            assert_eq!(table.unpark(first.0, &first.1, ALL, 1), 1);
            assert_eq!(early.token(), 1);
        }
    }
}

/// litebox #1267 queued first and looked at the value later: a waiter with nothing to wait for
/// swallowed the one wake.
#[test]
fn validate_before_visible() {
    let _watch = watchdog("validate_before_visible");
    let table = sleepy::<DefaultPlatform>(1);
    for _ in 0..20 {
        let validating = leak(AtomicU32::new(0));
        let stale = Waiting::started(move || {
            let mut runs = 0;
            table.park(AT.0, &AT.1, FOREVER, || {
                runs += 1;
                if runs == 1 {
                    return true;
                }
                validating.store(1, Ordering::Release);
                // A chance for the waker to count this waiter, whose value is stale. It comes to
                // nothing, since the slot is locked, so the chance has an end.
                let mut looks = 0;
                while validating.load(Ordering::Acquire) == 1 && looks < 2_000 {
                    std::thread::yield_now();
                    looks += 1;
                }
                false
            })
        });
        until("the waiter validates", || {
            validating.load(Ordering::Acquire) == 1
        });
        let counted = table.unpark(AT.0, &AT.1, 1, 0);
        validating.store(2, Ordering::Release);
        assert_eq!(stale.outcome(), Parked::Stale);
        assert_eq!(counted, 0, "a stale waiter was counted as woken");
        assert_eq!(table.waiters(AT.0, &AT.1), 0);
    }
}

/// QuickJS, endive #107, Zephyr #110059: a waiter that a waker had counted reported a time-out.
#[test]
fn woken_beats_timeout() {
    let _watch = watchdog("woken_beats_timeout");
    let table = sleepy::<DefaultPlatform>(1);
    for timeout_us in [1, 100, 2_000] {
        let deadline = soon(Duration::from_micros(timeout_us));
        let options = ParkOptions::new().deadline(deadline);
        let mut counted = 0;
        let chosen_then_late = || {
            counted = table.unpark(AT.0, &AT.1, 1, 7);
            outlast(deadline);
        };
        let yes = || Ok::<_, ()>(true);
        let left = |_| panic!("a chosen waiter has nothing to leave");
        let parked = table.park_with(AT.0, &AT.1, options, yes, chosen_then_late, left);
        let expected = match counted {
            1 => Parked::Woken { token: 7 },
            // The shortest time may be over before the wait is queued.
            _ => Parked::TimedOut,
        };
        assert_eq!(parked, Ok(expected));
        assert!(counted == 1 || timeout_us == 1);
    }
}

/// Redox, Asterinas #1642: what a timed-out or moved waiter left behind ate the next wake.
#[test]
fn stale_waiter_does_not_eat_a_wake() {
    let _watch = watchdog("stale_waiter_does_not_eat_a_wake");
    let table = sleepy::<DefaultPlatform>(1);
    for leaver in 0..3 {
        let waits = [0, 1, 2].map(|place| {
            // Long enough that the others are queued by then, whatever the machine does.
            let deadline = soon(Duration::from_millis(300));
            let options = ParkOptions::new().deadline(deadline.filter(|_| place == leaver));
            Waiting::queued(table, AT, options)
        });
        until("the leaver is gone", || table.waiters(AT.0, &AT.1) == 2);
        let mut tokens = 10..;
        for (place, waiting) in waits.into_iter().enumerate() {
            if place == leaver {
                assert_eq!(waiting.outcome(), Parked::TimedOut);
            } else {
                let token = tokens.next().expect("endless");
                assert_eq!(table.unpark(AT.0, &AT.1, 1, token), 1);
                assert_eq!(
                    waiting.token(),
                    token,
                    "the oldest that is left comes first"
                );
            }
        }
        assert_eq!(table.unpark(AT.0, &AT.1, ALL, 0), 0);
    }
}

/// WAMR hit the same node twice: two wakes before the first waiter ran woke one of two.
#[test]
fn two_wakes_two_waiters() {
    let _watch = watchdog("two_wakes_two_waiters");
    let table = sleepy::<DefaultPlatform>(1);
    let mut counts = [0; 3];
    let outcomes = nest(table, AT, 2, &mut || {
        counts = [1, 2, 3].map(|token| table.unpark(AT.0, &AT.1, 1, token));
    });
    assert_eq!(counts, [1, 1, 0]);
    assert_eq!(outcomes, [1, 2].map(|token| Parked::Woken { token }));
}

/// wasmtime #7623, chicory #1315: who came after the wake took it from one who was there.
#[test]
fn late_arrival_takes_no_ones_wake() {
    let _watch = watchdog("late_arrival_takes_no_ones_wake");
    let table = sleepy::<Spied>(1);
    let early = Waiting::asleep(table, AT, FOREVER);
    let spy: &'static Spy = leak(Spy::default());
    let mut late = None;
    let arrive = |_| {
        // The choice is made, nobody is released yet: who comes now is late.
        late = Some(Waiting::started(move || {
            spy.follow();
            table.park(
                AT.0,
                &AT.1,
                ParkOptions::new().deadline(in_an_hour()),
                || true,
            )
        }));
        until("the late one stands at the slot lock", || {
            spy.lock_sleeps() > 0
        });
        7
    };
    assert_eq!(
        table.unpark_with(AT.0, &AT.1, ALL, |_| Filter::Unpark, arrive),
        1
    );
    assert_eq!(early.token(), 7);
    let late = late.expect("started");
    until("the late one is asleep", || {
        spy.sleeps() > 0 && asleep(&late.task)
    });
    assert!(!late.has_returned());
    assert_eq!(table.waiters(AT.0, &AT.1), 1);
    assert_eq!(table.unpark(AT.0, &AT.1, ALL, 8), 1);
    assert_eq!(late.token(), 8);
}

/// tokio #5396: waiters that came back during `wake_all` were woken again, and it never ended.
#[test]
fn wake_all_is_one_moment() {
    const THREADS: u32 = 12;
    let _watch = watchdog("wake_all_is_one_moment");
    let table = sleepy::<Spied>(1);
    let (sender, receiver) = mpsc::channel();
    let waits: Vec<Waiting> = (0..THREADS)
        .map(|_| {
            let sender = sender.clone();
            Waiting::started(move || {
                let first = table.park(AT.0, &AT.1, FOREVER, || true);
                sender.send(first).expect("the test listens");
                table.park(AT.0, &AT.1, FOREVER, || true)
            })
        })
        .collect();
    until("all are queued", || {
        table.waiters(AT.0, &AT.1) == waits.len()
    });
    until("all are asleep", || {
        waits.iter().all(|wait| asleep(&wait.task))
    });
    let mut calls = 0;
    on_wake(move || {
        // Every woken thread is back in the queue before this waker may go on.
        calls += 1;
        let released = if Spied::GROUP_SLEEP {
            table.slot_stats(0).wakes
        } else {
            calls
        };
        let back = (THREADS + released).min(2 * THREADS);
        until("the woken are back", || table.slot_stats(0).parks >= back);
    });
    assert_eq!(table.unpark(AT.0, &AT.1, ALL, 1), THREADS as usize);
    for _ in 0..THREADS {
        let first = receiver.recv().expect("a first wait returns");
        assert_eq!(first, Parked::Woken { token: 1 });
    }
    until("all are back", || table.waiters(AT.0, &AT.1) == waits.len());
    assert_eq!(table.unpark(AT.0, &AT.1, ALL, 2), THREADS as usize);
    for waiting in waits {
        assert_eq!(waiting.token(), 2);
    }
}

/// P2616R3, glibc's `sem_post`: the waiter frees the object the moment it is released, and the
/// waker still touches it. Here the word and the waiter's frame are overwritten at once.
#[test]
fn wake_of_a_gone_object() {
    let _watch = watchdog("wake_of_a_gone_object");
    let table: &'static Table<usize> = leak(Table::with_slots(1));
    let object: &AtomicPtr<AtomicU32> = leak(AtomicPtr::default());
    let woken = leak(AtomicUsize::new(0));
    let over = leak(AtomicBool::new(false));
    let waker = std::thread::spawn(|| {
        while !over.load(Ordering::Acquire) {
            let word = object.swap(std::ptr::null_mut(), Ordering::Acquire);
            if word.is_null() {
                std::thread::yield_now();
                continue;
            }
            // SAFETY: the waiter frees its word only after it has read this 1 from it.
            unsafe { (*word).store(1, Ordering::Release) };
            // From here on the word may be gone: its address is a name and no more.
            let address = word.addr();
            let _count = table.unpark(finalize(address as u64), &address, 1, 0);
            woken.fetch_add(1, Ordering::Release);
        }
    });
    let mut time_is_left = a_second();
    for round in 0.. {
        let word = Box::new(AtomicU32::new(0));
        let address = (&raw const *word).addr();
        object.store((&raw const *word).cast_mut(), Ordering::Release);
        while word.load(Ordering::Acquire) == 0 {
            let hash = finalize(address as u64);
            let _outcome = table.park(hash, &address, FOREVER, || word::load(&word) == 0);
        }
        drop(word);
        // Very likely at the address of the word.
        let next_owner = Box::new(AtomicU32::new(0xAAAA_AAAA));
        let is_intact = stack_stays_intact(|| woken.load(Ordering::Acquire) > round);
        assert!(
            is_intact,
            "somebody wrote to the frame of a wait that had returned"
        );
        assert_eq!(next_owner.load(Ordering::Relaxed), 0xAAAA_AAAA);
        if !time_is_left() {
            break;
        }
    }
    over.store(true, Ordering::Release);
    waker.join().expect("the waker does not panic");
}

/// Fills the stack where the frames of the last wait were, looks until `is_over`, and checks it.
#[inline(never)]
fn stack_stays_intact(is_over: impl Fn() -> bool) -> bool {
    const PATTERN: u64 = 0x5555_AAAA_5555_AAAA;
    let mut stack = [PATTERN; 512];
    let stack = black_box(&mut stack);
    while !is_over() {
        std::thread::yield_now();
    }
    black_box(stack).iter().all(|word| *word == PATTERN)
}
