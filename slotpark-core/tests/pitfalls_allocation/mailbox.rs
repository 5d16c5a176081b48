//! Values that are handed over.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use slotpark_core::{Deadline, Mailbox, Receive, ReceiveError};

use super::common::FOREVER;
use super::{AT, allocated, ignore};

type Values = Mailbox<u64, u64>;
type Maker = (&'static str, fn() -> Values);
type Operation = (&'static str, fn(&Values));

/// What makes a mailbox: one allocation of its slots.
const MAKERS: [Maker; 2] = [
    ("mailbox/mod::new", Mailbox::new),
    ("mailbox/mod::try_with_slots", || {
        Mailbox::try_with_slots(512).expect("not absurd")
    }),
];

/// Each is tried on an empty mailbox, and while two others wait.
const OPERATIONS: [Operation; 13] = [
    ("mailbox/mod::deliver", |mailbox| {
        ignore(mailbox.deliver(AT.0, AT.1, 1));
    }),
    ("mailbox/mod::receivers", |mailbox| {
        ignore(mailbox.receivers(AT.0, AT.1));
    }),
    ("mailbox/mod::close_key", |mailbox| {
        ignore(mailbox.close_key(AT.0, AT.1));
    }),
    ("mailbox/mod::close_where", |mailbox| {
        ignore(mailbox.close_where(|key| key == AT.1));
    }),
    ("mailbox/mod::is_closed", |mailbox| {
        ignore(mailbox.is_closed());
    }),
    ("mailbox/thread::receive", |mailbox| {
        let past = FOREVER.deadline(Some(Deadline::PAST));
        let received = mailbox.receive(AT.0, AT.1, past);
        assert_eq!(received, Err(ReceiveError::TimedOut));
    }),
    ("mailbox/thread::subscribe", |mailbox| {
        let subscribed = mailbox.subscribe(AT.0, AT.1, FOREVER, |subscribed| {
            while mailbox.deliver(AT.0, AT.1, 1).is_ok() {}
            subscribed.receive()
        });
        assert_eq!(subscribed, Ok(Ok(1)));
    }),
    ("mailbox/thread::cancel", |mailbox| {
        let subscribed = mailbox.subscribe(AT.0, AT.1, FOREVER, |subscribed| subscribed.cancel());
        assert_eq!(subscribed, Ok(None));
    }),
    ("mailbox/task::receive_async", |mailbox| {
        let mut receive = pin!(mailbox.receive_async(AT.0, *AT.1, FOREVER));
        assert!(poll(receive.as_mut()).is_pending());
        while mailbox.deliver(AT.0, AT.1, 1).is_ok() {}
        assert_eq!(poll(receive), Poll::Ready(Ok(1)));
    }),
    ("mailbox/task::enable", |mailbox| {
        let mut receive = pin!(mailbox.receive_async(AT.0, *AT.1, FOREVER));
        assert_eq!(receive.as_mut().enable(), None);
        while mailbox.deliver(AT.0, AT.1, 1).is_ok() {} // dropped, it is passed on
    }),
    ("mailbox/task::time_out", |mailbox| {
        let mut receive = pin!(mailbox.receive_async(AT.0, *AT.1, FOREVER));
        assert_eq!(receive.as_mut().enable(), None);
        assert_eq!(receive.as_mut().time_out(), Err(ReceiveError::TimedOut));
    }),
    ("mailbox/task::cancel", |mailbox| {
        let mut receive = pin!(mailbox.receive_async(AT.0, *AT.1, FOREVER));
        assert_eq!(receive.as_mut().enable(), None);
        assert_eq!(receive.as_mut().cancel(), None);
    }),
    // The last: from here on nobody waits.
    ("mailbox/mod::close", |mailbox| ignore(mailbox.close())),
];

const RESET: &str = "mailbox/mod::reset_after_fork";

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
fn every_hand_over_allocates_nothing() {
    let bytes = 512 * 64;
    for (name, make) in MAKERS {
        let mut mailbox = None;
        let made = allocated(|| mailbox = Some(make()));
        assert_eq!(made, (1, bytes), "{name}");
        assert_eq!(allocated(|| drop(mailbox.take())), (1, -bytes), "{name}");
    }
    let mailbox = Values::new();
    // The first wait of a thread may make the thread's handle.
    assert_eq!(mailbox.subscribe(AT.0, AT.1, FOREVER, |_| ()), Ok(()));
    for (name, operation) in OPERATIONS {
        let own = allocated(|| operation(&mailbox));
        assert_eq!(own, (0, 0), "{name} of nobody");
        let mut others: [Receive<'_, _, _, _>; 2] =
            std::array::from_fn(|_| mailbox.receive_async(AT.0, *AT.1, FOREVER));
        // SAFETY: the array is not moved until it is dropped.
        let mut others = others
            .each_mut()
            .map(|receive| unsafe { Pin::new_unchecked(receive) });
        let waits = allocated(|| {
            others
                .iter_mut()
                .for_each(|other| ignore(other.as_mut().enable()))
        });
        assert_eq!(waits, (0, 0), "waits around {name}");
        let own = allocated(|| operation(&mailbox));
        assert_eq!(own, (0, 0), "{name} of two");
    }
    // SAFETY: nobody uses this mailbox.
    let reset = allocated(|| unsafe { mailbox.reset_after_fork() });
    assert_eq!(reset, (0, 0), "{RESET}");
}
