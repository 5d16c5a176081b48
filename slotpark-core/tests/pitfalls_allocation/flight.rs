//! Single flights.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use slotpark_core::{Deadline, FlightError, SingleFlight};

use super::{AT, allocated};

type Flights = SingleFlight<u64, u64>;
type Maker = (&'static str, fn() -> Flights);
type Operation = (&'static str, fn(&Flights));

/// What makes flights: one allocation of their slots.
const MAKERS: [Maker; 2] = [
    ("flight/mod::new", SingleFlight::new),
    ("flight/mod::try_with_slots", || {
        SingleFlight::try_with_slots(512).expect("not absurd")
    }),
];

/// Each with nobody there, or with those who are there by its own doing.
const OPERATIONS: [Operation; 4] = [
    ("flight/mod::is_flying", |flights| {
        assert!(!flights.is_flying(AT.0, AT.1));
    }),
    ("flight/mod::waiters", |flights| {
        assert_eq!(flights.waiters(AT.0, AT.1), 0);
    }),
    ("flight/thread::fly", |flights| {
        let fly = |deadline, value| flights.fly(AT.0, AT.1, deadline, || value);
        let led = flights.fly(AT.0, AT.1, None, || {
            assert_eq!(fly(Some(Deadline::PAST), Ok(1)), Err(FlightError::TimedOut));
            Ok::<_, u64>(2)
        });
        assert_eq!(
            (led, fly(None, Err(3))),
            (Ok(2), Err(FlightError::Failed(3)))
        );
    }),
    ("flight/task::fly_async", |flights| {
        let task = || flights.fly_async(AT.0, *AT.1, async { Ok::<_, u64>(1) });
        let (mut served, mut dropped, mut leads) = (pin!(task()), task(), pin!(task()));
        let led = flights.fly(AT.0, AT.1, None, || {
            assert!(poll(served.as_mut()).is_pending());
            // SAFETY: it is not moved until it is dropped.
            let dropped = unsafe { Pin::new_unchecked(&mut dropped) };
            assert!(poll(dropped).is_pending());
            Ok::<_, u64>(2)
        });
        assert_eq!((led, poll(served)), (Ok(2), Poll::Ready(Ok(2))));
        assert_eq!(poll(leads.as_mut()), Poll::Ready(Ok(1)));
    }),
];

const RESET: &str = "flight/mod::reset_after_fork";

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let makers = MAKERS.iter().map(|(name, _)| *name);
    let operations = OPERATIONS.iter().map(|(name, _)| *name);
    makers.chain(operations).chain([RESET])
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// As for tables: the slots, and nothing else.
#[test]
fn every_flight_allocates_nothing() {
    let bytes = 512 * 64;
    for (name, make) in MAKERS {
        let mut flights = None;
        let made = allocated(|| flights = Some(make()));
        assert_eq!(made, (1, bytes), "{name}");
        assert_eq!(allocated(|| drop(flights.take())), (1, -bytes), "{name}");
    }
    let flights = Flights::new();
    for (name, operation) in OPERATIONS {
        // The first wait of a thread may make the thread's handle.
        operation(&flights);
        assert_eq!(allocated(|| operation(&flights)), (0, 0), "{name}");
    }
    // SAFETY: nobody uses these flights.
    let reset = allocated(|| unsafe { flights.reset_after_fork() });
    assert_eq!(reset, (0, 0), "{RESET}");
}
