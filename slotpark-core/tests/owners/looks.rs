//! What a look finds: with little room, of locks that are gone, of tasks.

use std::pin::pin;
use std::thread;

use slotpark_core::{
    Detail, FutexKey, Inspect, Kind, RawMutex, RawRwLock, Seen, process_table, set_detail,
    task_label,
};

use crate::common::bells::ready;
use crate::common::{leak, until, watchdog};
use crate::{Alone, Place, assert_nobody, holders, kinds, look, me, slot, threads, waiters};

/// Mutexes whose waiters wait in one slot.
fn neighbours<const N: usize>() -> [&'static RawMutex; N] {
    let many = leak([const { RawMutex::new() }; 8192]);
    let index = slot(many[0].place());
    let mut found = many.iter().filter(|mutex| slot(mutex.place()) == index);
    [(); N].map(|()| found.next().expect("16 in each slot, on average"))
}

fn text(place: Place) -> String {
    let key: FutexKey = place.key;
    let seen = holders(place);
    assert_eq!(place.key, key);
    seen[0].key.expect("it has a text").as_str().to_owned()
}

#[test]
fn holders_stand_behind_those_who_wait_for_them() {
    let _watchdog = watchdog("holders_stand_behind_those_who_wait_for_them");
    let _alone = Alone::at(Detail::Timing);
    let mutexes = neighbours::<3>();
    let index = slot(mutexes[0].place());
    for mutex in mutexes {
        assert!(mutex.try_lock());
    }
    let waiting = [0, 0, 1].map(|number: usize| {
        let mutex = mutexes[number];
        let before = waiters(mutex.place());
        let thread = thread::spawn(move || {
            assert!(mutex.lock_at(mutex.place(), None));
            mutex.unlock_at(mutex.place());
        });
        until("it waits", || waiters(mutex.place()) > before);
        thread
    });
    let seen = look(index);
    assert_eq!(seen.len(), 6);
    for (number, mutex) in mutexes.into_iter().enumerate() {
        let own = |seen: &&Seen| seen.hash == mutex.place().hash;
        let queue = seen.iter().filter(own).map(|seen| (seen.queue, seen.holds));
        let queue = queue.collect::<Vec<_>>();
        let first = queue[0].0;
        let waits = [2, 1, 0][number];
        let expected = (0..=waits).map(|place| (first, place == waits));
        assert_eq!(queue, expected.collect::<Vec<_>>());
        // Nobody stands in between.
        let of_queue = seen.iter().map(|seen| seen.queue == first);
        let of_queue = of_queue.collect::<Vec<_>>();
        let begin = of_queue.iter().position(|is_own| *is_own);
        let begin = begin.expect("it is there");
        assert!(of_queue[begin..=begin + waits].iter().all(|is_own| *is_own));
        assert_eq!(of_queue.iter().filter(|is_own| **is_own).count(), waits + 1);
        let key = format!("mutex at {:#x}", std::ptr::from_ref(mutex).addr());
        assert_eq!(text(mutex.place()), key);
    }
    for room_count in 0..=7 {
        let mut room = vec![Seen::default(); room_count];
        assert_eq!(process_table().look(index, &mut room), 6);
        let copied = room.iter().take(6);
        assert!(copied.map(|seen| seen.hash).all(|hash| hash != 0));
        // Who waits was there first.
        let holds = room.iter().filter(|seen| seen.holds).count();
        assert_eq!(holds, room_count.clamp(3, 6) - 3);
    }
    for mutex in mutexes {
        mutex.unlock_at(mutex.place());
    }
    for thread in waiting {
        thread.join().expect("it had the lock");
    }
    assert_nobody();
}

#[test]
fn a_dropped_lock_is_held_by_nobody() {
    let _alone = Alone::at(Detail::Timing);
    for detail in [Detail::Timing, Detail::Off] {
        set_detail(Detail::Timing);
        let (mutex, lock) = (Box::new(RawMutex::new()), Box::new(RawRwLock::new()));
        // As by guards that were forgotten.
        assert!(mutex.try_lock() && lock.try_read() && lock.try_upgradable());
        let places = [mutex.place(), lock.place()];
        assert_eq!(places.map(|place| holders(place).len()), [1, 2]);
        set_detail(detail);
        drop((mutex, lock));
        assert_nobody();
    }
}

#[test]
fn who_locks_where_a_lock_lay_is_its_only_owner() {
    let _alone = Alone::at(Detail::Timing);
    let (mut mutex, mut lock) = (RawMutex::new(), RawRwLock::new());
    assert!(mutex.try_lock() && lock.try_read() && lock.try_upgradable());
    // Moved while it is locked, which guards that were forgotten allow.
    let moved = (std::mem::take(&mut mutex), std::mem::take(&mut lock));
    let (own, other) = (
        me(),
        thread::scope(|scope| {
            let owner = scope.spawn(|| {
                assert!(mutex.try_lock() && lock.try_upgradable());
                me()
            });
            owner.join().expect("it locks")
        }),
    );
    assert_eq!(threads(mutex.place()), [other]);
    let upgradable = holders(lock.place());
    let upgradable = upgradable.iter().find(|seen| seen.kind == Kind::Upgradable);
    assert_eq!(upgradable.expect("one of the two").thread, other);
    // The reader is not: there may be some.
    assert_eq!(threads(lock.place()).len(), 2);
    lock.unlock_upgradable_at(lock.place());
    assert!(lock.try_write());
    assert_eq!(threads(lock.place()), [own]);
    lock.unlock_write_at(lock.place());
    mutex.unlock_at(mutex.place());
    assert_nobody();
    drop(moved);
}

#[test]
fn a_task_that_has_a_name_is_an_owner() {
    let _alone = Alone::at(Detail::Timing);
    let (mutex, lock) = (RawMutex::new(), RawRwLock::new());
    let named = task_label("compaction", async {
        assert!(mutex.try_lock() && lock.try_read());
    });
    ready(pin!(named));
    assert!(lock.try_read());
    let [seen] = holders(mutex.place())[..] else {
        panic!("one holds it");
    };
    assert!(seen.is_task && seen.task.is_some());
    assert_eq!((seen.task_label, seen.thread), (Some("compaction"), me()));
    let readers = holders(lock.place());
    let mut tasks = readers.iter().map(|seen| seen.task).collect::<Vec<_>>();
    tasks.sort();
    assert_eq!(tasks, [None, seen.task]);
    mutex.unlock_at(mutex.place());
    lock.unlock_read_at(lock.place());
    lock.unlock_read_at(lock.place());
    assert_nobody();
}

#[test]
fn tables_of_the_user_show_no_owners() {
    let _alone = Alone::at(Detail::Timing);
    let table = slotpark_core::Table::<FutexKey>::new();
    let mutex = RawMutex::new();
    assert!(mutex.try_lock());
    assert_eq!(kinds(mutex.place()), [Kind::Lock]);
    let seen = (0..table.slot_count()).map(|index| table.look(index, &mut []));
    assert_eq!(seen.sum::<usize>(), 0);
    assert_eq!(table.unlisted(), 0);
    mutex.unlock_at(mutex.place());
}
