//! Values that are handed over.

use std::hash::RandomState;
use std::pin::pin;
use std::task::Poll;

use slotpark::{Deadline, Mailbox, ParkOptions, ReceiveError};

use super::ends::poll;
use super::{allocated, assert_made, ignore};

type Values = Mailbox<u64, u64>;
type Operation = (&'static str, fn(&Values));

const MADE: [&str; 2] = ["mailbox::new", "mailbox::try_with_slots"];

const OPERATIONS: [Operation; 12] = [
    ("mailbox::engine", |mailbox| ignore(mailbox.engine())),
    ("mailbox::is_closed", |mailbox| ignore(mailbox.is_closed())),
    ("mailbox::receivers", |mailbox| {
        ignore(mailbox.receivers(&7));
    }),
    ("mailbox::deliver", |mailbox| {
        assert_eq!(mailbox.deliver(&7, 1), Err(1));
    }),
    ("mailbox::receive_with", |mailbox| {
        let past = ParkOptions::new().deadline(Some(Deadline::PAST));
        let received = mailbox.receive_with(&7, past);
        assert_eq!(received, Err(ReceiveError::TimedOut));
    }),
    ("mailbox::subscribe", |mailbox| {
        let received = mailbox.subscribe(&7, ParkOptions::new(), |subscribed| {
            assert_eq!(mailbox.deliver(&7, 1), Ok(()));
            subscribed.receive()
        });
        assert_eq!(received, Ok(Ok(1)));
    }),
    ("mailbox::receive_async", |mailbox| {
        let mut receive = pin!(mailbox.receive_async(7));
        assert!(poll(receive.as_mut()).is_pending());
        assert_eq!(mailbox.deliver(&7, 1), Ok(()));
        assert_eq!(poll(receive), Poll::Ready(Ok(1)));
    }),
    ("mailbox::close_key", |mailbox| {
        let mut receive = pin!(mailbox.receive_async(7));
        assert!(poll(receive.as_mut()).is_pending());
        assert_eq!(mailbox.close_key(&7), 1);
    }),
    ("mailbox::close_where", |mailbox| {
        let mut receive = pin!(mailbox.receive_async(7));
        assert!(poll(receive.as_mut()).is_pending());
        assert_eq!(mailbox.close_where(|key| *key == 7), 1);
    }),
    ("mailbox::close", |mailbox| ignore(mailbox.close())),
    // Closed, it returns at once.
    ("mailbox::receive", |mailbox| {
        assert_eq!(mailbox.receive(&7), Err(ReceiveError::Closed));
    }),
    ("mailbox::from_engine", |_| {
        ignore::<fn(_, _) -> _>(Mailbox::<u64, u64, RandomState>::from_engine);
    }),
];

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    MADE.into_iter().chain(OPERATIONS.map(|(name, _)| name))
}

/// A mailbox is one allocation, and nothing else allocates.
#[test]
fn every_hand_over_allocates_nothing() {
    assert_made(MADE[0], Values::new);
    assert_made(MADE[0], Values::default);
    assert_made(MADE[1], || Values::try_with_slots(512));
    let mailbox = Values::new();
    // The first wait of a thread may make the thread's handle.
    let first = mailbox.subscribe(&7, ParkOptions::new(), |_| ());
    assert_eq!(first, Ok(()));
    for (name, operation) in OPERATIONS {
        assert_eq!(allocated(|| operation(&mailbox)), (0, 0), "{name}");
    }
}
