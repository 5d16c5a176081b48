//! What is left when every one of many keys was locked and unlocked once.
//!
//! Ten million keys, one million in a quick run; by the process's resident memory, and by what is
//! live in its allocator. The instance counts, as does what it allocates at its first use.

use super::keys::scattered;
use crate::measure::locks::{LockEngine, LockWorkload, Plan};
use crate::measure::resident::resident_bytes;
use crate::measure::{Hung, Row, Sample, Scale, Unit, allocator};

/// The memory that keys leave behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept;

impl Plan for Kept {
    fn rows(&self) -> Vec<Row> {
        ["lock_rss_kept", "lock_bytes_kept"]
            .map(|name| Row {
                name,
                unit: Unit::Bytes,
            })
            .to_vec()
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(1, 3)
    }
}

impl LockWorkload for Kept {
    fn sample<E: LockEngine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let before = resident_bytes();
        allocator::start_counting();
        let engine = E::new();
        for number in 0..scale.pick(1_000_000, 10_000_000) {
            drop(engine.lock(scattered(number)));
        }
        let live = allocator::counted().live_bytes;
        let resident = resident_bytes() - before;
        drop(engine);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        Ok(Sample::new([resident as f64, live as f64]))
    }
}
