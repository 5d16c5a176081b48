//! Deadlines that pass while a wake is under way: counted is woken, and nothing is left behind.

use slotpark_core::ParkOptions;

use crate::host::{Alone, Choice, OwnBit};
use crate::scene::{A, ALL, B, Ended, SOON, Scene, TOKEN, explore};

const WOKEN: Ended = Ended::Woken(TOKEN);

/// A waiter counted by a waker never reports that its deadline passed, nor the other way round.
#[test]
fn woken_beats_timeout() {
    one_deadline::<OwnBit>();
    one_deadline::<Alone>();
}

fn one_deadline<H: Choice>() {
    let expected = [(0, Ended::Stale), (0, Ended::TimedOut), (1, WOKEN)];
    explore(expected, || {
        let scene = Scene::<H>::new(1);
        let waiter = scene.spawn(|scene| scene.wait(A, SOON));
        scene.set(1);
        let woken = scene.wake(A, 1);
        let ended = waiter.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (woken, ended)
    });
}

/// Two waiters whose deadlines pass while both are being detached: who is in the waker's chain
/// touches no link and waits for the release.
#[test]
fn timed_out_while_spliced() {
    let expected = [
        (0, Ended::TimedOut, Ended::TimedOut),
        (1, Ended::TimedOut, WOKEN),
        (1, WOKEN, Ended::TimedOut),
        (2, WOKEN, WOKEN),
    ];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, other) = scene.wait_then(A, SOON, || {
            scene
                .spawn(|scene| scene.wait_then(A, SOON, || scene.spawn(|scene| scene.wake(A, ALL))))
        });
        let (other, waker) = other.join().unwrap();
        let woken = waker.join().unwrap();
        assert_eq!(woken, ended.count() + other.count());
        scene.assert_empty();
        (woken, ended, other)
    });
}

/// A wake of one passes a waiter by that has left, and is not lost on it.
#[test]
fn a_wake_is_not_lost_on_who_has_left() {
    let expected = [(1, Ended::TimedOut, WOKEN), (2, WOKEN, WOKEN)];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, other) = scene.wait_then(A, SOON, || {
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

/// Who leaves others behind is not the last of its key; who leaves an empty queue is.
#[test]
fn a_leaver_knows_whether_it_was_the_last() {
    explore([(false, true), (true, false), (true, true)], || {
        let scene = Scene::<OwnBit>::new(1);
        let mut other = None;
        let last = leave(&scene, || {
            other = Some(scene.spawn(|scene| leave(scene, || {})));
        });
        let other = other.unwrap().join().unwrap();
        scene.assert_empty();
        (last, other)
    });
}

/// Waits until the deadline; whether it was the last of its key.
fn leave(scene: &Scene, before_sleep: impl FnOnce()) -> bool {
    let mut last = None;
    let options = ParkOptions::new().deadline(SOON);
    let yes = || Ok::<_, ()>(true);
    let told = |left: slotpark_core::Left| last = Some(left.last);
    let parked = scene
        .table
        .park_with(A, &A, options, yes, before_sleep, told);
    assert_eq!(parked.map(Ended::from), Ok(Ended::TimedOut));
    last.expect("it was linked")
}

/// A count taken meanwhile is exact: between those that have returned and those that have begun.
#[test]
fn waiters_are_counted_while_they_leave() {
    let expected = [(0, Ended::TimedOut), (1, Ended::TimedOut)];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, counter) = scene.wait_then(A, SOON, || {
            scene.spawn(|scene| {
                assert_eq!(scene.table.waiters(B, &B), 0);
                scene.table.waiters(A, &A)
            })
        });
        let counted = counter.join().unwrap();
        scene.assert_empty();
        (counted, ended)
    });
}
