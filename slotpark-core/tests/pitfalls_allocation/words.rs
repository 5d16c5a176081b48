//! Semaphores and event counters.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use slotpark_core::{
    AcquireError, At, Deadline, DefaultPlatform, EventError, RawEventCounter, RawSemaphore, Table,
};

use super::common::soon;
use super::{AT, Operation, ignore};

fn at(table: &Table<u64>) -> At<'_, u64, DefaultPlatform> {
    At {
        table,
        hash: AT.0,
        key: *AT.1,
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Waiters of a word wait for a key of their own, 9.
fn alone(table: &Table<u64>) -> At<'_, u64, DefaultPlatform> {
    At {
        hash: 9,
        key: 9,
        ..at(table)
    }
}

pub(crate) const WORDS: [Operation; 17] = [
    ("semaphore/mod::new", |_| ignore(RawSemaphore::new(1))),
    ("semaphore/mod::barging", |_| {
        ignore(RawSemaphore::barging(1));
    }),
    ("semaphore/mod::available", |_| {
        ignore(RawSemaphore::new(1).available());
    }),
    ("semaphore/mod::is_closed", |_| {
        ignore(RawSemaphore::new(1).is_closed());
    }),
    ("semaphore/mod::try_acquire", |_| {
        ignore(RawSemaphore::new(1).try_acquire(2));
    }),
    ("semaphore/mod::acquire", |table| {
        let semaphore = RawSemaphore::new(1);
        let late = soon(Duration::from_micros(200));
        let acquired = semaphore.acquire(alone(table), 2, late);
        assert_eq!(acquired, Err(AcquireError::TimedOut));
        assert_eq!(semaphore.acquire(alone(table), 1, None), Ok(()));
    }),
    ("semaphore/mod::release_with", |table| {
        let semaphore = RawSemaphore::new(0);
        let mut acquire = pin!(semaphore.acquire_async(alone(table), 1));
        assert!(poll(acquire.as_mut()).is_pending());
        semaphore.release_with(1, || alone(table));
        assert_eq!(poll(acquire.as_mut()), Poll::Ready(Ok(())));
    }),
    ("semaphore/mod::release", |table| {
        let semaphore = RawSemaphore::new(0);
        let mut acquire = pin!(semaphore.acquire_async(alone(table), 2));
        assert!(poll(acquire.as_mut()).is_pending());
        semaphore.release(alone(table), 1);
        semaphore.release(alone(table), 1);
        assert_eq!(poll(acquire), Poll::Ready(Ok(())));
    }),
    ("semaphore/mod::forget", |_| RawSemaphore::new(1).forget(1)),
    ("semaphore/mod::close", |table| {
        let semaphore = RawSemaphore::barging(0);
        let mut acquire = pin!(semaphore.acquire_async(alone(table), 1));
        assert!(poll(acquire.as_mut()).is_pending());
        assert_eq!(semaphore.close(alone(table)), 1);
    }),
    ("semaphore/task::acquire_async", |table| {
        let semaphore = RawSemaphore::new(0);
        let mut acquire = Some(semaphore.acquire_async(alone(table), 1));
        let mut dropped = pin!(acquire.take().expect("made"));
        assert!(poll(dropped.as_mut()).is_pending());
        semaphore.release(alone(table), 1); // dropped, it is given back
    }),
    ("semaphore/task::acquire_async_with", |table| {
        let semaphore = RawSemaphore::new(1);
        let acquire = semaphore.acquire_async_with(1, || alone(table));
        assert_eq!(poll(pin!(acquire)), Poll::Ready(Ok(())));
    }),
    ("counter::new", |_| ignore(RawEventCounter::new())),
    ("counter::count", |_| ignore(RawEventCounter::new().count())),
    ("counter::advance", |table| {
        ignore(RawEventCounter::new().advance(at(table), 0));
    }),
    ("counter::wait_for_at_least", |table| {
        let events = RawEventCounter::new();
        let waited = events.wait_for_at_least(alone(table), 1, Some(Deadline::PAST));
        assert_eq!(waited, Err(EventError::TimedOut));
        let late = soon(Duration::from_micros(200));
        let waited = events.wait_for_at_least(alone(table), 1, late);
        assert_eq!(waited, Err(EventError::TimedOut));
    }),
    ("counter::wait_for_at_least_async", |table| {
        let events = RawEventCounter::new();
        let mut wait = pin!(events.wait_for_at_least_async(alone(table), 1));
        assert!(poll(wait.as_mut()).is_pending());
        assert_eq!(events.advance(alone(table), 1), 1);
        assert_eq!(poll(wait), Poll::Ready(Ok(1)));
    }),
];
