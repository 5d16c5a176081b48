//! A read that waits, by one thread: what blocking costs where no thread is to be woken.

use std::future::Future as _;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

use crate::compare::workloads::calls::time;
use crate::measure::locks::Plan;
use crate::measure::managers::TaskPipeEngine;
use crate::measure::{Row, Sample, Scale, Unit};

/// A byte is written and read, by a read that had to wait for it and by one that had not; what the
/// wait adds is the difference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockedRead;

impl BlockedRead {
    /// One sample of one engine.
    pub(crate) fn sample<E: TaskPipeEngine>(scale: &Scale) -> Sample {
        let [pipe] = E::several::<1>(1);
        let mut context = Context::from_waker(Waker::noop());
        let mut measure = |waits: bool| {
            time(scale, |_| {
                let mut byte = [0];
                let mut read = pin!(pipe.read_async(&mut byte));
                if black_box(waits) {
                    assert!(black_box(read.as_mut().poll(&mut context)).is_pending());
                }
                pipe.write(&[1]);
                assert!(black_box(read.as_mut().poll(&mut context)).is_ready());
            })
        };
        let [blocked, ready] = [true, false].map(&mut measure);
        Sample::new([blocked - ready, blocked, ready])
    }
}

impl Plan for BlockedRead {
    fn rows(&self) -> Vec<Row> {
        let names = ["pipe_blocking", "pipe_blocked_read", "pipe_ready_read"];
        names
            .map(|name| Row {
                name,
                unit: Unit::Ns,
            })
            .to_vec()
    }
}
