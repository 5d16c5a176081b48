//! All threads lock one key.

use super::{crowd, work};
use crate::measure::locks::{LockEngine, LockWorkload, Plan};
use crate::measure::{Hung, Row, Sample, Scale, Unit};

/// The work of a thread while it holds the lock, and of a thread that does not.
const WORK: [u32; 2] = [32, 32];
const KEY: u64 = 1;

/// Among so many threads; engines that hand their locks over in turn are reported apart from those
/// in which whoever comes may take a free one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hot {
    threads: usize,
    rows: [&'static str; 2],
}

impl Hot {
    pub(crate) const FAIR: [Self; 2] = [
        Self::of(2, ["lock_hot_2_fair", "lock_hot_2_fair_least_share"]),
        Self::of(8, ["lock_hot_8_fair", "lock_hot_8_fair_least_share"]),
    ];
    pub(crate) const BARGING: [Self; 2] = [
        Self::of(2, ["lock_hot_2_barging", "lock_hot_2_barging_least_share"]),
        Self::of(8, ["lock_hot_8_barging", "lock_hot_8_barging_least_share"]),
    ];

    const fn of(threads: usize, rows: [&'static str; 2]) -> Self {
        Self { threads, rows }
    }
}

impl Plan for Hot {
    fn rows(&self) -> Vec<Row> {
        let [time, share] = self.rows;
        vec![
            Row {
                name: time,
                unit: Unit::Ns,
            },
            Row {
                name: share,
                unit: Unit::Count,
            },
        ]
    }
}

impl LockWorkload for Hot {
    fn sample<E: LockEngine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine: &'static E = Box::leak(Box::new(E::new()));
        let done = crowd::measure(self.threads, scale, move |_, count| {
            loop {
                let guard = engine.lock(KEY);
                work(WORK[0]);
                drop(guard);
                work(WORK[1]);
                count.add_one();
            }
        })?;
        Ok(Sample::new([done.ns_each, done.least_share]))
    }
}
