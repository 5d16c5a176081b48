//! Three ways in which a lock per key goes wrong when it is built of a map, and the same programs
//! with a [`KeyedMutex`]. Each bug shipped somewhere; each test shows it step by step, on one
//! thread, so that it does not depend on luck.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use dashmap::DashMap;
use dashmap::try_result::TryResult;
use slotpark::{KeyedMutex, KeyedOptions};

type Locks = DashMap<u64, Arc<Mutex<()>>>;

/// What most people write.
fn lock_of(locks: &Locks, key: u64) -> Arc<Mutex<()>> {
    Arc::clone(&locks.entry(key).or_default())
}

/// The entry of a key outlives its use: the map grows with every key ever locked.
#[test]
fn entries_leak() {
    const KEYS: u64 = 10_000;
    let before = Locks::new();
    for key in 0..KEYS {
        drop(lock_of(&before, key).lock());
    }
    assert_eq!(before.len() as u64, KEYS, "nobody removed them");

    let after = KeyedMutex::<u64>::new();
    let bytes = after.engine().memory_bytes();
    for key in 0..KEYS {
        drop(after.lock(key));
    }
    assert_eq!((after.pool_stats().taken, after.pool_stats().full), (0, 0));
    assert_eq!(after.engine().memory_bytes(), bytes);
}

/// So the last one to unlock removes the entry, unless somebody else has it. Who looked it up and
/// has not locked yet is somebody else; who comes after the removal gets another lock: two hold one
/// key (neon's `id_lock_map`, smg's tokenizer registry).
#[test]
fn an_entry_is_removed_while_somebody_is_about_to_lock() {
    let before = Locks::new();
    let first = lock_of(&before, 7);
    let first_guard = first.lock().expect("not poisoned");
    // A second thread has looked the entry up, and is about to lock.
    let second = lock_of(&before, 7);
    // The first unlocks and removes, without asking who else has it.
    drop(first_guard);
    before.remove(&7);
    let second_guard = second.try_lock();
    let third = lock_of(&before, 7);
    let third_guard = third.try_lock();
    assert!(
        second_guard.is_ok() && third_guard.is_ok(),
        "two hold key 7"
    );

    let after = KeyedMutex::<u64>::new();
    let mut context = Context::from_waker(Waker::noop());
    let first_guard = after.lock(7);
    // The second is about to lock: it waits in the queue of the key.
    let mut second = pin!(after.lock_async(7));
    assert!(second.as_mut().poll(&mut context).is_pending());
    drop(first_guard);
    assert!(after.try_lock(7).is_err(), "the key is the second one's");
    assert!(second.as_mut().poll(&mut context).is_ready());
}

/// A guard of the map lives over an `await`: whoever wants any key of that shard waits, and if it
/// is on the same thread, for ever (kingfisher).
#[test]
fn a_map_guard_over_an_await_locks_other_keys() {
    let before = DashMap::<u64, u32>::with_shard_amount(2);
    for key in 0..8 {
        before.insert(key, 0);
    }
    let guard = before.get_mut(&0).expect("inserted");
    // What follows an `await` here finds other keys locked: those that share a shard with key 0.
    let locked = (1..8).filter(|key| matches!(before.try_get(key), TryResult::Locked));
    assert!(locked.count() > 0, "keys that nobody holds");
    drop(guard);

    // All keys in one slot: the worst case.
    let options = KeyedOptions::new().slots(1);
    let after = KeyedMutex::<u64>::with_options(options).expect("a slot");
    let guard = after.lock(0);
    let locked = (1..8).filter(|key| after.try_lock(*key).is_err());
    assert_eq!(locked.count(), 0);
    drop(guard);
}
