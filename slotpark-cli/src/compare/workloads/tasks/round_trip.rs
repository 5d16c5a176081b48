//! Two tasks on two threads that wake each other in turn, each run by the smallest executor.
//!
//! So most of a trip is the executor's, and the same for all engines. No engine spins here.

use super::engine_with;
use crate::compare::workloads::pairs::{Pair, measure};
use crate::engines::block_on::block_on;
use crate::measure::{Hung, Row, Sample, Scale, Slots, TaskEngine, TaskWorkload, Unit};

/// One pair, and nobody else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TaskRoundTrip;

impl TaskWorkload for TaskRoundTrip {
    fn rows(&self) -> Vec<Row> {
        vec![Row {
            name: "task_round_trip",
            unit: Unit::Ns,
        }]
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(3, 11)
    }

    fn sample<E: TaskEngine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine = engine_with::<E>(Slots::Default);
        let play = move |pair: &Pair, player| match player {
            0 => block_on(ping(engine, pair)),
            _ => block_on(pong(engine, pair)),
        };
        let [time, _cpu] = measure(1, play, [scale.warm_up, scale.window])?;
        Ok(Sample::new([time]))
    }
}

async fn ping<E: TaskEngine>(engine: &E, pair: &Pair) {
    let [ping, pong] = pair.places();
    for trip in 1.. {
        ping.word.set(trip);
        engine.before_wake();
        engine.wake_one(ping);
        engine.wait_while(pong, trip - 1).await;
        pair.made(trip);
    }
}

async fn pong<E: TaskEngine>(engine: &E, pair: &Pair) {
    let [ping, pong] = pair.places();
    for trip in 1.. {
        engine.wait_while(ping, trip - 1).await;
        pong.word.set(trip);
        engine.before_wake();
        engine.wake_one(pong);
    }
}
