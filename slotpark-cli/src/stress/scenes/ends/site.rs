//! The keys of one site: their permits, and since when they are not closed.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::stress::planned::Key;
use crate::stress::stage::LANES;

/// Keys that are waited for together, the primary one first.
pub(super) struct Site {
    pub(super) keys: [Key; LANES],
    /// Permits of each. Relaxed: the fences of the library are on trial.
    pub(super) counts: [AtomicU32; LANES],
    doors: [Door; LANES],
}

/// Who keeps a key closed. If all that had begun by now were over before, then it was open all the
/// time in between. Relaxed, in order by the slot's lock: a wait that was refused by a closing sees
/// it begun, and one that has seen it over queues after it.
#[derive(Debug, Default)]
pub(super) struct Door {
    begun: AtomicU64,
    over: AtomicU64,
}

impl Door {
    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.over.fetch_add(1, Ordering::Relaxed);
    }
}

/// How often each key had been closed and opened again when this was taken.
pub(super) struct Seen([u64; LANES]);

impl Site {
    pub(super) fn new(keys: &[Key]) -> Self {
        Self {
            keys: std::array::from_fn(|lane| keys[lane]),
            counts: Default::default(),
            doors: Default::default(),
        }
    }

    pub(super) fn count(&self, lane: usize) -> u32 {
        self.counts[lane].load(Ordering::Relaxed)
    }

    pub(super) fn door(&self, lane: usize) -> &Door {
        &self.doors[lane]
    }

    pub(super) fn look(&self) -> Seen {
        Seen(std::array::from_fn(|lane| {
            self.doors[lane].over.load(Ordering::Relaxed)
        }))
    }

    /// Whether nobody has kept the key closed at any moment since `seen`.
    pub(super) fn was_open(&self, lane: usize, seen: &Seen) -> bool {
        self.doors[lane].begun.load(Ordering::Relaxed) == seen.0[lane]
    }
}
