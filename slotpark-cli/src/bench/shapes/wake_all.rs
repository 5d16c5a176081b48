//! One call that wakes all who wait on a key.

use slotpark_report::Metric;

use super::{Answer, Request, scale};
use crate::compare::workloads::tasks::crowd::wake_all_call;
use crate::compare::workloads::wake_all::medians;
use crate::measure::{Engine, Hung, TaskEngine};

/// Threads, all of them asleep.
pub(super) fn of_threads<E: Engine>(waiters: usize, request: &Request) -> Result<Answer, Hung> {
    let [call, running] = medians::<E>(waiters, &scale(request))?;
    Ok(Answer::of([(Metric::Call, call), (Metric::Time, running)]))
}

/// Tasks; polling them is not counted.
pub(super) fn of_tasks<E: TaskEngine>(waiters: usize, request: &Request) -> Answer {
    let call = wake_all_call::<E>(waiters, &scale(request));
    Answer::of([(Metric::Time, call)])
}
