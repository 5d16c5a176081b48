//! Stories of values that are made once: who makes them, who has them, what stays.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
mod guests;

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{Scope, ScopedJoinHandle, scope};
use std::time::Duration;

use common::bells::{Bell, poll, ready};
use common::{Numbers, Rounds, a_second, until, watchdog};
use guests::ended;
use slotpark::Interrupter;
use slotpark_managers::{Block, Errno, OnceError, OnceMap, Waits};

type Map = OnceMap<u64, Arc<u32>>;
type Made = Result<Arc<u32>, OnceError<&'static str>>;

fn map() -> Map {
    OnceMap::new(Arc::new(Waits::new()))
}

/// A thread that waits for who makes the value of 7 now, and would make `value`.
fn follower<'s>(
    scope: &'s Scope<'s, '_>,
    map: &'s Map,
    value: Result<u32, &'static str>,
) -> ScopedJoinHandle<'s, Made> {
    guests::blocked(
        scope,
        || map.waiters(&7),
        move || map.get_or_try_init(7, Block::FOREVER, || value.map(Arc::new)),
    )
}

#[test]
fn one_makes_it_for_threads_and_tasks() {
    let _watchdog = watchdog("one_makes_it_for_threads_and_tasks");
    let map = &map();
    let bell = &Bell::new();
    scope(|scope| {
        let mut tasks = Vec::new();
        let mut threads = Vec::new();
        let made = map.get_or_init(7, Block::FOREVER, || {
            threads.extend((0..2).map(|_| follower(scope, map, Err("not asked"))));
            let task = || Box::pin(map.get_or_init_async(7, async { unreachable!() }));
            tasks.extend([task(), task()]);
            for task in &mut tasks {
                assert!(poll(task.as_mut(), bell).is_pending());
            }
            assert_eq!((map.waiters(&7), map.get(&7)), (4, None));
            Arc::new(70)
        });
        let made = made.expect("it leads");
        for thread in threads {
            assert!(Arc::ptr_eq(&ended(thread).expect("it follows"), &made));
        }
        for mut task in tasks {
            assert!(Arc::ptr_eq(
                &ready(task.as_mut()).expect("it follows"),
                &made
            ));
        }
        assert!(Arc::ptr_eq(&map.get(&7).expect("it is kept"), &made));
    });
    assert_eq!(map.remove(&7).as_deref(), Some(&70));
    assert!(map.is_empty());
}

#[test]
fn who_fails_or_panics_hands_the_lead_over() {
    let _watchdog = watchdog("who_fails_or_panics_hands_the_lead_over");
    for panics in [false, true] {
        let map = &map();
        scope(|scope| {
            let mut threads = Vec::new();
            let made = catch_unwind(AssertUnwindSafe(|| {
                map.get_or_try_init(7, Block::FOREVER, || {
                    threads.push(follower(scope, map, Err("second")));
                    threads.extend((0..3).map(|_| follower(scope, map, Ok(70))));
                    assert!(!panics, "the first to make it panics");
                    Err("first")
                })
            }));
            assert_eq!(
                made.ok(),
                (!panics).then_some(Err(OnceError::Failed("first")))
            );
            let mut results = threads.into_iter().map(ended);
            assert_eq!(results.next(), Some(Err(OnceError::Failed("second"))));
            assert!(results.all(|made| made.as_deref() == Ok(&70)));
        });
        assert_eq!(map.len(), 1);
    }
}

#[test]
fn a_dropped_task_hands_the_lead_over() {
    let _watchdog = watchdog("a_dropped_task_hands_the_lead_over");
    let map = map();
    let bell = &Bell::new();
    let mut leader = Box::pin(map.get_or_init_async(7, pending()));
    let mut heir = Box::pin(map.get_or_init_async(7, pending()));
    let mut last = Box::pin(map.get_or_init_async(7, async { Arc::new(70) }));
    assert!(poll(leader.as_mut(), bell).is_pending());
    assert!(poll(heir.as_mut(), bell).is_pending());
    assert!(poll(last.as_mut(), bell).is_pending());
    assert_eq!(map.waiters(&7), 2);
    drop(leader);
    // It was woken to lead, and is dropped before it knows.
    drop(heir);
    assert_eq!(ready(last.as_mut()).as_deref(), Ok(&70));
}

#[test]
fn nothing_stays_when_all_give_up() {
    let _watchdog = watchdog("nothing_stays_when_all_give_up");
    let map = &map();
    let bell = &Bell::new();
    let interrupter = Interrupter::new();
    interrupter.interrupt();
    let mut leader = Box::pin(map.get_or_init_async(7, pending()));
    let mut follower = Box::pin(map.get_or_init_async(7, pending()));
    assert!(poll(leader.as_mut(), bell).is_pending());
    assert!(poll(follower.as_mut(), bell).is_pending());
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
        assert_eq!(map.get_or_init(7, block, || unreachable!()), Err(errno));
    }
    assert_eq!(map.len(), 1);
    drop(leader);
    drop(follower);
    assert!(map.is_empty());
    let failed = map.get_or_try_init(7, Block::NO, || Err("nobody waits"));
    assert_eq!(failed, Err(OnceError::Failed("nobody waits")));
    assert!(map.is_empty());
}

#[test]
fn what_is_removed_while_it_is_made_is_not_kept() {
    let _watchdog = watchdog("what_is_removed_while_it_is_made_is_not_kept");
    for inserts in [false, true] {
        let map = &map();
        scope(|scope| {
            let mut before = None;
            let made = map.get_or_init(7, Block::FOREVER, || {
                before = Some(follower(scope, map, Err("not asked")));
                let removed = if inserts {
                    map.insert(7, Arc::new(90))
                } else {
                    map.remove(&7)
                };
                assert_eq!(removed, None);
                // Who asks now gets what was begun later.
                let after = map.get_or_init(7, Block::NO, || Arc::new(80));
                assert_eq!(after.as_deref(), Ok(&if inserts { 90 } else { 80 }));
                Arc::new(70)
            });
            assert_eq!(made.as_deref(), Ok(&70));
            let before = before.expect("it has begun");
            assert_eq!(ended(before).as_deref(), Ok(&70));
        });
        assert_eq!(
            map.remove(&7).as_deref(),
            Some(&if inserts { 90 } else { 80 })
        );
        assert!(map.is_empty());
    }
}

#[test]
fn the_lead_of_what_was_removed_is_handed_over_too() {
    let _watchdog = watchdog("the_lead_of_what_was_removed_is_handed_over_too");
    let map = &map();
    scope(|scope| {
        let mut thread = None;
        let made = map.get_or_try_init(7, Block::FOREVER, || {
            thread = Some(follower(scope, map, Ok(70)));
            map.remove(&7);
            Err("first")
        });
        assert_eq!(made, Err(OnceError::Failed("first")));
        assert_eq!(ended(thread.expect("it has begun")).as_deref(), Ok(&70));
    });
    assert!(map.is_empty());
}

#[test]
fn values_expire_and_what_is_made_stays() {
    let map = map();
    for key in 0..10 {
        map.insert(key, Arc::new(key as u32));
    }
    let made = map.get_or_init(10, Block::FOREVER, || {
        map.retain(|_, value| **value < 3);
        assert_eq!(map.len(), 4);
        Arc::new(10)
    });
    assert_eq!(made.as_deref(), Ok(&10));
    assert_eq!(map.get(&10).as_deref(), Some(&10));
}

/// Two want a value at one moment, which is made so fast that the other may be on its way to sleep.
/// It hangs if a value, or a lead that was given up, comes between a follower's look and its wait.
#[test]
fn nothing_comes_between_the_look_and_the_wait() {
    let _watchdog = watchdog("nothing_comes_between_the_look_and_the_wait");
    let (map, rounds) = (&map(), &Rounds::new());
    let want = |round: u32| {
        let made = map.get_or_try_init(7, Block::FOREVER, || {
            (0..round % 256).for_each(|_| std::hint::spin_loop());
            if round % 2 == 0 {
                Ok(Arc::new(round))
            } else {
                Err("failed")
            }
        });
        assert_eq!(made.is_ok(), round % 2 == 0);
    };
    scope(|scope| {
        scope.spawn(move || {
            for round in 0.. {
                if !rounds.begin(1) {
                    break;
                }
                want(round);
                rounds.end(1);
            }
        });
        let mut goes_on = a_second();
        for round in 0.. {
            if !goes_on() {
                break;
            }
            rounds.begin(0);
            want(round);
            rounds.end(0);
            map.remove(&7);
        }
        rounds.stop();
    });
    assert!(map.is_empty());
}

/// Makers that fail, panic, are dropped, time out; values that are removed: nobody makes a value
/// beside another, and nothing stays.
#[test]
fn one_at_a_time_whatever_happens() {
    let _watchdog = watchdog("one_at_a_time_whatever_happens");
    let map = &map();
    let makers = &AtomicU32::new(0);
    let made = &AtomicU32::new(0);
    let make = || {
        assert_eq!(makers.fetch_add(1, Ordering::Relaxed), 0);
        std::thread::yield_now();
        makers.fetch_sub(1, Ordering::Relaxed);
    };
    let work = |seed| {
        let mut numbers = Numbers::new(seed);
        let bell = &Bell::new();
        for _ in 0..5_000 {
            let fails = numbers.below(3) > 0;
            match numbers.below(3) {
                0 => {
                    let mut task = Box::pin(map.get_or_try_init_async(7, async {
                        make();
                        if fails {
                            return Err("failed");
                        }
                        Ok(Arc::new(made.fetch_add(1, Ordering::Relaxed)))
                    }));
                    let _ready = poll(task.as_mut(), bell);
                }
                _ => {
                    let short = Duration::from_micros(numbers.below(50));
                    let block = match numbers.below(2) {
                        0 => Block::FOREVER,
                        _ => Block::for_at_most(short),
                    };
                    let result = map.get_or_try_init(7, block, || {
                        make();
                        if fails {
                            return Err("failed");
                        }
                        Ok(Arc::new(made.fetch_add(1, Ordering::Relaxed)))
                    });
                    // Only who has it removes it, so that nothing is made beside a removed flight.
                    if let Ok(value) = result {
                        map.retain(|_, kept| !Arc::ptr_eq(kept, &value));
                    }
                }
            }
        }
    };
    scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || work(seed));
        }
    });
    until("a value was made", || made.load(Ordering::Relaxed) > 0);
    map.remove(&7);
    assert!(map.is_empty());
}
