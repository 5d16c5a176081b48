//! Waits that a signal may end, while wakes and requeues are under way.

use slotpark_core::ParkOptions;

use crate::host::{Alone, Choice, OwnBit, SharedBit};
use crate::scene::{A, ALL, B, Ended, SIGNAL, Scene, TOKEN, explore};

const WOKEN: Ended = Ended::Woken(TOKEN);
const KEYS: [(u64, &u64); 2] = [(A, &A), (B, &B)];

/// A waiter that a waker has counted never reports a signal, nor the other way round.
#[test]
fn woken_beats_a_signal() {
    one_signal::<OwnBit>();
    one_signal::<SharedBit>();
    one_signal::<Alone>();
}

fn one_signal<H: Choice>() {
    let expected = [(0, Ended::Stale), (0, Ended::Interrupted), (1, WOKEN)];
    explore(expected, || {
        let scene = Scene::<H>::new(1);
        let waiter = scene.spawn(|scene| scene.wait(A, SIGNAL));
        scene.set(1);
        let woken = scene.wake(A, 1);
        let ended = waiter.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (woken, ended)
    });
}

/// A requeue moves the waiter, a wake of the target looks for it there: it leaves the queue that it
/// is in by then, and is counted or is not.
#[test]
fn a_signal_against_a_requeue_and_a_wake_of_the_target() {
    let expected = [
        (Some(0), 0, Ended::Interrupted),
        (Some(1), 0, Ended::Interrupted),
        (Some(1), 1, WOKEN),
    ];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, mover) = scene.wait_then(A, SIGNAL, || {
            scene.spawn(|scene| (scene.requeue(A, B, || true), scene.wake(B, ALL)))
        });
        let (moved, woken) = mover.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (moved, woken, ended)
    });
}

/// Two wait; a wake of one is not lost on the one that a signal takes away.
#[test]
fn a_wake_is_not_lost_on_who_was_interrupted() {
    let expected = [(1, Ended::Interrupted, WOKEN), (2, WOKEN, WOKEN)];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, other) = scene.wait_then(A, SIGNAL, || {
            scene.spawn(|scene| {
                scene.wait_then(A, None, || {
                    scene.spawn(|scene| {
                        let first = scene.wake(A, 1);
                        assert_eq!(first, 1, "one of them is always there");
                        first + scene.wake(A, 1)
                    })
                })
            })
        });
        let (other, waker) = other.join().unwrap();
        let woken = waker.join().unwrap();
        assert_eq!(woken, ended.count() + other.count());
        scene.assert_empty();
        (woken, ended, other)
    });
}

/// On several keys the signal takes the claim, and a wake that comes later is not spent.
#[test]
fn any_of_two_against_a_signal() {
    let expected = [
        (0, (Ended::Interrupted, None)),
        (0, (Ended::Stale, Some(0))),
        (0, (Ended::Stale, Some(1))),
        (1, (WOKEN, Some(1))),
    ];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let waiter = scene.spawn(|scene| {
            let options = ParkOptions::new().deadline(SIGNAL).until_signal();
            let ended = scene.table.park_any(&KEYS, options, |_| scene.holds(0));
            (ended.parked.into(), ended.entry)
        });
        scene.set(1);
        let woken = scene.wake(B, 1);
        let ended: (Ended, _) = waiter.join().unwrap();
        assert_eq!(woken, ended.0.count());
        scene.assert_empty();
        (woken, ended)
    });
}

/// Where each key counts the wait, an entry that is found woken is told instead of the signal.
#[test]
fn each_of_two_against_a_signal() {
    let expected = [
        (0, (Ended::Interrupted, None)),
        (1, (Ended::Woken(0), Some(1))),
        (1, (WOKEN, Some(1))),
    ];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let waiter = scene.spawn(|scene| {
            let options = ParkOptions::new().deadline(SIGNAL).until_signal();
            let yes = |_| Ok::<_, core::convert::Infallible>(true);
            let Ok(ended) = scene.table.park_each(&KEYS, options, yes);
            (ended.parked.into(), ended.entry)
        });
        let woken = scene.wake(B, 1);
        let ended: (Ended, _) = waiter.join().unwrap();
        assert_eq!(woken, ended.0.count());
        scene.assert_empty();
        (woken, ended)
    });
}
