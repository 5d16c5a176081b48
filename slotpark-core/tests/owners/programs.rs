//! Random programs: what is entered is what is held.

use std::thread;

use slotpark_core::{Detail, Kind, RawMutex, RawRwLock, set_detail};

use crate::common::{Numbers, leak, watchdog};
use crate::{Alone, assert_nobody, kinds};

const ROUNDS: usize = if cfg!(miri) { 50 } else { 20_000 };

fn order(kind: Kind) -> usize {
    let all = [Kind::Read, Kind::Upgradable, Kind::Lock];
    all.into_iter().position(|other| other == kind).unwrap_or(3)
}

fn give(lock: &RawRwLock, kind: Kind) {
    match kind {
        Kind::Read => lock.unlock_read_at(lock.place()),
        Kind::Upgradable => lock.unlock_upgradable_at(lock.place()),
        _ => lock.unlock_write_at(lock.place()),
    }
}

/// One step: what it makes of a hold, if it is possible.
fn change(lock: &RawRwLock, held: Kind, numbers: &mut Numbers) -> Kind {
    match (held, numbers.below(3)) {
        (Kind::Upgradable, 0) if lock.try_upgrade_at(lock.place()) => return Kind::Lock,
        (Kind::Upgradable, 1) => lock.downgrade_upgradable_at(lock.place()),
        (Kind::Lock, 0) => lock.downgrade_at(lock.place()),
        (Kind::Lock, 1) => {
            lock.downgrade_to_upgradable_at(lock.place());
            return Kind::Upgradable;
        }
        _ => return held,
    }
    Kind::Read
}

#[test]
fn one_thread_holds_what_is_entered() {
    let _alone = Alone::at(Detail::Timing);
    let lock = RawRwLock::new();
    let mut numbers = Numbers::new(1);
    let mut held = Vec::new();
    for round in 0..ROUNDS {
        match numbers.below(6) {
            0 if lock.try_read() => held.push(Kind::Read),
            1 if lock.try_upgradable() => held.push(Kind::Upgradable),
            2 if lock.try_write() => held.push(Kind::Lock),
            3 | 4 if !held.is_empty() => {
                let which = numbers.below(held.len() as u64) as usize;
                give(&lock, held.swap_remove(which));
            }
            5 if !held.is_empty() => {
                let which = numbers.below(held.len() as u64) as usize;
                held[which] = change(&lock, held[which], &mut numbers);
            }
            _ => {}
        }
        held.sort_by_key(|kind| order(*kind));
        let mut entered = kinds(lock.place());
        entered.sort_by_key(|kind| order(*kind));
        assert_eq!(entered, held, "round {round}");
    }
    for kind in held {
        give(&lock, kind);
    }
    assert_nobody();
}

/// Levels change meanwhile, too.
#[test]
fn nobody_is_left_behind() {
    let _watchdog = watchdog("nobody_is_left_behind");
    let _alone = Alone::at(Detail::Timing);
    let locks = leak([const { (RawMutex::new(), RawRwLock::new()) }; 3]);
    thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || {
                let mut numbers = Numbers::new(seed);
                for _ in 0..ROUNDS / 4 {
                    let (mutex, lock) = &locks[numbers.below(3) as usize];
                    match numbers.below(4) {
                        0 => {
                            assert!(mutex.lock_at(mutex.place(), None));
                            mutex.unlock_at(mutex.place());
                        }
                        1 => {
                            assert!(lock.read_at(lock.place(), None));
                            lock.unlock_read_at(lock.place());
                        }
                        2 => {
                            assert!(lock.upgradable_at(lock.place(), None));
                            let held = change(lock, Kind::Upgradable, &mut numbers);
                            give(lock, held);
                        }
                        _ => {
                            assert!(lock.write_at(lock.place(), None));
                            let held = change(lock, Kind::Lock, &mut numbers);
                            give(lock, held);
                        }
                    }
                    if numbers.below(64) == 0 {
                        let level = numbers.below(2) == 0;
                        set_detail(if level { Detail::Timing } else { Detail::Off });
                    }
                }
            });
        }
    });
    assert_nobody();
}
