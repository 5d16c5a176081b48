//! Stories of notifications that are kept: none is lost, none is had twice.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;
mod guests;

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::scope;
use std::time::Duration;

use common::bells::{Bell, poll, ready};
use common::{Numbers, until, watchdog};
use guests::ended;
use slotpark::Interrupter;
use slotpark_managers::{Block, Errno, StoredNotify};

#[test]
fn one_permit_is_kept_for_each_key() {
    let changed = StoredNotify::<u64>::new();
    for _ in 0..3 {
        assert_eq!(changed.notify_one(&7), 0);
    }
    assert_eq!(changed.notify_one(&8), 0);
    assert_eq!(changed.len(), 2);
    assert_eq!(changed.wait(&7, Block::FOREVER), Ok(()));
    assert_eq!(changed.wait(&7, Block::NO), Err(Errno::Again));
    assert_eq!(changed.wait(&8, Block::NO), Ok(()));
    // A notification of all is not kept, and takes nothing away.
    assert_eq!(changed.notify_all(&7), 0);
    assert!(changed.is_empty());
    changed.notify_one(&7);
    assert_eq!(changed.notify_all(&7), 0);
    assert!(changed.has_permit(&7));
}

#[test]
fn who_waits_needs_no_entry_and_is_counted() {
    let _watchdog = watchdog("who_waits_needs_no_entry_and_is_counted");
    let changed = &StoredNotify::<u64>::new();
    scope(|scope| {
        let waiters = || changed.waiters(&7);
        let wait = || changed.wait(&7, Block::FOREVER);
        let first = guests::blocked(scope, waiters, wait);
        let others = [(); 2].map(|()| guests::blocked(scope, waiters, wait));
        assert!(changed.is_empty());
        assert_eq!(changed.notify_one(&7), 1);
        assert_eq!(ended(first), Ok(()));
        assert_eq!((changed.waiters(&7), changed.len()), (2, 0));
        assert_eq!(changed.notify_all(&7), 2);
        for other in others {
            assert_eq!(ended(other), Ok(()));
        }
    });
    assert!(changed.is_empty());
}

#[test]
fn a_wait_that_fails_takes_nothing() {
    let _watchdog = watchdog("a_wait_that_fails_takes_nothing");
    let changed = StoredNotify::<u64>::new();
    let interrupter = Interrupter::new();
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
        assert_eq!(changed.wait(&7, block), Err(errno));
    }
    assert_eq!(changed.notify_one(&7), 0);
    assert_eq!(changed.wait(&7, Block::NO), Ok(()));
}

#[test]
fn a_dropped_task_passes_on_or_stores_what_it_had() {
    let _watchdog = watchdog("a_dropped_task_passes_on_or_stores_what_it_had");
    let changed = StoredNotify::<u64>::new();
    let bell = &Bell::new();
    let wait = || Box::pin(changed.wait_async(7));
    let (mut old, mut young) = (wait(), wait());
    assert!(poll(old.as_mut(), bell).is_pending());
    assert!(poll(young.as_mut(), bell).is_pending());
    assert_eq!(changed.notify_one(&7), 1);
    drop(old);
    assert!(changed.is_empty());
    assert_eq!(ready(young.as_mut()), Ok(()));
    // With nobody left it is kept.
    let mut last = wait();
    assert!(poll(last.as_mut(), bell).is_pending());
    assert_eq!(changed.notify_one(&7), 1);
    drop(last);
    assert_eq!(ready(pin!(changed.wait_async(7))), Ok(()));
    // What was for all is over.
    let mut last = wait();
    assert!(poll(last.as_mut(), bell).is_pending());
    assert_eq!(changed.notify_all(&7), 1);
    drop(last);
    assert!(changed.is_empty());
}

/// Each notification is given when the one before was had, so none may be merged with another: if
/// one is lost between a look at the permit and the queue, this hangs.
#[test]
fn none_is_lost_between_the_look_and_the_wait() {
    let _watchdog = watchdog("none_is_lost_between_the_look_and_the_wait");
    let changed = &StoredNotify::<u64>::new();
    const ROUNDS: usize = 100_000;
    scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                assert_eq!(changed.wait(&0, Block::FOREVER), Ok(()));
                changed.notify_one(&1);
            }
        });
        for _ in 0..ROUNDS {
            changed.notify_one(&0);
            assert_eq!(changed.wait(&1, Block::FOREVER), Ok(()));
        }
    });
    assert!(changed.is_empty());
}

/// As many waits end as notifications were given, though many give up all the time: threads past
/// their deadlines, tasks that are dropped.
#[test]
fn none_is_lost_or_doubled_by_who_gives_up() {
    let _watchdog = watchdog("none_is_lost_or_doubled_by_who_gives_up");
    let changed = &StoredNotify::<u64>::new();
    let had = &AtomicUsize::new(0);
    let take = |count: usize| had.fetch_add(count, Ordering::Relaxed);
    let is_over = &std::sync::atomic::AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(move || {
            let mut numbers = Numbers::new(1);
            while !is_over.load(Ordering::Relaxed) {
                let short = Duration::from_micros(numbers.below(10));
                let waited = changed.wait(&7, Block::for_at_most(short));
                take(usize::from(waited.is_ok()));
            }
        });
        scope.spawn(move || {
            let bell = &Bell::new();
            while !is_over.load(Ordering::Relaxed) {
                let mut wait = Box::pin(changed.wait_async(7));
                let mut is_ready = false;
                for _ in 0..3 {
                    is_ready = is_ready || poll(wait.as_mut(), bell).is_ready();
                }
                drop(wait);
                take(usize::from(is_ready));
            }
        });
        for given in 0..20_000 {
            // The one before was had: this one is not merged with it.
            changed.notify_one(&7);
            until("it was had", || had.load(Ordering::Relaxed) > given);
            assert_eq!(had.load(Ordering::Relaxed), given + 1);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(changed.is_empty());
}
