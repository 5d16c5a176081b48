//! Values that are handed over while receivers give up.

use std::pin::pin;
use std::sync::Arc;

use loom::thread::{self, JoinHandle};
use slotpark_core::{Mailbox, ParkOptions, ReceiveError};

use crate::bell::{Bell, finish, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, SOON, explore};

const VALUE: u32 = 42;

type Values = Arc<Mailbox<u64, u32, Host<OwnBit>>>;
type Received = Result<u32, ReceiveErrorKind>;

/// A `ReceiveError` in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ReceiveErrorKind {
    TimedOut,
    Closed,
}

fn kind(error: ReceiveError) -> ReceiveErrorKind {
    match error {
        ReceiveError::TimedOut => ReceiveErrorKind::TimedOut,
        ReceiveError::Closed => ReceiveErrorKind::Closed,
        _ => unreachable!("no receive here ends otherwise"),
    }
}

fn mailbox() -> Values {
    Arc::new(Mailbox::try_with_slots(1).unwrap())
}

/// Delivers from a thread of its own; whether it was taken.
fn deliver(mailbox: &Values) -> JoinHandle<bool> {
    let mailbox = Arc::clone(mailbox);
    thread::spawn(move || mailbox.deliver(A, &A, VALUE).is_ok())
}

fn receive(mailbox: &Values, options: ParkOptions) -> Received {
    mailbox.receive(A, &A, options).map_err(kind)
}

/// Who has subscribed has the value, asleep or not.
#[test]
fn a_subscriber_against_a_delivery() {
    explore([(true, Ok(VALUE))], || {
        let mailbox = mailbox();
        let subscribed = mailbox.subscribe(A, &A, ParkOptions::new(), |subscribed| {
            let delivered = deliver(&mailbox);
            (delivered, subscribed.receive().map_err(kind))
        });
        let (delivered, received) = subscribed.unwrap();
        (delivered.join().unwrap(), received)
    });
}

/// A thread past its deadline has the value that was taken, or none was.
#[test]
fn a_deadline_against_a_delivery() {
    let timed_out = Err(ReceiveErrorKind::TimedOut);
    explore([(false, timed_out), (true, Ok(VALUE))], || {
        let mailbox = mailbox();
        let delivered = deliver(&mailbox);
        let received = receive(&mailbox, ParkOptions::new().deadline(SOON));
        assert_eq!(mailbox.receivers(A, &A), 0);
        (delivered.join().unwrap(), received)
    });
}

/// A thread that gives up takes the value back, or none was taken.
#[test]
fn a_cancel_against_a_delivery() {
    explore([(false, None), (true, Some(VALUE))], || {
        let mailbox = mailbox();
        let subscribed = mailbox.subscribe(A, &A, ParkOptions::new(), |subscribed| {
            let delivered = deliver(&mailbox);
            (delivered, subscribed.cancel())
        });
        let (delivered, taken_back) = subscribed.unwrap();
        (delivered.join().unwrap(), taken_back)
    });
}

/// The future reads the value without the lock: the deliverer must be done with the room.
#[test]
fn a_task_against_a_delivery() {
    explore([(true, Ok(VALUE))], || {
        let (mailbox, bell) = (mailbox(), Bell::new());
        let (delivered, received) = {
            let mut receive = pin!(mailbox.receive_async(A, A, ParkOptions::new()));
            assert!(poll(receive.as_mut(), &bell).is_pending());
            let delivered = deliver(&mailbox);
            (delivered, finish(receive, &bell).map_err(kind))
        };
        (delivered.join().unwrap(), received)
    });
}

/// The first is dropped while a value comes: it is the second's, whichever was met.
#[test]
fn a_dropped_receive_passes_its_value_on() {
    explore([(true, Ok(VALUE))], || {
        let mailbox = mailbox();
        let mut first = Box::pin(mailbox.receive_async(A, A, ParkOptions::new()));
        assert!(poll(first.as_mut(), &Bell::new()).is_pending());
        let (bell, mut second) = (
            Bell::new(),
            pin!(mailbox.receive_async(A, A, ParkOptions::new())),
        );
        assert!(poll(second.as_mut(), &bell).is_pending());
        let delivered = deliver(&mailbox);
        drop(first);
        let received = finish(second, &bell).map_err(kind);
        (delivered.join().unwrap(), received)
    });
}

/// The mailbox is closed while a value comes: it was taken before, or is given back.
#[test]
fn a_closing_against_a_delivery() {
    let closed = Err(ReceiveErrorKind::Closed);
    explore([(false, closed), (true, Ok(VALUE))], || {
        let mailbox = mailbox();
        let subscribed = mailbox.subscribe(A, &A, ParkOptions::new(), |subscribed| {
            let delivered = deliver(&mailbox);
            let closed = mailbox.close();
            let received = subscribed.receive().map_err(kind);
            assert_eq!(closed == 1, received.is_err());
            (delivered, received)
        });
        let (delivered, received) = subscribed.unwrap();
        (delivered.join().unwrap(), received)
    });
}
