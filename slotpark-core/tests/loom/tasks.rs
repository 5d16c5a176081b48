//! Tasks in the queues: wakes, drops and new Wakers that race.

use std::pin::pin;
use std::task::Poll;

use slotpark_core::{ParkOptions, Wait};

use crate::bell::{Bell, finish, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, ALL, B, Ended, Scene, TOKEN, explore, explore_with};

const WOKEN: Ended = Ended::Woken(TOKEN);

/// A wait on `key` while the value is 0, as a future.
fn wait(scene: &Scene, key: u64) -> Wait<'_, u64, impl FnMut() -> bool, Host<OwnBit>> {
    let options = ParkOptions::new();
    scene.table.wait_async(key, key, options, || scene.holds(0))
}

/// A future that begins to wait while a waker changes the value: one sees the other.
#[test]
fn pair_dekker_task() {
    explore([(0, Ended::Stale), (1, WOKEN)], || {
        let scene = Scene::new(1);
        let waiter = scene.spawn(|scene| Ended::from(finish(pin!(wait(scene, A)), &Bell::new())));
        scene.set(1);
        let woken = scene.wake(A, 1);
        let ended = waiter.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (woken, ended)
    });
}

/// A future that finds itself in no queue reads the token and ends its frame, without the lock: the
/// waker must be done with both.
#[test]
fn pair_unlink() {
    explore_with(3, [(1, WOKEN)], || {
        let scene = Scene::new(1);
        let bell = Bell::new();
        let ended = {
            let mut wait = pin!(wait(&scene, A));
            assert!(poll(wait.as_mut(), &bell).is_pending());
            let waker = scene.spawn(|scene| scene.wake(A, 1));
            let ended = finish(wait, &bell);
            (waker, ended)
        };
        let woken = ended.0.join().unwrap();
        scene.assert_empty();
        (woken, ended.1.into())
    });
}

/// The Waker of the last poll is called, whatever Waker stood there before.
#[test]
fn a_new_waker_against_a_wake() {
    explore([(1, WOKEN, true), (1, WOKEN, false)], || {
        let scene = Scene::new(1);
        let mut wait = pin!(wait(&scene, A));
        assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
        let waker = scene.spawn(|scene| scene.wake(A, 1));
        let bell = Bell::new();
        let polled = poll(wait.as_mut(), &bell);
        let was_early = polled.is_ready();
        let parked = match polled {
            Poll::Ready(parked) => parked,
            Poll::Pending => {
                bell.wait();
                finish(wait, &bell)
            }
        };
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, parked.into(), was_early)
    });
}

/// The first of two is dropped while one is woken: the wake ends the other one, or was for nobody
/// that is left.
#[test]
fn cancelled_future_passes_the_wake_on() {
    explore([(1, WOKEN)], || {
        let scene = Scene::new(1);
        let mut first = Box::pin(scene.table.wait_async(A, A, ParkOptions::new(), || true));
        assert!(poll(first.as_mut(), &Bell::new()).is_pending());
        let (bell, mut second) = (Bell::new(), pin!(wait(&scene, A)));
        assert!(poll(second.as_mut(), &bell).is_pending());
        let waker = scene.spawn(|scene| scene.wake(A, 1));
        drop(first);
        let ended = finish(second, &bell);
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, ended.into())
    });
}

/// The same with a thread behind the task: one queue.
#[test]
fn a_dropped_task_passes_the_wake_on_to_a_thread() {
    explore([(1, WOKEN)], || {
        let scene = Scene::<OwnBit>::new(1);
        let mut first = Box::pin(scene.table.wait_async(A, A, ParkOptions::new(), || true));
        assert!(poll(first.as_mut(), &Bell::new()).is_pending());
        let (ended, woken) = scene.wait_then(A, None, || {
            let waker = scene.spawn(|scene| scene.wake(A, 1));
            drop(first);
            waker
        });
        let woken = woken.join().unwrap();
        scene.assert_empty();
        (woken, ended)
    });
}

/// A future alone is dropped while it is woken: the wake counted it, or found nobody.
#[test]
fn a_drop_against_a_wake_of_nobody_else() {
    explore([0, 1], || {
        let scene = Scene::new(1);
        let mut only = Box::pin(wait(&scene, A));
        assert!(poll(only.as_mut(), &Bell::new()).is_pending());
        let waker = scene.spawn(|scene| scene.wake(A, 1));
        drop(only);
        let woken = waker.join().unwrap();
        scene.assert_empty();
        woken
    });
}

/// Nothing of a wake of everybody is passed on.
#[test]
fn a_drop_against_a_wake_of_everybody() {
    explore([(1, WOKEN), (2, WOKEN)], || {
        let scene = Scene::new(1);
        let mut first = Box::pin(scene.table.wait_async(A, A, ParkOptions::new(), || true));
        assert!(poll(first.as_mut(), &Bell::new()).is_pending());
        let (bell, mut second) = (Bell::new(), pin!(wait(&scene, A)));
        assert!(poll(second.as_mut(), &bell).is_pending());
        let waker = scene.spawn(|scene| scene.wake(A, ALL));
        drop(first);
        let ended = finish(second, &bell);
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, ended.into())
    });
}

/// A future is dropped while a requeue moves it: it leaves the queue that it is in by then.
#[test]
fn a_drop_against_a_requeue() {
    explore([Some(0), Some(1)], || {
        let scene = Scene::new(2);
        let mut only = Box::pin(wait(&scene, A));
        assert!(poll(only.as_mut(), &Bell::new()).is_pending());
        let requeuer = scene.spawn(|scene| scene.requeue(A, B, || true));
        drop(only);
        let moved = requeuer.join().unwrap();
        scene.assert_empty();
        moved
    });
}

/// The caller's timer fires while the task is woken: counted is woken.
#[test]
fn woken_beats_the_timer() {
    explore([(0, Ended::TimedOut), (1, WOKEN)], || {
        let scene = Scene::new(1);
        let mut wait = pin!(wait(&scene, A));
        assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
        let waker = scene.spawn(|scene| scene.wake(A, 1));
        let ended = Ended::from(wait.as_mut().time_out());
        let woken = waker.join().unwrap();
        assert_eq!(woken, ended.count());
        scene.assert_empty();
        (woken, ended)
    });
}
