//! Requeues against time-outs, against wakes and against each other: nobody is lost, nobody is
//! there twice.

use std::thread::{scope, yield_now};

use slotpark_core::{Parked, Platform, Spin};

use crate::scene::{ALL, AT, ELSEWHERE, NEIGHBOUR, Scene, woken};

/// A key in a slot where nobody begins to wait.
const MEETING: (u64, u64) = (4, 4);

/// Two threads: a waiter leaves the slot that it is in now, wherever it was moved.
pub(crate) fn requeue_against_timeout<P: Platform>() {
    for to in [NEIGHBOUR, ELSEWHERE] {
        let scene = Scene::<P>::new(Spin::Never);
        scope(|threads| {
            let waiter = threads.spawn(|| [(); 2].map(|()| scene.wait_shortly(AT)));
            let moved = scene.requeue(AT, to) + scene.requeue(to, AT);
            assert!(moved <= 2);
            assert_eq!(waiter.join().unwrap(), [Parked::TimedOut; 2]);
        });
        scene.assert_empty();
    }
}

/// Three threads: a waiter is moved while its first key is woken, and counted once.
pub(crate) fn requeue_against_wake<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let waiter = threads.spawn(|| scene.wait_at(AT));
        scene.until_queued(AT, 1);
        let mover = threads.spawn(|| scene.requeue(AT, ELSEWHERE));
        let first = scene.wake(AT, ALL, 1);
        let moved = mover.join().unwrap();
        assert_eq!(first + moved, 1, "woken at its first key, or moved");
        assert_eq!(scene.wake(ELSEWHERE, ALL, 2), moved);
        let token = if moved == 1 { 2 } else { 1 };
        assert_eq!(waiter.join().unwrap(), woken(token));
    });
    scene.assert_empty();
}

/// Four threads: two requeues against each other lose neither of two waiters.
pub(crate) fn requeues_against_each_other<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let scene = &scene;
        let waiters = [AT, ELSEWHERE].map(|at| threads.spawn(move || scene.wait_at(at)));
        let mover = threads.spawn(|| scene.requeue(ELSEWHERE, AT));
        scene.requeue(AT, ELSEWHERE);
        mover.join().unwrap();
        let mut counted = 0;
        while counted < 2 {
            counted += scene.wake(AT, ALL, 3) + scene.wake(ELSEWHERE, ALL, 3);
            yield_now();
        }
        assert_eq!(counted, 2);
        assert_eq!(waiters.map(|waiter| waiter.join().unwrap()), [woken(3); 2]);
    });
    scene.assert_empty();
}

/// Waiters with three homes meet at one key and are woken by one call.
pub(crate) fn sleepers_of_three_homes<P: Platform>() {
    let scene = Scene::<P>::new(Spin::Never);
    scope(|threads| {
        let scene = &scene;
        let homes = [AT, ELSEWHERE, NEIGHBOUR];
        let waiters = homes.map(|at| threads.spawn(move || scene.wait_at(at)));
        for at in homes {
            scene.until_queued(at, 1);
            assert_eq!(scene.requeue(at, MEETING), 1);
        }
        assert_eq!(scene.waiters(MEETING), 3);
        assert_eq!(scene.wake(MEETING, ALL, 8), 3);
        assert_eq!(waiters.map(|waiter| waiter.join().unwrap()), [woken(8); 3]);
    });
    scene.assert_empty();
}
