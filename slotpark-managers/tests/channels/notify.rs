//! Being told of messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use slotpark_managers::{Block, Channel, Errno, IpcChannels};

use crate::common::bells::ready;
use crate::common::watchdog;
use crate::{end, queue, receive, receiving, send};

/// Told once, of a message that comes to the empty queue while nobody waits for it.
#[test]
fn a_notification_is_for_a_message_that_nobody_waits_for() {
    let _watchdog = watchdog("a_notification_is_for_a_message_that_nobody_waits_for");
    let (channels, channel) = queue(3);
    let told = Arc::new(AtomicUsize::new(0));
    let count = || told.load(Ordering::Relaxed);
    let register = || {
        let told = Arc::clone(&told);
        channels.notify(channel, move || _ = told.fetch_add(1, Ordering::Relaxed))
    };
    assert_eq!(register(), Ok(()));
    assert_eq!(register(), Err(Errno::Busy));
    let (mut task, _) = receiving(&channels, channel);
    send(&channels, channel, "one");
    assert_eq!(count(), 0, "a receiver has it");
    assert_eq!(ready(task.as_mut()), Ok("one".into()));
    send(&channels, channel, "two");
    assert_eq!(count(), 1);
    assert_eq!(register(), Ok(()), "once is all");
    send(&channels, channel, "three");
    assert_eq!(count(), 1, "the queue was not empty");
    for _ in 0..2 {
        assert!(receive(&channels, channel, Block::NO).is_ok());
    }
    assert_eq!(channels.cancel_notify(channel), Ok(true));
    assert_eq!(channels.cancel_notify(channel), Ok(false));
    send(&channels, channel, "four");
    assert_eq!(count(), 1, "it was taken back");
    assert!(receive(&channels, channel, Block::NO).is_ok());
    let child = channels.dup(channel).expect("it is open");
    assert_eq!(register(), Ok(()));
    assert_eq!(channels.cancel_notify(child), Ok(false), "it is another's");
    assert_eq!(channels.close(channel), Ok(()));
    assert_eq!(Arc::strong_count(&told), 1, "nothing is kept of it");
    send(&channels, child, "five");
    assert_eq!(count(), 1);
    end(&channels, &[child]);
}

/// As `mq_notify(3)` shows it: who is told registers again, then empties the queue.
#[test]
fn who_is_told_may_register_again() {
    let _watchdog = watchdog("who_is_told_may_register_again");
    let (channels, channel) = queue(3);
    let told = Arc::new(AtomicUsize::new(0));
    fn register(channels: &Arc<IpcChannels>, channel: Channel, told: &Arc<AtomicUsize>) {
        let (again, count) = (Arc::clone(channels), Arc::clone(told));
        let notified = channels.notify(channel, move || {
            register(&again, channel, &count);
            while receive(&again, channel, Block::NO).is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        assert_eq!(notified, Ok(()));
    }
    register(&channels, channel, &told);
    for text in ["one", "two", "three"] {
        send(&channels, channel, text);
    }
    assert_eq!(told.load(Ordering::Relaxed), 3);
    end(&channels, &[channel]);
}
