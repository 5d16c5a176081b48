//! Threads that take permits of one semaphore and give them back.

use std::hint::black_box;

use super::crew::Crew;
use super::{Answer, Request};
use crate::bench::shape::Permits;
use crate::compare::workloads::locks::work;
use crate::measure::Hung;
use crate::measure::locks::PermitEngine;
use crate::measure::threads::start_seen;

/// Permits between two writes of their count.
const BATCH: u32 = 16;

pub(super) fn sample<E: PermitEngine>(
    parameters: &Permits,
    request: &Request,
) -> Result<Answer, Hung> {
    let crew = Crew::new(request, parameters.threads);
    let engine: &'static E = Box::leak(Box::new(E::new(parameters.permits)));
    let [held, free] = [parameters.held_steps, parameters.free_steps];
    start_seen(parameters.threads, move |id| {
        crew.work(id, BATCH, || {
            let permit = engine.acquire();
            black_box(&permit);
            work(held);
            drop(permit);
            work(free);
        });
    });
    crew.measure(false)
}
