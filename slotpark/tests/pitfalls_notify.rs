//! Stories of events by key: missed between look and sleep, or given up by who was notified.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::cell::Cell;
use std::pin::pin;
use std::task::Poll;

use common::bells::{Bell, poll, ready};
use common::watchdog;
use slotpark::{KeyedNotify, WaitOutcome};

const WOKEN: WaitOutcome = WaitOutcome::Woken { token: 0 };

/// What `Notify::enable` of tokio is for: the event comes after the look and before the first poll,
/// and the await sleeps for ever.
#[test]
fn an_event_between_the_look_and_the_await_is_not_missed() {
    let changed = KeyedNotify::<String>::new();
    for notify in [
        KeyedNotify::notify_one,
        KeyedNotify::notify_last,
        KeyedNotify::notify_all,
    ] {
        let mut notified = pin!(changed.notified("job".to_string()));
        assert_eq!(notify(&changed, "job"), 0, "made is not registered");
        assert_eq!(notified.as_mut().enable(), None);
        assert_eq!(notified.as_mut().enable(), None, "once is enough");
        assert_eq!(changed.waiters("job"), 1);
        // Looked here: not yet. Then it comes.
        assert_eq!(notify(&changed, "job"), 1);
        assert_eq!(poll(notified.as_mut(), &Bell::new()), Poll::Ready(WOKEN));
        // A finished one waits anew, and nothing is stored for it.
        assert_eq!(notify(&changed, "job"), 0);
        assert!(poll(notified, &Bell::new()).is_pending());
    }
    assert_eq!(changed.waiters("job"), 0);
}

/// litebox #1267, for threads: the condition changes between the first look and the queue, and the
/// event finds nobody. The look under the lock sees it.
#[test]
fn an_event_between_the_look_and_the_queue_is_not_missed() {
    let _watch = watchdog("an_event_between_the_look_and_the_queue_is_not_missed");
    let changed = KeyedNotify::<u64>::new();
    let is_ready = Cell::new(false);
    let outcome = changed.wait_if(&7, || {
        let looked = is_ready.get();
        if !looked {
            // Another thread, at the worst moment.
            is_ready.set(true);
            assert_eq!(changed.notify_all(&7), 0);
        }
        !looked
    });
    assert_eq!(outcome, WaitOutcome::Stale);
}

/// tokio #4618, and the same from the other end: who was notified and goes away hands it on to who
/// would be notified now, oldest or youngest; of an event for everybody, to nobody.
#[test]
fn a_dropped_notification_goes_on_as_it_was_made() {
    type Notify = fn(&KeyedNotify<u64>, &u64) -> usize;
    let kinds: [(Notify, [usize; 3], usize); 3] = [
        (KeyedNotify::notify_one, [0, 1, 2], 1),
        (KeyedNotify::notify_last, [2, 1, 0], 1),
        (KeyedNotify::notify_all, [0, 1, 2], 3),
    ];
    for (notify, order, count) in kinds {
        let changed = KeyedNotify::<u64>::new();
        let mut waits = [0, 1, 2].map(|_| Some(Box::pin(changed.notified(7))));
        let bells = [0, 1, 2].map(|_| Bell::new());
        for (wait, bell) in waits.iter_mut().flatten().zip(&bells) {
            assert!(poll(wait.as_mut(), bell).is_pending());
        }
        let late = Box::pin(changed.notified(8));
        assert_eq!(notify(&changed, &7), count);
        let rings = || order.map(|place| bells[place].rings());
        if count == 3 {
            assert_eq!(rings(), [1, 1, 1]);
            continue;
        }
        assert_eq!(rings(), [1, 0, 0]);
        waits[order[0]] = None;
        assert_eq!(rings(), [1, 1, 0]);
        waits[order[1]] = None;
        assert_eq!(rings(), [1, 1, 1]);
        let last = waits[order[2]].as_mut().expect("it was kept");
        assert_eq!(ready(last.as_mut()), WOKEN);
        assert_eq!(changed.waiters(&7), 0);
        drop(late);
    }
}
