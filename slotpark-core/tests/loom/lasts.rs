//! Wakes of the last in the queue: who stands there when several leave, arrive, and wake.

use std::pin::pin;

use slotpark_core::{ParkOptions, Wait};

use crate::bell::{Bell, finish, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, ALL, B, Ended, SOON, Scene, TOKEN, explore};

const WOKEN: Ended = Ended::Woken(TOKEN);
/// The token of a wake of the last.
const LAST: u64 = 99;

fn wake_last(scene: &Scene) -> usize {
    scene.table.unpark_last(A, &A, LAST)
}

/// A wait that nothing but a wake ends, as a future.
fn wait(scene: &Scene) -> Wait<'_, u64, fn() -> bool, Host<OwnBit>> {
    scene.table.wait_async(A, A, ParkOptions::new(), || true)
}

/// A waiter that begins while the value changes: one of the two sees the other.
#[test]
fn a_wait_against_a_wake_of_the_last() {
    explore([(0, Ended::Stale), (1, Ended::Woken(LAST))], || {
        let scene = Scene::<OwnBit>::new(1);
        let waiter = scene.spawn(|scene| scene.wait(A, None));
        scene.set(1);
        let woken = wake_last(&scene);
        let ended = waiter.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (woken, ended)
    });
}

/// The youngest is past its deadline: it is woken, or the one before it is.
#[test]
fn the_youngest_times_out_against_a_wake_of_the_last() {
    let expected = [
        (1, Ended::Woken(LAST), 1, WOKEN),
        (1, Ended::TimedOut, 0, Ended::Woken(LAST)),
    ];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let (old, young) = scene.wait_then(A, None, || {
            scene.spawn(|scene| {
                let wake = |scene: &std::sync::Arc<Scene>| wake_last(scene);
                let (young, waker) = scene.wait_then(A, SOON, || scene.spawn(wake));
                let woken = waker.join().unwrap();
                (woken, young, scene.wake(A, ALL))
            })
        });
        let (woken, young, rest) = young.join().unwrap();
        scene.assert_empty();
        (woken, young, rest, old)
    });
}

/// The same of a task and its timer.
#[test]
fn a_timer_against_a_wake_of_the_last() {
    let expected = [
        (1, Ended::Woken(LAST), 1, WOKEN),
        (1, Ended::TimedOut, 0, Ended::Woken(LAST)),
    ];
    explore(expected, || {
        let scene = Scene::new(1);
        let (bell, mut old, mut young) = (Bell::new(), pin!(wait(&scene)), pin!(wait(&scene)));
        assert!(poll(old.as_mut(), &bell).is_pending());
        assert!(poll(young.as_mut(), &Bell::new()).is_pending());
        let waker = scene.spawn(|scene| wake_last(scene));
        let young = Ended::from(young.as_mut().time_out());
        let woken = waker.join().unwrap();
        let rest = scene.wake(A, ALL);
        let old = finish(old, &bell);
        scene.assert_empty();
        (woken, young, rest, old.into())
    });
}

/// One wake of the first and one of the last, with a task before a thread: both are woken, each by
/// the wake that is meant for it.
#[test]
fn a_first_and_a_last_wake_wake_two() {
    explore([(1, 1, WOKEN, Ended::Woken(LAST))], || {
        let scene = Scene::<OwnBit>::new(1);
        let (bell, mut task) = (Bell::new(), pin!(wait(&scene)));
        assert!(poll(task.as_mut(), &bell).is_pending());
        let (thread, (first, last)) = scene.wait_then(A, None, || {
            let first = scene.spawn(|scene| scene.wake(A, 1));
            (first, scene.spawn(|scene| wake_last(scene)))
        });
        let task = finish(task, &bell);
        let counts = (first.join().unwrap(), last.join().unwrap());
        scene.assert_empty();
        (counts.0, counts.1, task.into(), thread)
    });
}

/// Both find one waiter: one of them wakes it.
#[test]
fn a_first_and_a_last_wake_of_one() {
    explore([(1, 0, WOKEN), (0, 1, Ended::Woken(LAST))], || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, first) = scene.wait_then(A, None, || {
            let first = scene.spawn(|scene| scene.wake(A, 1));
            (first, scene.spawn(|scene| wake_last(scene)))
        });
        let counts = (first.0.join().unwrap(), first.1.join().unwrap());
        scene.assert_empty();
        (counts.0, counts.1, ended)
    });
}

/// The youngest of three is dropped, woken or not: the wake is that of the youngest left.
#[test]
fn a_dropped_last_passes_the_wake_on_to_the_youngest_left() {
    explore([(1, Ended::Woken(LAST), WOKEN)], || {
        let scene = Scene::new(1);
        let bells = [Bell::new(), Bell::new()];
        let (mut old, mut young) = (pin!(wait(&scene)), pin!(wait(&scene)));
        assert!(poll(old.as_mut(), &bells[0]).is_pending());
        assert!(poll(young.as_mut(), &bells[1]).is_pending());
        let mut last = Box::pin(wait(&scene));
        assert!(poll(last.as_mut(), &Bell::new()).is_pending());
        let waker = scene.spawn(|scene| wake_last(scene));
        drop(last);
        let young = finish(young, &bells[1]);
        let woken = waker.join().unwrap();
        assert_eq!(scene.wake(A, ALL), 1);
        let old = finish(old, &bells[0]);
        scene.assert_empty();
        (woken, young.into(), old.into())
    });
}

/// The youngest waits for two keys: its claim decides, and a wake that loses it goes on to the one
/// before.
#[test]
fn the_claim_of_the_last_decides() {
    let expected = [
        (1, 0, Some(0), 1, WOKEN),
        (1, 1, Some(1), 0, Ended::Woken(LAST)),
    ];
    explore(expected, || {
        let scene = Scene::new(2);
        let (bell, mut old) = (Bell::new(), pin!(wait(&scene)));
        assert!(poll(old.as_mut(), &bell).is_pending());
        let (keys, options) = ([(A, A), (B, B)], ParkOptions::new());
        let (bell_of_two, of_two) = (
            Bell::new(),
            scene.table.wait_any_async(keys, options, None, |_| true),
        );
        let mut of_two = pin!(of_two);
        assert!(poll(of_two.as_mut(), &bell_of_two).is_pending());
        let waker = scene.spawn(|scene| wake_last(scene));
        let other = scene.wake(B, 1);
        let ended = finish(of_two, &bell_of_two);
        let woken = waker.join().unwrap();
        let rest = scene.wake(A, ALL);
        let old = finish(old, &bell);
        scene.assert_empty();
        (woken, other, ended.entry, rest, old.into())
    });
}
