//! The pair SLEEP: where threads sleep, and that every release reaches its sleeper.

use crate::host::{Alone, Choice, OwnBit, SharedBit, Spinning};
use crate::scene::{A, ALL, B, Ended, Scene, TOKEN, explore, explore_with};

const WOKEN: Ended = Ended::Woken(TOKEN);

/// A waiter that has said that it sleeps reads the sequence, then its state; the waker changes
/// the state, then the sequence: no wake falls between.
#[test]
fn pair_sleep() {
    one_sleeper::<OwnBit>();
}

fn one_sleeper<H: Choice>() {
    explore_with(3, [(1, WOKEN)], || {
        let scene = Scene::<H>::new(1);
        let (ended, waker) = scene.wait_then(A, None, || scene.spawn(|scene| scene.wake(A, 1)));
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, ended)
    });
}

/// A sequence that changed before the state did told nobody anything: who read it after the change
/// found no release, slept, and nothing changed any more.
#[test]
fn release_before_sequence() {
    one_sleeper::<SharedBit>();
}

/// Two sleepers of one home and one wake of both: one bump, one wake of both bits.
#[test]
fn pair_sleep_group() {
    two_sleepers::<OwnBit>();
}

fn two_sleepers<H: Choice>() {
    explore([(2, WOKEN, WOKEN)], || {
        let scene = Scene::<H>::new(1);
        let (ended, other) = scene.wait_then(A, None, || {
            scene
                .spawn(|scene| scene.wait_then(A, None, || scene.spawn(|scene| scene.wake(A, ALL))))
        });
        let (other, waker) = other.join().unwrap();
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, ended, other)
    });
}

/// Two wakes, of one sleeper each, at one home: each wake reaches its sleeper.
#[test]
fn pair_sleep_two_wakes() {
    two_wakes::<OwnBit>();
}

/// Two sleepers with the same bit: a wake of one may end the other's sleep, which finds that it was
/// not meant and sleeps again.
#[test]
fn pair_sleep_shared_bit() {
    two_wakes::<SharedBit>();
}

fn two_wakes<H: Choice>() {
    explore([(1, 1, WOKEN, WOKEN)], || {
        let scene = Scene::<H>::new(1);
        let (ended, other) = scene.wait_then(A, None, || {
            scene.spawn(|scene| {
                scene.wait_then(A, None, || {
                    scene.spawn(|scene| (scene.wake(A, 1), scene.wake(A, 1)))
                })
            })
        });
        let (other, waker) = other.join().unwrap();
        let (first, second) = waker.join().unwrap();
        scene.assert_empty();
        (first, second, ended, other)
    });
}

/// Two wakers release sleepers of one home outside every lock: their bumps must add up.
#[test]
fn pair_sleep_two_wakers() {
    explore([(1, 1, WOKEN, WOKEN)], || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, other) = scene.wait_then(A, None, || {
            scene.spawn(|scene| {
                scene.wait_then(A, None, || {
                    let waker = scene.spawn(|scene| scene.wake(A, 1));
                    (waker, scene.wake(A, 1))
                })
            })
        });
        let (other, (waker, second)) = other.join().unwrap();
        let first = waker.join().unwrap();
        scene.assert_empty();
        (first, second, ended, other)
    });
}

/// Beyond 64 sleepers, and without group sleep, a waiter sleeps on its state: the swap that
/// releases it is the last access, and the wake passes on nothing but an address.
#[test]
fn pair_sleep_alone() {
    one_sleeper::<Alone>();
    two_sleepers::<Alone>();
}

/// A moved waiter still sleeps where it began, and is woken there.
#[test]
fn pair_sleep_requeued() {
    explore([(1, WOKEN)], || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, waker) = scene.wait_then(A, None, || {
            assert_eq!(scene.requeue(A, B, || true), Some(1));
            scene.spawn(|scene| scene.wake(B, ALL))
        });
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, ended)
    });
}

/// One wake of two waiters that sleep in different slots.
#[test]
fn pair_sleep_two_homes() {
    explore([(2, WOKEN, WOKEN)], || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, other) = scene.wait_then(A, None, || {
            assert_eq!(scene.requeue(A, B, || true), Some(1));
            scene
                .spawn(|scene| scene.wait_then(B, None, || scene.spawn(|scene| scene.wake(B, ALL))))
        });
        let (other, waker) = other.join().unwrap();
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, ended, other)
    });
}

/// A waiter that spins first may find its release there, or sleep.
#[test]
fn pair_handoff_spinning() {
    one_sleeper::<Spinning>();
}
