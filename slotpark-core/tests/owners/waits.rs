//! Who waits owns nothing, and who is given a lock owns it.

use std::thread;
use std::time::Duration;

use slotpark_core::{Detail, Kind, RawCondvar, RawMutex, RawRwLock};

use crate::common::{leak, soon, until, watchdog};
use crate::{Alone, assert_nobody, holders, kinds, me, threads, waiters};

#[test]
fn a_wait_for_a_condition_gives_the_mutex_up() {
    let _watchdog = watchdog("a_wait_for_a_condition_gives_the_mutex_up");
    let _alone = Alone::at(Detail::Full);
    let (mutex, changed) = leak((RawMutex::new(), RawCondvar::new()));
    let waiting = || {
        let (send, number) = std::sync::mpsc::channel();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            send.send(me()).expect("somebody wants to know");
            assert!(mutex.lock_at(mutex.place(), None));
            let place = (mutex, mutex.place());
            // SAFETY: the condition variable is used at its own place.
            assert!(unsafe { changed.wait_at(changed.place(), place, None) });
            gone.recv().expect("it is told to go on");
            mutex.unlock_at(mutex.place());
        });
        let number = number.recv().expect("it begins");
        (thread, number, go)
    };
    // How the mutex comes back: it is free, it is given up for whoever comes, it is handed over.
    for way in 0..3 {
        let (thread, number, go) = waiting();
        until("it waits", || waiters(changed.place()) == 1);
        assert!(holders(mutex.place()).is_empty());
        // SAFETY: the condition variable is used at its own place.
        let notify = || unsafe { changed.notify_at(changed.place(), 1, |_| mutex.place()) };
        if way == 0 {
            assert_eq!(notify(), 1);
        } else {
            assert!(mutex.try_lock());
            assert_eq!(notify(), 1);
            assert_eq!(threads(mutex.place()), [me()]);
            assert_eq!(waiters(mutex.place()), 1);
            if way == 1 {
                mutex.unlock_at(mutex.place());
            } else {
                mutex.unlock_fair_at(mutex.place());
            }
        }
        until("it is back", || threads(mutex.place()) == [number]);
        let location = holders(mutex.place())[0].location;
        assert!(location.expect("it is known").file().ends_with("waits.rs"));
        go.send(()).expect("it waits for this");
        thread.join().expect("it had the mutex");
        assert_nobody();
    }
}

#[test]
fn who_is_handed_a_lock_has_it() {
    let _watchdog = watchdog("who_is_handed_a_lock_has_it");
    let _alone = Alone::at(Detail::Timing);
    let (mutex, lock) = leak((RawMutex::new(), RawRwLock::new()));
    assert!(mutex.try_lock() && lock.try_write());
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let owner = thread::spawn(move || {
        assert!(mutex.lock_at(mutex.place(), None));
        assert!(lock.read_at(lock.place(), None));
        let own = me();
        gone.recv().expect("it is told to go on");
        lock.unlock_read_at(lock.place());
        mutex.unlock_at(mutex.place());
        own
    });
    until("it waits", || waiters(mutex.place()) == 1);
    mutex.unlock_fair_at(mutex.place());
    until("it waits", || waiters(lock.place()) == 1);
    assert_eq!(kinds(lock.place()), [Kind::Lock]);
    lock.unlock_write_at(lock.place());
    until("it has both", || kinds(lock.place()) == [Kind::Read]);
    let both = [threads(mutex.place()), threads(lock.place())];
    go.send(()).expect("it waits for this");
    let number = owner.join().expect("it had both");
    assert_eq!(both, [[number], [number]]);
    assert_nobody();
}

#[test]
fn who_gives_up_has_nothing() {
    let _alone = Alone::at(Detail::Timing);
    let (mutex, lock) = (RawMutex::new(), RawRwLock::new());
    assert!(mutex.try_lock() && lock.try_read() && lock.try_upgradable());
    let end = || soon(Duration::from_millis(1));
    assert!(!lock.try_upgrade_at(lock.place()) && !lock.upgrade_at(lock.place(), end()));
    thread::scope(|scope| {
        scope.spawn(|| {
            assert!(!mutex.try_lock() && !mutex.lock_at(mutex.place(), end()));
            assert!(!lock.try_write() && !lock.write_at(lock.place(), end()));
            assert!(!lock.try_upgradable() && !lock.upgradable_at(lock.place(), end()));
        });
    });
    assert_eq!(threads(mutex.place()), [me()]);
    assert_eq!(threads(lock.place()), [me(), me()]);
    let mut readers = kinds(lock.place());
    readers.sort_by_key(|kind| *kind == Kind::Read);
    assert_eq!(readers, [Kind::Upgradable, Kind::Read]);
    mutex.unlock_at(mutex.place());
    lock.unlock_read_at(lock.place());
    lock.unlock_upgradable_at(lock.place());
    assert_nobody();
}
