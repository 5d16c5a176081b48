//! Two tasks on two threads that wake each other in turn, each run by the smallest executor: it
//! polls when its thread is unparked.
//!
//! So most of a trip is the executor's, and the same for all engines. No engine spins here.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use super::engine_with;
use crate::compare::workloads::pairs::{Pair, measure};
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

/// Unparks the thread whose task it wakes.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
