//! Tasks, waits on several keys, and what ends waits.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use slotpark_core::{DefaultPlatform, Interrupter, Order, Parked, Slots, Table};

use super::common::{FOREVER, soon};
use super::{ALL, AT, Operation, TO, ignore};

static CLOSED: Slots<u64, 4> = Slots::new();

const KEYS: [(u64, u64); 2] = [(AT.0, *AT.1), (TO.0, *TO.1)];

/// A future that is queued, and not polled yet.
const ENABLED: Option<Parked> = None;

/// Tasks, waits on several keys, and what ends waits.
pub(crate) const TASKS: [Operation; 27] = [
    ("task::wait_async", |table| {
        let mut wait = pin!(table.wait_async(AT.0, *AT.1, FOREVER, || true));
        let mut context = Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(&mut context).is_pending());
        assert!(table.unpark(AT.0, AT.1, ALL, 0) > 0);
        assert!(wait.as_mut().poll(&mut context).is_ready());
    }),
    ("task::enable", |table| {
        let mut wait = pin!(table.wait_async(AT.0, *AT.1, FOREVER, || true));
        assert_eq!(wait.as_mut().enable(), ENABLED);
        ignore(table.unpark(AT.0, AT.1, 9, 0)); // dropped, it is passed on
    }),
    ("task::time_out", |table| {
        let mut wait = pin!(table.wait_async(AT.0, *AT.1, FOREVER, || true));
        assert_eq!(wait.as_mut().enable(), ENABLED);
        assert_eq!(wait.as_mut().time_out(), Parked::TimedOut);
    }),
    ("any_task::wait_any_async", |table| {
        let mut wait = pin!(table.wait_any_async(KEYS, FOREVER, None, |_| true));
        let mut context = Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(&mut context).is_pending());
        assert!(table.unpark(TO.0, TO.1, ALL, 0) > 0);
        assert!(wait.as_mut().poll(&mut context).is_ready());
    }),
    ("any_task::enable", |table| {
        let mut wait = pin!(table.wait_any_async(KEYS, FOREVER, None, |_| true));
        assert_eq!(wait.as_mut().enable(), None);
        ignore(table.unpark(TO.0, TO.1, 1, 0));
    }),
    ("any_task::time_out", |table| {
        let mut wait = pin!(table.wait_any_async(KEYS, FOREVER, None, |_| true));
        assert_eq!(wait.as_mut().enable(), None);
        assert_eq!(wait.as_mut().time_out().parked, Parked::TimedOut);
    }),
    ("any::park_any", |table| {
        let options = FOREVER.deadline(soon(Duration::from_micros(200)));
        let ended = table.park_any(&[AT, TO], options, |_| true);
        assert_eq!(ended.parked, Parked::TimedOut);
    }),
    ("any::park_any_interruptible", |table| {
        let interrupter = Interrupter::new();
        interrupter.interrupt();
        let ended = table.park_any_interruptible(&[AT, TO], FOREVER, &interrupter, |_| true);
        assert_eq!(ended.parked, Parked::Interrupted);
    }),
    ("any::park_interruptible", |table| {
        let options = FOREVER.deadline(soon(Duration::from_micros(200)));
        let interrupter = Interrupter::new();
        let parked = table.park_interruptible(AT.0, AT.1, options, &interrupter, || true);
        assert_eq!(parked, Parked::TimedOut);
    }),
    ("prepare::prepare", |table| {
        assert_eq!(table.prepare(AT.0, AT.1, FOREVER, |_| 1), Ok(1));
    }),
    ("prepare::wait", |table| {
        let options = FOREVER.deadline(soon(Duration::from_micros(200)));
        let parked = table.prepare(AT.0, AT.1, options, |prepared| prepared.wait());
        assert_eq!(parked, Ok(Parked::TimedOut));
    }),
    ("close::close", |_| ignore(Table::over(&CLOSED).close())),
    ("closed_key::close", |table| {
        let mut closed = pin!(table.closed_key(9, 9));
        assert_eq!(closed.as_mut().close(), 0);
        assert_eq!(closed.as_mut().close(), 0);
    }),
    ("close::is_closed", |table| assert!(!table.is_closed())),
    ("close::close_key", |table| ignore(table.close_key(9, &9))),
    ("closed_key::closed_key", |table| {
        let mut closed = pin!(table.closed_key(9, 9));
        assert_eq!(closed.as_mut().close(), 0);
    }),
    ("close::close_where", |table| {
        assert_eq!(table.close_where(|_| false), 0);
    }),
    ("close::unpark_where", |table| {
        ignore(table.unpark_where(|_| true, 0));
    }),
    ("interrupt::new", |_| ignore(Interrupter::new())),
    ("interrupt::on_platform", |_| {
        ignore(Interrupter::<DefaultPlatform>::on_platform());
    }),
    ("interrupt::interrupt", |_| {
        ignore(Interrupter::new().interrupt());
    }),
    ("interrupt::clear", |_| ignore(Interrupter::new().clear())),
    ("interrupt::is_pending", |_| {
        ignore(Interrupter::new().is_pending());
    }),
    ("options::order", |_| ignore(FOREVER.order(Order::Lifo))),
    ("options::is_woken", |_| ignore(Parked::Stale.is_woken())),
    // Many waits, more than Wakers are taken at a time.
    ("task::wait_async", |table| {
        let mut waits: [_; 40] =
            std::array::from_fn(|_| table.wait_async(AT.0, *AT.1, FOREVER, || true));
        // SAFETY: the array is not moved until it is dropped.
        let mut waits = waits
            .each_mut()
            .map(|wait| unsafe { Pin::new_unchecked(wait) });
        for wait in &mut waits {
            assert_eq!(wait.as_mut().enable(), ENABLED);
        }
        assert!(table.unpark(AT.0, AT.1, ALL, 0) >= 40);
    }),
    ("task::wait_async", |table| {
        let wait = table.wait_async(AT.0, *AT.1, FOREVER, || false);
        let mut context = Context::from_waker(Waker::noop());
        assert!(pin!(wait).poll(&mut context).is_ready());
    }),
];
