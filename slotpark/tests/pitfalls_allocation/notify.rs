//! Events by key.

use std::pin::pin;
use std::time::{Duration, Instant};

use slotpark::{KeyedNotify, ShardedWait, Slots, WaitOutcome};

use super::ends::poll;
use super::{allocated, assert_made, ignore};

type Operation = (&'static str, fn(&KeyedNotify<u64>));

static SLOTS: Slots<u64, 4> = Slots::new();

const MADE: [&str; 2] = ["notify::new", "notify::try_with_slots"];

const OPERATIONS: [Operation; 14] = [
    ("notify::from_waits", |_| {
        ignore(KeyedNotify::from_waits(ShardedWait::over(&SLOTS)));
    }),
    ("notify::waits", |changed| ignore(changed.waits())),
    ("notify::is_closed", |changed| ignore(changed.is_closed())),
    ("notify::waiters", |changed| ignore(changed.waiters(&7))),
    ("notify::notify_one", |changed| {
        let mut notified = pin!(changed.notified(7));
        assert!(poll(notified.as_mut()).is_pending());
        assert_eq!(changed.notify_one(&7), 1);
        assert!(poll(notified).is_ready());
    }),
    ("notify::notify_last", |changed| {
        let mut notified = pin!(changed.notified(7));
        assert!(poll(notified.as_mut()).is_pending());
        assert_eq!(changed.notify_last(&7), 1); // dropped, it is passed on
    }),
    ("notify::notify_all", |changed| {
        let mut notified = pin!(changed.notified(7));
        assert!(poll(notified.as_mut()).is_pending());
        assert_eq!(changed.notify_all(&7), 1);
    }),
    ("notify::notified", |changed| {
        let mut notified = pin!(changed.notified(7));
        assert_eq!(notified.as_mut().enable(), None);
        assert_eq!(notified.as_mut().time_out(), WaitOutcome::TimedOut);
    }),
    ("notify::wait_if", |changed| {
        assert_eq!(changed.wait_if(&7, || false), WaitOutcome::Stale);
    }),
    ("notify::wait_until", |changed| {
        let outcome = changed.wait_until(&7, || true, Instant::now());
        assert_eq!(outcome, WaitOutcome::TimedOut);
    }),
    ("notify::wait_for", |changed| {
        let outcome = changed.wait_for(&7, || true, Duration::from_micros(200));
        assert_eq!(outcome, WaitOutcome::TimedOut);
    }),
    ("notify::close_key", |changed| {
        let mut notified = pin!(changed.notified(7));
        assert!(poll(notified.as_mut()).is_pending());
        assert_eq!(changed.close_key(&7), 1);
    }),
    ("notify::close", |changed| ignore(changed.close())),
    // Closed, it returns at once.
    ("notify::wait", |changed| {
        assert_eq!(changed.wait(&7), WaitOutcome::Closed);
    }),
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    MADE.into_iter().chain(OPERATIONS.map(|(name, _)| name))
}

/// It is one allocation, and nothing else allocates.
#[test]
fn every_event_allocates_nothing() {
    assert_made(MADE[0], KeyedNotify::<u64>::new);
    assert_made(MADE[0], KeyedNotify::<u64>::default);
    assert_made(MADE[1], || KeyedNotify::<u64>::try_with_slots(512));
    let changed = KeyedNotify::new();
    // The first wait of a thread may make the thread's handle.
    ignore(changed.wait_for(&7, || true, Duration::from_micros(200)));
    for (name, operation) in OPERATIONS {
        assert_eq!(allocated(|| operation(&changed)), (0, 0), "{name}");
    }
}
