//! A lock of one word, built on the three closures as word-sized primitives are.

use std::sync::Arc;

use loom::sync::atomic::Ordering;
use slotpark_core::{Filter, ParkOptions, Parked, word};

use crate::host::OwnBit;
use crate::plain::Plain;
use crate::scene::{A, SOON, Scene, explore};

const LOCKED: u32 = 1;
const PARKED: u32 = 2;
/// The token that says "the lock is yours".
const HANDED: u64 = 1;

/// Takes the lock, or gives up at the first sleep if `patient` is not set; true if taken.
fn lock(scene: &Scene, patient: bool) -> bool {
    loop {
        let word = scene.value.load(Ordering::Relaxed);
        if word & LOCKED == 0 {
            if swap(scene, word, word | LOCKED) {
                return true;
            }
            continue;
        }
        if word & PARKED == 0 && !swap(scene, word, word | PARKED) {
            continue;
        }
        let options = ParkOptions::new().deadline(if patient { None } else { SOON });
        let parked = scene.table.park_with(
            A,
            &A,
            options,
            || Ok::<_, ()>(scene.holds(LOCKED | PARKED)),
            || {},
            |left| {
                if left.last {
                    scene.value.fetch_and(!PARKED, Ordering::Relaxed);
                }
            },
        );
        match parked.expect("validate does not fail") {
            Parked::Woken { token: HANDED } => return true,
            Parked::TimedOut => return false,
            _ => {}
        }
    }
}

fn swap(scene: &Scene, old: u32, new: u32) -> bool {
    scene
        .value
        .compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed)
        .is_ok()
}

/// Frees the lock, or hands it to the oldest waiter.
fn unlock(scene: &Scene) {
    let free = scene
        .value
        .compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed);
    if free.is_ok() {
        return;
    }
    let oldest = |_: &_| Filter::Unpark;
    let _woken = scene.table.unpark_with(A, &A, 1, oldest, |choice| {
        let parked = if choice.remain { PARKED } else { 0 };
        let locked = if choice.count == 1 { LOCKED } else { 0 };
        scene.value.store(parked | locked, Ordering::Release);
        HANDED
    });
}

/// Two threads lock; the second one patiently or not.
fn two_lockers<const N: usize>(patient: bool, expected: [u32; N]) {
    explore(expected, move || {
        let scene = Scene::<OwnBit>::new(1);
        let inside = Arc::new(Plain::new());
        let shared = Arc::clone(&inside);
        let other = scene.spawn(move |scene| {
            if lock(scene, patient) {
                shared.set(shared.get() + 1);
                unlock(scene);
            }
        });
        assert!(lock(&scene, true));
        inside.set(inside.get() + 1);
        unlock(&scene);
        other.join().unwrap();
        assert!(scene.holds(0), "free, and no bit is left");
        scene.assert_empty();
        inside.get()
    });
}

#[test]
fn a_word_lock_is_handed_over() {
    two_lockers(true, [2]);
}

#[test]
fn a_word_lock_forgets_who_gave_up() {
    two_lockers(false, [1, 2]);
}

/// Two change a word in turn, and before that a cell: the second sees the first one's.
#[test]
fn pair_word() {
    explore([()], || {
        let scene = Scene::<OwnBit>::new(1);
        let inside = Arc::new(Plain::new());
        let shared = Arc::clone(&inside);
        let turn = |scene: &Scene<OwnBit>, inside: &Plain, first: bool| {
            if first {
                inside.set(1);
            }
            let old = word::update(&scene.value, |old| old + if first { 1 } else { 2 });
            if !first && old == 1 {
                assert_eq!(inside.get(), 1, "what came before the change");
            }
        };
        let other = scene.spawn(move |scene| turn(scene, &shared, true));
        turn(&scene, &inside, false);
        other.join().unwrap();
        assert!(scene.holds(3));
    });
}
