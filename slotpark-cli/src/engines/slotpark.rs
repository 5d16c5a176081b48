//! slotpark: `ShardedWait<u64>`.

use slotpark::core::{Inspect, Table};
use slotpark::{Seeded, ShardedWait, Spin, WaitOutcome};

use super::recorded::Shown;
use crate::measure::{Deadline, Engine, Outcome, Place, Slots};

/// A table of our own.
#[derive(Debug)]
pub(crate) struct Slotpark(ShardedWait<u64>);

impl Slotpark {
    /// The usual table, but for its spin.
    pub(crate) fn never_spinning() -> Self {
        let table = Table::new().with_spin(Spin::Never);
        Self(ShardedWait::from_table(table, Seeded::new()))
    }
}

/// The waits that each slot has seen so far.
pub(super) fn queued_by_slot(waits: &ShardedWait<u64>) -> Vec<u32> {
    let slots = 0..waits.slots();
    slots.map(|index| waits.slot_stats(index).parks).collect()
}

impl Shown for Slotpark {
    fn shown(&self) -> &dyn Inspect {
        &self.0
    }
}

impl Engine for Slotpark {
    const NAME: &'static str = "slotpark";

    fn new(slots: Slots) -> Option<Self> {
        Some(Self(match slots {
            Slots::Default => ShardedWait::new(),
            Slots::One => ShardedWait::with_slots(1),
            Slots::AtLeast(count) => ShardedWait::with_slots(count),
        }))
    }

    #[inline]
    fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome {
        let validate = || at.word.value() == expected;
        let outcome = match deadline {
            None => self.0.wait(&at.key, validate),
            Some(deadline) => self.0.wait_until(&at.key, validate, deadline.instant),
        };
        match outcome {
            WaitOutcome::Stale => Outcome::Stale,
            WaitOutcome::TimedOut => Outcome::TimedOut,
            _ => Outcome::Woken,
        }
    }

    #[inline]
    fn wake_one(&self, at: Place<'_>) -> usize {
        self.0.wake_one(&at.key)
    }

    #[inline]
    fn wake_all(&self, at: Place<'_>) -> usize {
        self.0.wake_all(&at.key)
    }
    fn queued_by_slot(&self) -> Option<Vec<u32>> {
        Some(queued_by_slot(&self.0))
    }
}
