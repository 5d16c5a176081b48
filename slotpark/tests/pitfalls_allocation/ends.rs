//! Tasks, waits on several keys, and what ends waits.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use slotpark::{Deadline, Interrupter, ParkOptions, ShardedWait, Slots, WaitOutcome};

use super::{Operation, ignore};

static CLOSED: Slots<u64, 4> = Slots::new();

/// On key 9, where nobody else waits.
pub(crate) const ENDS: [Operation; 17] = [
    ("wait/tasks::wait_async", |s| {
        let mut wait = pin!(s.waits.wait_async(9, || true));
        assert_eq!(wait.as_mut().enable(), None);
        assert_eq!(s.waits.wake_one(&9), 1);
        assert!(poll(wait).is_ready());
    }),
    ("wait/tasks::wait_async_with", |s| {
        let wait = s.waits.wait_async_with(9, ParkOptions::new(), || true);
        assert!(poll(pin!(wait)).is_pending());
    }),
    ("wait/tasks::wait_until_async", |s| {
        assert!(poll(pin!(s.waits.wait_until_async(9, || true, async {}))).is_ready());
    }),
    ("wait/tasks::wait_while_async", |s| {
        assert!(poll(pin!(s.waits.wait_while_async(9, || true))).is_pending());
    }),
    ("wait/tasks::wait_while_until_async", |s| {
        let wait = s.waits.wait_while_until_async(9, || true, async {});
        assert!(poll(pin!(wait)).is_ready());
    }),
    ("wait/many::wait_any", |s| {
        let ended = s.waits.wait_any(&[9, 10], Some(Deadline::PAST), |_| true);
        assert_eq!(ended.parked, WaitOutcome::TimedOut);
    }),
    ("wait/many::wait_any_interruptible", |s| {
        let interrupter = Interrupter::new();
        interrupter.interrupt();
        let waits = &s.waits;
        let ended = waits.wait_any_interruptible(&[9, 10], &interrupter, None, |_| true);
        assert_eq!(ended.parked, WaitOutcome::Interrupted);
    }),
    ("wait/many::wait_any_async", |s| {
        let wait = s.waits.wait_any_async([9, 10], None, |_| true);
        assert!(poll(pin!(wait)).is_pending());
    }),
    ("wait/many::wait_any_until_async", |s| {
        let waits = &s.waits;
        let wait = waits.wait_any_until_async([9, 10], None, |_| true, async {});
        assert!(poll(pin!(wait)).is_ready());
    }),
    ("wait/ends::wait_interruptible", |s| {
        let interrupter = Interrupter::new();
        interrupter.interrupt();
        let outcome = s.waits.wait_interruptible(&9, &interrupter, None, || true);
        assert_eq!(outcome, WaitOutcome::Interrupted);
    }),
    ("wait/ends::prepare", |s| {
        assert_eq!(s.waits.prepare(&9, ParkOptions::new(), |_| 1), Ok(1));
    }),
    ("wait/ends::close", |_| {
        ignore(ShardedWait::over(&CLOSED).close());
    }),
    ("wait/ends::is_closed", |s| assert!(!s.waits.is_closed())),
    ("wait/ends::close_key", |s| {
        assert_eq!(s.waits.close_key(&7), 1);
    }),
    ("wait/ends::closed_key", |s| {
        assert_eq!(pin!(s.waits.closed_key(9)).close(), 0);
    }),
    ("wait/ends::close_where", |s| {
        assert_eq!(s.waits.close_where(|key| *key == 7), 1);
    }),
    ("wait/ends::wake_where", |s| {
        assert_eq!(s.waits.wake_where(|key| *key == 7), 1);
    }),
];

pub(crate) fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
