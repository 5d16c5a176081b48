//! Stories of keyed locks: one key excludes itself, and nobody else; nothing is left behind.

mod common;

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::Duration;

use common::bells::{Bell, poll, ready};
use common::faults::panics;
use common::{leak, soon, until, watchdog};
use slotpark_core::{
    Condition, DefaultPlatform, Hold, HoldError, HoldOptions, Holding, KeyedLock, KeyedOptions,
    Preference, TryHoldError, WhenFull,
};

const ONE: HoldOptions = HoldOptions::new(1);
const ONE_SLOT: KeyedOptions = KeyedOptions::new().slots(1);

/// A mutex whose keys all meet in one slot. A key is its own hash.
fn lock(options: KeyedOptions) -> &'static KeyedLock<u64> {
    leak(KeyedLock::with_options(1, options).expect("a slot"))
}

fn hold(lock: &KeyedLock<u64>, key: u64) -> Holding<'_, u64, DefaultPlatform> {
    lock.hold(key, key, ONE).expect("no deadline")
}

/// A future that holds `key`, queued.
fn queued(
    lock: &'static KeyedLock<u64>,
    key: u64,
) -> (Pin<Box<Hold<'static, u64, DefaultPlatform>>>, Arc<Bell>) {
    let (mut hold, bell) = (Box::pin(lock.hold_async(key, key, ONE)), Bell::new());
    assert!(poll(hold.as_mut(), &bell).is_pending());
    (hold, bell)
}

/// A thread that holds `key` once, queued.
fn thread(lock: &'static KeyedLock<u64>, key: u64) -> JoinHandle<()> {
    let others = lock.waiters(key, &key);
    let thread = std::thread::spawn(move || drop(hold(lock, key)));
    until("a thread is queued", || lock.waiters(key, &key) > others);
    thread
}

/// Guava's `Striped`, Spring #11146, GeoWebCache #1226: two threads hold two keys each, inside one
/// another; each wants a stripe that the other has, though no key is wanted twice.
#[test]
fn two_keys_one_slot_nested() {
    let _watchdog = watchdog("two_keys_one_slot_nested");
    for preference in [Preference::Fifo, Preference::Barging] {
        let lock = lock(ONE_SLOT.preference(preference));
        let both = Arc::new(Barrier::new(2));
        let nest = |outer, inner| {
            let both = Arc::clone(&both);
            std::thread::spawn(move || {
                let _outer = hold(lock, outer);
                both.wait();
                let _inner = hold(lock, inner);
                // Both hold both of theirs.
                both.wait();
            })
        };
        let threads = [nest(1, 2), nest(3, 4)];
        for thread in threads {
            thread.join().expect("it holds both");
        }
    }
}

/// neon's `id_lock_map`, smg's tokenizer registry: an unlocking removes the entry of its key while
/// somebody is about to wait for it, and two hold one key. Here there is no entry.
#[test]
fn no_entry_to_remove() {
    let _watchdog = watchdog("no_entry_to_remove");
    const ROUNDS: u32 = 20_000;
    for preference in [Preference::Fifo, Preference::Barging] {
        let lock = lock(ONE_SLOT.preference(preference));
        let holders = leak(AtomicU32::new(0));
        let alone = move || {
            assert_eq!(
                holders.fetch_add(1, Ordering::Relaxed),
                0,
                "two hold one key"
            );
            // Others come meanwhile, also on one CPU.
            std::thread::yield_now();
            holders.fetch_sub(1, Ordering::Relaxed);
        };
        let threads = [0, 1, 2].map(|number| {
            std::thread::spawn(move || {
                for round in 0..ROUNDS {
                    if number == 2 {
                        // A neighbour of the slot.
                        drop(hold(lock, 9));
                    } else if round % 2 == number {
                        let _guard = hold(lock, 1);
                        alone();
                    } else {
                        lock.with(1, &1, ONE, alone).expect("no deadline");
                    }
                }
            })
        });
        for thread in threads {
            thread.join().expect("nobody else held the key");
        }
        assert_eq!((lock.held(1, &1), lock.pool_stats().taken), (0, 0));
    }
}

/// One that stands alone in the slot's word, and those in its queues, hold by the same rules.
#[test]
fn inline_and_node_holder_exclude_each_other() {
    let lock = lock(ONE_SLOT);
    let busy = |key| lock.try_hold(key, key, ONE).is_err();
    let alone = hold(lock, 1);
    // It becomes a node for the first who looks, whatever key that wants.
    let neighbour = hold(lock, 2);
    assert!(busy(1) && busy(2) && !busy(3));
    drop(neighbour);
    assert!(busy(1) && !busy(2));
    drop(alone);
    assert!(!busy(1));
    // Held in a frame, and wanted by a guard.
    let in_frame = lock.with(1, &1, ONE, || busy(1) && busy(1) && !busy(2));
    assert_eq!(in_frame, Ok(true));
    // A node that is left alone: the next one holds by the word again, and excludes.
    let (first, second) = (hold(lock, 1), hold(lock, 2));
    drop(first);
    let third = hold(lock, 1);
    assert!(busy(1) && busy(2));
    drop((second, third));
    assert_eq!((lock.held(1, &1), lock.held(2, &2)), (0, 0));
}

/// Two keys of one hash are two keys: neither keeps the other out, nor takes its turn.
#[test]
fn equal_hash_other_key_is_served() {
    const HASH: u64 = 5;
    let lock: &KeyedLock<u64> = lock(ONE_SLOT);
    let first = lock.hold(HASH, 1, ONE).expect("no deadline");
    let second = lock.try_hold(HASH, 2, ONE).expect("it is another key");
    let mut wants = [1, 2].map(|key| Box::pin(lock.hold_async(HASH, key, ONE)));
    let bells = [Bell::new(), Bell::new()];
    for (want, bell) in wants.iter_mut().zip(&bells) {
        assert!(poll(want.as_mut(), bell).is_pending());
    }
    drop(second);
    assert_eq!([bells[0].rings(), bells[1].rings()], [0, 1]);
    drop(first);
    assert_eq!([bells[0].rings(), bells[1].rings()], [1, 1]);
    for want in &mut wants {
        assert!(ready(want.as_mut()).is_ok());
    }
    assert_eq!((lock.held(HASH, &1), lock.held(HASH, &2)), (0, 0));
}

/// Who was woken to try and does not is not the end of the wake: the next one tries.
#[test]
fn barging_waiter_leaves_no_wake_behind() {
    let lock = lock(ONE_SLOT.preference(Preference::Barging));
    let holder = hold(lock, 1);
    let (first, first_bell) = queued(lock, 1);
    let (mut second, second_bell) = queued(lock, 1);
    drop(holder);
    assert_eq!((first_bell.rings(), second_bell.rings()), (1, 0));
    drop(first);
    assert_eq!(second_bell.rings(), 1);
    assert!(ready(second.as_mut()).is_ok());
    assert_eq!((lock.held(1, &1), lock.waiters(1, &1)), (0, 0));
}

/// tokio #6450, async-lock #91, moka #240: a key is granted to a future that nobody polls. A fair
/// lock stalls, as its page says; a barging one grants nothing.
#[test]
fn futurelock_by_key() {
    let fair = lock(ONE_SLOT);
    let holder = hold(fair, 1);
    let (unpolled, _) = queued(fair, 1);
    drop(holder);
    assert_eq!(fair.try_hold(1, 1, ONE).unwrap_err(), TryHoldError::Busy);
    drop(unpolled);
    assert!(fair.try_hold(1, 1, ONE).is_ok());

    let barging = lock(ONE_SLOT.preference(Preference::Barging));
    let holder = hold(barging, 1);
    let (_unpolled, bell) = queued(barging, 1);
    drop(holder);
    assert_eq!(bell.rings(), 1);
    assert!(barging.try_hold(1, 1, ONE).is_ok());
}

/// A future that was granted its key is dropped: the key goes to the next in the queue, thread or
/// task.
#[test]
fn a_dropped_hold_gives_the_key_up() {
    let _watchdog = watchdog("a_dropped_hold_gives_the_key_up");
    let lock = lock(ONE_SLOT);
    let holder = hold(lock, 1);
    let (first, bell) = queued(lock, 1);
    let next = thread(lock, 1);
    drop(holder);
    assert_eq!(bell.rings(), 1);
    drop(first);
    next.join().expect("it was served");
    assert_eq!((lock.held(1, &1), lock.pool_stats().taken), (0, 0));
}

/// A guard is forgotten, and a future that was granted a key is: the keys stay held, the others
/// work on, and nothing that points to them dangles (Miri).
#[test]
fn forgotten_guard_is_safe() {
    let name = Arc::new("key");
    let lock = KeyedLock::<Arc<&str>>::with_options(1, ONE_SLOT).expect("a slot");
    let key = || Arc::clone(&name);
    std::mem::forget(lock.hold(1, key(), ONE).expect("no deadline"));
    assert_eq!(
        lock.try_hold(1, key(), ONE).unwrap_err(),
        TryHoldError::Busy
    );
    assert!(lock.try_hold(2, Arc::new("other"), ONE).is_ok());
    assert_eq!((lock.held(1, &name), lock.pool_stats().taken), (1, 1));
    assert_eq!(Arc::strong_count(&name), 2);
    // The forgotten key goes with the lock.
    drop(lock);
    assert_eq!(Arc::strong_count(&name), 1);

    let lock = self::lock(ONE_SLOT);
    let holder = hold(lock, 1);
    let (granted, _) = queued(lock, 1);
    std::mem::forget(granted);
    drop(holder);
    assert_eq!(lock.held(1, &1), 1);
    assert!(lock.try_hold(2, 2, ONE).is_ok());
}

/// A deadline that passes in the queue leaves nothing of the waiter there, and no place taken.
#[test]
fn a_late_hold_leaves_nothing() {
    let _watchdog = watchdog("a_late_hold_leaves_nothing");
    let lock = lock(ONE_SLOT);
    let holder = hold(lock, 1);
    let options = ONE.deadline(soon(Duration::from_micros(300)));
    assert_eq!(lock.hold(1, 1, options).unwrap_err(), HoldError::TimedOut);
    assert_eq!((lock.waiters(1, &1), lock.pool_stats().taken), (0, 1));
    drop(holder);
    assert!(lock.try_hold(1, 1, ONE).is_ok());
}

/// Who wants much and gives up lets those behind through who want less.
#[test]
fn a_large_hold_that_gives_up_lets_others_through() {
    let lock = KeyedLock::<u64>::with_options(3, ONE_SLOT).expect("a slot");
    let holder = lock.try_hold(1, 1, HoldOptions::new(2)).expect("free");
    let (mut large, mut small) = (
        Box::pin(lock.hold_async(1, 1, HoldOptions::new(3))),
        Box::pin(lock.hold_async(1, 1, ONE)),
    );
    let bells = [Bell::new(), Bell::new()];
    assert!(poll(large.as_mut(), &bells[0]).is_pending());
    assert!(
        poll(small.as_mut(), &bells[1]).is_pending(),
        "it overtakes nobody"
    );
    drop(large);
    assert_eq!([bells[0].rings(), bells[1].rings()], [0, 1]);
    assert!(ready(small.as_mut()).is_ok());
    drop(holder);
    drop(small);
    assert_eq!(lock.held(1, &1), 0);
}

/// A full pool says so, or allocates; frames need no place.
#[test]
fn a_full_pool_says_so() {
    let failing = lock(ONE_SLOT.pool(1, WhenFull::Fail));
    let guard = hold(failing, 1);
    assert_eq!(
        failing.try_hold(2, 2, ONE).unwrap_err(),
        TryHoldError::PoolFull
    );
    assert_eq!(failing.with(2, &2, ONE, || 7), Ok(7));
    drop(guard);
    assert!(failing.try_hold(2, 2, ONE).is_ok());
    let allocating = lock(ONE_SLOT.pool(0, WhenFull::Allocate));
    let guards = [1, 2, 3].map(|key| hold(allocating, key));
    assert_eq!(allocating.pool_stats().full, 3);
    assert!(allocating.try_hold(2, 2, ONE).is_err());
    drop(guards);
    assert!(allocating.try_hold(2, 2, ONE).is_ok());
}

/// All who wait for a condition are notified at once, and wake one by one, each with the key: no
/// herd runs for it.
#[test]
fn a_notification_of_all_wakes_one_by_one() {
    let _watchdog = watchdog("a_notification_of_all_wakes_one_by_one");
    let (lock, ready_now) = (lock(ONE_SLOT), leak(Condition::new()));
    let bells = [Bell::new(), Bell::new(), Bell::new()];
    let mut waits = [0, 1, 2].map(|index| {
        let mut wait = Box::pin(hold(lock, 1).wait_async(ready_now));
        // From its first poll on it holds the key no more.
        assert!(poll(wait.as_mut(), &bells[index]).is_pending());
        wait
    });
    let rings = || [bells[0].rings(), bells[1].rings(), bells[2].rings()];
    let guard = hold(lock, 1);
    assert_eq!(lock.notify(1, &1, ready_now, usize::MAX), 3);
    assert_eq!(rings(), [0, 0, 0], "the key is held");
    drop(guard);
    assert_eq!(rings(), [1, 0, 0]);
    let first = ready(waits[0].as_mut());
    assert_eq!(rings(), [1, 0, 0]);
    drop(first);
    assert_eq!(rings(), [1, 1, 0]);
    drop(ready(waits[1].as_mut()));
    drop(ready(waits[2].as_mut()));
    assert_eq!((lock.held(1, &1), lock.waiters(1, &1)), (0, 0));
}

/// The child of a fork: who held or awaited a key were threads of the parent. All keys are free,
/// and guards and futures from before unlock nothing and touch no queue of the child. (Reset in
/// place: this thread is alone.)
#[test]
fn keys_are_free_in_a_child() {
    let lock = lock(ONE_SLOT);
    let (alone, first, second) = (hold(lock, 1), hold(lock, 2), hold(lock, 3));
    let (queued_before, _) = queued(lock, 2);
    let (mut polled_after, _) = queued(lock, 3);
    // SAFETY: the test's lock; no other thread knows it.
    unsafe { lock.reset_after_fork() };
    assert_eq!([1, 2, 3].map(|key| lock.held(key, &key)), [0; 3]);
    let held_by_child = [hold(lock, 1), hold(lock, 2)];
    drop((alone, first, second));
    drop(queued_before);
    assert_eq!([1, 2, 3].map(|key| lock.held(key, &key)), [1, 1, 0]);
    // It comes anew, and finds its key free.
    assert!(ready(polled_after.as_mut()).is_ok());
    drop(held_by_child);
    assert_eq!([1, 2, 3].map(|key| lock.held(key, &key)), [0; 3]);
    assert_eq!(lock.waiters(2, &2), 0);
}

/// A key whose comparison panics: the slot stays sound, and a holder in its word stays one.
#[test]
fn panic_in_eq_of_a_keyed_lock() {
    thread_local! {
        static PANICS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    struct Touchy(u64);
    impl PartialEq for Touchy {
        fn eq(&self, other: &Self) -> bool {
            assert!(!PANICS.get(), "a key that cannot be compared");
            self.0 == other.0
        }
    }
    impl Eq for Touchy {}
    let options = ONE_SLOT.preference(Preference::Barging);
    let lock = KeyedLock::<Touchy>::with_options(1, options).expect("a slot");
    // Who waits in the slot, and is not served: the one before was woken.
    let other = lock.hold(1, Touchy(2), ONE).expect("no deadline");
    let mut waits = [0, 1].map(|_| Box::pin(lock.hold_async(1, Touchy(2), ONE)));
    for wait in &mut waits {
        assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
    }
    drop(other);
    // It stands in the word, and would be compared when it is looked at.
    let alone = lock.hold(1, Touchy(1), ONE).expect("no deadline");
    PANICS.set(true);
    let said = panics(|| drop(lock.try_hold(3, Touchy(3), ONE)));
    PANICS.set(false);
    assert!(said.contains("cannot be compared"), "{said}");
    assert_eq!(lock.held(1, &Touchy(1)), 1);
    assert!(lock.try_hold(1, Touchy(1), ONE).is_err());
    drop(alone);
    assert!(lock.try_hold(1, Touchy(1), ONE).is_ok());
    drop(waits);
    assert_eq!(lock.pool_stats().taken, 0);
}
