//! Threads that make one call again and again, which blocks for no longer than its deadline.

use std::hint::black_box;
use std::time::Duration;

use super::crew::Crew;
use super::keys::{Words, put_to_sleep};
use super::{Answer, Request, engine, shown};
use crate::bench::draws;
use crate::bench::shape::{Call, Calls};
use crate::measure::threads::start_seen;
use crate::measure::{Deadline, Engine, Hung};

impl Calls {
    /// Whether an engine needs no waits to answer.
    pub(crate) fn only_wakes(&self) -> bool {
        matches!(self.call, Call::WakeOne | Call::WakeAll) && self.sleepers == 0
    }
}

impl Call {
    /// How many calls are made between two writes of their count.
    fn batch(self) -> usize {
        match self {
            Self::WakeOne | Self::WakeAll | Self::WaitStale => 1024,
            Self::WaitPastDeadline => 64,
            Self::WaitTimeout => 1,
        }
    }
}

pub(super) fn sample<E: Engine>(calls: &Calls, request: &Request) -> Result<Answer, Hung> {
    let crew = Crew::new(request, calls.threads);
    let engine = engine::<E>();
    let keys = usize::try_from(calls.keys).expect("a file's values are checked");
    let words = Words::new(keys + calls.sleepers, calls.stride);
    put_to_sleep(engine, words, keys..keys + calls.sleepers);
    let slots = engine.queued_by_slot().filter(|_| calls.sleepers > 0);
    let (calls, seed) = (calls.clone(), request.seed);
    start_seen(calls.threads, move |id| {
        let keys = u32::try_from(calls.keys).expect("a file's values are checked");
        let drawn = draws::indices(calls.draw, keys, calls.exponent, seed, id as u64);
        let places = words.places(&drawn);
        let past = Deadline::past();
        let (batch, places) = (calls.call.batch(), &*places);
        match calls.call {
            Call::WakeOne => crew.work_through(id, batch, places, |at| {
                black_box(engine.wake_one(at));
            }),
            Call::WakeAll => crew.work_through(id, batch, places, |at| {
                black_box(engine.wake_all(at));
            }),
            Call::WaitStale => crew.work_through(id, batch, places, |at| {
                black_box(engine.wait(at, 1, None));
            }),
            Call::WaitPastDeadline => crew.work_through(id, batch, places, |at| {
                black_box(engine.wait(at, 0, Some(&past)));
            }),
            Call::WaitTimeout => crew.work_through(id, batch, places, |at| {
                let after = Duration::from_micros(calls.timeout_us);
                black_box(engine.wait(at, 0, Some(&Deadline::after(after))));
            }),
        }
    });
    let mut answer = crew.measure(false)?;
    answer.slots = shown(slots);
    Ok(answer)
}
