//! Locks by key that are free, and one that is handed over.

use std::hint::black_box;
use std::pin::pin;
use std::task::Poll;

use gungraun::prelude::*;
use slotpark::core::KeyedLock;
use slotpark::{KeyedMutex, KeyedMutexGuard, KeyedReadGuard, KeyedRwLock, KeyedSemaphore};

use crate::fixture::{KEY, OTHERS, forever, poll, repeat, seeded};

struct Mutex {
    keys: &'static KeyedMutex<u64>,
    _held: Vec<KeyedMutexGuard<'static, u64>>,
}

/// A mutex, `held` other keys of which are locked by guards.
fn mutex(held: u64) -> Mutex {
    let keys = forever(KeyedMutex::from_engine(KeyedLock::new(1), seeded()));
    let _held = (OTHERS..OTHERS + held).map(|key| keys.lock(key)).collect();
    Mutex { keys, _held }
}

#[library_benchmark]
#[bench::free(mutex(0))]
#[bench::free_beside_100(mutex(100))]
fn mutex_closure(mutex: Mutex) -> Mutex {
    repeat(|| black_box(mutex.keys).with_lock(black_box(&KEY), || black_box(())));
    mutex
}

#[library_benchmark]
#[bench::free(mutex(0))]
#[bench::free_beside_100(mutex(100))]
fn mutex_guard(mutex: Mutex) -> Mutex {
    repeat(|| {
        let _guard = black_box(black_box(mutex.keys).lock(black_box(KEY)));
    });
    mutex
}

#[library_benchmark]
#[bench::free(mutex(0))]
fn mutex_async(mutex: Mutex) -> Mutex {
    repeat(|| {
        let Poll::Ready(_guard) = poll(pin!(black_box(mutex.keys).lock_async(black_box(KEY))))
        else {
            unreachable!("nobody else holds it");
        };
    });
    mutex
}

// A task waits for the key of a guard, gets it when that is dropped, and unlocks.
#[library_benchmark]
#[bench::to_task(mutex(0))]
fn mutex_handed(mutex: Mutex) -> Mutex {
    repeat(|| {
        let guard = black_box(mutex.keys).lock(black_box(KEY));
        let mut next = pin!(mutex.keys.lock_async(black_box(KEY)));
        assert!(poll(next.as_mut()).is_pending());
        drop(guard);
        assert!(poll(next.as_mut()).is_ready());
    });
    mutex
}

struct RwLock {
    keys: &'static KeyedRwLock<u64>,
    _readers: Vec<KeyedReadGuard<'static, u64>>,
}

/// A lock whose key has so many readers.
fn rwlock(readers: usize) -> RwLock {
    let engine = KeyedLock::new(KeyedRwLock::<u64>::CAPACITY);
    let keys = forever(KeyedRwLock::from_engine(engine, seeded()));
    let _readers = (0..readers).map(|_| keys.read(KEY)).collect();
    RwLock { keys, _readers }
}

#[library_benchmark]
#[bench::free(rwlock(0))]
#[bench::beside_reader(rwlock(1))]
fn read_closure(lock: RwLock) -> RwLock {
    repeat(|| black_box(lock.keys).with_read(black_box(&KEY), || black_box(())));
    lock
}

#[library_benchmark]
#[bench::free(rwlock(0))]
#[bench::beside_reader(rwlock(1))]
fn read_guard(lock: RwLock) -> RwLock {
    repeat(|| {
        let _guard = black_box(black_box(lock.keys).read(black_box(KEY)));
    });
    lock
}

#[library_benchmark]
#[bench::free(rwlock(0))]
fn write_guard(lock: RwLock) -> RwLock {
    repeat(|| {
        let _guard = black_box(black_box(lock.keys).write(black_box(KEY)));
    });
    lock
}

#[library_benchmark]
#[bench::free(KeyedSemaphore::from_engine(KeyedLock::new(3), seeded()))]
fn permit_guard(semaphore: KeyedSemaphore<u64>) -> KeyedSemaphore<u64> {
    repeat(|| {
        let _permit = black_box(black_box(&semaphore).acquire(black_box(KEY)));
    });
    semaphore
}

library_benchmark_group!(
    name = keyed,
    benchmarks = [
        mutex_closure,
        mutex_guard,
        mutex_async,
        mutex_handed,
        read_closure,
        read_guard,
        write_guard,
        permit_guard
    ]
);
