//! The counters of one process in the shared memory.
//!
//! Any thread adds to them at any time, also from a signal handler, and `slotpark` reads them when
//! the program has ended. They are counts, nothing is published through them: every access is
//! relaxed.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::layout::{COUNTERS, Counter, KEY_WORDS, LONGEST, NAME_BYTES, ROW_BYTES, SLOTS};

/// One row, as [`crate::layout`] has it.
#[repr(C, align(4096))]
pub(crate) struct Row {
    counters: [AtomicU64; COUNTERS],
    keys: [AtomicU64; KEY_WORDS],
    parks: [AtomicU32; SLOTS],
}

const _: () = assert!(size_of::<Row>() == ROW_BYTES);
const _: () = assert!(core::mem::offset_of!(Row, keys) == crate::layout::KEYS_AT);
const _: () = assert!(core::mem::offset_of!(Row, parks) == crate::layout::PARKS_AT);

impl Row {
    pub(crate) const fn new() -> Self {
        Self {
            counters: [const { AtomicU64::new(0) }; COUNTERS],
            keys: [const { AtomicU64::new(0) }; KEY_WORDS],
            parks: [const { AtomicU32::new(0) }; SLOTS],
        }
    }

    fn counter(&self, counter: Counter) -> &AtomicU64 {
        &self.counters[counter as usize]
    }

    pub(crate) fn add(&self, counter: Counter, count: usize) {
        self.counter(counter).fetch_add(count as u64, Relaxed);
    }

    /// Whether no process counts here yet.
    pub(crate) fn is_new(&self) -> bool {
        self.counter(Counter::Processes).load(Relaxed) == 0
    }

    /// Names the process. A row that a process had before it replaced its program keeps its counts,
    /// but nobody waits any more.
    pub(crate) fn begin(&self, parent: u64, name: [u8; NAME_BYTES]) {
        self.counter(Counter::Parent).store(parent, Relaxed);
        self.counter(Counter::Waiting).store(0, Relaxed);
        for (index, word) in name.chunks_exact(8).enumerate() {
            let word = word.try_into().map_or(0, u64::from_ne_bytes);
            self.counters[Counter::Name as usize + index].store(word, Relaxed);
        }
    }

    /// This address is waited on.
    pub(crate) fn note_key(&self, address: usize) {
        let bit = mix(address as u64) as usize % (KEY_WORDS * 64);
        self.keys[bit / 64].fetch_or(1 << (bit % 64), Relaxed);
    }

    /// A wait begins.
    pub(crate) fn begin_wait(&self) {
        self.add(Counter::Waits, 1);
        let waiting = self.counter(Counter::Waiting).fetch_add(1, Relaxed) + 1;
        self.counter(Counter::WaitingMost)
            .fetch_max(waiting, Relaxed);
    }

    /// A wait that had begun was none.
    pub(crate) fn refuse_wait(&self) {
        self.counter(Counter::Waits).fetch_sub(1, Relaxed);
        self.counter(Counter::Waiting).fetch_sub(1, Relaxed);
    }

    /// A wait of this length ends.
    pub(crate) fn end_wait(&self, wait_ns: u64) {
        self.counter(Counter::Waiting).fetch_sub(1, Relaxed);
        self.counter(Counter::WaitNs).fetch_add(wait_ns, Relaxed);
        self.keep_if_long(wait_ns);
    }

    /// Puts the wait in the place of the shortest of the longest, if it is longer.
    fn keep_if_long(&self, wait_ns: u64) {
        let longest = &self.counters[Counter::Longest as usize..][..LONGEST];
        loop {
            let (shortest, length) = longest
                .iter()
                .map(|kept| (kept, kept.load(Relaxed)))
                .min_by_key(|(_, length)| *length)
                .expect("a row keeps at least one wait");
            let done = wait_ns <= length
                || shortest
                    .compare_exchange(length, wait_ns, Relaxed, Relaxed)
                    .is_ok();
            if done {
                return;
            }
        }
    }

    /// A waiter was linked into a slot.
    pub(crate) fn park(&self, slot: usize) {
        if let Some(parks) = self.parks.get(slot) {
            parks.fetch_add(1, Relaxed);
        }
    }
}

/// The finalizer of SplitMix64: every bit of the address moves every bit of the result.
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_waits_stay() {
        let row = Box::new(Row::new());
        for wait_ns in [5, 1, 9, 3, 7, 2, 8, 4, 6] {
            row.add(Counter::Waiting, 1);
            row.end_wait(wait_ns);
        }
        let mut kept: Vec<u64> = row.counters[Counter::Longest as usize..][..LONGEST]
            .iter()
            .map(|kept| kept.load(Relaxed))
            .collect();
        kept.sort_unstable();
        assert_eq!(kept, [6, 7, 8, 9]);
        assert_eq!(row.counter(Counter::WaitNs).load(Relaxed), 45);
        assert_eq!(row.counter(Counter::Waiting).load(Relaxed), 0);
    }

    #[test]
    fn the_same_key_sets_one_bit() {
        let row = Box::new(Row::new());
        let bits = || {
            row.keys
                .iter()
                .map(|word| word.load(Relaxed).count_ones())
                .sum::<u32>()
        };
        for _ in 0..3 {
            row.note_key(0x1000);
        }
        assert_eq!(bits(), 1);
        row.note_key(0x1004);
        assert_eq!(bits(), 2);
    }
}
