//! What the harness asks of an implementation of keyed waiting for tasks, and its workloads.

use std::future::Future;

use super::{Hung, Place, Row, Sample, Scale, Slots};

/// One implementation of keyed waiting for tasks, behind an adapter that adds as little as
/// possible.
pub(crate) trait TaskEngine: Send + Sync + Sized + 'static {
    /// The name in reports.
    const NAME: &'static str;

    /// What a wait says at its end.
    type Output;

    /// A fresh instance; `None` where the implementation has no table of slots to choose.
    fn new(slots: Slots) -> Option<Self>;

    /// One wait on the key: queued by its first poll, ready after the next wake.
    ///
    /// Where the implementation looks at a condition, it is that the word has the value `expected`.
    fn wait(&self, at: Place<'_>, expected: u32) -> impl Future<Output = Self::Output>;

    /// Waits while the word has the value `expected`, and loses no wake.
    fn wait_while(&self, at: Place<'_>, expected: u32) -> impl Future<Output = ()> {
        async move {
            while at.word.value() == expected {
                self.wait(at, expected).await;
            }
        }
    }

    /// Wakes one task that waits on the key.
    fn wake_one(&self, at: Place<'_>);

    /// Wakes all tasks that wait on the key.
    fn wake_all(&self, at: Place<'_>);

    /// What the caller owes between the change of its word and a wake of another thread's task:
    /// nothing, unless the implementation leaves the fence to its callers.
    fn before_wake(&self) {}

    /// The waits that each slot has seen, where there are slots to look at.
    fn queued_by_slot(&self) -> Option<Vec<u32>> {
        None
    }
}

/// What is measured of tasks, written once for all engines.
pub(crate) trait TaskWorkload: Copy + Send + 'static {
    /// The rows that one sample fills.
    fn rows(&self) -> Vec<Row>;

    /// How many rounds a run of this scale makes.
    fn rounds(&self, scale: &Scale) -> usize;

    /// One sample of one engine, in a process of its own. Threads and tasks may be left behind.
    fn sample<E: TaskEngine>(&self, scale: &Scale) -> Result<Sample, Hung>;
}
