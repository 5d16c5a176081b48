//! Threads, for a moment: what must never be.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use slotpark::{KeyedOptions, KeyedRwLock, KeyedSemaphore, LockOptions, Preference};

use super::common::watchdog;

const KEYS: u64 = 2;
const THREADS: u64 = 4;
const PREFERENCES: [Preference; 3] = [Preference::Fifo, Preference::PhaseFair, Preference::Barging];

/// Runs `action` with random numbers on some threads for a moment.
fn for_a_moment(action: impl Fn(u64) + Sync) {
    let end = Instant::now() + Duration::from_millis(150);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let action = &action;
            scope.spawn(move || {
                let mut random = thread + 1;
                while Instant::now() < end {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    action(random);
                }
            });
        }
    });
}

/// How many read a key (above 0), or that somebody writes to it (below).
#[derive(Default)]
struct Users(AtomicI64);

impl Users {
    fn read(&self) {
        assert!(
            self.0.fetch_add(1, Ordering::Relaxed) >= 0,
            "beside a writer"
        );
        thread::yield_now();
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn write(&self) {
        assert_eq!(self.0.fetch_sub(1, Ordering::Relaxed), 0, "not alone");
        thread::yield_now();
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn no_reader_is_beside_a_writer() {
    let _watch = watchdog("no_reader_is_beside_a_writer");
    for preference in PREFERENCES {
        let options = KeyedOptions::new().slots(1).preference(preference);
        let lock = KeyedRwLock::<u64>::with_options(options).expect("not absurd");
        let users: [Users; KEYS as usize] = Default::default();
        for_a_moment(|random| {
            let key = random % KEYS;
            let users = &users[key as usize];
            let short = Duration::from_micros(random % 50);
            match random >> 8 & 7 {
                0 => lock.with_read(&key, || users.read()),
                1 => lock.with_write(&key, || users.write()),
                2 => {
                    let guard = lock.write(key);
                    users.write();
                    let guard = guard.downgrade_to_upgradable();
                    users.read();
                    drop(guard);
                }
                3 => {
                    let guard = lock.upgradable_read(key);
                    users.read();
                    let guard = guard.upgrade();
                    users.write();
                    drop(guard);
                }
                4 => {
                    let guard = lock.upgradable_read(key);
                    match guard.upgrade_for(short) {
                        Ok(_writer) => users.write(),
                        Err(_reader) => users.read(),
                    }
                }
                5 => {
                    let options = LockOptions::new().timeout(short);
                    let _ = lock.with_write_with(&key, options, || users.write());
                }
                6 => {
                    let guard = lock.read_for(key, short);
                    guard.iter().for_each(|_| users.read());
                }
                _ => {
                    let guard = futures_lite::future::block_on(lock.read_async(key));
                    users.read();
                    drop(guard);
                }
            }
        });
        for key in 0..KEYS {
            assert_eq!((lock.is_locked(&key), lock.waiters(&key)), (false, 0));
        }
        assert_eq!(lock.pool_stats().taken, 0);
    }
}

#[test]
fn no_more_permits_are_held_than_there_are() {
    const PERMITS: u32 = 3;
    let _watch = watchdog("no_more_permits_are_held_than_there_are");
    for preference in PREFERENCES {
        let options = KeyedOptions::new().slots(1).preference(preference);
        let semaphore = KeyedSemaphore::<u64>::with_options(PERMITS, options).expect("not absurd");
        let held: [AtomicU32; KEYS as usize] = Default::default();
        for_a_moment(|random| {
            let (key, count) = (random % KEYS, (random >> 8) as u32 % (PERMITS + 1));
            let held = &held[key as usize];
            let with = |count| {
                let before = held.fetch_add(count, Ordering::Relaxed);
                assert!(before + count <= PERMITS, "{before} and {count} are held");
                thread::yield_now();
                held.fetch_sub(count, Ordering::Relaxed);
            };
            match random >> 16 & 3 {
                0 => semaphore.with_permits(&key, count, || with(count)),
                1 => {
                    let mut permit = semaphore.acquire_many(key, count);
                    with(count);
                    permit.release(count / 2);
                    with(permit.count());
                }
                2 => {
                    let short = Duration::from_micros(random % 50);
                    let permit = semaphore.acquire_for(key, count, short);
                    permit.iter().for_each(|_| with(count));
                }
                _ => {
                    let acquire = semaphore.acquire_async(key, count);
                    let permit = futures_lite::future::block_on(acquire);
                    with(count);
                    drop(permit);
                }
            }
        });
        for key in 0..KEYS {
            assert_eq!(semaphore.available(&key), PERMITS);
            assert_eq!(semaphore.waiters(&key), 0);
        }
        assert_eq!(semaphore.pool_stats().taken, 0);
    }
}
