//! The locks with guards: the same random operations as a naive model, and as std's locks.
#![cfg(feature = "lock_api")]

#[path = "../../slotpark-core/tests/common/mod.rs"]
mod common;

use std::collections::VecDeque;
use std::sync::{self, PoisonError};
use std::time::{Duration, Instant};

use common::{Numbers, watchdog};
use slotpark::{
    Condvar, Mutex, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
};

/// What one thread holds of a reader-writer lock.
enum Held<'a> {
    Read(RwLockReadGuard<'a, u64>),
    Upgradable(RwLockUpgradableReadGuard<'a, u64>),
    Write(RwLockWriteGuard<'a, u64>),
}

/// What may be held beside what.
#[derive(Default)]
struct Model {
    readers: usize,
    upgradable: bool,
    writer: bool,
    value: u64,
}

impl Model {
    fn count(&mut self, held: &Held<'_>, by: isize) {
        match held {
            Held::Read(_) => {
                let readers = self.readers.checked_add_signed(by);
                self.readers = readers.expect("no reader leaves twice");
            }
            Held::Upgradable(_) => self.upgradable = by > 0,
            Held::Write(_) => self.writer = by > 0,
        }
    }
}

/// One thread tries, upgrades, downgrades and lets go at random: it gets what the model says.
#[test]
fn a_reader_writer_lock_does_as_its_model() {
    let lock = RwLock::new(0);
    let (mut model, mut held) = (Model::default(), Vec::new());
    let mut numbers = Numbers::new(1);
    for _ in 0..50_000 {
        let free = !model.writer;
        let got = match numbers.below(4) {
            0 => {
                let got = lock.try_read().map(Held::Read);
                assert_eq!(got.is_some(), free);
                got
            }
            1 => {
                let got = lock.try_upgradable_read().map(Held::Upgradable);
                assert_eq!(got.is_some(), free && !model.upgradable);
                got
            }
            2 => {
                let got = lock.try_write().map(Held::Write);
                let alone = free && !model.upgradable && model.readers == 0;
                assert_eq!(got.is_some(), alone);
                got
            }
            _ => change(&mut held, &mut model, &mut numbers),
        };
        if let Some(got) = got {
            model.count(&got, 1);
            held.push(got);
        }
        assert_eq!(lock.is_locked_exclusive(), model.writer);
        assert_eq!(lock.is_locked(), !held.is_empty());
        if held.len() > 6 {
            held.clear();
            model = Model {
                value: model.value,
                ..Model::default()
            };
        }
    }
    drop(held);
    assert_eq!(lock.into_inner(), model.value);
}

/// Changes something that is held; what it has become, unless it was let go.
fn change<'a>(
    held: &mut Vec<Held<'a>>,
    model: &mut Model,
    numbers: &mut Numbers,
) -> Option<Held<'a>> {
    if held.is_empty() {
        return None;
    }
    let one = held.swap_remove(numbers.below(held.len() as u64) as usize);
    model.count(&one, -1);
    match one {
        Held::Read(guard) => {
            assert_eq!(*guard, model.value);
            None
        }
        Held::Upgradable(guard) if numbers.below(2) == 0 => {
            Some(Held::Read(RwLockUpgradableReadGuard::downgrade(guard)))
        }
        Held::Upgradable(guard) => match RwLockUpgradableReadGuard::try_upgrade(guard) {
            Ok(guard) => {
                assert_eq!(model.readers, 0);
                Some(Held::Write(guard))
            }
            Err(guard) => {
                assert!(model.readers > 0);
                Some(Held::Upgradable(guard))
            }
        },
        Held::Write(mut guard) => {
            *guard += 1;
            model.value += 1;
            match numbers.below(3) {
                0 => Some(Held::Read(RwLockWriteGuard::downgrade(guard))),
                1 => Some(Held::Upgradable(RwLockWriteGuard::downgrade_to_upgradable(
                    guard,
                ))),
                _ => None,
            }
        }
    }
}

/// A queue with room for two, as std's locks and as ours guard it.
trait Queue: Sync {
    fn push(&self, item: u64);
    fn pop(&self) -> u64;
}

const ROOM: usize = 2;

#[derive(Default)]
struct Ours {
    items: Mutex<VecDeque<u64>>,
    pushed: Condvar,
    popped: Condvar,
}

impl Queue for Ours {
    fn push(&self, item: u64) {
        let mut items = self.items.lock();
        while items.len() == ROOM {
            self.popped.wait(&mut items);
        }
        items.push_back(item);
        // Both ways: with the mutex locked, and free.
        if item % 2 == 0 {
            drop(items);
        }
        self.pushed.notify_one();
    }

    fn pop(&self) -> u64 {
        let mut items = self.items.lock();
        loop {
            if let Some(item) = items.pop_front() {
                self.popped.notify_all();
                return item;
            }
            // Now and then by the deadline.
            let _timed_out = self.pushed.wait_for(&mut items, Duration::from_millis(1));
        }
    }
}

#[derive(Default)]
struct Theirs {
    items: sync::Mutex<VecDeque<u64>>,
    pushed: sync::Condvar,
    popped: sync::Condvar,
}

impl Queue for Theirs {
    fn push(&self, item: u64) {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |items: &mut VecDeque<u64>| items.len() == ROOM;
        let items = self.popped.wait_while(items, is_full);
        items
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(item);
        self.pushed.notify_one();
    }

    fn pop(&self) -> u64 {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let items = self.pushed.wait_while(items, |items| items.is_empty());
        let item = items.unwrap_or_else(PoisonError::into_inner).pop_front();
        self.popped.notify_all();
        item.expect("not empty")
    }
}

/// What comes out, sorted.
fn passed_through(queue: &impl Queue) -> Vec<u64> {
    const ITEMS: u64 = 3_000;
    std::thread::scope(|scope| {
        let consumers =
            [(); 3].map(|()| scope.spawn(|| (0..ITEMS).map(|_| queue.pop()).collect::<Vec<_>>()));
        for producer in 0..3 {
            scope.spawn(move || (0..ITEMS).for_each(|item| queue.push(item * 3 + producer)));
        }
        let mut items: Vec<_> = consumers
            .into_iter()
            .flat_map(|consumer| consumer.join().expect("no panic"))
            .collect();
        items.sort_unstable();
        items
    })
}

#[test]
fn a_queue_loses_nothing() {
    let _watch = watchdog("a_queue_loses_nothing");
    let ours = passed_through(&Ours::default());
    assert_eq!(ours, passed_through(&Theirs::default()));
}

/// Deadlines: nothing is locked when they pass, and nothing returns before them.
#[test]
fn deadlines() {
    let _watch = watchdog("deadlines");
    let (mutex, lock, condvar) = (Mutex::new(0), RwLock::new(0), Condvar::new());
    let (mut guard, reading) = (mutex.lock(), lock.upgradable_read());
    let timeout = Duration::from_millis(5);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(lock.try_write_for(timeout).is_none());
            assert!(lock.try_upgradable_read_until(begin).is_none());
            assert!(lock.try_read_for(timeout).is_some(), "the writer has left");
        });
    });
    assert!(begin.elapsed() >= timeout);
    assert!(condvar.wait_for(&mut guard, timeout).timed_out());
    assert!(condvar.wait_until(&mut guard, begin).timed_out());
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(mutex.try_lock_for(timeout).is_none()));
    });
    assert!(begin.elapsed() >= 3 * timeout);
    drop(guard);
    assert!(mutex.try_lock_until(begin).is_some());
    assert!(RwLockUpgradableReadGuard::try_upgrade_for(reading, timeout).is_ok());
}

/// A panic lets go of what was locked, and poisons nothing.
#[test]
fn a_panic_unlocks() {
    let mutex = Mutex::new(0);
    let add = std::panic::AssertUnwindSafe(|| {
        *mutex.lock() += 1;
        let _guard = mutex.lock();
        panic!("on purpose");
    });
    assert!(std::panic::catch_unwind(add).is_err());
    assert_eq!(mutex.try_lock().map(|guard| *guard), Some(1));
    assert_eq!(size_of::<Mutex<()>>(), 1);
    assert_eq!(size_of::<RwLock<()>>(), 4);
    assert_eq!(size_of::<Condvar>(), size_of::<usize>());
}
