//! Every adapter for threads really waits and really wakes, its own key only.

use super::*;
use crate::measure::threads::{Sight, spin_until, start_seen};
use crate::measure::{Deadline, Engine, Outcome, Place, Slots, Word};

use crossbeam_utils::atomic::AtomicCell;
use std::time::Duration;

const SLEEPERS: usize = 3;
/// For a wake that never comes.
const PATIENCE: Duration = Duration::from_secs(60);

fn place(key: u64, word: &Word) -> Place<'_> {
    Place { key, word }
}

/// One thread alone: nobody to wake, a value that has changed, a deadline that is past.
fn alone<E: Engine>(name: &str, engine: &E) {
    let (word, past) = (Word::default(), Deadline::past());
    let at = place(1, &word);
    assert_eq!(engine.wake_one(at), 0, "{name}");
    assert_eq!(engine.wake_all(at), 0, "{name}");
    assert_eq!(engine.wait(at, 1, None), Outcome::Stale, "{name}");
    let soon = Deadline::after(Duration::from_millis(1));
    for deadline in [&past, &soon] {
        assert_eq!(
            engine.wait(at, 0, Some(deadline)),
            Outcome::TimedOut,
            "{name}"
        );
    }
}

/// Threads that sleep go on when their word has changed and their key is woken.
fn wakes<E: Engine>(name: &str) {
    let made = E::new(Slots::Default).expect("every engine has a default table");
    let engine: &'static E = Box::leak(Box::new(made));
    alone(name, engine);
    let words: &'static [Word; 2] = Box::leak(Box::default());
    let returned: &'static AtomicCell<usize> = Box::leak(Box::default());
    let sleepers = start_seen(SLEEPERS, move |_| {
        engine.wait_while(place(7, &words[0]), 0);
        returned.fetch_add(1);
    });
    let asleep = || sleepers.iter().all(Sight::asleep);
    assert!(spin_until(PATIENCE, asleep), "{name}: they sleep");
    // Nobody waits there.
    words[1].set(1);
    engine.wake_all(place(8, &words[1]));
    assert!(spin_until(PATIENCE, asleep), "{name}: they sleep on");
    assert_eq!(returned.load(), 0, "{name}");
    words[0].set(1);
    assert!(engine.wake_one(place(7, &words[0])) >= 1, "{name}");
    assert!(
        spin_until(PATIENCE, || returned.load() >= 1),
        "{name}: one goes on"
    );
    engine.wake_all(place(7, &words[0]));
    let all = || returned.load() == SLEEPERS;
    assert!(spin_until(PATIENCE, all), "{name}: all go on");
}

#[test]
fn every_engine_of_threads_waits_and_is_woken() {
    wakes::<Slotpark>("slotpark");
    wakes::<Chosen<Slotpark, ManySlots>>("slotpark_many_slots");
    wakes::<Chosen<Slotpark, OneSlot>>("slotpark_one_slot");
    wakes::<Chosen<Slotpark, NeverSpin>>("slotpark_never_spin");
    wakes::<FutexNumbers<Process>>("slotpark_futex");
    wakes::<Futex>("futex");
    wakes::<ParkingLotCore>("parking_lot_core");
    wakes::<ParkingLotCore09>("parking_lot_core_09");
    wakes::<DashMapArc<Kept>>("dashmap_arc");
    wakes::<StdMap>("std_map");
    wakes::<StdOne>("std_one_condvar");
}

#[test]
fn engines_that_are_made_otherwise_are() {
    let slots = |counts: Option<Vec<u32>>| counts.map(|counts| counts.len());
    let one = Chosen::<Slotpark, OneSlot>::new(Slots::Default).expect("it can be made");
    let many = Chosen::<Slotpark, ManySlots>::new(Slots::Default).expect("it can be made");
    assert_eq!(slots(one.queued_by_slot()), Some(1));
    assert!(slots(many.queued_by_slot()) > Some(100_000));
}

#[test]
fn a_map_of_the_standard_library_keeps_no_entry() {
    let map = StdMap::default();
    alone("std_map", &map);
    assert!(map.is_empty());
}

#[test]
fn the_floor_finds_nobody() {
    let floor = Floor::new(Slots::Default).expect("it can be made");
    let word = Word::default();
    assert_eq!(floor.wake_one(place(1, &word)), 0);
}
