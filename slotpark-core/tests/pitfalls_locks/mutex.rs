//! Mutexes, and what all locks have in common.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::Duration;

use slotpark_core::{Deadline, DefaultPlatform};

use crate::common::spied::{Spied, on_wake};
use crate::common::{FOREVER, Waiting, soon, until, watchdog};
use crate::{Guarded, LOCKS, Site, joined, overtake};

/// P2616R3, as for a wake: whoever gets a lock may free it, while its last owner is still about to
/// return. Here the word is overwritten as soon as it is given back.
#[test]
fn unlock_of_a_gone_lock() {
    let _watch = watchdog("unlock_of_a_gone_lock");
    let site: &'static Site<Spied> = Site::new();
    // Somebody is queued who does not touch the mutex, and PARKED is set by one who has left.
    assert!(site.mutex.try_lock());
    let queued = Waiting::asleep(site.table, LOCKS, FOREVER);
    assert!(
        !site
            .mutex
            .lock_at(site.at(), soon(Duration::from_millis(1)))
    );
    let byte = (&raw const site.mutex).cast_mut().cast::<u8>();
    // SAFETY: it is an atomic byte, and lives for ever.
    let byte = unsafe { AtomicU8::from_ptr(byte) };
    on_wake(|| byte.store(0xAA, Ordering::Relaxed));
    site.unlock();
    // Who has not slept yet makes no hook run: the mutex is free, and nobody waits.
    let left = byte.load(Ordering::Relaxed);
    assert!(matches!(left, 0xAA | 0), "{left:#x}");
    assert!(queued.outcome().is_woken());

    assert!(site.rwlock.try_write());
    let reader = site.queued(LOCKS, |site| site.rwlock.read_at(site.at(), None));
    until("it sleeps", || site.waiters(LOCKS) == 1);
    let word = (&raw const site.rwlock).cast_mut().cast::<u32>();
    // SAFETY: it is an atomic word, and lives for ever.
    let word = unsafe { AtomicU32::from_ptr(word) };
    on_wake(|| word.store(0x5555_5555, Ordering::Relaxed));
    site.rwlock.unlock_write_at(site.at());
    assert!(joined(reader));
    // As above: it reads, and nobody waits.
    let left = word.load(Ordering::Relaxed);
    assert!(matches!(left, 0x5555_5555 | 8), "{left:#x}");
}

/// A barging lock goes to who is on a CPU; but who waits is woken too late eight times at most, and
/// is handed it the ninth time.
#[test]
fn a_waiter_is_overtaken_eight_times_at_most() {
    let _watch = watchdog("a_waiter_is_overtaken_eight_times_at_most");
    overtake(
        |site| site.mutex.try_lock(),
        |site| site.lock(),
        |site| site.unlock(),
    );
}

/// Fair: nobody comes between who unlocks and who waits.
#[test]
fn a_fair_unlock_hands_over() {
    let _watch = watchdog("a_fair_unlock_hands_over");
    let site: &'static Site<DefaultPlatform> = Site::new();
    site.lock();
    let waiters = [(); 2].map(|()| {
        site.queued(LOCKS, |site| {
            site.lock();
            site.mutex.unlock_fair_at(site.at());
        })
    });
    site.mutex.unlock_fair_at(site.at());
    assert!(!site.mutex.try_lock() || site.waiters(LOCKS) == 0);
    for thread in waiters {
        joined(thread);
    }
}

/// A table that is closed queues nobody: its locks go on all the same, slowly.
#[test]
fn locks_of_a_closed_table_go_on() {
    let _watch = watchdog("locks_of_a_closed_table_go_on");
    let site: &'static Site<DefaultPlatform> = Site::new();
    let number = Guarded::new();
    site.lock();
    assert!(site.rwlock.try_write());
    let waiters = [
        site.queued(LOCKS, |site| site.lock()),
        site.queued(LOCKS, |site| {
            assert!(site.rwlock.read_at(site.at(), None));
        }),
    ];
    site.table.close();
    site.unlock();
    site.rwlock.unlock_write_at(site.at());
    for thread in waiters {
        joined(thread);
    }
    site.unlock();
    site.rwlock.unlock_read_at(site.at());
    let threads = [(); 3].map(|()| {
        std::thread::spawn(|| {
            for _ in 0..20 {
                site.lock();
                number.add();
                std::thread::yield_now();
                site.unlock();
                assert!(site.rwlock.write_at(site.at(), None));
                site.rwlock.unlock_write_at(site.at());
            }
        })
    });
    for thread in threads {
        joined(thread);
    }
    site.lock();
    assert_eq!(number.check(), 60);
    assert!(!site.wait(Some(Deadline::PAST)));
    assert_eq!(site.notify(1), 0);
}
