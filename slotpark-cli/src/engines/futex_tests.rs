//! Every adapter of the futex operations does the same.

use std::time::Duration;

use rustix::time::Timespec;

use super::{Futex, FutexNumbers, NoSpin, Process};
use crate::measure::futex::{FutexEngine, WORDS};
use crate::measure::threads::{spin_until, start_seen};
use crate::measure::{Deadline, Outcome, Place, Slots, Word};

fn place(word: &Word) -> Place<'_> {
    Place { key: 1, word }
}

/// Calls that find nothing to do.
fn finds_nothing<E: FutexEngine>(engine: &E) {
    let words: [Word; WORDS] = Default::default();
    let [first, second, ..] = &words;
    assert_eq!(engine.wake_one(place(first)), 0, "{}", E::NAME);
    assert_eq!(engine.wake_all(place(first)), 0, "{}", E::NAME);
    let hour = Timespec::try_from(Duration::from_secs(3600)).unwrap();
    let past = Deadline::past();
    assert_eq!(engine.wait(place(first), 1, None), Outcome::Stale);
    assert_eq!(engine.wait(place(first), 1, Some(&past)), Outcome::Stale);
    assert_eq!(engine.wait(place(first), 0, Some(&past)), Outcome::TimedOut);
    assert_eq!(engine.wait_for(first, 1, &hour), Outcome::Stale);
    assert_eq!(
        engine.wait_for(first, 0, &Timespec::default()),
        Outcome::TimedOut
    );
    assert_eq!(engine.cmp_requeue([first, second], 0), Some(0));
    assert_eq!(engine.cmp_requeue([first, second], 1), None);
    second.set(7);
    assert_eq!(engine.wake_op([first, second]), Some(0));
    assert_eq!(second.value(), 0, "{}: it is set", E::NAME);
    let mut expected = words.each_ref().map(|word| (word, 0));
    expected[WORDS - 1].1 = 1;
    assert_eq!(engine.waitv(&E::entries(expected)), Outcome::Stale);
}

/// Waiters that sleep are moved, woken and counted.
fn wakes<E: FutexEngine>(engine: &'static E) {
    let [from, to] = Box::leak(Box::new([Word::default(), Word::default()]));
    let (from, to): (&'static Word, &'static Word) = (from, to);
    let sleepers = start_seen(3, move |_| {
        let outcome = engine.wait(place(from), 0, None);
        assert_eq!(outcome, Outcome::Woken, "{}", E::NAME);
        to.add_one();
    });
    let asleep = || (0..2).all(|_| sleepers.iter().all(|sleeper| sleeper.asleep()));
    spin_until(Duration::MAX, asleep);
    assert_eq!(engine.wake_one(place(from)), 1, "{}", E::NAME);
    assert_eq!(engine.cmp_requeue([from, to], 0), Some(2), "{}", E::NAME);
    assert_eq!(engine.wake_all(place(to)), 1, "{}", E::NAME);
    spin_until(Duration::MAX, || to.value() == 3);
}

fn check<E: FutexEngine>() {
    let engine = E::new(Slots::Default).expect("it has a default table");
    let engine: &'static E = Box::leak(Box::new(engine));
    finds_nothing(engine);
    wakes(engine);
}

#[test]
fn the_kernel_and_slotpark_do_the_same() {
    check::<Futex>();
    check::<FutexNumbers<Process>>();
    check::<FutexNumbers<NoSpin>>();
}
