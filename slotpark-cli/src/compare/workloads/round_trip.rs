//! Pairs of threads that wake each other in turn.

use super::default_engine;
use super::pairs::{Pair, measure};
use crate::measure::threads::{cores, start};
use crate::measure::{Engine, Hung, Row, Sample, Scale, Unit, Workload};

/// Which pairs, beside whom.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RoundTrip {
    /// One pair, and nobody else.
    Idle,
    /// One pair, while as many threads as there are cores do nothing but compute.
    Busy,
    /// Eight pairs, and nobody else.
    EightPairs,
}

impl Workload for RoundTrip {
    fn rows(&self) -> Vec<Row> {
        let unit = Unit::Ns;
        match self {
            Self::Idle => vec![Row {
                name: "round_trip_idle",
                unit,
            }],
            Self::Busy => vec![Row {
                name: "round_trip_busy",
                unit,
            }],
            Self::EightPairs => vec![
                Row {
                    name: "round_trip_8_pairs",
                    unit,
                },
                Row {
                    name: "round_trip_8_pairs_cpu",
                    unit,
                },
            ],
        }
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(5, 11)
    }

    fn sample<E: Engine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine = default_engine::<E>();
        let (pairs, burners) = match self {
            Self::Idle => (1, 0),
            Self::Busy => (1, cores()),
            Self::EightPairs => (8, 0),
        };
        for _ in 0..burners {
            start(burn);
        }
        // An engine that learns needs some trips to settle, and with idle cores a trip may cost two
        // wake-ups of a core. Where threads compete for the cores, a window must hold many of the
        // scheduler's turns.
        let [warm_ups, windows] = if matches!(self, Self::Idle) {
            [3, 1]
        } else {
            [2, 3]
        };
        let play = move |pair: &Pair, player| match player {
            0 => ping(engine, pair),
            _ => pong(engine, pair),
        };
        let spans = [scale.warm_up * warm_ups, scale.window * windows];
        let per_trip = measure(pairs, play, spans)?;
        Ok(Sample::new(per_trip.into_iter().take(self.rows().len())))
    }
}

fn ping<E: Engine>(engine: &E, pair: &Pair) {
    let [ping, pong] = pair.places();
    for trip in 1.. {
        ping.word.set(trip);
        engine.wake_one(ping);
        engine.wait_while(pong, trip - 1);
        pair.made(trip);
    }
}

fn pong<E: Engine>(engine: &E, pair: &Pair) {
    let [ping, pong] = pair.places();
    for trip in 1.. {
        engine.wait_while(ping, trip - 1);
        pong.word.set(trip);
        engine.wake_one(pong);
    }
}

/// Computes for ever.
fn burn() {
    let mut state = 1_u64;
    loop {
        state = std::hint::black_box(state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1));
    }
}
