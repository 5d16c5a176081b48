//! What is left when every one of many keys was locked and unlocked once.
//!
//! Ten million keys, one million in a quick run; by the process's resident memory, and by what is
//! live in its allocator. The instance counts, as does what it allocates at its first use.

use super::keys::scattered;
use crate::measure::locks::{LockEngine, LockWorkload, Plan};
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

/// The resident memory of this process. Keeps nothing.
fn resident_bytes() -> i64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<i64>().ok());
    let page_bytes = i64::try_from(rustix::param::page_size()).unwrap_or(0);
    pages.unwrap_or(0) * page_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_grows_with_what_is_touched() {
        let before = resident_bytes();
        let kept = std::hint::black_box(vec![1_u8; 64 << 20]);
        // Other tests give memory back at the same time.
        assert!(resident_bytes() - before > 32 << 20);
        drop(kept);
    }
}
