//! Words of the caller's, for which nobody waits.

use std::hint::black_box;

use gungraun::prelude::*;
use slotpark::{EventCounter, Mutex, Once, RwLock, Semaphore};

use crate::fixture::repeat;

#[library_benchmark]
#[bench::free(Semaphore::new(3))]
fn semaphore(semaphore: Semaphore) -> Semaphore {
    repeat(|| {
        let permit = black_box(&semaphore).acquire();
        assert!(black_box(permit).is_ok());
    });
    semaphore
}

#[library_benchmark]
#[bench::nobody(EventCounter::new())]
fn counter_advance(counter: EventCounter) -> EventCounter {
    repeat(|| assert!(black_box(&counter).advance(black_box(1)) == 0));
    counter
}

fn counted() -> EventCounter {
    let counter = EventCounter::new();
    assert_eq!(counter.advance(1), 0);
    counter
}

#[library_benchmark]
#[bench::reached(counted())]
fn counter_wait(counter: EventCounter) -> EventCounter {
    repeat(|| assert!(black_box(&counter).wait_for_at_least(black_box(1)).is_ok()));
    counter
}

#[library_benchmark]
#[bench::free(Mutex::new(0))]
fn mutex(mutex: Mutex<u64>) -> Mutex<u64> {
    repeat(|| *black_box(&mutex).lock() += 1);
    mutex
}

#[library_benchmark]
#[bench::free(RwLock::new(0))]
fn rwlock_read(lock: RwLock<u64>) -> RwLock<u64> {
    repeat(|| {
        black_box(*black_box(&lock).read());
    });
    lock
}

#[library_benchmark]
#[bench::free(RwLock::new(0))]
fn rwlock_write(lock: RwLock<u64>) -> RwLock<u64> {
    repeat(|| *black_box(&lock).write() += 1);
    lock
}

fn done() -> Once {
    let once = Once::new();
    once.call_once(|| {});
    once
}

#[library_benchmark]
#[bench::done(done())]
fn once(once: Once) -> Once {
    repeat(|| black_box(&once).call_once(|| unreachable!("it is done")));
    once
}

library_benchmark_group!(
    name = words,
    benchmarks = [
        semaphore,
        counter_advance,
        counter_wait,
        mutex,
        rwlock_read,
        rwlock_write,
        once
    ]
);
