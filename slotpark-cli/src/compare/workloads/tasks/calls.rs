//! One thread polls by hand, on one key after the other: nobody else waits.

use std::future::Future as _;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

use super::{engine_with, wait_and_wake};
use crate::compare::workloads::calls::{KEYS, time};
use crate::measure::allocator;
use crate::measure::{
    Hung, Place, Row, Sample, Scale, Slots, TaskEngine, TaskWorkload, Unit, Word,
};

/// What is done on a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TaskCalls {
    /// A wait is made and polled, its key is woken, and it is polled again.
    WaitWake,
    /// A wait is made, polled, and dropped while it waits.
    Drop,
}

impl TaskWorkload for TaskCalls {
    fn rows(&self) -> Vec<Row> {
        let row = |name, unit| Row { name, unit };
        match self {
            Self::WaitWake => vec![
                row("task_wait_wake", Unit::Ns),
                row("task_wait_wake_allocs", Unit::Count),
            ],
            Self::Drop => vec![row("task_drop", Unit::Ns)],
        }
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(3, 11)
    }

    fn sample<E: TaskEngine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine = engine_with::<E>(Slots::Default);
        let mut context = Context::from_waker(Waker::noop());
        match self {
            Self::WaitWake => {
                let mut call = |at: Place<'_>| wait_and_wake(engine, at, &mut context);
                let time = time(scale, &mut call);
                Ok(Sample::new([time, allocations(call)]))
            }
            Self::Drop => Ok(Sample::new([time(scale, |at| {
                let mut wait = pin!(engine.wait(at, 0));
                assert!(black_box(wait.as_mut().poll(&mut context)).is_pending());
            })])),
        }
    }
}

/// The allocations of one call, on keys that were not used before.
fn allocations(mut call: impl FnMut(Place<'_>)) -> f64 {
    let word = Word::default();
    allocator::start_counting();
    for key in KEYS + 1..=2 * KEYS {
        call(Place { key, word: &word });
    }
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let per_call = allocator::counted().allocations as f64 / KEYS as f64;
    per_call
}
