//! A read that waits, by one thread: what blocking costs where no thread is to be woken.

use std::future::Future as _;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

use crate::compare::workloads::calls::time;
use crate::measure::locks::Plan;
use crate::measure::managers::TaskPipeEngine;
use crate::measure::{Row, Sample, Scale, Unit};

/// A read of an empty pipe is made and polled, a byte is written, and it is polled again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockedRead;

impl BlockedRead {
    /// One sample of one engine.
    pub(crate) fn sample<E: TaskPipeEngine>(scale: &Scale) -> Sample {
        let [pipe] = E::several::<1>(1);
        let mut context = Context::from_waker(Waker::noop());
        let time = time(scale, |_| {
            let mut byte = [0];
            let mut read = pin!(pipe.read_async(&mut byte));
            assert!(black_box(read.as_mut().poll(&mut context)).is_pending());
            pipe.write(&[1]);
            assert!(black_box(read.as_mut().poll(&mut context)).is_ready());
        });
        Sample::new([time])
    }
}

impl Plan for BlockedRead {
    fn rows(&self) -> Vec<Row> {
        vec![Row {
            name: "pipe_blocked_read",
            unit: Unit::Ns,
        }]
    }
}
