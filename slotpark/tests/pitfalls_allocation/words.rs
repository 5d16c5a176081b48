//! Semaphores, event counters, and the once.

use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use slotpark::{EventCounter, Once, Semaphore};

use super::ends::poll;
use super::{Operation, ignore};

pub(crate) const WORDS: [Operation; 34] = [
    ("once::new", |_| ignore(Once::new())),
    ("once::is_completed", |_| ignore(Once::new().is_completed())),
    ("once::call_once", |_| Once::new().call_once(|| {})),
    ("once::call_once_force", |_| {
        Once::new().call_once_force(|state| assert!(!state.is_poisoned()));
    }),
    ("once::wait", |_| {
        let once = Once::new();
        once.call_once(|| {});
        once.wait();
    }),
    ("once::wait_force", |_| {
        let once = Once::new();
        once.call_once(|| {});
        once.wait_force();
    }),
    ("semaphore::new", |_| ignore(Semaphore::new(1))),
    ("semaphore::barging", |_| ignore(Semaphore::barging(1))),
    ("semaphore::available", |_| {
        ignore(Semaphore::new(1).available());
    }),
    ("semaphore::is_closed", |_| {
        ignore(Semaphore::new(1).is_closed());
    }),
    ("semaphore::acquire", |_| {
        assert!(Semaphore::new(1).acquire().is_ok());
    }),
    ("semaphore::acquire_many", |_| {
        assert!(Semaphore::new(2).acquire_many(2).is_ok());
    }),
    ("semaphore::acquire_until", |_| {
        assert!(Semaphore::new(0).acquire_until(1, Instant::now()).is_err());
    }),
    ("semaphore::acquire_for", |_| {
        let timeout = Duration::from_micros(200);
        assert!(Semaphore::new(0).acquire_for(1, timeout).is_err());
    }),
    ("semaphore::try_acquire", |_| {
        assert!(Semaphore::new(0).try_acquire(1).is_err());
    }),
    ("semaphore::acquire_async", |_| {
        let semaphore = Semaphore::new(0);
        let mut acquire = pin!(semaphore.acquire_async(2));
        assert!(poll(acquire.as_mut()).is_pending());
        semaphore.release(2);
        assert!(matches!(poll(acquire), Poll::Ready(Ok(_))));
    }),
    ("semaphore::release", |_| Semaphore::new(0).release(1)),
    ("semaphore::forget", |_| Semaphore::new(1).forget(1)),
    ("semaphore::close", |_| ignore(Semaphore::new(1).close())),
    ("semaphore::count", |_| {
        let semaphore = Semaphore::new(1);
        ignore(semaphore.try_acquire(1).map(|permit| permit.count()));
    }),
    ("semaphore::forget", |_| {
        let semaphore = Semaphore::new(1);
        ignore(semaphore.try_acquire(1).map(slotpark::Permit::forget));
    }),
    ("semaphore::split", |_| {
        let semaphore = Semaphore::new(2);
        let mut permit = semaphore.try_acquire(2).expect("two are free");
        assert!(permit.split(3).is_none());
        assert_eq!(permit.split(1).map(|one| one.count()), Some(1));
    }),
    ("counter::new", |_| ignore(EventCounter::new())),
    ("counter::count", |_| ignore(EventCounter::new().count())),
    ("counter::advance", |_| {
        ignore(EventCounter::new().advance(1));
    }),
    ("counter::wait_for_at_least", |_| {
        ignore(EventCounter::new().wait_for_at_least(0));
    }),
    ("counter::wait_for_at_least_until", |_| {
        let waited = EventCounter::new().wait_for_at_least_until(1, Instant::now());
        assert!(waited.is_err());
    }),
    ("counter::wait_for_at_least_for", |_| {
        let timeout = Duration::from_micros(200);
        assert!(
            EventCounter::new()
                .wait_for_at_least_for(1, timeout)
                .is_err()
        );
    }),
    ("counter::wait_for_at_least_async", |_| {
        let events = EventCounter::new();
        let mut wait = pin!(events.wait_for_at_least_async(1));
        assert!(poll(wait.as_mut()).is_pending());
        assert_eq!(events.advance(1), 1);
        assert_eq!(poll(wait), Poll::Ready(Ok(1)));
    }),
    ("counter::prepare", |_| {
        ignore(EventCounter::new().prepare());
    }),
    ("counter::seen", |_| {
        ignore(EventCounter::new().prepare().seen());
    }),
    ("counter::wait", |_| {
        let events = EventCounter::new();
        let ticket = events.prepare();
        ignore(events.advance(1));
        assert_eq!(ticket.wait(), Ok(1));
    }),
    ("counter::wait_until", |_| {
        let events = EventCounter::new();
        assert!(events.prepare().wait_until(Instant::now()).is_err());
    }),
    ("counter::wait_async", |_| {
        let events = EventCounter::new();
        assert!(poll(pin!(events.prepare().wait_async())).is_pending());
    }),
];
