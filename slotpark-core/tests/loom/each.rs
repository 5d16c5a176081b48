//! Waits on several keys, each of which is counted by itself.

use slotpark_core::{Deadline, ParkOptions};

use crate::scene::{A, B, Ended, SOON, Scene, TOKEN, explore};

const WOKEN: Ended = Ended::Woken(TOKEN);
const KEYS: [(u64, &u64); 2] = [(A, &A), (B, &B)];

/// Waits on A and B while the value is 0.
fn wait_each(scene: &Scene, deadline: Option<Deadline>) -> (Ended, Option<usize>) {
    let options = ParkOptions::new().deadline(deadline);
    let validate = |_| Ok::<_, core::convert::Infallible>(scene.holds(0));
    let Ok(ended) = scene.table.park_each(&KEYS, options, validate);
    (ended.parked.into(), ended.entry)
}

/// A wake of the second key finds a wait that the first has ended, or that is leaving.
#[test]
fn each_of_two_against_a_wake_of_each() {
    let expected = [
        (0, 0, (Ended::Stale, Some(0))),
        (0, 0, (Ended::Stale, Some(1))),
        (1, 0, (WOKEN, Some(0))),
        (1, 1, (WOKEN, Some(1))),
    ];
    explore(expected, || {
        let scene = Scene::new(2);
        let waiter = scene.spawn(|scene| wait_each(scene, None));
        scene.set(1);
        let (first, second) = (scene.wake(A, 1), scene.wake(B, 1));
        let ended = waiter.join().unwrap();
        scene.assert_empty();
        (first, second, ended)
    });
}

/// The deadline takes the claim, and a wake counts the wait nevertheless until it has left.
#[test]
fn each_against_a_deadline() {
    let expected = [
        (0, (Ended::TimedOut, None)),
        (1, (Ended::Woken(0), Some(1))),
        (1, (WOKEN, Some(1))),
    ];
    explore(expected, || {
        let scene = Scene::new(2);
        let waiter = scene.spawn(|scene| wait_each(scene, SOON));
        let woken = scene.wake(B, 1);
        let ended = waiter.join().unwrap();
        scene.assert_empty();
        (woken, ended)
    });
}
