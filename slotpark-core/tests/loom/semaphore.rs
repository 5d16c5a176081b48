//! Semaphores and event counters: permits that are released while others wait, leave, and barge.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::cell::UnsafeCell;
use loom::thread;
use slotpark_core::{AcquireError, At, EventError, RawEventCounter, RawSemaphore, Table};

use crate::bell::{Bell, finish, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, SOON, explore};

type Place<'t> = At<'t, u64, Host<OwnBit>>;

/// A semaphore, and a table for its waiters.
struct Site {
    table: Table<u64, Host<OwnBit>>,
    semaphore: RawSemaphore,
    events: RawEventCounter,
}

impl Site {
    fn new(semaphore: RawSemaphore) -> Arc<Self> {
        Arc::new(Self {
            table: Table::with_slots(1),
            semaphore,
            events: RawEventCounter::new(),
        })
    }

    fn at(&self) -> Place<'_> {
        At {
            table: &self.table,
            hash: A,
            key: A,
        }
    }

    fn spawn<R: 'static>(
        self: &Arc<Self>,
        action: impl FnOnce(&Self) -> R + 'static,
    ) -> thread::JoinHandle<R> {
        let site = Arc::clone(self);
        thread::spawn(move || action(&site))
    }

    fn acquire(&self, count: usize) -> bool {
        self.semaphore.acquire(self.at(), count, None).is_ok()
    }

    fn acquire_soon(&self, count: usize) -> bool {
        let acquired = self.semaphore.acquire(self.at(), count, SOON);
        assert_ne!(acquired, Err(AcquireError::Closed));
        acquired.is_ok()
    }

    fn release(&self, count: usize) {
        self.semaphore.release(self.at(), count);
    }

    /// Nobody waits, and so many permits are free.
    fn assert_free(&self, count: usize) {
        assert_eq!(self.semaphore.available(), count);
        assert_eq!(self.table.waiters(A, &A), 0);
        // No flag was left that would keep somebody out.
        assert!(count == 0 || self.semaphore.try_acquire(count).is_ok());
    }
}

/// One permit guards a cell: what its owner wrote is seen by the next.
fn exclude(semaphore: fn(usize) -> RawSemaphore) {
    explore([()], move || {
        let site = Site::new(semaphore(1));
        let cell = Arc::new(UnsafeCell::new(0));
        let add = |site: &Site, cell: &UnsafeCell<i32>| {
            assert!(site.acquire(1));
            // SAFETY: the permit is the only one; loom checks it.
            cell.with_mut(|number| unsafe { *number += 1 });
            site.release(1);
        };
        let theirs = Arc::clone(&cell);
        let other = site.spawn(move |site| add(site, &theirs));
        add(&site, &cell);
        other.join().unwrap();
        // SAFETY: nobody else is left; loom checks it.
        assert_eq!(cell.with(|number| unsafe { *number }), 2);
        site.assert_free(1);
    });
}

#[test]
fn pair_permit() {
    exclude(RawSemaphore::new);
}

#[test]
fn a_barging_permit_excludes() {
    exclude(RawSemaphore::barging);
}

/// What was done before an event is seen by who sees the event, without any wait.
#[test]
fn pair_count() {
    explore([false, true], || {
        let site = Site::new(RawSemaphore::new(0));
        let cell = Arc::new(UnsafeCell::new(0));
        let theirs = Arc::clone(&cell);
        let other = site.spawn(move |site| {
            // SAFETY: nobody reads it before the event; loom checks it.
            theirs.with_mut(|number| unsafe { *number = 1 });
            assert_eq!(site.events.advance(site.at(), 1), 0);
        });
        let is_seen = site.events.count() == 1;
        if is_seen {
            // SAFETY: the event came after the write; loom checks it.
            assert_eq!(cell.with(|number| unsafe { *number }), 1);
        }
        other.join().unwrap();
        is_seen
    });
}

/// A wait for two events, against their announcement in two steps.
#[test]
fn a_wait_for_events_against_advances() {
    explore([(0, Ok(2)), (1, Ok(2))], || {
        let site = Site::new(RawSemaphore::new(0));
        let other = site
            .spawn(|site| site.events.advance(site.at(), 1) + site.events.advance(site.at(), 1));
        let waited = site.events.wait_for_at_least(site.at(), 2, None);
        let woken = other.join().unwrap();
        assert_eq!(site.table.waiters(A, &A), 0);
        (woken, waited.map_err(|error| error == EventError::TimedOut))
    });
}

/// The bit of a waiter is set while permits are given: one sees the other.
#[test]
fn an_acquire_against_a_release() {
    for semaphore in [RawSemaphore::new, RawSemaphore::barging] {
        explore([true], move || {
            let site = Site::new(semaphore(0));
            let other = site.spawn(|site| site.release(1));
            let acquired = site.acquire(1);
            other.join().unwrap();
            site.assert_free(0);
            acquired
        });
    }
}

/// Two want one permit each; two come, one by one.
#[test]
fn two_acquires_against_a_release_of_two() {
    for semaphore in [RawSemaphore::new, RawSemaphore::barging] {
        explore([(true, true)], move || {
            let site = Site::new(semaphore(0));
            let others = [1, 1].map(|count| site.spawn(move |site| site.acquire(count)));
            site.release(2);
            let [first, second] = others.map(|other| other.join().unwrap());
            site.assert_free(0);
            (first, second)
        });
    }
}

/// A deadline against a release: acquired, or the permit stays.
#[test]
fn a_deadline_against_a_release() {
    for semaphore in [RawSemaphore::new, RawSemaphore::barging] {
        explore([false, true], move || {
            let site = Site::new(semaphore(0));
            let other = site.spawn(|site| site.release(1));
            let acquired = site.acquire_soon(1);
            other.join().unwrap();
            site.assert_free(usize::from(!acquired));
            acquired
        });
    }
}

/// The head wants more than there is and gives up: who stands behind it is served, without any
/// release.
#[test]
fn a_head_that_leaves_lets_others_through() {
    explore([(false, true)], || {
        let site = Site::new(RawSemaphore::new(1));
        let other = site.spawn(|site| site.acquire(1));
        let head = site.acquire_soon(2);
        let behind = other.join().unwrap();
        site.assert_free(0);
        (head, behind)
    });
}

/// A future that was granted a permit, or not yet, is dropped: the permit is somebody else's.
#[test]
fn a_dropped_acquire_against_a_release() {
    for semaphore in [RawSemaphore::new, RawSemaphore::barging] {
        explore([true], move || {
            let site = Site::new(semaphore(0));
            let mut first: Pin<Box<_>> = Box::pin(site.semaphore.acquire_async(site.at(), 1));
            assert!(poll(first.as_mut(), &Bell::new()).is_pending());
            let (bell, mut second) = (
                Bell::new(),
                pin!(site.semaphore.acquire_async(site.at(), 1)),
            );
            assert!(poll(second.as_mut(), &bell).is_pending());
            let other = site.spawn(|site| site.release(1));
            drop(first);
            let acquired = finish(second, &bell).is_ok();
            other.join().unwrap();
            site.assert_free(0);
            acquired
        });
    }
}

/// The semaphore is closed: nobody sleeps on.
#[test]
fn an_acquire_against_a_closing() {
    explore([0, 1], || {
        let site = Site::new(RawSemaphore::new(0));
        let other = site.spawn(|site| site.semaphore.close(site.at()));
        let acquired = site.semaphore.acquire(site.at(), 1, None);
        assert_eq!(acquired, Err(AcquireError::Closed));
        site.assert_free(0);
        other.join().unwrap()
    });
}

/// A future is ready once its permit was granted, whoever polls it.
#[test]
fn a_granted_permit_waits_for_its_future() {
    explore([()], || {
        let site = Site::new(RawSemaphore::new(0));
        let mut acquire = pin!(site.semaphore.acquire_async(site.at(), 1));
        assert!(poll(acquire.as_mut(), &Bell::new()).is_pending());
        site.release(1);
        assert_eq!(site.semaphore.available(), 0);
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(acquire.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    });
}
