//! The level changes while locks are held, and the list is full.

use std::thread;

use slotpark_core::{Detail, Inspect, Kind, RawMutex, RawRwLock, process_table, set_detail};

use crate::common::leak;
use crate::{Alone, assert_nobody, holders, kinds, look, me, slot, threads};

#[test]
fn what_was_entered_goes_at_a_lower_level() {
    let _alone = Alone::at(Detail::Timing);
    let (mutex, lock) = (RawMutex::new(), RawRwLock::new());
    assert!(mutex.try_lock() && lock.try_read() && lock.try_upgradable());
    set_detail(Detail::Off);
    assert_eq!(kinds(mutex.place()), [Kind::Lock]);
    assert_eq!(kinds(lock.place()).len(), 2);
    // What is not entered now.
    assert!(lock.try_read());
    assert_eq!(kinds(lock.place()).len(), 2);
    mutex.unlock_at(mutex.place());
    lock.unlock_read_at(lock.place());
    lock.unlock_read_at(lock.place());
    assert_eq!(kinds(lock.place()), [Kind::Upgradable]);
    assert!(lock.upgrade_at(lock.place(), None));
    assert_eq!(kinds(lock.place()), [Kind::Lock]);
    lock.downgrade_at(lock.place());
    assert_eq!(kinds(lock.place()), [Kind::Read]);
    lock.unlock_read_at(lock.place());
    assert_nobody();
}

#[test]
fn what_was_not_entered_takes_nobody_out() {
    let _alone = Alone::at(Detail::Off);
    let (mutex, lock) = (RawMutex::new(), RawRwLock::new());
    assert!(mutex.try_lock() && lock.try_read());
    set_detail(Detail::Timing);
    let (own, other) = (
        me(),
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                assert!(lock.try_read());
                me()
            });
            reader.join().expect("it reads")
        }),
    );
    assert_ne!(own, other);
    assert!(holders(mutex.place()).is_empty());
    assert_eq!(threads(lock.place()), [other]);
    mutex.unlock_at(mutex.place());
    lock.unlock_read_at(lock.place());
    assert_eq!(threads(lock.place()), [other], "the other one reads on");
    // Who has taken a lock need not be who gives it back.
    lock.unlock_read_at(lock.place());
    assert!(!lock.is_locked());
    assert_nobody();
}

#[test]
fn who_upgrades_what_was_not_entered_is() {
    let _alone = Alone::at(Detail::Off);
    let lock = RawRwLock::new();
    assert!(lock.try_upgradable());
    set_detail(Detail::Timing);
    assert!(lock.try_upgrade_at(lock.place()));
    assert_eq!(kinds(lock.place()), [Kind::Lock]);
    lock.downgrade_to_upgradable_at(lock.place());
    assert_eq!(kinds(lock.place()), [Kind::Upgradable]);
    lock.downgrade_upgradable_at(lock.place());
    assert_eq!(kinds(lock.place()), [Kind::Read]);
    lock.unlock_read_at(lock.place());
    assert_nobody();
}

#[test]
fn where_in_the_source_is_known_in_full_only() {
    let _alone = Alone::at(Detail::Timing);
    let mutex = RawMutex::new();
    for (detail, is_known) in [(Detail::Timing, false), (Detail::Full, true)] {
        set_detail(detail);
        let line = line!() + 1;
        assert!(mutex.try_lock());
        let [seen] = holders(mutex.place())[..] else {
            panic!("one holds it");
        };
        assert!(seen.since_ns.is_some() && seen.thread.is_some() && !seen.is_task);
        let location = seen.location.map(|place| (place.file(), place.line()));
        assert_eq!(location, is_known.then_some((file!(), line)));
        mutex.unlock_at(mutex.place());
    }
}

/// In one part of the list, of sixteen.
fn crowd(count: usize) -> Vec<&'static RawMutex> {
    let many = leak([const { RawMutex::new() }; 4096]);
    let crowd = many.iter().filter(|mutex| slot(mutex.place()) % 16 == 0);
    let crowd = crowd.take(count).collect::<Vec<_>>();
    assert_eq!(crowd.len(), count);
    crowd
}

#[test]
fn who_finds_no_room_is_counted() {
    let _alone = Alone::at(Detail::Timing);
    let before = process_table().unlisted();
    let crowd = crowd(66);
    for mutex in &crowd {
        assert!(mutex.try_lock());
    }
    assert_eq!(process_table().unlisted() - before, 2);
    let is_listed = |mutex: &RawMutex| !holders(mutex.place()).is_empty();
    assert!(crowd[..64].iter().all(|mutex| is_listed(mutex)));
    assert!(!crowd[64..].iter().any(|mutex| is_listed(mutex)));
    // Each in its slot alone.
    let all = (0..process_table().slot_count()).flat_map(look);
    assert_eq!(all.filter(|seen| seen.holds).count(), 64);
    // Those of other parts are.
    let other = leak([const { RawMutex::new() }; 64]);
    let other = other.iter().find(|mutex| slot(mutex.place()) % 16 == 1);
    let other = other.expect("one of 64 is in it");
    assert!(other.try_lock() && is_listed(other));
    other.unlock_at(other.place());
    // Who is not listed takes nobody out, and who is makes room.
    crowd[65].unlock_at(crowd[65].place());
    assert!(crowd[..64].iter().all(|mutex| is_listed(mutex)));
    crowd[0].unlock_at(crowd[0].place());
    assert!(crowd[65].try_lock() && is_listed(crowd[65]));
    for mutex in &crowd[1..] {
        mutex.unlock_at(mutex.place());
    }
    assert_nobody();
    assert_eq!(
        process_table().unlisted() - before,
        2,
        "since the process began"
    );
}
