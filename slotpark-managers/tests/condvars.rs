//! Stories of mutexes and conditions by key: who is next, who is counted, what stays.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
mod guests;

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Scope, ScopedJoinHandle, scope};
use std::time::Duration;

use common::bells::{Bell, poll, ready};
use common::{Numbers, outlast, soon, until, watchdog};
use guests::ended;
use slotpark::Interrupter;
use slotpark_managers::{Block, CondvarWait, Errno, Waits};

fn condvars() -> CondvarWait<u64> {
    CondvarWait::new(Arc::new(Waits::new()))
}

/// Waits for the condition of a key in a thread, which then says its name.
fn waiting<'s>(
    scope: &'s Scope<'s, '_>,
    (condvars, key): (&'s CondvarWait<u64>, u64),
    block: Block<'s>,
    then: impl FnOnce() + Send + 's,
) -> ScopedJoinHandle<'s, Result<(), Errno>> {
    guests::blocked(
        scope,
        || condvars.waiters(&key),
        move || {
            let mut guard = condvars.lock(key, Block::FOREVER)?;
            let waited = guard.wait(block);
            then();
            waited
        },
    )
}

#[test]
fn a_key_is_handed_over_in_order_and_nobody_overtakes() {
    let _watchdog = watchdog("a_key_is_handed_over_in_order_and_nobody_overtakes");
    let (condvars, order) = (&condvars(), &Mutex::new(Vec::new()));
    scope(|scope| {
        let first = condvars.lock(7, Block::FOREVER).expect("nobody has it");
        let lockers = || condvars.lockers(&7);
        for name in 0..3 {
            guests::blocked(scope, lockers, move || {
                let guard = condvars.lock(7, Block::FOREVER).expect("no limit");
                order.lock().expect("no panics").push(name);
                until("others are behind", || condvars.lockers(&7) == 2 - name);
                drop(guard);
            });
        }
        // Other keys are nobody's.
        assert!(condvars.try_lock(8).is_ok());
        drop(first);
        // Somebody has it at every moment now, until the last has gone.
        while order.lock().expect("no panics").len() < 3 {
            let overtaken = condvars.try_lock(7).is_ok();
            assert!(!overtaken || order.lock().expect("no panics").len() == 3);
        }
    });
    assert_eq!(*order.lock().expect("no panics"), [0, 1, 2]);
    assert!(condvars.is_empty());
}

#[test]
fn notifications_are_counted_and_wake_nobody_else() {
    let _watchdog = watchdog("notifications_are_counted_and_wake_nobody_else");
    let (condvars, awake) = (&condvars(), &AtomicU32::new(0));
    let wakes = || awake.fetch_add(1, Ordering::Relaxed);
    scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| waiting(scope, (condvars, 7), Block::FOREVER, move || _ = wakes()))
            .collect();
        let other = waiting(scope, (condvars, 8), Block::FOREVER, || {});
        assert_eq!(condvars.notify_one(&7), 1);
        until("one is awake", || awake.load(Ordering::Relaxed) == 1);
        assert_eq!((condvars.waiters(&7), condvars.waiters(&8)), (3, 1));
        let guard = condvars.lock(7, Block::FOREVER).expect("no limit");
        assert_eq!(guard.notify_all(), 3);
        // No herd: they are in the queue for the key, which another has.
        assert_eq!((condvars.waiters(&7), condvars.lockers(&7)), (0, 3));
        assert_eq!((guard.notify_all(), guard.notify_one()), (0, 0));
        assert_eq!(awake.load(Ordering::Relaxed), 1);
        drop(guard);
        for thread in threads {
            assert_eq!(ended(thread), Ok(()));
        }
        assert_eq!(condvars.notify_one(&8), 1);
        assert_eq!(ended(other), Ok(()));
    });
    assert_eq!(awake.load(Ordering::Relaxed), 4);
    assert!(condvars.is_empty());
}

#[test]
fn a_wait_that_was_counted_never_times_out() {
    let _watchdog = watchdog("a_wait_that_was_counted_never_times_out");
    let condvars = &condvars();
    let mut timeout = Duration::from_millis(10);
    // On a busy machine the deadline may pass before the notification: then with more time.
    let is_told = |timeout| {
        scope(|scope| {
            let deadline = soon(timeout);
            let wait = move || {
                let mut guard = condvars.lock(7, Block::FOREVER)?;
                guard.wait(Block::at(deadline))
            };
            let thread = scope.spawn(wait);
            let is_here = || condvars.waiters(&7) == 1 || thread.is_finished();
            until("it waits, or has waited", is_here);
            let guard = condvars.lock(7, Block::FOREVER).expect("no limit");
            let count = guard.notify_one();
            outlast(deadline);
            drop(guard);
            let counted = if count == 1 {
                Ok(())
            } else {
                Err(Errno::TimedOut)
            };
            assert_eq!(ended(thread), counted);
            count == 1
        })
    };
    while !is_told(timeout) {
        timeout *= 2;
    }
    assert!(condvars.is_empty());
}

#[test]
fn a_wait_that_fails_has_the_key_again() {
    let _watchdog = watchdog("a_wait_that_fails_has_the_key_again");
    let condvars = &condvars();
    let interrupter = &Interrupter::new();
    scope(|scope| {
        let mut guard = condvars.lock(7, Block::FOREVER).expect("no limit");
        assert_eq!(guard.wait(Block::NO), Err(Errno::Again));
        let short = Block::for_at_most(Duration::from_micros(10));
        assert_eq!(guard.wait(short), Err(Errno::TimedOut));
        assert!(condvars.is_locked(&7));
        drop(guard);
        let block = Block::FOREVER.interruptible(interrupter);
        let thread = waiting(scope, (condvars, 7), block, || {
            assert!(condvars.is_locked(&7));
        });
        let guard = condvars.lock(7, Block::FOREVER).expect("no limit");
        interrupter.interrupt();
        until("it wants the key", || condvars.lockers(&7) == 1);
        // It has given up its wait, and is not to be notified.
        assert_eq!(guard.notify_one(), 0);
        drop(guard);
        assert_eq!(ended(thread), Err(Errno::Interrupted));
    });
    assert!(condvars.is_empty());
}

#[test]
fn a_lock_that_fails_leaves_the_queue() {
    let _watchdog = watchdog("a_lock_that_fails_leaves_the_queue");
    let condvars = condvars();
    let interrupter = Interrupter::new();
    let guard = condvars.lock(7, Block::FOREVER).expect("no limit");
    interrupter.interrupt();
    let blocks = [
        (Block::NO, Errno::Again),
        (
            Block::for_at_most(Duration::from_micros(10)),
            Errno::TimedOut,
        ),
        (
            Block::FOREVER.interruptible(&interrupter),
            Errno::Interrupted,
        ),
    ];
    for (block, errno) in blocks {
        assert_eq!(condvars.lock(7, block).err(), Some(errno));
        assert_eq!(condvars.lockers(&7), 0);
    }
    drop(guard);
    assert!(condvars.is_empty());
}

#[test]
fn a_dropped_task_passes_on_what_it_had() {
    let _watchdog = watchdog("a_dropped_task_passes_on_what_it_had");
    let condvars = condvars();
    let bell = &Bell::new();
    let guard = condvars.try_lock(7).expect("nobody has it");
    let mut second = pin!(condvars.lock_async(7));
    {
        let mut first = pin!(Some(condvars.lock_async(7)));
        assert!(poll(first.as_mut().as_pin_mut().expect("it is there"), bell).is_pending());
        assert!(poll(second.as_mut(), bell).is_pending());
        drop(guard); // first has it now, and does not know
        assert!(poll(second.as_mut(), bell).is_pending());
        first.set(None);
    }
    let guard = ready(second).expect("it is open");
    let mut third = pin!(condvars.lock_async(7));
    assert!(poll(third.as_mut(), bell).is_pending());
    drop(guard);
    drop(ready(third));
    assert!(condvars.is_empty());
}

#[test]
fn a_dropped_wait_passes_on_what_was_for_one() {
    let _watchdog = watchdog("a_dropped_wait_passes_on_what_was_for_one");
    let condvars = &condvars();
    let bell = &Bell::new();
    let wait = || async {
        let guard = condvars.lock_async(7).await?;
        guard.wait_async().await.map(drop)
    };
    for (is_one, is_held) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut old = Box::pin(wait());
        assert!(poll(old.as_mut(), bell).is_pending());
        let mut young = pin!(wait());
        if is_one {
            assert!(poll(young.as_mut(), bell).is_pending());
        }
        let guard = is_held.then(|| condvars.try_lock(7).expect("nobody has it"));
        let count = if is_one {
            condvars.notify_one(&7)
        } else {
            condvars.notify_all(&7)
        };
        assert_eq!(count, 1);
        assert!(condvars.is_locked(&7));
        if !is_one {
            // It has come later: a notification of all is not for it.
            assert!(poll(young.as_mut(), bell).is_pending());
        }
        drop(old);
        drop(guard);
        assert_eq!(poll(young.as_mut(), bell).is_ready(), is_one);
        if !is_one {
            assert_eq!(condvars.notify_one(&7), 1);
            assert_eq!(ready(young), Ok(()));
        }
        assert!(condvars.is_empty());
    }
}

#[test]
fn a_closed_table_unlocks() {
    let _watchdog = watchdog("a_closed_table_unlocks");
    let waits = Arc::new(Waits::new());
    let condvars = &CondvarWait::<u64>::new(Arc::clone(&waits));
    scope(|scope| {
        let thread = waiting(scope, (condvars, 7), Block::FOREVER, || {
            // Its guard is still there, and is in nobody's way.
            assert_eq!((condvars.waiters(&7), condvars.lockers(&7)), (0, 0));
        });
        let guard = condvars.try_lock(7).expect("nobody has it");
        waits.close();
        assert_eq!(ended(thread), Err(Errno::Closed));
        assert_eq!((condvars.waiters(&7), condvars.lockers(&7)), (0, 0));
        drop(guard);
    });
    assert!(condvars.is_empty());
}

/// Counters that only their keys guard, entries that come and go all the time, calls of all kinds.
#[test]
fn keys_exclude_and_vanish() {
    let _watchdog = watchdog("keys_exclude_and_vanish");
    const KEYS: u64 = 3;
    let condvars = &condvars();
    let inside = &[const { AtomicU32::new(0) }; KEYS as usize];
    let work = |seed| {
        let mut numbers = Numbers::new(seed);
        for _ in 0..20_000 {
            let key = numbers.below(KEYS);
            let block = match numbers.below(4) {
                0 => Block::NO,
                1 => Block::for_at_most(Duration::from_micros(numbers.below(20))),
                _ => Block::FOREVER,
            };
            let Ok(mut guard) = condvars.lock(key, block) else {
                continue;
            };
            let inside = &inside[key as usize];
            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
            match numbers.below(4) {
                0 => _ = guard.notify_one(),
                1 => _ = guard.notify_all(),
                2 => {
                    inside.fetch_sub(1, Ordering::Relaxed);
                    let short = Duration::from_micros(numbers.below(20));
                    let _outcome = guard.wait(Block::for_at_most(short));
                    assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                }
                _ => {}
            }
            inside.fetch_sub(1, Ordering::Relaxed);
        }
    };
    scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || work(seed));
        }
    });
    assert!(condvars.is_empty());
}
