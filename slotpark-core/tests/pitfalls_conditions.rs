//! Stories of conditions of a key: a notification goes to somebody who waits, whoever goes away.

mod common;

use common::bells::{Bell, poll, ready};
use common::{leak, watchdog};
use slotpark_core::{Condition, HoldOptions, KeyedLock, KeyedOptions, Preference};

const ONE: HoldOptions = HoldOptions::new(1);

/// tokio #4618, embassy #6964: who was chosen goes away, and the wake with it. Here it was
/// notified, found its key taken by one who barged in, and waits for that when it is dropped.
#[test]
fn a_notified_task_dropped_before_its_key_comes_passes_it_on() {
    let _watchdog = watchdog("a_notified_task_dropped_before_its_key_comes_passes_it_on");
    let options = KeyedOptions::new().slots(1);
    let lock = leak(
        KeyedLock::<u64>::with_options(1, options.preference(Preference::Barging))
            .expect("one slot"),
    );
    let condition = leak(Condition::new());
    let bells = [Bell::new(), Bell::new()];
    let [mut first, mut second] = [0, 1].map(|index| {
        let guard = lock.hold(1, 1, ONE).expect("it is free");
        let mut wait = Box::pin(guard.wait_async(condition));
        assert!(poll(wait.as_mut(), &bells[index]).is_pending());
        wait
    });
    assert_eq!(lock.notify(1, &1, condition, 1), 1);
    assert_eq!((bells[0].rings(), bells[1].rings()), (1, 0));
    let barging = lock.try_hold(1, 1, ONE).expect("nothing was granted");
    assert!(poll(first.as_mut(), &bells[0]).is_pending());
    assert_eq!(lock.condition_waiters(1, &1, condition), 1);

    drop(first);
    assert_eq!(lock.condition_waiters(1, &1, condition), 0);
    drop(barging);
    assert_eq!(bells[1].rings(), 1);
    drop(ready(second.as_mut()));
    assert_eq!((lock.held(1, &1), lock.waiters(1, &1)), (0, 0));
    assert_eq!(lock.pool_stats().taken, 0);
}
