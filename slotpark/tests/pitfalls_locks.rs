//! Stories of keyed mutexes, as their users meet them.

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::time::Duration;

use common::bells::{Bell, poll, ready};
use common::faults::panics;
use common::{leak, until, watchdog};
use slotpark::{KeyedMutex, KeyedOptions, LockError};

/// All keys in one slot.
fn mutex() -> &'static KeyedMutex<u64> {
    leak(KeyedMutex::with_options(KeyedOptions::new().slots(1)).expect("a slot"))
}

/// kingfisher: a guard of a map's shard is held over an `await`, and whoever wants any key of that
/// shard hangs. Here it blocks those who want its key.
#[test]
fn guard_dropped_across_await() {
    let _watchdog = watchdog("guard_dropped_across_await");
    let mutex = mutex();
    let gate = leak(KeyedMutex::<u64>::new());
    let closed = gate.lock(0);
    let (mut holder, bell) = (
        Box::pin(async {
            let _guard = mutex.lock_async(1).await;
            drop(gate.lock_async(0).await);
        }),
        Bell::new(),
    );
    assert!(poll(holder.as_mut(), &bell).is_pending());
    assert!(mutex.is_locked(&1));
    // Another task and another thread go on with keys of the same slot.
    drop(ready(Box::pin(mutex.lock_async(2)).as_mut()));
    let thread = std::thread::spawn(move || drop(mutex.lock(3)));
    thread.join().expect("nobody has its key");
    let (mut wants, wants_bell) = (Box::pin(mutex.lock_async(1)), Bell::new());
    assert!(poll(wants.as_mut(), &wants_bell).is_pending());
    drop(closed);
    ready(holder.as_mut());
    assert_eq!(wants_bell.rings(), 1);
    drop(ready(wants.as_mut()));
    assert!(!mutex.is_locked(&1));
}

/// Some of several keys come too late, or the future that wants them is dropped: none is held
/// afterwards, nor while it waits.
#[test]
fn lock_many_rolls_back() {
    let _watchdog = watchdog("lock_many_rolls_back");
    let mutex = mutex();
    let busy = mutex.lock(8);
    let free = || !mutex.is_locked(&7) && !mutex.is_locked(&9);
    let late = mutex.lock_many_for([7, 8, 9], Duration::from_micros(300));
    assert_eq!(late.unwrap_err(), LockError::TimedOut);
    assert!(free());
    assert!(mutex.try_lock_many(vec![9, 8, 7]).is_err());
    assert!(free());

    let (mut wants, bell) = (Box::pin(mutex.lock_many_async([9, 7, 8, 7])), Bell::new());
    assert!(poll(wants.as_mut(), &bell).is_pending());
    assert!(free(), "it holds nothing while it waits");
    drop(wants);
    assert!(free());
    assert_eq!((mutex.waiters(&8), mutex.pool_stats().taken), (0, 1));

    let thread = std::thread::spawn(|| mutex.lock_many([7, 8, 9]).keys().count());
    until("it waits for the busy key", || mutex.waiters(&8) == 1);
    assert!(free());
    drop(busy);
    assert_eq!(thread.join().expect("it held all"), 3);
    assert!(free() && !mutex.is_locked(&8));
}

/// Unlucky for long enough, it takes its keys in order, and holds them while it waits.
#[test]
fn lock_many_is_overtaken_a_bounded_number_of_times() {
    let mutex = mutex();
    let mut holders = [Some(mutex.lock(1)), Some(mutex.lock(2))];
    let (mut wants, bell) = (Box::pin(mutex.lock_many_async([1, 2])), Bell::new());
    assert!(poll(wants.as_mut(), &bell).is_pending());
    let mut rounds = 0;
    // Whatever it waits for comes, and the other is busy again.
    while !(mutex.is_locked(&1) && holders[0].is_none()) && rounds < 100 {
        let index = usize::from(mutex.waiters(&2) == 1);
        holders[index] = None;
        assert!(poll(wants.as_mut(), &bell).is_pending());
        let key = index as u64 + 1;
        if let Ok(again) = mutex.try_lock(key) {
            holders[index] = Some(again);
        } else if index == 1 {
            break;
        }
        rounds += 1;
    }
    assert!((2..50).contains(&rounds), "{rounds} rounds");
    holders = [None, None];
    drop(holders);
    assert_eq!(ready(wants.as_mut()).keys().count(), 2);
}

/// A closure panics with its key locked: the key is free again, and nothing is poisoned.
#[test]
fn a_panic_under_a_lock_unlocks() {
    let mutex = mutex();
    let said = panics(|| mutex.with_lock(&1, || panic!("half done")));
    assert_eq!(said, "half done");
    assert!(!mutex.is_locked(&1) && mutex.try_lock(1).is_ok());
    let said = panics(|| {
        let _guard = mutex.lock(1);
        panic!("half done");
    });
    assert_eq!(said, "half done");
    assert!(!mutex.is_locked(&1) && mutex.pool_stats().taken == 0);
}
