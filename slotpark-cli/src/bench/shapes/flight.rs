//! Single flight: one thread that asks for fresh keys, or many that ask for one at a time.

use std::hint::black_box;

use slotpark_report::Metric;

use super::crew::Crew;
use super::{Answer, Request, scale};
use crate::bench::draws::scattered;
use crate::bench::shape::Flight;
use crate::compare::workloads::locks::flights::shared;
use crate::measure::Hung;
use crate::measure::locks::FlightEngine;
use crate::measure::threads::start_seen;

/// Flights between two writes of their count.
const BATCH: u32 = 16;

pub(super) fn sample<E: FlightEngine>(
    parameters: &Flight,
    request: &Request,
) -> Result<Answer, Hung> {
    let crew = Crew::new(request, 1);
    let engine: &'static E = Box::leak(Box::new(E::new()));
    if parameters.threads > 1 {
        let [time, made] = shared(engine, parameters.threads, &scale(request))?;
        return Ok(Answer::of([(Metric::Time, time), (Metric::Made, made)]));
    }
    start_seen(1, move |id| {
        let mut number = 0;
        crew.work(id, BATCH, || {
            number += 1;
            let key = scattered(number);
            black_box(engine.run(key, || black_box(key)));
        });
    });
    crew.measure(false)
}
