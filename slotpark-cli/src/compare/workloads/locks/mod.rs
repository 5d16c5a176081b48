//! What is measured of keyed locks, semaphores and single flights: each workload is written once,
//! generic over the engine.

mod crowd;
pub(crate) mod flights;
mod fresh;
mod hot;
mod kept;
mod keys;
mod permits;
mod zipf;

pub(crate) use flights::Flights;
pub(crate) use fresh::{AsyncFresh, Fresh};
pub(crate) use hot::Hot;
pub(crate) use kept::Kept;
pub(crate) use keys::SEED;
pub(crate) use permits::{AsyncPermits, Permits};
pub(crate) use zipf::Zipf;

use std::hint::black_box;

use crate::measure::{Row, Unit};

/// A row of time and the row of allocations that is filled beside it.
fn time_and_allocations(names: [&'static str; 2]) -> Vec<Row> {
    let [time, allocations] = names;
    vec![
        Row {
            name: time,
            unit: Unit::Ns,
        },
        Row {
            name: allocations,
            unit: Unit::Count,
        },
    ]
}

/// A piece of work that touches nothing shared: so many steps, a nanosecond or two each.
pub(crate) fn work(steps: u32) {
    for step in 0..steps {
        black_box(step);
    }
}
