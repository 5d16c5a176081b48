//! Locks, and the keys of the process-wide table.

use std::time::Duration;

use slotpark_core::{
    At, Deadline, DefaultPlatform, FutexKey, RawCondvar, RawEventCounter, RawMutex, RawOnce,
    RawRwLock, RawSemaphore, Table, process_table,
};

use super::common::soon;
use super::{Operation, ignore};

const PAST: Option<Deadline> = Some(Deadline::PAST);

/// Waiters of a lock wait for a key of their own.
fn at(table: &Table<u64>) -> At<'_, u64, DefaultPlatform> {
    At {
        table,
        hash: 11,
        key: 11,
    }
}

/// So near that a wait for it is queued, or nearly.
fn late() -> Option<Deadline> {
    soon(Duration::from_micros(200))
}

fn read() -> RawRwLock {
    let lock = RawRwLock::new();
    assert!(lock.try_read());
    lock
}

fn written() -> RawRwLock {
    let lock = RawRwLock::new();
    assert!(lock.try_write());
    lock
}

fn upgradable() -> RawRwLock {
    let lock = RawRwLock::new();
    assert!(lock.try_upgradable());
    lock
}

/// Gives back what `lock` holds after somebody has waited for it, so that PARKED was set.
fn given(table: &Table<u64>, lock: &RawRwLock, give: fn(&RawRwLock, At<'_, u64, DefaultPlatform>)) {
    assert!(!lock.write_at(at(table), late()));
    give(lock, at(table));
}

const MUTEX: [Operation; 11] = [
    ("raw/mutex/mod::new", |_| ignore(RawMutex::new())),
    ("raw/mutex/mod::place", |_| ignore(RawMutex::new().place())),
    ("raw/mutex/mod::is_locked", |_| {
        ignore(RawMutex::new().is_locked());
    }),
    ("raw/mutex/mod::try_lock", |_| {
        assert!(RawMutex::new().try_lock());
    }),
    ("raw/mutex/mod::lock_at", |table| {
        let mutex = RawMutex::new();
        assert!(mutex.lock_at(at(table), None));
        assert!(!mutex.lock_at(at(table), late()));
    }),
    ("raw/mutex/mod::unlock_at", |table| {
        let mutex = RawMutex::new();
        assert!(mutex.try_lock() && !mutex.lock_at(at(table), late()));
        mutex.unlock_at(at(table));
    }),
    ("raw/mutex/mod::unlock_fair_at", |table| {
        let mutex = RawMutex::new();
        assert!(mutex.try_lock() && !mutex.lock_at(at(table), late()));
        mutex.unlock_fair_at(at(table));
    }),
    ("raw/condvar::new", |_| ignore(RawCondvar::new())),
    ("raw/condvar::place", |_| ignore(RawCondvar::new().place())),
    ("raw/condvar::wait_at", |table| {
        let (mutex, condvar) = (RawMutex::new(), RawCondvar::new());
        let here = At {
            hash: 12,
            key: 12,
            ..at(table)
        };
        assert!(mutex.try_lock());
        for deadline in [PAST, late()] {
            // SAFETY: the condition variable is used here alone.
            assert!(!unsafe { condvar.wait_at(here, (&mutex, at(table)), deadline) });
        }
    }),
    ("raw/condvar::notify_at", |table| {
        // SAFETY: the condition variable is used here alone.
        let count = unsafe { RawCondvar::new().notify_at(at(table), 1, |_| at(table)) };
        assert_eq!(count, 0);
    }),
];

const RWLOCK: [Operation; 21] = [
    ("raw/rwlock/mod::new", |_| ignore(RawRwLock::new())),
    ("raw/rwlock/mod::place", |_| {
        ignore(RawRwLock::new().place());
    }),
    ("raw/rwlock/mod::is_locked", |_| assert!(read().is_locked())),
    ("raw/rwlock/mod::is_locked_exclusive", |_| {
        assert!(written().is_locked_exclusive());
    }),
    ("raw/rwlock/mod::try_read", |_| ignore(read())),
    ("raw/rwlock/mod::try_write", |_| ignore(written())),
    ("raw/rwlock/mod::try_upgradable", |_| ignore(upgradable())),
    ("raw/rwlock/mod::read_at", |table| {
        assert!(!written().read_at(at(table), late()));
    }),
    ("raw/rwlock/mod::write_at", |table| {
        assert!(!read().write_at(at(table), late()));
    }),
    ("raw/rwlock/mod::upgradable_at", |table| {
        assert!(!written().upgradable_at(at(table), late()));
    }),
    ("raw/rwlock/change::unlock_read_at", |table| {
        given(table, &read(), |lock, at| lock.unlock_read_at(at));
    }),
    ("raw/rwlock/change::unlock_write_at", |table| {
        given(table, &written(), |lock, at| lock.unlock_write_at(at));
    }),
    ("raw/rwlock/change::unlock_upgradable_at", |table| {
        given(table, &upgradable(), |lock, at| {
            lock.unlock_upgradable_at(at);
        });
    }),
    ("raw/rwlock/change::unlock_read_fair_at", |table| {
        given(table, &read(), |lock, at| lock.unlock_read_fair_at(at));
    }),
    ("raw/rwlock/change::unlock_write_fair_at", |table| {
        given(table, &written(), |lock, at| lock.unlock_write_fair_at(at));
    }),
    ("raw/rwlock/change::unlock_upgradable_fair_at", |table| {
        given(table, &upgradable(), |lock, at| {
            lock.unlock_upgradable_fair_at(at);
        });
    }),
    ("raw/rwlock/change::downgrade_at", |table| {
        given(table, &written(), |lock, at| lock.downgrade_at(at));
    }),
    ("raw/rwlock/change::downgrade_to_upgradable_at", |table| {
        given(table, &written(), |lock, at| {
            lock.downgrade_to_upgradable_at(at);
        });
    }),
    ("raw/rwlock/change::downgrade_upgradable_at", |table| {
        given(table, &upgradable(), |lock, at| {
            lock.downgrade_upgradable_at(at);
        });
    }),
    ("raw/rwlock/change::try_upgrade_at", |table| {
        assert!(upgradable().try_upgrade_at(at(table)));
    }),
    ("raw/rwlock/change::upgrade_at", |table| {
        let lock = upgradable();
        assert!(lock.try_read() && !lock.upgrade_at(at(table), late()));
    }),
];

const ONCE: [Operation; 14] = [
    ("raw/once::new", |_| ignore(RawOnce::new())),
    ("raw/once::place", |_| ignore(RawOnce::new().place())),
    ("raw/once::is_completed", |_| {
        ignore(RawOnce::new().is_completed());
    }),
    ("raw/once::call_at", |table| {
        RawOnce::new().call_at(at(table), false, |_| {});
    }),
    ("raw/once::is_poisoned", |table| {
        RawOnce::new().call_at(at(table), true, |state| assert!(!state.is_poisoned()));
    }),
    ("raw/once::wait_at", |table| {
        let once = RawOnce::new();
        once.call_at(at(table), false, |_| {});
        once.wait_at(at(table), false);
    }),
    ("process::new", |_| ignore(FutexKey::new(1, 2))),
    ("process::at", |_| ignore(FutexKey::at(2))),
    ("process::word", |_| ignore(FutexKey::at(2).word())),
    ("process::guest", |_| ignore(FutexKey::new(1, 2).guest())),
    ("process::of", |_| {
        ignore(FutexKey::of(&std::sync::atomic::AtomicU32::new(0)));
    }),
    ("process::of_semaphore", |_| {
        ignore(FutexKey::of_semaphore(&RawSemaphore::new(1)));
    }),
    ("process::of_counter", |_| {
        ignore(FutexKey::of_counter(&RawEventCounter::new()));
    }),
    ("process::process_table", |_| ignore(process_table())),
];

pub(crate) fn locks() -> impl Iterator<Item = Operation> {
    MUTEX.into_iter().chain(RWLOCK).chain(ONCE)
}
