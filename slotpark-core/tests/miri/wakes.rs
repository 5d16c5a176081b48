//! Waits against wakes: who is counted is woken with its token, once, and may be gone at once.

use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::thread::{scope, yield_now};

use slotpark_core::{ParkOptions, Parked, Platform, Spin, Table, finalize, word};

use crate::scene::{ALL, AT, NEIGHBOUR, Scene, woken};

/// Two threads, one of each: the wait is counted, or it sees the word.
pub(crate) fn wait_against_wake<P: Platform>() {
    for (spin, head_start) in [
        (Spin::Never, false),
        (Spin::Never, true),
        (Spin::DEFAULT, false),
        // Very likely woken while it spins.
        (Spin::DEFAULT, true),
    ] {
        let scene = Scene::<P>::new(spin);
        scope(|threads| {
            let waiter = threads.spawn(|| scene.wait_at(AT));
            if head_start {
                scene.until_queued(AT, 1);
            }
            scene.set();
            let expected = match scene.wake(AT, 1, 7) {
                0 => Parked::Stale,
                _ => woken(7),
            };
            assert_eq!(waiter.join().unwrap(), expected);
        });
        scene.assert_empty();
    }
}

/// Two threads: whether a wait times out or is woken, both sides say the same.
pub(crate) fn timeout_against_wake<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        for token in 1..=3 {
            let waiter = threads.spawn(|| scene.wait_shortly(AT));
            yield_now();
            let expected = match scene.wake(AT, 1, token) {
                0 => Parked::TimedOut,
                _ => woken(token),
            };
            assert_eq!(waiter.join().unwrap(), expected);
        }
    });
    scene.assert_empty();
}

/// Three threads: of two waiters one leaves while everybody is woken.
pub(crate) fn timeout_in_a_woken_group<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let stays = threads.spawn(|| scene.wait_at(AT));
        let leaves = threads.spawn(|| scene.wait_shortly(AT));
        scene.until_queued(AT, 1);
        let mut counted = scene.wake(AT, ALL, 5);
        let leaves = leaves.join().unwrap();
        let left_woken = usize::from(leaves != Parked::TimedOut);
        // The one that stays may have come after the first wake.
        while counted == left_woken {
            counted += scene.wake(AT, ALL, 5);
            yield_now();
        }
        assert_eq!(stays.join().unwrap(), woken(5));
        assert_eq!(counted, 1 + left_woken);
    });
    scene.assert_empty();
}

/// A group that sleeps: woken one by one, each with a token of its own, then all at once.
pub(crate) fn group_of_sleepers<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let waiters = [(); 3].map(|()| threads.spawn(|| scene.wait_at(AT)));
        for token in [1, 2, 3] {
            scene.wake_next(AT, token);
        }
        let mut tokens = waiters.map(|waiter| match waiter.join().unwrap() {
            Parked::Woken { token } => token,
            other => panic!("{other:?} of a wait that was woken"),
        });
        tokens.sort_unstable();
        assert_eq!(tokens, [1, 2, 3]);
        let waiters = [(); 3].map(|()| threads.spawn(|| scene.wait_at(AT)));
        scene.until_queued(AT, 3);
        assert_eq!(scene.wake(AT, ALL, 9), 3);
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), woken(9));
        }
    });
    scene.assert_empty();
}

/// Two keys of one slot: the wake of one leaves the waiter of the other where it is.
pub(crate) fn collision<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let here = threads.spawn(|| scene.wait_at(AT));
        let neighbour = threads.spawn(|| scene.wait_at(NEIGHBOUR));
        scene.wake_next(AT, 1);
        assert_eq!(here.join().unwrap(), woken(1));
        scene.until_queued(NEIGHBOUR, 1);
        assert_eq!(scene.wake(AT, ALL, 2), 0);
        assert_eq!(scene.wake(NEIGHBOUR, ALL, 3), 1);
        assert_eq!(neighbour.join().unwrap(), woken(3));
    });
    scene.assert_empty();
}

/// A third thread counts the waiters of a queue while others enter and leave it.
pub(crate) fn count_against_all<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let stays = threads.spawn(|| scene.wait_at(AT));
        let leaves = threads.spawn(|| [(); 2].map(|()| scene.wait_shortly(AT)));
        for _ in 0..4 {
            assert!(scene.waiters(AT) <= 2);
            yield_now();
        }
        assert_eq!(leaves.join().unwrap(), [Parked::TimedOut; 2]);
        scene.until_queued(AT, 1);
        assert_eq!(scene.waiters(AT), 1);
        assert_eq!(scene.wake(AT, ALL, 1), 1);
        assert_eq!(stays.join().unwrap(), woken(1));
    });
    scene.assert_empty();
}

/// The word is the waiter's: it frees it, and ends, as soon as it is woken.
pub(crate) fn wake_of_a_gone_object<P: Platform>() {
    let table = Table::<usize, P>::with_slots(1).with_spin(Spin::Never);
    let place = AtomicPtr::<AtomicU32>::default();
    scope(|threads| {
        threads.spawn(|| {
            let word = Box::new(AtomicU32::new(0));
            let address = (&raw const *word).addr();
            place.store((&raw const *word).cast_mut(), Ordering::Release);
            while word.load(Ordering::Acquire) == 0 {
                let options = ParkOptions::new();
                let hash = finalize(address as u64);
                let _outcome = table.park(hash, &address, options, || word::load(&word) == 0);
            }
        });
        let mut word = place.load(Ordering::Acquire);
        while word.is_null() {
            yield_now();
            word = place.load(Ordering::Acquire);
        }
        // SAFETY: the waiter frees its word only after it has read this 1 from it.
        unsafe { (*word).store(1, Ordering::Release) };
        let address = word.addr();
        assert!(table.unpark(finalize(address as u64), &address, 1, 0) <= 1);
    });
}
