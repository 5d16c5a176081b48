//! Locks by key. A place for a guard is made with the lock.

use std::hash::RandomState;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use slotpark::{
    ConditionOutcome, KeyedCondvar, KeyedMutex, KeyedOptions, KeyedRwLock, KeyedSemaphore,
    LockMode, LockOptions, Preference, WhenFull,
};

use super::ends::poll;
use super::{allocated, ignore};

struct Scene {
    mutex: KeyedMutex<u64>,
    rwlock: KeyedRwLock<u64>,
    semaphore: KeyedSemaphore<u64>,
}

/// Names of one group, all of which `run` calls.
type Group = (&'static [&'static str], fn(&Scene));

const SHORT: Duration = Duration::from_micros(200);

const GROUPS: [Group; 21] = [
    (
        &[
            "keyed/options::new",
            "keyed/options::deadline",
            "keyed/options::timeout",
            "keyed/options::label",
        ],
        |_| ignore(options().deadline(Instant::now()).label("me")),
    ),
    (
        &[
            "keyed/mutex/mod::engine",
            "keyed/mutex/mod::pool_stats",
            "keyed/mutex/mod::is_locked",
            "keyed/mutex/mod::waiters",
            "keyed/mutex/mod::label",
        ],
        |s| {
            let is_locked = s.mutex.is_locked(&7);
            let (waiters, label) = (s.mutex.waiters(&7), s.mutex.label(&7));
            assert_eq!((is_locked, waiters, label), (false, 0, None));
            assert_eq!(s.mutex.engine().slot_count(), 512);
            assert_eq!(s.mutex.pool_stats().taken, 0);
        },
    ),
    (
        &[
            "keyed/mutex/frames::with_lock",
            "keyed/mutex/frames::with_lock_with",
            "keyed/mutex/frames::try_with_lock",
        ],
        |s| {
            s.mutex.with_lock(&7, || {
                assert!(s.mutex.with_lock_with(&7, options(), || ()).is_err());
                assert!(s.mutex.try_with_lock(&7, || ()).is_err());
            });
        },
    ),
    (
        &[
            "keyed/mutex/locks::lock",
            "keyed/mutex/locks::lock_with",
            "keyed/mutex/locks::lock_until",
            "keyed/mutex/locks::lock_for",
            "keyed/mutex/locks::try_lock",
            "keyed/mutex/mod::key",
        ],
        |s| {
            let guard = s.mutex.lock(7);
            assert_eq!(*guard.key(), 7);
            assert!(s.mutex.lock_with(7, options()).is_err());
            assert!(s.mutex.lock_until(7, Instant::now()).is_err());
            assert!(s.mutex.lock_for(7, SHORT).is_err());
            assert!(s.mutex.try_lock(7).is_err());
        },
    ),
    (&["keyed/mutex/locks::lock_async"], |s| {
        let guard = s.mutex.lock(7);
        let mut lock = pin!(s.mutex.lock_async(7));
        assert!(poll(lock.as_mut()).is_pending());
        drop(guard);
        assert!(poll(lock).is_ready());
    }),
    (
        &[
            "keyed/rwlock/mod::engine",
            "keyed/rwlock/mod::pool_stats",
            "keyed/rwlock/mod::is_locked",
            "keyed/rwlock/mod::is_locked_exclusive",
            "keyed/rwlock/mod::waiters",
            "keyed/rwlock/mod::label",
        ],
        |s| {
            let is_locked = (s.rwlock.is_locked(&7), s.rwlock.is_locked_exclusive(&7));
            assert_eq!(is_locked, (false, false));
            assert_eq!((s.rwlock.waiters(&7), s.rwlock.label(&7)), (0, None));
            assert_eq!(s.rwlock.engine().slot_count(), 512);
            assert_eq!(s.rwlock.pool_stats().taken, 0);
        },
    ),
    (
        &[
            "keyed/rwlock/frames::with_read",
            "keyed/rwlock/frames::with_read_with",
            "keyed/rwlock/frames::try_with_read",
            "keyed/rwlock/frames::with_write",
            "keyed/rwlock/frames::with_write_with",
            "keyed/rwlock/frames::try_with_write",
        ],
        |s| {
            s.rwlock.with_read(&7, || {
                assert!(s.rwlock.with_write_with(&7, options(), || ()).is_err());
                assert!(s.rwlock.try_with_write(&7, || ()).is_err());
            });
            s.rwlock.with_write(&7, || {
                assert!(s.rwlock.with_read_with(&7, options(), || ()).is_err());
                assert!(s.rwlock.try_with_read(&7, || ()).is_err());
            });
        },
    ),
    (
        &[
            "keyed/rwlock/reads::read",
            "keyed/rwlock/reads::read_with",
            "keyed/rwlock/reads::read_until",
            "keyed/rwlock/reads::read_for",
            "keyed/rwlock/reads::try_read",
            "keyed/rwlock/guards::key",
        ],
        |s| {
            assert_eq!(*s.rwlock.read(7).key(), 7);
            let writer = s.rwlock.write(7);
            assert!(s.rwlock.read_with(7, options()).is_err());
            assert!(s.rwlock.read_until(7, Instant::now()).is_err());
            assert!(s.rwlock.read_for(7, SHORT).is_err());
            assert!(s.rwlock.try_read(7).is_err());
            drop(writer);
        },
    ),
    (
        &[
            "keyed/rwlock/writes::write",
            "keyed/rwlock/writes::write_with",
            "keyed/rwlock/writes::write_until",
            "keyed/rwlock/writes::write_for",
            "keyed/rwlock/writes::try_write",
            "keyed/rwlock/guards::downgrade",
            "keyed/rwlock/guards::downgrade_to_upgradable",
        ],
        |s| {
            let reader = s.rwlock.write(7).downgrade();
            assert!(s.rwlock.write_with(7, options()).is_err());
            assert!(s.rwlock.write_until(7, Instant::now()).is_err());
            assert!(s.rwlock.write_for(7, SHORT).is_err());
            assert!(s.rwlock.try_write(7).is_err());
            drop(reader);
            ignore(s.rwlock.write(7).downgrade_to_upgradable());
        },
    ),
    (
        &[
            "keyed/rwlock/upgradables::upgradable_read",
            "keyed/rwlock/upgradables::upgradable_read_with",
            "keyed/rwlock/upgradables::upgradable_read_until",
            "keyed/rwlock/upgradables::upgradable_read_for",
            "keyed/rwlock/upgradables::try_upgradable_read",
            "keyed/rwlock/upgrades::key",
            "keyed/rwlock/upgrades::downgrade",
        ],
        |s| {
            let reader = s.rwlock.upgradable_read(7);
            assert_eq!(*reader.key(), 7);
            assert!(s.rwlock.upgradable_read_with(7, options()).is_err());
            assert!(s.rwlock.upgradable_read_until(7, Instant::now()).is_err());
            assert!(s.rwlock.upgradable_read_for(7, SHORT).is_err());
            assert!(s.rwlock.try_upgradable_read(7).is_err());
            ignore(reader.downgrade());
        },
    ),
    (
        &[
            "keyed/rwlock/upgrades::upgrade",
            "keyed/rwlock/upgrades::try_upgrade",
            "keyed/rwlock/upgrades::upgrade_until",
            "keyed/rwlock/upgrades::upgrade_for",
        ],
        |s| {
            let (other, reader) = (s.rwlock.read(7), s.rwlock.upgradable_read(7));
            let reader = reader.try_upgrade().expect_err("another reads");
            let reader = reader
                .upgrade_until(Instant::now())
                .expect_err("so it does");
            let reader = reader.upgrade_for(SHORT).expect_err("so it does");
            drop(other);
            ignore(reader.upgrade());
        },
    ),
    (
        &[
            "keyed/rwlock/reads::read_async",
            "keyed/rwlock/writes::write_async",
            "keyed/rwlock/upgradables::upgradable_read_async",
            "keyed/rwlock/upgrades::upgrade_async",
            "keyed/rwlock/upgrades::upgraded_async",
        ],
        |s| {
            let writer = s.rwlock.write(7);
            let mut reads = pin!(s.rwlock.read_async(7));
            let mut writes = pin!(s.rwlock.write_async(7));
            assert!(poll(reads.as_mut()).is_pending());
            assert!(poll(writes.as_mut()).is_pending());
            drop(writer);
            assert!(poll(reads).is_ready());
            assert!(poll(writes).is_ready());
            let Poll::Ready(mut reader) = poll(pin!(s.rwlock.upgradable_read_async(7))) else {
                unreachable!("it is free");
            };
            let other = s.rwlock.read(7);
            assert!(poll(pin!(reader.upgraded_async())).is_pending());
            let mut upgrades = pin!(reader.upgrade_async());
            assert!(poll(upgrades.as_mut()).is_pending());
            drop(other);
            assert!(poll(upgrades).is_ready());
        },
    ),
    (
        &[
            "keyed/semaphore/mod::engine",
            "keyed/semaphore/mod::permits",
            "keyed/semaphore/mod::pool_stats",
            "keyed/semaphore/mod::available",
            "keyed/semaphore/mod::waiters",
            "keyed/semaphore/mod::label",
        ],
        |s| {
            let free = (s.semaphore.permits(), s.semaphore.available(&7));
            assert_eq!(free, (2, 2));
            assert_eq!((s.semaphore.waiters(&7), s.semaphore.label(&7)), (0, None));
            assert_eq!(s.semaphore.engine().slot_count(), 512);
            assert_eq!(s.semaphore.pool_stats().taken, 0);
        },
    ),
    (
        &[
            "keyed/semaphore/frames::with_permits",
            "keyed/semaphore/frames::with_permits_with",
            "keyed/semaphore/frames::try_with_permits",
        ],
        |s| {
            s.semaphore.with_permits(&7, 1, || {
                assert!(
                    s.semaphore
                        .with_permits_with(&7, 2, options(), || ())
                        .is_err()
                );
                assert!(s.semaphore.try_with_permits(&7, 2, || ()).is_err());
            });
        },
    ),
    (
        &[
            "keyed/semaphore/acquires::acquire",
            "keyed/semaphore/acquires::acquire_many",
            "keyed/semaphore/acquires::acquire_with",
            "keyed/semaphore/acquires::acquire_until",
            "keyed/semaphore/acquires::acquire_for",
            "keyed/semaphore/acquires::try_acquire",
            "keyed/semaphore/acquires::try_acquire_many",
            "keyed/semaphore/permit::key",
            "keyed/semaphore/permit::count",
            "keyed/semaphore/permit::release",
        ],
        |s| {
            let mut permit = s.semaphore.acquire_many(7, 2);
            assert_eq!((*permit.key(), permit.count()), (7, 2));
            assert!(s.semaphore.try_acquire(7).is_err());
            assert!(s.semaphore.acquire_with(7, 1, options()).is_err());
            permit.release(1);
            assert!(s.semaphore.acquire_until(7, 2, Instant::now()).is_err());
            assert!(s.semaphore.acquire_for(7, 2, SHORT).is_err());
            assert!(s.semaphore.try_acquire_many(7, 2).is_err());
            ignore(s.semaphore.acquire(7));
        },
    ),
    (&["keyed/semaphore/acquires::acquire_async"], |s| {
        let permit = s.semaphore.acquire(7);
        let mut acquires = pin!(s.semaphore.acquire_async(7, 2));
        assert!(poll(acquires.as_mut()).is_pending());
        drop(permit);
        assert!(poll(acquires).is_ready());
    }),
    (
        &[
            "keyed/condvar::new",
            "keyed/condvar::wait_until",
            "keyed/condvar::wait_for",
            "keyed/condvar::wait_while",
            "keyed/condvar::waiters",
        ],
        |s| {
            ignore(KeyedCondvar::new());
            let guard = CHANGED.wait_while(s.mutex.lock(7), || false);
            let (guard, _) = CHANGED.wait_until(guard, Instant::now());
            let (_guard, outcome) = CHANGED.wait_for(guard, SHORT);
            assert_eq!(outcome, ConditionOutcome::TimedOut);
            assert_eq!(CHANGED.waiters(&s.mutex, &7), 0);
        },
    ),
    (
        &[
            "keyed/condvar::wait",
            "keyed/condvar::wait_async",
            "keyed/condvar::notify_one",
            "keyed/condvar::notify_all",
            "keyed/condvar::notify_many",
        ],
        |s| {
            // `wait` is `wait_until` without a deadline.
            ignore(KeyedCondvar::wait::<u64, slotpark::DefaultPlatform>);
            let notify: [fn(&Scene) -> usize; 3] = [
                |s| CHANGED.notify_one(&s.mutex, &7),
                |s| CHANGED.notify_all(&s.mutex, &7),
                |s| CHANGED.notify_many(&s.mutex, &7, 2),
            ];
            for notify in notify {
                let mut wait = pin!(CHANGED.wait_async(s.mutex.lock(7)));
                assert!(poll(wait.as_mut()).is_pending());
                assert_eq!(notify(s), 1);
                assert!(poll(wait).is_ready());
            }
        },
    ),
    (
        &[
            "keyed/many/mutex::lock_many",
            "keyed/many/mutex::lock_many_until",
            "keyed/many/mutex::lock_many_for",
            "keyed/many/mutex::try_lock_many",
            "keyed/many/mutex::lock_many_async",
        ],
        |s| {
            let guard = s.mutex.lock_many([7, 8, 7]);
            assert!(s.mutex.lock_many_until([8, 9], Instant::now()).is_err());
            assert!(s.mutex.lock_many_for([8, 9], SHORT).is_err());
            assert!(s.mutex.try_lock_many([8, 9]).is_err());
            let mut lock = pin!(s.mutex.lock_many_async([8, 9]));
            assert!(poll(lock.as_mut()).is_pending());
            drop(guard);
            assert!(poll(lock).is_ready());
        },
    ),
    (
        &[
            "keyed/many/rwlock::lock_many",
            "keyed/many/rwlock::lock_many_until",
            "keyed/many/rwlock::lock_many_for",
            "keyed/many/rwlock::try_lock_many",
            "keyed/many/rwlock::lock_many_async",
            "keyed/many/semaphore::acquire_keys",
            "keyed/many/semaphore::acquire_keys_until",
            "keyed/many/semaphore::acquire_keys_for",
            "keyed/many/semaphore::try_acquire_keys",
            "keyed/many/semaphore::acquire_keys_async",
        ],
        |s| {
            let writes = [(7, LockMode::Write), (8, LockMode::Read)];
            let guard = s.rwlock.lock_many(writes);
            assert!(s.rwlock.lock_many_until(writes, Instant::now()).is_err());
            assert!(s.rwlock.lock_many_for(writes, SHORT).is_err());
            assert!(s.rwlock.try_lock_many(writes).is_err());
            let mut lock = pin!(s.rwlock.lock_many_async(writes));
            assert!(poll(lock.as_mut()).is_pending());
            drop(guard);
            assert!(poll(lock).is_ready());
            let counts = [(7, 1), (8, 2), (7, 1)];
            let permits = s.semaphore.acquire_keys(counts);
            assert!(
                s.semaphore
                    .acquire_keys_until(counts, Instant::now())
                    .is_err()
            );
            assert!(s.semaphore.acquire_keys_for(counts, SHORT).is_err());
            assert!(s.semaphore.try_acquire_keys(counts).is_err());
            drop(permits);
            assert!(poll(pin!(s.semaphore.acquire_keys_async(counts))).is_ready());
        },
    ),
    (
        &[
            "keyed/mutex/locks::lock_async_with",
            "keyed/rwlock/reads::read_async_with",
            "keyed/rwlock/writes::write_async_with",
            "keyed/rwlock/upgradables::upgradable_read_async_with",
            "keyed/semaphore/acquires::acquire_async_with",
        ],
        |s| {
            assert!(poll(pin!(s.mutex.lock_async_with(7, options()))).is_ready());
            assert!(poll(pin!(s.rwlock.read_async_with(7, options()))).is_ready());
            assert!(poll(pin!(s.rwlock.write_async_with(7, options()))).is_ready());
            let upgradable = s.rwlock.upgradable_read_async_with(7, options());
            assert!(poll(pin!(upgradable)).is_ready());
            let permits = s.semaphore.acquire_async_with(7, 2, options());
            assert!(poll(pin!(permits)).is_ready());
        },
    ),
];

const MADE: [&str; 10] = [
    "keyed/mutex/mod::new",
    "keyed/mutex/mod::barging",
    "keyed/mutex/mod::with_options",
    "keyed/mutex/mod::from_engine",
    "keyed/rwlock/mod::new",
    "keyed/rwlock/mod::with_options",
    "keyed/rwlock/mod::from_engine",
    "keyed/semaphore/mod::new",
    "keyed/semaphore/mod::with_options",
    "keyed/semaphore/mod::from_engine",
];

static CHANGED: KeyedCondvar = KeyedCondvar::new();

fn options() -> LockOptions {
    LockOptions::new().timeout(SHORT)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    MADE.into_iter()
        .chain(GROUPS.into_iter().flat_map(|(names, _)| names).copied())
}

/// Two allocations, which are given back.
fn assert_made<T>(name: &str, make: impl FnOnce() -> T) {
    let mut made = None;
    let (count, bytes) = allocated(|| made = Some(make()));
    assert_eq!(count, 2, "{name}");
    assert_eq!(allocated(|| drop(made.take())), (2, -bytes), "{name}");
}

#[test]
fn every_lock_by_key_is_two_allocations() {
    let options = KeyedOptions::new;
    assert_made(MADE[0], KeyedMutex::<u64>::new);
    assert_made(MADE[0], KeyedMutex::<u64>::default);
    assert_made(MADE[1], KeyedMutex::<u64>::barging);
    assert_made(MADE[2], || KeyedMutex::<u64>::with_options(options()));
    assert_made(MADE[4], KeyedRwLock::<u64>::new);
    assert_made(MADE[4], KeyedRwLock::<u64>::default);
    assert_made(MADE[5], || KeyedRwLock::<u64>::with_options(options()));
    assert_made(MADE[7], || KeyedSemaphore::<u64>::new(2));
    assert_made(MADE[8], || {
        KeyedSemaphore::<u64>::with_options(2, options())
    });
    let moved = || {
        ignore::<fn(_, _) -> _>(KeyedMutex::<u64, RandomState>::from_engine);
        ignore::<fn(_, _) -> _>(KeyedRwLock::<u64, RandomState>::from_engine);
        ignore::<fn(_, _) -> _>(KeyedSemaphore::<u64, RandomState>::from_engine);
    };
    assert_eq!(allocated(moved), (0, 0));
}

#[test]
fn every_operation_on_locks_by_key_allocates_nothing() {
    for preference in [Preference::Fifo, Preference::PhaseFair] {
        let options = KeyedOptions::new().preference(preference);
        let options = options.pool(8, WhenFull::Fail);
        let scene = Scene {
            mutex: KeyedMutex::with_options(options).expect("not absurd"),
            rwlock: KeyedRwLock::with_options(options).expect("not absurd"),
            semaphore: KeyedSemaphore::with_options(2, options).expect("not absurd"),
        };
        // The first wait of a thread may make the thread's handle.
        ignore(std::thread::current());
        for (names, run) in GROUPS {
            assert_eq!(allocated(|| run(&scene)), (0, 0), "{names:?}");
        }
    }
}
