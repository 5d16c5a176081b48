//! Calls that are overtaken between two of their steps: nothing that happens there is missed.

use std::sync::Arc;

use slotpark::Deadline;

use super::receive::{Begun, Receive};
use super::send::Send;
use super::ticket::Waiting;
use super::{Channel, ChannelAttributes, ChannelOptions, IpcChannels};
use crate::{Access, Block, Errno, Waits};

/// A wait that is stale returns even so; any other one ends with ETIMEDOUT.
const AT_ONCE: Block<'_> = Block::at(Some(Deadline::PAST));

/// With room for one message.
fn queue() -> (IpcChannels, Channel) {
    let channels = IpcChannels::new(Arc::new(Waits::with_slots(4)));
    let attributes = ChannelAttributes {
        messages_max: 1,
        message_bytes: 1,
    };
    let options = ChannelOptions::new(Access::Both).create(Some(attributes));
    let channel = channels.open("/jobs", options).expect("it can be made");
    (channels, channel)
}

fn waiting<'c>(receive: &'c Receive<'_>) -> Waiting<'c> {
    match receive.begin(true) {
        Ok(Begun::Waits(waiting)) => waiting,
        _ => panic!("there is a message"),
    }
}

#[test]
fn what_is_given_before_the_wait_ends_it() {
    let (channels, channel) = queue();
    let receive = Receive::new(&channels, channel, 1).expect("it is open");
    let timed_out = waiting(&receive).wait(AT_ONCE).map(|_| ());
    assert_eq!(timed_out, Err(Errno::TimedOut));
    let given = waiting(&receive);
    assert_eq!(channels.send(channel, b"a", 0, Block::NO), Ok(()));
    assert_eq!(given.wait(AT_ONCE).map(|_| ()), Ok(()));

    assert_eq!(channels.send(channel, b"b", 0, Block::NO), Ok(()));
    let send = Send::new(&channels, channel, b"c", 0).expect("it is open");
    let begin = || {
        send.begin(true)
            .expect("it may wait")
            .expect("there is no room")
    };
    let timed_out = begin().wait(AT_ONCE).map(|_| ());
    assert_eq!(timed_out, Err(Errno::TimedOut));
    let given = begin();
    assert!(channels.receive(channel, &mut [0], Block::NO).is_ok());
    assert_eq!(given.wait(AT_ONCE).map(|_| ()), Ok(()));
}

/// The call has looked up its descriptor, which is then closed: it would wait for ever.
#[test]
fn a_descriptor_that_is_closed_after_it_was_looked_up() {
    let (channels, channel) = queue();
    let other = channels.dup(channel).expect("it is open");
    let description = channels.description(channel).expect("it is open");
    let receive = Receive::new(&channels, channel, 1).expect("it is open");
    let send = Send::new(&channels, channel, b"a", 0).expect("it is open");
    assert_eq!(channels.close(channel), Ok(()));
    let received = waiting(&receive).wait(AT_ONCE).map(|_| ());
    assert_eq!(received, Err(Errno::BadFd));
    assert_eq!(channels.send(other, b"b", 0, Block::NO), Ok(()));
    let sending = send
        .begin(true)
        .expect("it may wait")
        .expect("there is no room");
    assert_eq!(sending.wait(AT_ONCE).map(|_| ()), Err(Errno::BadFd));
    assert_eq!(channels.waiters(other), 0);

    let registered = channels.register(&description.queue, channel, Box::new(|| {}));
    assert_eq!(registered, Err(Errno::BadFd));
    assert_eq!(
        channels.notify(other, || {}),
        Ok(()),
        "nothing is left of it"
    );
}
