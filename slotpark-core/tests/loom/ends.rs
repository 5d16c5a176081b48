//! Closing, of a table, of a key and of all keys that something is true of.

use std::pin::pin;

use slotpark_core::ParkOptions;

use crate::bell::{Bell, finish, poll};
use crate::host::OwnBit;
use crate::scene::{A, ALL, B, Ended, Scene, TOKEN, explore};

const WOKEN: Ended = Ended::Woken(TOKEN);

/// A wait begins while the table is closed: it is ended, or refuses by itself.
#[test]
fn close_is_sticky_under_the_lock() {
    explore([(0, Ended::Closed), (1, Ended::Closed)], || {
        let scene = Scene::<OwnBit>::new(2);
        let waiter = scene.spawn(|scene| scene.wait(B, None));
        let closed = scene.table.close();
        let ended = waiter.join().unwrap();
        assert_eq!(scene.wait(B, None), Ended::Closed, "it stays closed");
        scene.assert_empty();
        (closed, ended)
    });
}

/// A task begins to wait while the table is closed.
#[test]
fn a_task_against_the_closing_of_its_table() {
    explore([(0, Ended::Closed), (1, Ended::Closed)], || {
        let scene = Scene::<OwnBit>::new(1);
        let waiter = scene.spawn(|scene| {
            let wait = scene.table.wait_async(A, A, ParkOptions::new(), || true);
            Ended::from(finish(pin!(wait), &Bell::new()))
        });
        let closed = scene.table.close();
        let ended = waiter.join().unwrap();
        scene.assert_empty();
        (closed, ended)
    });
}

/// Some keys of a table are closed for good by a flag of the caller's, relaxed: set first, then a
/// walk over all keys. Who begins meanwhile is ended by the walk, or sees the flag under the lock.
#[test]
fn a_flag_set_before_a_walk_is_sticky() {
    explore([(0, Ended::Stale), (1, Ended::Closed)], || {
        let scene = Scene::<OwnBit>::new(2);
        let waiter = scene.spawn(|scene| scene.wait(B, None));
        scene.set(1);
        let closed = scene.table.close_where(|key| *key == B);
        let ended = waiter.join().unwrap();
        scene.assert_empty();
        (closed, ended)
    });
}

/// A requeue moves a waiter, in either direction, while the table is closed slot by slot: nobody
/// escapes to a slot that was closed before.
#[test]
fn close_racing_requeue() {
    for (from, to) in [(A, B), (B, A)] {
        explore([Some(0), Some(1)], move || {
            let scene = Scene::<OwnBit>::new(2);
            let (ended, moved) = scene.wait_then(from, None, || {
                let requeuer = scene.spawn(move |scene| scene.requeue(from, to, || true));
                assert_eq!(scene.table.close(), 1, "it is somewhere");
                requeuer
            });
            assert_eq!(ended, Ended::Closed);
            let moved = moved.join().unwrap();
            scene.assert_empty();
            moved
        });
    }
}

/// A walk over all keys sees a waiter that is being moved, exactly once.
#[test]
fn a_walk_over_all_keys_against_a_requeue() {
    for (from, to) in [(A, B), (B, A)] {
        explore([Some(0), Some(1)], move || {
            let scene = Scene::<OwnBit>::new(2);
            let (ended, moved) = scene.wait_then(from, None, || {
                let requeuer = scene.spawn(move |scene| scene.requeue(from, to, || true));
                assert_eq!(scene.table.close_where(|_| true), 1, "it is somewhere");
                requeuer
            });
            assert_eq!(ended, Ended::Closed);
            let moved = moved.join().unwrap();
            scene.assert_empty();
            moved
        });
    }
}

/// A wake against a closing of the key: one of them ends the wait.
#[test]
fn the_closing_of_a_key_against_a_wake() {
    explore([(0, 1, WOKEN), (1, 0, Ended::Closed)], || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, (closed, waker)) = scene.wait_then(A, None, || {
            let waker = scene.spawn(|scene| scene.wake(A, ALL));
            (scene.table.close_key(A, &A), waker)
        });
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (closed, woken, ended)
    });
}

/// A closed key refuses waits and ends those that are moved to it, and is open again afterwards.
#[test]
fn a_requeue_to_a_key_that_is_closed_meanwhile() {
    explore([(0, Some(1)), (1, Some(1))], || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, (closed, moved)) = scene.wait_then(A, None, || {
            let requeuer = scene.spawn(|scene| scene.requeue(A, B, || true));
            let mut key = pin!(scene.table.closed_key(B, B));
            let closed = key.as_mut().close();
            (closed, requeuer.join().unwrap())
        });
        assert_eq!(ended, Ended::Closed);
        scene.assert_empty();
        (closed, moved)
    });
}

/// A task that waits is closed while it is polled with another Waker.
#[test]
fn a_new_waker_against_a_closing() {
    explore([1], || {
        let scene = Scene::<OwnBit>::new(1);
        let mut wait = pin!(scene.table.wait_async(A, A, ParkOptions::new(), || true));
        assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
        let closer = scene.spawn(|scene| scene.table.close_key(A, &A));
        assert_eq!(Ended::from(finish(wait, &Bell::new())), Ended::Closed);
        let closed = closer.join().unwrap();
        scene.assert_empty();
        closed
    });
}
