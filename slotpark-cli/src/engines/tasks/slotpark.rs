//! slotpark: `ShardedWait<u64>::wait_async`.

use std::future::Future;

use slotpark::core::Inspect;
use slotpark::{ShardedWait, WaitOutcome};

use crate::engines::recorded::Shown;
use crate::measure::{Place, Slots, TaskEngine};

/// A table of our own.
#[derive(Debug)]
pub(crate) struct SlotparkTasks(ShardedWait<u64>);

impl Shown for SlotparkTasks {
    fn shown(&self) -> &dyn Inspect {
        &self.0
    }
}

impl TaskEngine for SlotparkTasks {
    const NAME: &'static str = "slotpark";
    type Output = WaitOutcome;

    fn new(slots: Slots) -> Option<Self> {
        Some(Self(match slots {
            Slots::Default => ShardedWait::new(),
            Slots::One => ShardedWait::with_slots(1),
            Slots::AtLeast(count) => ShardedWait::with_slots(count),
        }))
    }

    #[inline]
    fn wait(&self, at: Place<'_>, expected: u32) -> impl Future<Output = Self::Output> {
        self.0
            .wait_async(at.key, move || at.word.value() == expected)
    }

    async fn wait_while(&self, at: Place<'_>, expected: u32) {
        let condition = || at.word.value() == expected;
        let _met = self.0.wait_while_async(at.key, condition).await;
    }

    #[inline]
    fn wake_one(&self, at: Place<'_>) {
        let _woken = self.0.wake_one(&at.key);
    }

    #[inline]
    fn wake_all(&self, at: Place<'_>) {
        let _woken = self.0.wake_all(&at.key);
    }
    fn queued_by_slot(&self) -> Option<Vec<u32>> {
        Some(crate::engines::slotpark::queued_by_slot(&self.0))
    }
}
