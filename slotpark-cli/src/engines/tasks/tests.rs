//! Every adapter really waits and really wakes: pending before, ready after, for its own key only.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use super::*;
use crate::measure::{Place, Slots, TaskEngine, Word};

/// A Waker that counts its calls.
#[derive(Default)]
struct Calls(AtomicUsize);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Calls {
    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A wait and the Waker with which it is polled.
struct Task<F> {
    wait: Pin<Box<F>>,
    calls: Arc<Calls>,
}

impl<F: Future> Task<F> {
    fn new(wait: F) -> Self {
        Self {
            wait: Box::pin(wait),
            calls: Arc::default(),
        }
    }

    fn is_ready(&mut self) -> bool {
        let waker = Waker::from(Arc::clone(&self.calls));
        let mut context = Context::from_waker(&waker);
        self.wait.as_mut().poll(&mut context).is_ready()
    }
}

fn engine<E: TaskEngine>() -> E {
    E::new(Slots::Default).expect("every engine has a default table")
}

fn waits_until_its_key_is_woken<E: TaskEngine>() {
    let engine = engine::<E>();
    let words = [Word::default(), Word::default()];
    let at = |index: usize| Place {
        key: 7 + index as u64,
        word: &words[index],
    };
    let [mut own, mut other] = [0, 1].map(|index| Task::new(engine.wait(at(index), 0)));
    assert!(!own.is_ready(), "{}: it waits", E::NAME);
    assert!(!other.is_ready(), "{}: it waits", E::NAME);
    words[0].set(1);
    assert_eq!(own.calls.count(), 0, "{}: nobody woke it", E::NAME);
    engine.wake_one(at(0));
    assert_eq!(own.calls.count(), 1, "{}: its Waker is called", E::NAME);
    assert_eq!(other.calls.count(), 0, "{}: the other's is not", E::NAME);
    assert!(own.is_ready(), "{}: it is ready", E::NAME);
    assert!(!other.is_ready(), "{}: the other waits", E::NAME);
    drop(own);
    // The key is free again, and a wait that was dropped is in nobody's way.
    drop(other);
    words[1].set(0);
    let mut again = Task::new(engine.wait(at(1), 0));
    assert!(!again.is_ready(), "{}: it waits", E::NAME);
    words[1].set(1);
    engine.wake_all(at(1));
    assert_eq!(again.calls.count(), 1, "{}: its Waker is called", E::NAME);
    assert!(again.is_ready(), "{}: it is ready", E::NAME);
}

fn wakes_one_or_all_of_a_key<E: TaskEngine>() {
    let engine = engine::<E>();
    let word = Word::default();
    let at = Place {
        key: 7,
        word: &word,
    };
    let mut tasks = [0; 4].map(|_| Task::new(engine.wait(at, 0)));
    for task in &mut tasks {
        assert!(!task.is_ready(), "{}: it waits", E::NAME);
    }
    let called = |tasks: &[Task<_>]| tasks.iter().map(|task| task.calls.count()).sum::<usize>();
    word.set(1);
    engine.wake_one(at);
    assert_eq!(called(&tasks), 1, "{}: one is woken", E::NAME);
    engine.wake_all(at);
    assert_eq!(called(&tasks), 4, "{}: all are woken", E::NAME);
    for task in &mut tasks {
        assert!(task.is_ready(), "{}: it is ready", E::NAME);
    }
}

fn waits_while_the_word_has_its_value<E: TaskEngine>() {
    let engine = engine::<E>();
    let word = Word::default();
    let at = Place {
        key: 7,
        word: &word,
    };
    let mut waker = Context::from_waker(Waker::noop());
    let mut wait = pin!(engine.wait_while(at, 0));
    assert!(wait.as_mut().poll(&mut waker).is_pending(), "{}", E::NAME);
    // A wake without a change changes nothing.
    engine.wake_one(at);
    assert!(wait.as_mut().poll(&mut waker).is_pending(), "{}", E::NAME);
    word.set(1);
    engine.before_wake();
    engine.wake_one(at);
    assert!(wait.as_mut().poll(&mut waker).is_ready(), "{}", E::NAME);
    let mut late = pin!(engine.wait_while(at, 0));
    assert!(late.as_mut().poll(&mut waker).is_ready(), "{}", E::NAME);
}

/// In this order: a wait that never waits fails the first, and would never end the second.
fn waits_and_is_woken<E: TaskEngine>() {
    waits_until_its_key_is_woken::<E>();
    waits_while_the_word_has_its_value::<E>();
}

#[test]
fn every_engine_waits_and_is_woken() {
    waits_and_is_woken::<SlotparkTasks>();
    waits_and_is_woken::<Maitake>();
    waits_and_is_woken::<TokioNotify>();
    waits_and_is_woken::<EventListener>();
    waits_and_is_woken::<AsyncEvent>();
}

#[test]
fn every_engine_with_several_tasks_on_a_key_wakes_one_or_all_of_them() {
    wakes_one_or_all_of_a_key::<SlotparkTasks>();
    wakes_one_or_all_of_a_key::<TokioNotify>();
    wakes_one_or_all_of_a_key::<EventListener>();
    wakes_one_or_all_of_a_key::<AsyncEvent>();
}
