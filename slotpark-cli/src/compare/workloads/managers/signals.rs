//! A signal that a thread sends to its own process, until its handler has run.

use std::hint::black_box;

use crate::compare::workloads::calls::time;
use crate::measure::locks::Plan;
use crate::measure::managers::SignalEngine;
use crate::measure::{Row, Sample, Scale, Unit};

/// Sent, taken, handled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signals;

impl Signals {
    /// One sample of one engine.
    pub(crate) fn sample<E: SignalEngine>(scale: &Scale) -> Sample {
        let mut engine = E::new();
        let time = time(scale, |_| {
            black_box(engine.signal());
        });
        Sample::new([time])
    }
}

impl Plan for Signals {
    fn rows(&self) -> Vec<Row> {
        vec![Row {
            name: "signal_deliver",
            unit: Unit::Ns,
        }]
    }
}
