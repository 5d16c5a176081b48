//! Many tasks wait: on other keys than the one that is woken, or all on one.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Instant;

use super::{engine_with, wait_and_wake};
use crate::compare::workloads::calls::time;
use crate::measure::statistics::median;
use crate::measure::{
    Hung, Place, Row, Sample, Scale, Slots, TaskEngine, TaskWorkload, Unit, Word,
};

/// The first key of those who only wait.
const OTHER_KEYS: u64 = 1 << 32;

/// One thread waits and wakes by hand, as in `task_wait_wake`, while tasks wait on other keys, each
/// on its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Others {
    row: &'static str,
    waiting: u64,
    slots: usize,
}

/// With more slots than keys.
pub(crate) const OTHERS: [Others; 4] = [
    Others::new("task_wait_wake_10_others", 10, 16_384),
    Others::new("task_wait_wake_100_others", 100, 16_384),
    Others::new("task_wait_wake_1000_others", 1_000, 16_384),
    Others::new("task_wait_wake_10000_others", 10_000, 16_384),
];

/// With slotpark's default table, in which up to 20 of them share a slot on average.
pub(crate) const OTHERS_512_SLOTS: [Others; 4] = [
    Others::new("task_wait_wake_10_others_512_slots", 10, 512),
    Others::new("task_wait_wake_100_others_512_slots", 100, 512),
    Others::new("task_wait_wake_1000_others_512_slots", 1_000, 512),
    Others::new("task_wait_wake_10000_others_512_slots", 10_000, 512),
];

impl Others {
    const fn new(row: &'static str, waiting: u64, slots: usize) -> Self {
        Self {
            row,
            waiting,
            slots,
        }
    }

    /// The same with nobody else.
    pub(crate) fn nobody(self) -> Self {
        Self { waiting: 0, ..self }
    }
}

impl TaskWorkload for Others {
    fn rows(&self) -> Vec<Row> {
        vec![Row {
            name: self.row,
            unit: Unit::Ns,
        }]
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(3, 11)
    }

    fn sample<E: TaskEngine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine = engine_with::<E>(Slots::AtLeast(self.slots));
        let word: &'static Word = Box::leak(Box::default());
        let mut context = Context::from_waker(Waker::noop());
        for key in OTHER_KEYS..OTHER_KEYS + self.waiting {
            // It waits until the process ends.
            std::mem::forget(queued(engine, Place { key, word }, &mut context));
        }
        let time = time(scale, |at| wait_and_wake(engine, at, &mut context));
        Ok(Sample::new([time]))
    }
}

/// So many tasks wait on one key, and one call wakes them all.
const OF_ONE_KEY: usize = 64;

/// The call that wakes them; polling them is not counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskWakeAll;

impl TaskWorkload for TaskWakeAll {
    fn rows(&self) -> Vec<Row> {
        vec![Row {
            name: "task_wake_all_64_call",
            unit: Unit::Ns,
        }]
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(3, 11)
    }

    fn sample<E: TaskEngine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        Ok(Sample::new([wake_all_call::<E>(OF_ONE_KEY, scale)]))
    }
}

/// Nanoseconds of the call that wakes so many tasks of one key.
pub(crate) fn wake_all_call<E: TaskEngine>(waiters: usize, scale: &Scale) -> f64 {
    let engine = engine_with::<E>(Slots::Default);
    let word = Word::default();
    let at = Place {
        key: 1,
        word: &word,
    };
    let mut context = Context::from_waker(Waker::noop());
    let mut calls = Vec::new();
    let start = Instant::now();
    while calls.len() < 3 || start.elapsed() < scale.window {
        word.set(0);
        let queue = |_| queued(engine, at, &mut context);
        let tasks: Vec<_> = (0..waiters).map(queue).collect();
        word.set(1);
        let called = Instant::now();
        engine.wake_all(at);
        calls.push(called.elapsed().as_secs_f64() * 1e9);
        for mut task in tasks {
            assert!(task.as_mut().poll(&mut context).is_ready());
        }
    }
    median(&mut calls)
}

/// A wait that is queued.
pub(crate) fn queued<'e, E: TaskEngine>(
    engine: &'e E,
    at: Place<'e>,
    context: &mut Context<'_>,
) -> Pin<Box<impl Future<Output = E::Output> + use<'e, E>>> {
    let mut wait = Box::pin(engine.wait(at, 0));
    assert!(wait.as_mut().poll(context).is_pending());
    wait
}
