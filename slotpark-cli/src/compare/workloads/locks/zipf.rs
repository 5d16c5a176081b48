//! Threads lock keys of which a few are asked for most: the everyday of a cache or a database.

use super::{crowd, keys, work};
use crate::measure::locks::{LockEngine, LockWorkload, Plan};
use crate::measure::{Hung, Row, Sample, Scale, Unit};

const THREADS: usize = 8;
const KEYS: u32 = 1_000_000;
const EXPONENT: f64 = 0.99;
/// The work of a thread while it holds a lock.
const WORK: u32 = 32;

/// Eight threads over a million keys; engines that serve in turn are reported apart from those in
/// which whoever comes may take a free lock.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Zipf {
    Fair,
    Barging,
}

impl Plan for Zipf {
    fn rows(&self) -> Vec<Row> {
        let name = match self {
            Self::Fair => "lock_zipf_8_fair",
            Self::Barging => "lock_zipf_8_barging",
        };
        vec![Row {
            name,
            unit: Unit::Ns,
        }]
    }
}

impl LockWorkload for Zipf {
    fn sample<E: LockEngine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine: &'static E = Box::leak(Box::new(E::new()));
        let count = scale.pick(1 << 14, 1 << 18);
        let draw = |thread| keys::zipf(count, KEYS, EXPONENT, thread);
        let drawn: &'static [Vec<u64>] = Vec::leak((0..THREADS as u64).map(draw).collect());
        let done = crowd::measure(THREADS, scale, move |thread, count| {
            for &key in drawn[thread].iter().cycle() {
                let guard = engine.lock(key);
                work(WORK);
                drop(guard);
                count.add_one();
            }
        })?;
        Ok(Sample::new([done.ns_each]))
    }
}
