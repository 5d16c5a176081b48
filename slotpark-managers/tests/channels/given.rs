//! Messages and room that are given to who waits, and what a dropped future does with them.

use std::pin::pin;

use slotpark_managers::{Block, Errno};

use crate::common::bells::{Bell, poll, ready};
use crate::common::watchdog;
use crate::{end, queue, receive, receiving, send};

/// A message belongs to the receiver that has waited longest from the moment it is sent: nobody who
/// comes before that one runs can take it.
#[test]
fn a_message_is_given_to_who_waits_longest() {
    let _watchdog = watchdog("a_message_is_given_to_who_waits_longest");
    let (channels, channel) = queue(2);
    let (mut first, bell) = receiving(&channels, channel);
    let (mut second, other) = receiving(&channels, channel);
    assert_eq!(channels.waiters(channel), 2);
    send(&channels, channel, "one");
    assert_eq!((bell.rings(), other.rings()), (1, 0));
    assert_eq!(receive(&channels, channel, Block::NO), Err(Errno::Again));
    send(&channels, channel, "two");
    assert_eq!(ready(second.as_mut()), Ok("two".into()));
    assert_eq!(ready(first.as_mut()), Ok("one".into()));
    end(&channels, &[channel]);
}

#[test]
fn room_is_given_to_who_waits_longest() {
    let _watchdog = watchdog("room_is_given_to_who_waits_longest");
    let (channels, channel) = queue(1);
    send(&channels, channel, "one");
    let (bell, other) = (Bell::new(), Bell::new());
    let mut first = pin!(channels.send_async(channel, b"two", 0));
    // A message that is more urgent makes its sender no earlier.
    let mut second = pin!(channels.send_async(channel, b"three", 9));
    assert!(poll(first.as_mut(), &bell).is_pending());
    assert!(poll(second.as_mut(), &other).is_pending());
    assert_eq!(receive(&channels, channel, Block::NO), Ok("one".into()));
    assert_eq!((bell.rings(), other.rings()), (1, 0));
    let sent = channels.send(channel, b"late", 9, Block::NO);
    assert_eq!(sent, Err(Errno::Again));
    assert_eq!(receive(&channels, channel, Block::NO), Ok("two".into()));
    assert_eq!(receive(&channels, channel, Block::NO), Ok("three".into()));
    assert_eq!(ready(second.as_mut()), Ok(()));
    assert_eq!(ready(first.as_mut()), Ok(()));
    end(&channels, &[channel]);
}

/// A message that was given to a future which is dropped is not lost: the next who waits has it.
#[test]
fn a_dropped_receive_passes_its_message_on() {
    let _watchdog = watchdog("a_dropped_receive_passes_its_message_on");
    let (channels, channel) = queue(2);
    let (first, _) = receiving(&channels, channel);
    let (mut second, bell) = receiving(&channels, channel);
    send(&channels, channel, "one");
    assert_eq!(bell.rings(), 0);
    drop(first);
    assert_eq!(bell.rings(), 1);
    assert_eq!(ready(second.as_mut()), Ok("one".into()));
    end(&channels, &[channel]);
}

/// With nobody waiting it goes back to its place, before those that were sent after it; and should
/// its room be taken, the queue has one too many until one is received.
#[test]
fn a_dropped_receive_puts_its_message_back() {
    let _watchdog = watchdog("a_dropped_receive_puts_its_message_back");
    let (channels, channel) = queue(1);
    let (first, _) = receiving(&channels, channel);
    send(&channels, channel, "one");
    send(&channels, channel, "two");
    let mut third = pin!(channels.send_async(channel, b"three", 0));
    assert!(poll(third.as_mut(), &Bell::new()).is_pending());
    drop(first);
    let messages = |count| {
        let state = channels.attributes(channel).expect("it is open");
        assert_eq!(state.messages, count);
    };
    messages(2);
    assert_eq!(receive(&channels, channel, Block::NO), Ok("one".into()));
    messages(1);
    assert!(poll(third.as_mut(), &Bell::new()).is_pending());
    assert_eq!(receive(&channels, channel, Block::NO), Ok("two".into()));
    assert_eq!(ready(third.as_mut()), Ok(()));
    assert_eq!(receive(&channels, channel, Block::NO), Ok("three".into()));
    end(&channels, &[channel]);
}
