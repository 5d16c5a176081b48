//! Requeues that race with wakes, time-outs and each other.

use crate::host::OwnBit;
use crate::scene::{A, ALL, B, C, Ended, SOON, Scene, TOKEN, explore};

const WOKEN: Ended = Ended::Woken(TOKEN);

/// A waiter whose deadline passes looks in the slot it is in by then.
#[test]
fn timeout_after_requeue() {
    let expected = [Some(0), Some(1)];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, requeuer) = scene.wait_then(A, SOON, || {
            scene.spawn(|scene| scene.requeue(A, B, || true))
        });
        let moved = requeuer.join().unwrap();
        assert_eq!(ended, Ended::TimedOut, "nobody woke it");
        scene.assert_empty();
        moved
    });
}

/// Requeuers of both directions and a waiter that leaves: nobody takes it for chosen on the way.
#[test]
fn timeout_between_requeues_of_both_directions() {
    let expected = [(Some(0), Some(0)), (Some(1), Some(0)), (Some(1), Some(1))];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, (forth, back)) = scene.wait_then(A, SOON, || {
            let forth = scene.spawn(|scene| scene.requeue(A, B, || true));
            (forth, scene.spawn(|scene| scene.requeue(B, A, || true)))
        });
        let moved = (forth.join().unwrap(), back.join().unwrap());
        assert_eq!(ended, Ended::TimedOut, "nobody woke it");
        scene.assert_empty();
        moved
    });
}

/// A moved waiter's deadline against a wake of the target.
#[test]
fn timeout_of_the_moved_against_a_wake() {
    let expected = [(0, Ended::TimedOut), (1, WOKEN)];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, waker) = scene.wait_then(A, SOON, || {
            assert_eq!(scene.requeue(A, B, || true), Some(1));
            scene.spawn(|scene| scene.wake(B, ALL))
        });
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, ended)
    });
}

/// A wake of the source against a requeue: who is not woken is at the target.
#[test]
fn requeue_against_a_wake_of_the_source() {
    let expected = [(1, Some(0), 0), (0, Some(1), 1)];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, (woken, moved, rest)) = scene.wait_then(A, None, || {
            let waker = scene.spawn(|scene| scene.wake(A, 1));
            let moved = scene.requeue(A, B, || true);
            let woken = waker.join().unwrap();
            (woken, moved, scene.wake(B, ALL))
        });
        assert_eq!(ended, WOKEN);
        scene.assert_empty();
        (woken, moved, rest)
    });
}

/// Within one slot, whose lock the leaver does not hold when it looks: in no slot is chosen, never
/// on the way, and who takes itself for chosen waits for a release that never comes.
#[test]
fn requeue_never_shows_null() {
    let expected = [Some(0), Some(1)];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, requeuer) = scene.wait_then(A, SOON, || {
            scene.spawn(|scene| scene.requeue(A, C, || true))
        });
        let moved = requeuer.join().unwrap();
        assert_eq!(ended, Ended::TimedOut, "nobody woke it");
        scene.assert_empty();
        moved
    });
}

/// An observer that looks at the source, then at the target, meets a waiter that is moved at one of
/// them, whichever slot comes first: the count of the target says so before that of the source
/// stops to.
#[test]
fn requeue_counts_add_first() {
    for (from, to) in [(A, B), (B, A)] {
        explore([(0, Some(1), 1), (1, Some(0), 0)], move || {
            let scene = Scene::<OwnBit>::new(2);
            let (ended, (here, moved, there)) = scene.wait_then(from, None, || {
                let requeuer = scene.spawn(move |scene| scene.requeue(from, to, || true));
                let here = scene.wake(from, 1);
                let there = scene.wake(to, 1);
                assert_eq!(here + there, 1, "it was met at one of them");
                (here, requeuer.join().unwrap(), there)
            });
            assert_eq!(ended, WOKEN);
            scene.assert_empty();
            (here, moved, there)
        });
    }
}

/// Two waiters are moved while one of them leaves: the group's record goes with the right one.
#[test]
fn two_are_moved_while_one_leaves() {
    let expected = [
        (Some(1), 1, Ended::TimedOut, WOKEN),
        (Some(2), 1, Ended::TimedOut, WOKEN),
        (Some(2), 2, WOKEN, WOKEN),
    ];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, other) = scene.wait_then(A, SOON, || {
            scene.spawn(|scene| {
                scene.wait_then(A, None, || {
                    scene.spawn(|scene| {
                        let moved = scene.requeue(A, B, || true);
                        (moved, scene.wake(B, ALL))
                    })
                })
            })
        });
        let (other, requeuer) = other.join().unwrap();
        let (moved, woken) = requeuer.join().unwrap();
        assert_eq!(woken, ended.count() + other.count());
        scene.assert_empty();
        (moved, woken, ended, other)
    });
}

/// The oldest is woken and the rest is moved, while the oldest leaves by itself.
#[test]
fn one_is_woken_and_the_rest_is_moved() {
    let expected = [(1, 0, 0, Ended::TimedOut), (1, 1, 1, WOKEN)];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, other) = scene.wait_then(A, SOON, || {
            scene.spawn(|scene| {
                scene.wait_then(A, None, || {
                    scene.spawn(|scene| {
                        let done = scene.wake_and_move(A, B, 1, || true).unwrap();
                        (done, scene.wake(B, ALL))
                    })
                })
            })
        });
        let (other, requeuer) = other.join().unwrap();
        let (done, rest) = requeuer.join().unwrap();
        assert_eq!(other, WOKEN);
        scene.assert_empty();
        (done.woken, done.moved, rest, ended)
    });
}

/// Within one slot: the waiter changes its key, and one lock does.
#[test]
fn requeue_within_one_slot() {
    let expected = [(0, Some(1), 1), (1, Some(0), 0)];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, (woken, moved, rest)) = scene.wait_then(A, None, || {
            let waker = scene.spawn(|scene| scene.wake(A, 1));
            let moved = scene.requeue(A, C, || true);
            let woken = waker.join().unwrap();
            (woken, moved, scene.wake(C, ALL))
        });
        assert_eq!(ended, WOKEN);
        scene.assert_empty();
        (woken, moved, rest)
    });
}

/// A waiter that arrives at the source during a requeue is moved or stays, and is found there.
#[test]
fn an_arrival_at_the_source_is_moved_or_stays() {
    let expected = [
        (Some(0), 0, Ended::Stale),
        (Some(0), 1, WOKEN),
        (Some(1), 1, WOKEN),
    ];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let waiter = scene.spawn(|scene| scene.wait(A, None));
        let moved = scene.requeue(A, B, || true);
        scene.set(1);
        let woken = scene.wake(A, ALL) + scene.wake(B, ALL);
        let ended = waiter.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (moved, woken, ended)
    });
}

/// Requeuers of both directions, each with a waiter at its source: both locks are taken in one
/// order, the second of them moves both, and both waiters are where the counts say.
#[test]
fn requeues_of_both_directions_gather_everybody() {
    let expected = [
        // Moved forth, moved back, woken at A, woken at B.
        (1, 2, 2, 0),
        (2, 1, 0, 2),
    ];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, other) = scene.wait_then(A, None, || {
            scene.spawn(|scene| {
                scene.wait_then(B, None, || {
                    let forth = scene.spawn(|scene| scene.requeue(A, B, || true));
                    let back = scene.requeue(B, A, || true).unwrap();
                    let forth = forth.join().unwrap().unwrap();
                    (forth, back, scene.wake(A, ALL), scene.wake(B, ALL))
                })
            })
        });
        let (other, counts) = other.join().unwrap();
        assert_eq!((ended, other), (WOKEN, WOKEN));
        scene.assert_empty();
        counts
    });
}
