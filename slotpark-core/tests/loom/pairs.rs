//! The pairs DEKKER, LOCK and HANDOFF. Each test fails when an ordering of its pair is weakened.

use std::sync::Arc;

use slotpark_core::{Filter, ParkOptions};

use crate::host::{Alone, OwnBit};
use crate::plain::Plain;
use crate::scene::{A, ALL, B, C, Ended, SOON, Scene, TOKEN, explore, explore_with};

/// The waiter announces itself and looks at the value, the waker changes the value and looks for
/// announcements: one of them sees the other.
#[test]
fn pair_dekker() {
    let expected = [(0, Ended::Stale), (1, Ended::Woken(TOKEN))];
    explore_with(3, expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let waiter = scene.spawn(|scene| scene.wait(A, None));
        scene.set(1);
        let woken = scene.wake(A, 1);
        let ended = waiter.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (woken, ended)
    });
}

/// The same with a filter, whose fast path is another.
#[test]
fn pair_dekker_filter() {
    let expected = [(0, Ended::Stale), (1, Ended::Woken(TOKEN))];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let waiter = scene.spawn(|scene| scene.wait(A, None));
        scene.set(1);
        let woken = scene.table.unpark_bitset(A, &A, 1, 1, TOKEN);
        let ended = waiter.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (woken, ended)
    });
}

/// A requeuer moves a waiter to the lock that it finds taken, the unlocker frees the lock and looks
/// for waiters: either the waiter is not moved, or the unlocker wakes it.
#[test]
fn pair_dekker_requeue() {
    const FREE: u32 = 1;
    let expected = [(None, 0), (Some(1), 1)];
    explore_with(3, expected, || {
        let scene = Scene::<OwnBit>::new(2);
        let (ended, (moved, woken)) = scene.wait_then(A, None, || {
            let unlocker = scene.spawn(|scene| {
                scene.set(FREE);
                scene.wake(B, 1)
            });
            let moved = scene.requeue(A, B, || !scene.holds(FREE));
            if moved.is_none() {
                assert_eq!(scene.wake(A, 1), 1, "it is still here");
            }
            (moved, unlocker)
        });
        let woken = woken.join().unwrap();
        assert_eq!(ended, Ended::Woken(TOKEN));
        scene.assert_empty();
        (moved, woken)
    });
}

/// Two keys of one slot come and go: the list of keys and its records are one thread's at a time.
#[test]
fn pair_lock() {
    explore_with(3, [(Ended::TimedOut, Ended::TimedOut)], || {
        let scene = Scene::<OwnBit>::new(1);
        let other = scene.spawn(|scene| scene.wait(A, SOON));
        let ended = scene.wait(B, SOON);
        let other = other.join().unwrap();
        scene.assert_empty();
        (other, ended)
    });
}

/// Two slots are locked by requeuers of both directions, which meet a third key in one of them.
#[test]
fn pair_lock_two_slots() {
    explore([(Some(0), Some(0), Ended::TimedOut)], || {
        let scene = Scene::<OwnBit>::new(2);
        let forth = scene.spawn(|scene| scene.requeue(A, B, || true));
        let back = scene.spawn(|scene| scene.requeue(B, A, || true));
        let ended = scene.wait(C, SOON);
        let moved = (forth.join().unwrap(), back.join().unwrap(), ended);
        scene.assert_empty();
        moved
    });
}

/// `validate` under the lock and a waker's policy exclude each other: they may share plain memory.
#[test]
fn pair_lock_closures() {
    let expected = [(0, Ended::Stale), (1, Ended::Woken(TOKEN))];
    explore(expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let plain = Arc::new(Plain::new());
        let shared = Arc::clone(&plain);
        let waiter = scene.spawn(move |scene| {
            let mut locked = false;
            let validate = || !std::mem::replace(&mut locked, true) || shared.get() == 0;
            let parked = scene.table.park(A, &A, ParkOptions::new(), validate);
            Ended::from(parked)
        });
        let everybody = |_: &_| Filter::Unpark;
        let woken = scene.table.unpark_with(A, &A, ALL, everybody, |choice| {
            assert!(!choice.remain);
            plain.set(1);
            TOKEN
        });
        let ended = waiter.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (woken, ended)
    });
}

/// The woken waiter reads the waker's token and ends the frame that the waker has touched.
#[test]
fn pair_handoff() {
    explore_with(3, [(1, Ended::Woken(TOKEN))], || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, waker) = scene.wait_then(A, None, || scene.spawn(|scene| scene.wake(A, 1)));
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, ended)
    });
}

/// The same for a waiter that sleeps on its own word.
#[test]
fn pair_handoff_alone() {
    explore_with(3, [(1, Ended::Woken(TOKEN))], || {
        let scene = Scene::<Alone>::new(1);
        let (ended, waker) = scene.wait_then(A, None, || scene.spawn(|scene| scene.wake(A, 1)));
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, ended)
    });
}

/// A waiter whose deadline has passed, and who is chosen, must not outrun the waker either.
#[test]
fn pair_handoff_after_deadline() {
    let expected = [(0, Ended::TimedOut), (1, Ended::Woken(TOKEN))];
    explore_with(3, expected, || {
        let scene = Scene::<OwnBit>::new(1);
        let (ended, waker) = scene.wait_then(A, SOON, || scene.spawn(|scene| scene.wake(A, 1)));
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, ended)
    });
}
