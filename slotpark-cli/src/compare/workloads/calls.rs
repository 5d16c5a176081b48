//! Calls of one thread that neither block nor wake: what keyed waiting costs where nothing happens.

use std::hint::black_box;
use std::time::Instant;

use super::default_engine;
use crate::measure::statistics::median;
use crate::measure::{Deadline, Engine, Hung, Place, Row, Sample, Scale, Unit, Word, Workload};

/// The keys that the calls go around: few, so that caches hold what belongs to them.
pub(super) const KEYS: u64 = 64;
/// The calls between two looks at the clock.
const BATCH: u64 = 16 * KEYS;

/// Which call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Calls {
    /// A wake of a key on which nobody ever waited.
    WakeNone,
    /// A wait on a word whose value has changed.
    WaitStale,
    /// A wait on a word whose value has not changed, with a deadline that is past.
    WaitPastDeadline,
}

impl Workload for Calls {
    fn rows(&self) -> Vec<Row> {
        let name = match self {
            Self::WakeNone => "wake_none",
            Self::WaitStale => "wait_stale",
            Self::WaitPastDeadline => "wait_past_deadline",
        };
        vec![Row {
            name,
            unit: Unit::Ns,
        }]
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(5, 11)
    }

    fn sample<E: Engine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine = default_engine::<E>();
        let past = Deadline::past();
        let time = match self {
            Self::WakeNone => time(scale, |at| {
                black_box(engine.wake_one(at));
            }),
            Self::WaitStale => time(scale, |at| {
                black_box(engine.wait(at, 1, None));
            }),
            Self::WaitPastDeadline => time(scale, |at| {
                black_box(engine.wait(at, 0, Some(&past)));
            }),
        };
        Ok(Sample::new([time]))
    }
}

/// The nanoseconds of one call on each of the keys from 1 on in turn: the middle of the batches.
pub(super) fn time(scale: &Scale, mut call: impl FnMut(Place<'_>)) -> f64 {
    let words: Vec<Word> = (0..KEYS).map(|_| Word::default()).collect();
    let mut batch = || {
        let start = Instant::now();
        for _ in 0..BATCH / KEYS {
            for (key, word) in (1..).zip(&words) {
                call(Place {
                    key: black_box(key),
                    word,
                });
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let calls = BATCH as f64;
        start.elapsed().as_secs_f64() * 1e9 / calls
    };
    let start = Instant::now();
    while start.elapsed() < scale.warm_up / 4 {
        batch();
    }
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < scale.window {
        times.push(batch());
    }
    median(&mut times)
}
