//! Single flights.

use std::hash::RandomState;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use slotpark::{FlightError, SingleFlight};

use super::ends::poll;
use super::{allocated, assert_made, ignore};

type Flights = SingleFlight<u64, u64>;
type Operation = (&'static str, fn(&Flights));

const MADE: [&str; 2] = ["flight::new", "flight::try_with_slots"];

const OPERATIONS: [Operation; 12] = [
    ("flight::from_engine", |_| {
        ignore::<fn(_, _) -> _>(SingleFlight::<u64, u64, RandomState>::from_engine);
    }),
    ("flight::engine", |flights| ignore(flights.engine())),
    ("flight::is_flying", |flights| {
        assert!(!flights.is_flying(&7))
    }),
    ("flight::waiters", |flights| ignore(flights.waiters(&7))),
    ("flight::run", |flights| {
        assert_eq!(flights.run(&7, || 1), 1)
    }),
    ("flight::try_run", |flights| {
        assert_eq!(flights.try_run(&7, || Err(1)), Err(1));
    }),
    ("flight::run_until", |flights| {
        assert_eq!(flights.run_until(&7, Instant::now(), || 1), Ok(1));
    }),
    ("flight::run_for", |flights| {
        flights.run(&7, || {
            let late = flights.run_for(&7, Duration::from_micros(200), || 1);
            assert_eq!(late, Err(FlightError::TimedOut));
            1
        });
    }),
    ("flight::try_run_until", |flights| {
        let made = flights.try_run_until(&7, Instant::now(), || Ok::<_, ()>(1));
        assert_eq!(made, Ok(1));
    }),
    ("flight::try_run_for", |flights| {
        let made = flights.try_run_for(&7, Duration::ZERO, || Ok::<_, ()>(1));
        assert_eq!(made, Ok(1));
    }),
    ("flight::run_async", |flights| {
        let mut follower = pin!(flights.run_async(7, async { 1 }));
        let led = flights.run(&7, || {
            assert!(poll(follower.as_mut()).is_pending());
            2
        });
        assert_eq!((led, poll(follower)), (2, Poll::Ready(2)));
    }),
    ("flight::try_run_async", |flights| {
        let flown = poll(pin!(flights.try_run_async(7, async { Err(1) })));
        assert_eq!(flown, Poll::Ready(Err(1)));
    }),
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    MADE.into_iter().chain(OPERATIONS.map(|(name, _)| name))
}

/// Flights are one allocation, and nothing else allocates.
#[test]
fn every_flight_allocates_nothing() {
    assert_made(MADE[0], Flights::new);
    assert_made(MADE[0], Flights::default);
    assert_made(MADE[1], || Flights::try_with_slots(512));
    let flights = Flights::new();
    // The first wait of a thread may make the thread's handle.
    OPERATIONS[7].1(&flights);
    for (name, operation) in OPERATIONS {
        assert_eq!(allocated(|| operation(&flights)), (0, 0), "{name}");
    }
}
