//! Waits on several keys, and interrupts: one claim decides.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use slotpark_core::{Deadline, Interrupter, ParkOptions, ParkedAny};

use crate::bell::{Bell, finish, poll};
use crate::host::{Host, OwnBit};
use crate::scene::{A, ALL, B, Ended, SOON, Scene, TOKEN, explore};

const WOKEN: Ended = Ended::Woken(TOKEN);
const KEYS: [(u64, &u64); 2] = [(A, &A), (B, &B)];

/// Waits on A and B while the value is 0.
fn wait_any(scene: &Scene, deadline: Option<Deadline>) -> (Ended, Option<usize>) {
    let options = ParkOptions::new().deadline(deadline);
    told(scene.table.park_any(&KEYS, options, |_| scene.holds(0)))
}

fn told(ended: ParkedAny) -> (Ended, Option<usize>) {
    (ended.parked.into(), ended.entry)
}

/// Both keys are woken while the wait begins: exactly one wake counts it, and it says which.
#[test]
fn any_of_two_against_a_wake_of_each() {
    let expected = [
        (0, 0, (Ended::Stale, Some(0))),
        (0, 0, (Ended::Stale, Some(1))),
        (1, 0, (WOKEN, Some(0))),
    ];
    explore(expected, || {
        let scene = Scene::new(2);
        let waiter = scene.spawn(|scene| wait_any(scene, None));
        scene.set(1);
        let (first, second) = (scene.wake(A, 1), scene.wake(B, 1));
        let ended = waiter.join().unwrap();
        assert_eq!(first + second, ended.0.count());
        scene.assert_empty();
        (first, second, ended)
    });
}

/// A wake of a key whose waiter another key has taken goes on to the one behind.
#[test]
fn claimed_waiter_unlinks_itself() {
    let expected = [(1, 1, (WOKEN, Some(0))), (1, 1, (WOKEN, Some(1)))];
    explore(expected, || {
        let scene = Scene::new(2);
        let (bell, wait) = (Bell::new(), pin!(any(&scene)));
        let mut wait = wait;
        assert!(poll(wait.as_mut(), &bell).is_pending());
        let (behind, (first, second, ended)) = scene.wait_then(B, None, || {
            let waker = scene.spawn(|scene| scene.wake(A, 1));
            let second = scene.wake(B, 1);
            let ended = told(finish(wait, &bell));
            let first = waker.join().unwrap();
            if ended.1 == Some(1) {
                assert_eq!(scene.wake(B, ALL), 1, "the one behind is still there");
            }
            (first, second, ended)
        });
        assert_eq!(behind, WOKEN);
        scene.assert_empty();
        // If A's wake came too late there was nobody for it.
        (first.max(1), second, ended)
    });
}

/// A wait on A and B as a future, whatever the value is.
fn any(
    scene: &Scene,
) -> slotpark_core::WaitAny<'_, u64, impl FnMut(usize) -> bool, Host<OwnBit>, 2> {
    let keys = [(A, A), (B, B)];
    scene
        .table
        .wait_any_async(keys, ParkOptions::new(), None, |_| true)
}

/// The deadline against a wake of each key: the waiter's own claim, or one of theirs.
#[test]
fn the_claim_of_the_waiter_against_those_of_two_wakers() {
    let expected = [
        (0, 0, (Ended::TimedOut, None)),
        (0, 1, (WOKEN, Some(1))),
        (1, 0, (WOKEN, Some(0))),
    ];
    explore(expected, || {
        let scene = Scene::new(2);
        let mut wait = Box::pin(any(&scene));
        assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
        let first = scene.spawn(|scene| scene.wake(A, 1));
        let second = scene.spawn(|scene| scene.wake(B, 1));
        let ended = told(wait.as_mut().time_out());
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        assert_eq!(first + second, ended.0.count());
        scene.assert_empty();
        (first, second, ended)
    });
}

/// The same for a thread, whose deadline passes as it goes to sleep.
#[test]
fn a_deadline_against_a_wake_of_a_thread_on_two_keys() {
    let expected = [
        (0, (Ended::Stale, Some(0))),
        (0, (Ended::Stale, Some(1))),
        (0, (Ended::TimedOut, None)),
        (1, (WOKEN, Some(1))),
    ];
    explore(expected, || {
        let scene = Scene::new(2);
        let waiter = scene.spawn(|scene| wait_any(scene, SOON));
        scene.set(1);
        let woken = scene.wake(B, 1);
        let ended = waiter.join().unwrap();
        assert_eq!(woken, ended.0.count());
        scene.assert_empty();
        (woken, ended)
    });
}

/// One of the keys is moved while the other one is woken and the waiter takes its nodes back.
#[test]
fn a_requeue_of_one_key_against_a_wake_of_the_other() {
    explore([(1, Some(0)), (1, Some(1))], || {
        let scene = Scene::new(2);
        let (bell, mut wait) = (Bell::new(), pin!(any(&scene)));
        assert!(poll(wait.as_mut(), &bell).is_pending());
        let waker = scene.spawn(|scene| scene.wake(A, 1));
        let requeuer = scene.spawn(|scene| scene.requeue(B, A, || true));
        let ended = told(finish(wait, &bell));
        assert_eq!(ended, (WOKEN, Some(0)));
        let moved = requeuer.join().unwrap();
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, moved)
    });
}

/// A new Waker, put in place under the locks of both slots, against a wake of one of them.
#[test]
fn a_new_waker_on_two_keys_against_a_wake() {
    explore([(1, true), (1, false)], || {
        let scene = Scene::new(2);
        let mut wait = pin!(any(&scene));
        assert!(poll(wait.as_mut(), &Bell::new()).is_pending());
        let waker = scene.spawn(|scene| scene.wake(B, 1));
        let bell = Bell::new();
        let polled = poll(wait.as_mut(), &bell);
        let was_early = polled.is_ready();
        let ended = match polled {
            Poll::Ready(ended) => ended,
            Poll::Pending => {
                bell.wait();
                finish(wait, &bell)
            }
        };
        assert_eq!(told(ended), (WOKEN, Some(1)));
        let woken = waker.join().unwrap();
        scene.assert_empty();
        (woken, was_early)
    });
}

/// A table and an interrupter that threads share.
struct Interruptible {
    scene: Arc<Scene>,
    interrupter: Interrupter<Host<OwnBit>>,
}

impl Interruptible {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            scene: Scene::new(1),
            interrupter: Interrupter::on_platform(),
        })
    }

    fn wait(&self, deadline: Option<Deadline>) -> Ended {
        let options = ParkOptions::new().deadline(deadline);
        let (table, interrupter) = (&self.scene.table, &self.interrupter);
        let holds = || self.scene.holds(0);
        table
            .park_interruptible(A, &A, options, interrupter, holds)
            .into()
    }
}

/// An interrupt ends the wait, or comes before it and is found by it: none is lost.
#[test]
fn an_interrupt_against_the_start_of_a_wait() {
    explore([Ended::Interrupted], || {
        let both = Interruptible::new();
        let shared = Arc::clone(&both);
        let waiter = both.scene.spawn(move |_| shared.wait(None));
        both.interrupter.interrupt();
        let ended = waiter.join().unwrap();
        assert!(!both.interrupter.is_pending(), "it was returned once");
        both.scene.assert_empty();
        ended
    });
}

/// An interrupt against a wake: one of them ends the wait, and the interrupt that did not stays.
#[test]
fn an_interrupt_against_a_wake() {
    let expected = [(0, Ended::Interrupted), (0, Ended::Stale), (1, WOKEN)];
    explore(expected, || {
        let both = Interruptible::new();
        let shared = Arc::clone(&both);
        let waiter = both.scene.spawn(move |_| shared.wait(None));
        let shared = Arc::clone(&both);
        let other = both.scene.spawn(move |_| shared.interrupter.interrupt());
        both.scene.set(1);
        let woken = both.scene.wake(A, 1);
        let ended = waiter.join().unwrap();
        let _slept = other.join().unwrap();
        assert_eq!(woken, ended.count());
        let is_left = both.interrupter.is_pending();
        assert_eq!(is_left, ended != Ended::Interrupted);
        both.scene.assert_empty();
        (woken, ended)
    });
}

/// An interrupt against the deadline.
#[test]
fn an_interrupt_against_the_deadline() {
    explore([Ended::TimedOut, Ended::Interrupted], || {
        let both = Interruptible::new();
        let shared = Arc::clone(&both);
        let waiter = both.scene.spawn(move |_| shared.wait(SOON));
        both.interrupter.interrupt();
        let ended = waiter.join().unwrap();
        assert_eq!(both.interrupter.is_pending(), ended == Ended::TimedOut);
        both.scene.assert_empty();
        ended
    });
}

/// An interrupt that says it has ended a wait whose deadline was past from the start: the wait says
/// so too.
#[test]
fn an_interrupt_against_a_deadline_that_is_past() {
    let expected = [
        (false, Ended::TimedOut),
        (false, Ended::Interrupted),
        (true, Ended::Interrupted),
    ];
    explore(expected, || {
        let both = Interruptible::new();
        let shared = Arc::clone(&both);
        let waiter = both.scene.spawn(move |_| shared.wait(Some(Deadline::PAST)));
        let is_hit = both.interrupter.interrupt();
        let ended = waiter.join().unwrap();
        assert_eq!(both.interrupter.is_pending(), ended == Ended::TimedOut);
        both.scene.assert_empty();
        (is_hit, ended)
    });
}
