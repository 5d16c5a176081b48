//! Reader-writer locks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use slotpark_core::DefaultPlatform;

use crate::common::{Numbers, soon, until, watchdog};
use crate::{Guarded, LOCKS, Site, joined, overtake};

/// Readers come and come, so that at no moment there is none: a writer who waits is before those
/// who come later.
#[test]
fn readers_do_not_starve_a_writer() {
    let _watch = watchdog("readers_do_not_starve_a_writer");
    let site: &'static Site<DefaultPlatform> = Site::new();
    assert!(site.rwlock.try_read());
    let writer = site.queued(LOCKS, |site| site.rwlock.write_at(site.at(), None));
    assert!(!site.rwlock.try_read(), "a writer waits");
    assert!(!site.rwlock.try_upgradable(), "a writer waits");
    let late = site.queued(LOCKS, |site| site.rwlock.read_at(site.at(), None));
    site.rwlock.unlock_read_at(site.at());
    assert!(joined(writer));
    assert_eq!(site.waiters(LOCKS), 1);
    // Nor do writers starve readers: those at the head are given the lock.
    site.rwlock.unlock_write_at(site.at());
    assert!(!site.rwlock.try_write(), "it was handed over");
    assert!(joined(late));
    site.rwlock.unlock_read_at(site.at());
    assert!(!site.rwlock.is_locked());
}

/// As a mutex does, to writers.
#[test]
fn a_writer_is_overtaken_eight_times_at_most() {
    let _watch = watchdog("a_writer_is_overtaken_eight_times_at_most");
    overtake(
        |site| site.rwlock.try_write(),
        |site| assert!(site.rwlock.write_at(site.at(), None)),
        |site| site.rwlock.unlock_write_at(site.at()),
    );
}

/// A writer leaves: all readers at the head go in at once, up to the next writer.
#[test]
fn readers_at_the_head_go_in_together() {
    let _watch = watchdog("readers_at_the_head_go_in_together");
    let site: &'static Site<DefaultPlatform> = Site::new();
    assert!(site.rwlock.try_write());
    let readers = [(); 3].map(|()| site.queued(LOCKS, |site| site.rwlock.read_at(site.at(), None)));
    let writer = site.queued(LOCKS, |site| site.rwlock.write_at(site.at(), None));
    let late = site.queued(LOCKS, |site| site.rwlock.read_at(site.at(), None));
    site.rwlock.unlock_write_at(site.at());
    assert_eq!(site.waiters(LOCKS), 2, "all three were let in");
    assert_eq!(readers.map(joined), [true; 3]);
    for _ in 0..3 {
        assert!(!writer.is_finished());
        site.rwlock.unlock_read_at(site.at());
    }
    assert!(joined(writer));
    site.rwlock.downgrade_at(site.at());
    assert!(
        joined(late),
        "a writer that goes on reading lets readers in"
    );
}

/// The head of the queue gives up: those behind it go in, without any release.
#[test]
fn a_writer_that_gives_up_lets_readers_through() {
    let _watch = watchdog("a_writer_that_gives_up_lets_readers_through");
    let site: &'static Site<DefaultPlatform> = Site::new();
    assert!(site.rwlock.try_read());
    let writer = site.queued(LOCKS, |site| {
        site.rwlock
            .write_at(site.at(), soon(Duration::from_millis(50)))
    });
    let reader = std::thread::spawn(|| site.rwlock.read_at(site.at(), None));
    assert!(!joined(writer));
    assert!(joined(reader));
    assert!(site.rwlock.try_read(), "nobody waits");
}

/// An upgrade is before everybody who waits, and nobody writes in between.
#[test]
fn an_upgrade_comes_first() {
    let _watch = watchdog("an_upgrade_comes_first");
    let site: &'static Site<DefaultPlatform> = Site::new();
    assert!(site.rwlock.try_upgradable() && site.rwlock.try_read());
    let writer = site.queued(LOCKS, |site| site.rwlock.write_at(site.at(), None));
    let (asked, upgraded) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            asked.store(1, Ordering::Release);
            assert!(site.rwlock.upgrade_at(site.at(), None));
            upgraded.store(1, Ordering::Release);
        });
        until("it waits", || site.waiters(LOCKS) == 2);
        site.rwlock.unlock_read_at(site.at());
        until("it is upgraded", || upgraded.load(Ordering::Acquire) == 1);
        assert!(!writer.is_finished());
        site.rwlock.downgrade_to_upgradable_at(site.at());
        assert!(site.rwlock.try_upgrade_at(site.at()), "there is no reader");
        site.rwlock.unlock_write_at(site.at());
    });
    assert!(joined(writer));
}

/// Random locks of four threads, with deadlines, upgrades and downgrades: whoever writes is alone,
/// nobody who waits is forgotten, and every write is there in the end.
#[test]
fn random_locks_exclude() {
    let _watch = watchdog("random_locks_exclude");
    let rounds = if cfg!(miri) { 30 } else { 20_000 };
    let site: &'static Site<DefaultPlatform> = Site::new();
    let number = Guarded::new();
    let threads = [1, 2, 3, 4].map(|seed| {
        std::thread::spawn(move || {
            let mut numbers = Numbers::new(seed);
            let mut writes = 0;
            for _ in 0..rounds {
                writes += random_lock(site, number, &mut numbers);
            }
            writes
        })
    });
    let writes: u64 = threads.map(joined).iter().sum();
    assert!(site.rwlock.try_write(), "nothing was left behind");
    assert_eq!((number.check(), site.waiters(LOCKS)), (writes, 0));
}

/// One of the ways to hold the lock; how often it wrote.
fn random_lock(site: &Site<DefaultPlatform>, number: &Guarded, numbers: &mut Numbers) -> u64 {
    let (lock, at) = (&site.rwlock, site.at());
    let deadline = match numbers.below(4) {
        0 => soon(Duration::from_micros(numbers.below(20))),
        _ => None,
    };
    let dawdle = |numbers: &mut Numbers| {
        if numbers.below(8) == 0 {
            std::thread::yield_now();
        }
    };
    match numbers.below(4) {
        0 if lock.write_at(at, deadline) => {
            number.add();
            dawdle(numbers);
            match numbers.below(3) {
                0 => lock.unlock_write_at(at),
                1 => lock.unlock_write_fair_at(at),
                _ => {
                    lock.downgrade_at(at);
                    number.check();
                    lock.unlock_read_at(at);
                }
            }
            1
        }
        1 if lock.upgradable_at(at, deadline) => {
            let before = number.check();
            dawdle(numbers);
            if !lock.upgrade_at(at, deadline) {
                lock.downgrade_upgradable_at(at);
                assert_eq!(number.check(), before, "this has held it all the time");
                lock.unlock_read_at(at);
                return 0;
            }
            assert_eq!(number.check(), before, "nobody wrote in between");
            number.add();
            lock.downgrade_to_upgradable_at(at);
            lock.unlock_upgradable_at(at);
            1
        }
        2 if lock.try_write() => {
            number.add();
            lock.unlock_write_at(at);
            1
        }
        3 if lock.read_at(at, deadline) => {
            let before = number.check();
            dawdle(numbers);
            assert_eq!(number.check(), before);
            lock.unlock_read_at(at);
            0
        }
        _ => 0,
    }
}
