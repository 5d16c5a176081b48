//! What an engine's table takes, and what a million keys leave behind.
//!
//! The table is what is live after the engine was made and one wait has timed out on it, so that
//! tables made at first use count. The keys' words belong to the callers of all engines alike and
//! do not count. Of the million waits, each on a fresh key, one in 1000 is queued and times out
//! there, one in 500 has a deadline that is past, and the others find that their value has changed.

use std::time::Duration;

use crate::measure::allocator;
use crate::measure::{
    Deadline, Engine, Hung, Place, Row, Sample, Scale, Slots, Unit, Word, Workload,
};

const KEYS: u64 = 1_000_000;
/// One wait in so many is queued.
const QUEUED: u64 = 1000;
/// One wait in so many is too late.
const PAST: u64 = 500;
/// How long it stays there: longer than the way into the queue.
const STAY: Duration = Duration::from_micros(20);

/// The memory of an engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory;

impl Workload for Memory {
    fn rows(&self) -> Vec<Row> {
        let names = ["table_bytes", "bytes_kept_1m_keys"];
        names
            .map(|name| Row {
                name,
                unit: Unit::Bytes,
            })
            .to_vec()
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(1, 3)
    }

    fn sample<E: Engine>(&self, _scale: &Scale) -> Result<Sample, Hung> {
        let word = Word::default();
        let queue = |engine: &E, key| {
            engine.wait(Place { key, word: &word }, 0, Some(&Deadline::after(STAY)))
        };
        allocator::start_counting();
        let engine = E::new(Slots::Default).expect("every engine has a default table");
        queue(&engine, 1);
        let table = allocator::counted().live_bytes;
        let past = Deadline::past();
        for key in 2..KEYS + 2 {
            if key % QUEUED == 0 {
                queue(&engine, key);
            } else {
                let expected = u32::from(key % PAST != 0);
                engine.wait(Place { key, word: &word }, expected, Some(&past));
            }
        }
        let kept = allocator::counted().live_bytes - table;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let mut sample = Sample::new([table as f64, kept as f64]);
        if !E::TABLE_IN_PROCESS {
            sample.values[0] = None;
        }
        Ok(sample)
    }
}
