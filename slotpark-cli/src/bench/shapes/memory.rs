//! What is left when every one of many keys was used once: in the process's resident memory, and in
//! what is live in its allocator. The instance counts, as does what it allocates at its first use.

use std::time::Duration;

use slotpark_report::Metric;

use super::Answer;
use crate::bench::draws::scattered;
use crate::bench::shape::Memory;
use crate::measure::locks::LockEngine;
use crate::measure::resident::resident_bytes;
use crate::measure::{Deadline, Engine, Place, Slots, Word, allocator};

/// One wait in so many is queued until its deadline.
const QUEUED: u64 = 1000;
/// How long it stays there: longer than the way into the queue.
const STAY: Duration = Duration::from_micros(20);
/// One wait in so many is too late; the others find that their value has changed.
const PAST: u64 = 500;

pub(super) fn of_waits<E: Engine>(memory: &Memory) -> Answer {
    let word = Word::default();
    kept(|| {
        let engine = E::new(Slots::Default).expect("every engine has a default table");
        let past = Deadline::past();
        for number in 0..memory.keys {
            let key = number + 1;
            let at = Place { key, word: &word };
            if number % QUEUED == 0 {
                engine.wait(at, 0, Some(&Deadline::after(STAY)));
            } else {
                engine.wait(at, u32::from(key % PAST != 0), Some(&past));
            }
        }
        engine
    })
}

pub(super) fn of_locks<E: LockEngine>(memory: &Memory) -> Answer {
    kept(|| {
        let engine = E::new();
        for number in 0..memory.keys {
            drop(engine.lock(scattered(number)));
        }
        engine
    })
}

/// What the process has more of when it was made and used.
fn kept<E>(make_and_use: impl FnOnce() -> E) -> Answer {
    let before = resident_bytes();
    allocator::start_counting();
    let engine = make_and_use();
    let live = allocator::counted().live_bytes;
    let resident = resident_bytes() - before;
    drop(engine);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    Answer::of([
        (Metric::LiveBytes, live.max(0) as f64),
        (Metric::ResidentBytes, resident.max(0) as f64),
    ])
}
