//! Stories of message queues: who is served, what comes back, and who is told.

#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
mod given;
#[path = "../guests/mod.rs"]
mod guests;
mod notify;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::scope;
use std::time::Duration;

use common::bells::{Bell, poll, ready};
use common::{Numbers, watchdog};
use guests::{blocked, ended};
use slotpark::Interrupter;
use slotpark_managers::{
    Access, Block, Channel, ChannelAttributes, ChannelLimits, ChannelOptions, Errno, IpcChannels,
    Received, Waits,
};

const BYTES: usize = 8;

/// A queue `/jobs` with room for so many, and a descriptor of it.
fn queue(messages_max: usize) -> (Arc<IpcChannels>, Channel) {
    let channels = Arc::new(IpcChannels::new(Arc::new(Waits::new())));
    let channel = open(&channels, messages_max);
    (channels, channel)
}

fn open(channels: &IpcChannels, messages_max: usize) -> Channel {
    let attributes = ChannelAttributes {
        messages_max,
        message_bytes: BYTES,
    };
    let options = ChannelOptions::new(Access::Both).create(Some(attributes));
    channels.open("/jobs", options).expect("it can be made")
}

fn send(channels: &IpcChannels, channel: Channel, text: &str) {
    let sent = channels.send(channel, text.as_bytes(), 0, Block::NO);
    assert_eq!(sent, Ok(()), "{text}");
}

/// What a call received, as text.
fn text(received: Result<Received, Errno>, buffer: &[u8]) -> Result<String, Errno> {
    received.map(|received| String::from_utf8_lossy(&buffer[..received.bytes]).into_owned())
}

fn receive(channels: &IpcChannels, channel: Channel, block: Block<'_>) -> Result<String, Errno> {
    let mut buffer = [0; BYTES];
    let received = channels.receive(channel, &mut buffer, block);
    text(received, &buffer)
}

type Receiving<'c> = Pin<Box<dyn Future<Output = Result<String, Errno>> + 'c>>;

/// A task that receives, queued.
fn receiving(channels: &IpcChannels, channel: Channel) -> (Receiving<'_>, Arc<Bell>) {
    let mut task: Receiving<'_> = Box::pin(async move {
        let mut buffer = [0; BYTES];
        let received = channels.receive_async(channel, &mut buffer).await;
        text(received, &buffer)
    });
    let bell = Bell::new();
    assert!(poll(task.as_mut(), &bell).is_pending());
    (task, bell)
}

fn end(channels: &IpcChannels, open: &[Channel]) {
    for channel in open {
        assert_eq!(channels.close(*channel), Ok(()));
    }
    let _ = channels.unlink("/jobs");
    assert!(channels.is_empty());
}

#[test]
fn the_highest_comes_first_and_of_equals_the_oldest() {
    let _watchdog = watchdog("the_highest_comes_first_and_of_equals_the_oldest");
    let (channels, channel) = queue(6);
    for (text, priority) in [("c", 1), ("a", 9), ("e", 0), ("b", 9), ("d", 1), ("f", 0)] {
        let sent = channels.send(channel, text.as_bytes(), priority, Block::NO);
        assert_eq!(sent, Ok(()));
    }
    for expected in ["a", "b", "c", "d", "e", "f"] {
        assert_eq!(receive(&channels, channel, Block::NO), Ok(expected.into()));
    }
    end(&channels, &[channel]);
}

/// Who gives up takes its message with it, and is given none.
#[test]
fn who_gives_up_has_neither_sent_nor_received() {
    let _watchdog = watchdog("who_gives_up_has_neither_sent_nor_received");
    let (channels, channel) = queue(1);
    let thread = &Interrupter::new();
    let forever = Block::FOREVER.interruptible(thread);
    let soon = || Block::for_at_most(Duration::from_millis(1));
    let interrupted = |call: &(dyn Fn() -> Result<(), Errno> + Sync)| {
        scope(|scope| {
            let call = blocked(scope, || channels.waiters(channel), call);
            // Before the wait it is remembered: standing in the list comes first.
            let _ = thread.interrupt();
            assert_eq!(ended(call), Err(Errno::Interrupted));
        });
        assert_eq!(channels.waiters(channel), 0);
    };
    interrupted(&|| receive(&channels, channel, forever).map(|_| ()));
    assert_eq!(receive(&channels, channel, soon()), Err(Errno::TimedOut));
    send(&channels, channel, "one");
    interrupted(&|| channels.send(channel, b"two", 9, forever));
    let sent = channels.send(channel, b"three", 9, soon());
    assert_eq!(sent, Err(Errno::TimedOut));
    let mut dropped = Box::pin(channels.send_async(channel, b"four", 9));
    assert!(poll(dropped.as_mut(), &Bell::new()).is_pending());
    drop(dropped);
    assert_eq!(receive(&channels, channel, Block::NO), Ok("one".into()));
    assert_eq!(receive(&channels, channel, Block::NO), Err(Errno::Again));
    end(&channels, &[channel]);
}

#[test]
fn a_closed_descriptor_ends_the_calls_through_it() {
    let _watchdog = watchdog("a_closed_descriptor_ends_the_calls_through_it");
    let (channels, channel) = queue(1);
    let child = channels.dup(channel).expect("it is open");
    scope(|scope| {
        let waiters = || channels.waiters(child);
        let call = |channel| {
            let channels = &channels;
            move || receive(channels, channel, Block::FOREVER)
        };
        let closed = blocked(scope, waiters, call(channel));
        let other = blocked(scope, waiters, call(child));
        assert_eq!(channels.close(channel), Ok(()));
        assert_eq!(ended(closed), Err(Errno::BadFd));
        assert_eq!(waiters(), 1);
        send(&channels, child, "one");
        assert_eq!(ended(other), Ok("one".into()));
        send(&channels, child, "two");
        let send = || channels.send(child, b"three", 0, Block::FOREVER);
        let closed = blocked(scope, waiters, send);
        assert_eq!(channels.close(child), Ok(()));
        assert_eq!(ended(closed), Err(Errno::BadFd));
    });
    end(&channels, &[]);
}

/// A name that is removed is free for another queue; those who have the old one keep it.
#[test]
fn an_unlinked_queue_lives_as_long_as_its_descriptors() {
    let _watchdog = watchdog("an_unlinked_queue_lives_as_long_as_its_descriptors");
    let channels = IpcChannels::new(Arc::new(Waits::new())).limits(ChannelLimits {
        queues_max: 2,
        ..ChannelLimits::default()
    });
    let old = open(&channels, 1);
    send(&channels, old, "old");
    assert_eq!(channels.unlink("/jobs"), Ok(()));
    let new = open(&channels, 2);
    assert_eq!(receive(&channels, new, Block::NO), Err(Errno::Again));
    // Queues without names count.
    let options = ChannelOptions::new(Access::Read).create(None);
    assert_eq!(channels.open("/more", options), Err(Errno::NoSpace));
    assert_eq!(receive(&channels, old, Block::NO), Ok("old".into()));
    assert_eq!(channels.close(old), Ok(()));
    let more = channels
        .open("/more", options)
        .expect("there is room again");
    assert_eq!(channels.unlink("/more"), Ok(()));
    end(&channels, &[new, more]);
}

/// The flag is of what was opened: copies in children have the same; a call that is blocked stays
/// so.
#[test]
fn the_flag_is_shared_by_copies() {
    let _watchdog = watchdog("the_flag_is_shared_by_copies");
    let (channels, channel) = queue(1);
    let child = channels.dup(channel).expect("it is open");
    let other = open(&channels, 1);
    let (mut task, _) = receiving(&channels, channel);
    assert_eq!(channels.set_nonblocking(channel, true), Ok(false));
    let forever = Block::FOREVER;
    assert_eq!(receive(&channels, child, forever), Err(Errno::Again));
    let soon = Block::for_at_most(Duration::ZERO);
    assert_eq!(receive(&channels, other, soon), Err(Errno::TimedOut));
    assert!(poll(task.as_mut(), &Bell::new()).is_pending());
    send(&channels, other, "one");
    assert_eq!(ready(task.as_mut()), Ok("one".into()));
    end(&channels, &[channel, child, other]);
}

/// Many senders and receivers on a small queue, with deadlines that pass meanwhile: what was sent
/// is received, once, and nobody is left asleep.
#[test]
fn every_message_arrives_once() {
    let _watchdog = watchdog("every_message_arrives_once");
    let (channels, channel) = queue(2);
    let (sent, received) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
    let random = |numbers: &mut Numbers| match numbers.below(3) {
        0 => Block::NO,
        1 => Block::for_at_most(Duration::from_micros(30)),
        _ => Block::FOREVER,
    };
    scope(|scope| {
        for seed in 0..3 {
            let channels = &channels;
            scope.spawn(move || {
                let mut numbers = Numbers::new(seed);
                loop {
                    match receive(channels, channel, random(&mut numbers)) {
                        Ok(text) if text == "end" => break,
                        Ok(text) => {
                            let value: usize = text.parse().expect("a number");
                            received.fetch_add(value, Ordering::Relaxed);
                        }
                        Err(errno) => assert!([Errno::Again, Errno::TimedOut].contains(&errno)),
                    }
                }
            });
        }
        std::thread::scope(|scope| {
            for seed in 0..3 {
                let channels = &channels;
                scope.spawn(move || {
                    let mut numbers = Numbers::new(seed + 9);
                    for value in 1..2000_usize {
                        let (block, text) = (random(&mut numbers), value.to_string());
                        let priority = 1 + numbers.below(3) as u32;
                        if channels
                            .send(channel, text.as_bytes(), priority, block)
                            .is_ok()
                        {
                            sent.fetch_add(value, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        // Behind all others, one for each.
        for _ in 0..3 {
            assert_eq!(channels.send(channel, b"end", 0, Block::FOREVER), Ok(()));
        }
    });
    assert_eq!(
        sent.load(Ordering::Relaxed),
        received.load(Ordering::Relaxed)
    );
    end(&channels, &[channel]);
}
