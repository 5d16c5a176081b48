//! Single flights: leaders that land, fail and are dropped, while others follow and give up.

use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;

use loom::thread::{self, JoinHandle};
use slotpark_core::{Deadline, FlightError, SingleFlight};

use crate::bell::{Bell, finish, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, SOON, explore};

type Flights = SingleFlight<u64, u32, Host<OwnBit>>;
type Flown = Result<u32, Ended>;

/// What the leaders of the tests make, and what others would.
const LEADERS: u32 = 42;
const OWN: u32 = 7;

/// Why there was no value, in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    TimedOut,
    Failed,
}

fn ended(error: FlightError<()>) -> Ended {
    match error {
        FlightError::TimedOut => Ended::TimedOut,
        FlightError::Failed(()) => Ended::Failed,
        _ => unreachable!("no flight here ends otherwise"),
    }
}

fn flights() -> Arc<Flights> {
    Arc::new(SingleFlight::try_with_slots(1).unwrap())
}

/// A value of its own, or a leader's.
fn fly(flights: &Flights, deadline: Option<Deadline>) -> Flown {
    flights.fly(A, &A, deadline, || Ok(OWN)).map_err(ended)
}

fn spawn(flights: &Arc<Flights>, deadline: Option<Deadline>) -> JoinHandle<Flown> {
    let flights = Arc::clone(flights);
    thread::spawn(move || fly(&flights, deadline))
}

/// Nobody leads, nobody waits.
#[track_caller]
fn assert_over(flights: &Flights) {
    assert!(!flights.is_flying(A, &A), "somebody leads for ever");
    assert_eq!(flights.waiters(A, &A), 0);
}

/// This thread leads while `meanwhile` runs, and has made `value` then.
fn lead<R>(flights: &Flights, value: Result<u32, ()>, meanwhile: impl FnOnce() -> R) -> (Flown, R) {
    let mut result = None;
    let flown = flights.fly(A, &A, None, || {
        result = Some(meanwhile());
        value
    });
    (flown.map_err(ended), result.expect("it leads"))
}

/// Who comes while another leads has its value, or comes after it and makes its own.
#[test]
fn a_follower_against_a_landing() {
    explore([Ok(OWN), Ok(LEADERS)], || {
        let flights = flights();
        let (led, other) = lead(&flights, Ok(LEADERS), || spawn(&flights, None));
        assert_eq!(led, Ok(LEADERS));
        let followed = other.join().unwrap();
        assert_over(&flights);
        followed
    });
}

/// With two who come: both end, whoever leads.
#[test]
fn two_followers_against_a_landing() {
    let both = [
        (Ok(OWN), Ok(OWN)),
        (Ok(OWN), Ok(LEADERS)),
        (Ok(LEADERS), Ok(OWN)),
        (Ok(LEADERS), Ok(LEADERS)),
    ];
    explore(both, || {
        let flights = flights();
        let (led, others) = lead(&flights, Ok(LEADERS), || {
            [spawn(&flights, None), spawn(&flights, None)]
        });
        assert_eq!(led, Ok(LEADERS));
        let [first, second] = others.map(|other| other.join().unwrap());
        assert_over(&flights);
        (first, second)
    });
}

/// The leader fails: its error is its own, and who follows makes a value.
#[test]
fn a_leader_that_fails_against_a_follower() {
    explore([Ok(OWN)], || {
        let flights = flights();
        let (led, other) = lead(&flights, Err(()), || spawn(&flights, None));
        assert_eq!(led, Err(Ended::Failed));
        let followed = other.join().unwrap();
        assert_over(&flights);
        followed
    });
}

/// A deadline against a landing: a value, or none; and who is past it leaves nothing behind.
#[test]
fn a_deadline_against_a_landing() {
    explore([Ok(OWN), Ok(LEADERS), Err(Ended::TimedOut)], || {
        let flights = flights();
        let (_, other) = lead(&flights, Ok(LEADERS), || spawn(&flights, SOON));
        let followed = other.join().unwrap();
        assert_over(&flights);
        followed
    });
}

/// A deadline against a leader that fails: who is past it leads, or has left.
#[test]
fn a_deadline_against_a_leader_that_fails() {
    explore([Ok(OWN), Err(Ended::TimedOut)], || {
        let flights = flights();
        let (_, other) = lead(&flights, Err(()), || spawn(&flights, SOON));
        let followed = other.join().unwrap();
        assert_over(&flights);
        followed
    });
}

/// A leading future is dropped while a thread comes or follows: that leads.
#[test]
fn a_dropped_leader_against_a_follower() {
    explore([Ok(OWN)], || {
        let flights = flights();
        let future = pending::<Result<u32, ()>>();
        let mut leader = Box::pin(flights.fly_async(A, A, future));
        assert!(poll(leader.as_mut(), &Bell::new()).is_pending());
        let other = spawn(&flights, None);
        drop(leader);
        let followed = other.join().unwrap();
        assert_over(&flights);
        followed
    });
}

/// A task follows, and polls without the lock while a thread lands: its room has been written.
#[test]
fn a_task_against_a_landing() {
    explore([Ok(OWN), Ok(LEADERS)], || {
        let flights = flights();
        let follows = Arc::clone(&flights);
        let task = move || {
            let flown = pin!(follows.fly_async(A, A, ready(Ok::<_, ()>(OWN))));
            finish(flown, &Bell::new())
        };
        let (led, other) = lead(&flights, Ok(LEADERS), || thread::spawn(task));
        assert_eq!(led, Ok(LEADERS));
        let followed = other.join().unwrap().map_err(|()| Ended::Failed);
        assert_over(&flights);
        followed
    });
}

/// The first of two tasks is dropped while the lead, or a value, comes to it: the second is served
/// or leads, whichever was met.
fn a_dropped_follower(made: Result<u32, ()>, expected: Flown) {
    explore([expected], move || {
        let flights = flights();
        let own = || flights.fly_async(A, A, ready(Ok::<_, ()>(OWN)));
        let (mut first, mut second) = (Box::pin(own()), Box::pin(own()));
        let (bell, leads) = (Bell::new(), Arc::clone(&flights));
        let mut leader = Box::pin(leads.fly_async(A, A, LaterReady(Some(made), false)));
        assert!(poll(leader.as_mut(), &Bell::new()).is_pending());
        assert!(poll(first.as_mut(), &Bell::new()).is_pending());
        assert!(poll(second.as_mut(), &bell).is_pending());
        // SAFETY: the thread is joined before what it borrows ends.
        let leader: std::pin::Pin<Box<dyn Future<Output = Result<u32, ()>> + Send>> = unsafe {
            std::mem::transmute::<std::pin::Pin<Box<dyn Future<Output = _> + Send>>, _>(leader)
        };
        let landing = thread::spawn(move || finish(pin!(leader), &Bell::new()));
        drop(first);
        let flown = finish_later(second, &bell);
        assert_eq!(landing.join().unwrap(), made);
        assert_over(&flights);
        flown.map_err(|()| Ended::Failed)
    });
}

#[test]
fn a_dropped_follower_against_a_landing() {
    a_dropped_follower(Ok(LEADERS), Ok(LEADERS));
}

#[test]
fn a_dropped_follower_hands_the_lead_on() {
    a_dropped_follower(Err(()), Ok(OWN));
}

/// Ready at the second poll.
struct LaterReady(Option<Result<u32, ()>>, bool);

impl Future for LaterReady {
    type Output = Result<u32, ()>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        if std::mem::replace(&mut self.1, true) {
            std::task::Poll::Ready(self.0.take().expect("polled once more"))
        } else {
            std::task::Poll::Pending
        }
    }
}

/// Waits for the bell, which this future has been polled with.
fn finish_later<F: Future>(mut future: std::pin::Pin<Box<F>>, bell: &Arc<Bell>) -> F::Output {
    bell.wait();
    finish(future.as_mut(), bell)
}
