//! What is measured of tasks: each workload is written once, generic over the engine.
//!
//! That a thread's wake with nobody waiting pays nothing for them is not measured apart: it is the
//! row `wake_none`, on the one table that threads and tasks share.

mod calls;
pub(crate) mod crowd;
mod round_trip;

pub(crate) use calls::TaskCalls;
pub(crate) use crowd::{OTHERS, OTHERS_512_SLOTS, Others, TaskWakeAll};
pub(crate) use round_trip::TaskRoundTrip;

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::Context;

use crate::measure::{Place, Slots, TaskEngine};

/// An engine with so many slots where it has slots to choose, else with its default table. It lives
/// as long as the sample's process.
fn engine_with<E: TaskEngine>(slots: Slots) -> &'static E {
    let engine = E::new(slots).or_else(|| E::new(Slots::Default));
    Box::leak(Box::new(engine.expect("every engine has a default table")))
}

/// One wait, queued, woken and ready.
#[inline]
pub(crate) fn wait_and_wake<E: TaskEngine>(engine: &E, at: Place<'_>, context: &mut Context<'_>) {
    at.word.set(0);
    let mut wait = pin!(engine.wait(at, 0));
    assert!(black_box(wait.as_mut().poll(context)).is_pending());
    at.word.set(1);
    engine.wake_one(at);
    assert!(black_box(wait.poll(context)).is_ready());
}
