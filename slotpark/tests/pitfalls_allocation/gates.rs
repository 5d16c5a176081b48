//! Latches and barriers.

use std::hash::RandomState;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use slotpark::{Barrier, BarrierOutcome, KeyedOptions, Latch, LatchOutcome, WhenFull};

use super::ends::poll;
use super::{allocated, ignore};

const OPTIONS: KeyedOptions = KeyedOptions::new().pool(4, WhenFull::Fail);

type Gates = (Latch<u64>, Barrier<u64>);
type Operation = (&'static str, fn(&Gates));

/// What makes gates: an allocation of their slots, and one of their places.
const MADE: [&str; 4] = [
    "latch::new",
    "latch::with_options",
    "barrier::new",
    "barrier::with_options",
];

const OPERATIONS: [Operation; 25] = [
    ("latch::from_engine", |_| {
        ignore::<fn(_, _) -> _>(Latch::<u64, RandomState>::from_engine);
    }),
    ("latch::engine", |(latch, _)| ignore(latch.engine())),
    ("latch::pool_stats", |(latch, _)| ignore(latch.pool_stats())),
    ("latch::arm", |(latch, _)| {
        let armed = latch.arm(7, 1);
        assert!(latch.arm(7, 1).is_err());
        drop(armed);
    }),
    ("latch::count_down", |(latch, _)| {
        let armed = latch.arm(7, 1);
        assert_eq!(latch.count_down(&7, 1), Some(0));
        drop(armed);
    }),
    ("latch::remaining", |(latch, _)| ignore(latch.remaining(&7))),
    ("latch::is_open", |(latch, _)| assert!(latch.is_open(&7))),
    ("latch::waiters", |(latch, _)| ignore(latch.waiters(&7))),
    ("latch::wait", |(latch, _)| {
        assert_eq!(latch.wait(&7), LatchOutcome::Opened);
    }),
    ("latch::wait_until", |(latch, _)| {
        let armed = latch.arm(7, 1);
        let waited = latch.wait_until(&7, Instant::now());
        assert_eq!(waited, LatchOutcome::TimedOut);
        drop(armed);
    }),
    ("latch::wait_for", |(latch, _)| {
        let armed = latch.arm(7, 1);
        let waited = latch.wait_for(&7, Duration::from_micros(200));
        assert_eq!(waited, LatchOutcome::TimedOut);
        drop(armed);
    }),
    ("latch::wait_async", |(latch, _)| {
        let armed = latch.arm(7, 1);
        let mut wait = pin!(latch.wait_async(7));
        assert!(poll(wait.as_mut()).is_pending());
        drop(armed);
        assert_eq!(poll(wait), Poll::Ready(LatchOutcome::Abandoned));
    }),
    ("barrier::from_engine", |_| {
        ignore::<fn(_, _) -> _>(Barrier::<u64, RandomState>::from_engine);
    }),
    ("barrier::engine", |(_, barrier)| ignore(barrier.engine())),
    ("barrier::pool_stats", |(_, barrier)| {
        ignore(barrier.pool_stats());
    }),
    ("barrier::register", |(_, barrier)| {
        drop(barrier.register(7));
    }),
    ("barrier::try_register", |(_, barrier)| {
        assert!(barrier.try_register(7).is_ok());
    }),
    ("barrier::members", |(_, barrier)| {
        ignore(barrier.members(&7));
    }),
    ("barrier::arrived", |(_, barrier)| {
        ignore(barrier.arrived(&7));
    }),
    ("barrier::key", |(_, barrier)| {
        assert_eq!(*barrier.register(7).key(), 7);
    }),
    ("barrier::wait", |(_, barrier)| {
        assert!(barrier.register(7).wait().is_leader());
    }),
    ("barrier::wait_until", |(_, barrier)| {
        let (mut first, _second) = (barrier.register(7), barrier.register(7));
        let waited = first.wait_until(Instant::now());
        assert_eq!(waited, BarrierOutcome::TimedOut);
    }),
    ("barrier::wait_for", |(_, barrier)| {
        let (mut first, _second) = (barrier.register(7), barrier.register(7));
        let waited = first.wait_for(Duration::from_micros(200));
        assert_eq!(waited, BarrierOutcome::TimedOut);
    }),
    ("barrier::wait_async", |(_, barrier)| {
        let (mut first, second) = (barrier.register(7), barrier.register(7));
        let mut wait = pin!(first.wait_async());
        assert!(poll(wait.as_mut()).is_pending());
        drop(second);
        assert_eq!(poll(wait), Poll::Ready(BarrierOutcome::Leader));
    }),
    ("latch::wait_for", |(latch, _)| {
        assert_eq!(latch.wait_for(&7, Duration::ZERO), LatchOutcome::Opened);
    }),
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    MADE.into_iter().chain(OPERATIONS.map(|(name, _)| name))
}

/// Two allocations, which are given back.
fn assert_made<T>(name: &str, make: impl FnOnce() -> T) {
    let mut made = None;
    let (count, bytes) = allocated(|| made = Some(make()));
    assert_eq!(count, 2, "{name}");
    assert_eq!(allocated(|| drop(made.take())), (2, -bytes), "{name}");
}

/// The slots and the places, and nothing else.
#[test]
fn no_gate_allocates() {
    assert_made(MADE[0], Latch::<u64>::new);
    assert_made(MADE[0], Latch::<u64>::default);
    assert_made(MADE[1], || Latch::<u64>::with_options(OPTIONS));
    assert_made(MADE[2], Barrier::<u64>::new);
    assert_made(MADE[2], Barrier::<u64>::default);
    assert_made(MADE[3], || Barrier::<u64>::with_options(OPTIONS));
    let latch = Latch::with_options(OPTIONS).expect("not absurd");
    let gates = (latch, Barrier::with_options(OPTIONS).expect("not absurd"));
    for (name, operation) in OPERATIONS {
        // The first wait of a thread may make the thread's handle.
        operation(&gates);
        assert_eq!(allocated(|| operation(&gates)), (0, 0), "{name}");
    }
}
