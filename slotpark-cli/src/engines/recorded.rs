//! slotpark while it records what it does: the same engine at one level of detail, in a table that
//! is registered, so that histograms and busiest keys are kept as for a program that is looked at.

use std::future::Future;
use std::marker::PhantomData;

use slotpark_core::Inspect;
use slotpark_inspect::{Detail, register_static, set_detail};

use crate::measure::locks::LockEngine;
use crate::measure::{Deadline, Engine, Outcome, Place, Slots, TaskEngine};

/// How much is recorded, in the whole process: each sample has one of its own.
pub(crate) trait Level: Send + Sync + 'static {
    const DETAIL: Detail;
}

/// Nothing: what the others are compared with, made as they are.
#[derive(Debug)]
pub(crate) enum Off {}

/// Which keys are busiest.
#[derive(Debug)]
pub(crate) enum Counters {}

/// Also who waits or holds since when, and how long it took.
#[derive(Debug)]
pub(crate) enum Timing {}

/// Also where in the source.
#[derive(Debug)]
pub(crate) enum Full {}

impl Level for Off {
    const DETAIL: Detail = Detail::Off;
}

impl Level for Counters {
    const DETAIL: Detail = Detail::Counters;
}

impl Level for Timing {
    const DETAIL: Detail = Detail::Timing;
}

impl Level for Full {
    const DETAIL: Detail = Detail::Full;
}

/// What an engine shows of itself.
pub(crate) trait Shown: Sized + Sync + 'static {
    fn shown(&self) -> &dyn Inspect;
}

/// An engine that records, and lives as long as the sample's process.
#[derive(Debug)]
pub(crate) struct Recorded<E: 'static, L>(&'static E, PhantomData<fn() -> L>);

impl<E: Shown, L: Level> Recorded<E, L> {
    fn of(engine: E) -> Self {
        let engine: &'static E = Box::leak(Box::new(engine));
        set_detail(L::DETAIL);
        register_static("measured", engine.shown()).keep();
        Self(engine, PhantomData)
    }
}

impl<E: Engine + Shown, L: Level> Engine for Recorded<E, L> {
    const NAME: &'static str = E::NAME;
    const TABLE_IN_PROCESS: bool = E::TABLE_IN_PROCESS;

    fn new(slots: Slots) -> Option<Self> {
        E::new(slots).map(Self::of)
    }

    #[inline]
    fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome {
        self.0.wait(at, expected, deadline)
    }

    #[inline]
    fn wake_one(&self, at: Place<'_>) -> usize {
        self.0.wake_one(at)
    }

    #[inline]
    fn wake_all(&self, at: Place<'_>) -> usize {
        self.0.wake_all(at)
    }

    fn queued_by_slot(&self) -> Option<Vec<u32>> {
        self.0.queued_by_slot()
    }
}

impl<E: TaskEngine + Shown, L: Level> TaskEngine for Recorded<E, L> {
    const NAME: &'static str = E::NAME;
    type Output = E::Output;

    fn new(slots: Slots) -> Option<Self> {
        E::new(slots).map(Self::of)
    }

    #[inline]
    fn wait(&self, at: Place<'_>, expected: u32) -> impl Future<Output = Self::Output> {
        self.0.wait(at, expected)
    }

    #[inline]
    fn wait_while(&self, at: Place<'_>, expected: u32) -> impl Future<Output = ()> {
        self.0.wait_while(at, expected)
    }

    #[inline]
    fn wake_one(&self, at: Place<'_>) {
        self.0.wake_one(at);
    }

    #[inline]
    fn wake_all(&self, at: Place<'_>) {
        self.0.wake_all(at);
    }

    fn queued_by_slot(&self) -> Option<Vec<u32>> {
        self.0.queued_by_slot()
    }
}

impl<E: LockEngine + Shown, L: Level> LockEngine for Recorded<E, L> {
    const NAME: &'static str = E::NAME;

    fn new() -> Self {
        Self::of(E::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        self.0.lock(key)
    }

    #[inline]
    fn with_lock<R>(&self, key: u64, body: impl FnOnce() -> R) -> R {
        self.0.with_lock(key, body)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use slotpark_inspect::Snapshot;

    use super::*;
    use crate::engines::Slotpark;
    use crate::engines::locks::SlotparkMutex;
    use crate::measure::Word;

    /// The level is the process's: one test, which leaves it as it was.
    #[test]
    fn it_records_what_it_does() {
        let engine = <Recorded<Slotpark, Timing> as Engine>::new(Slots::Default);
        let engine = engine.expect("it has a default table");
        let word = Word::default();
        let at = Place {
            key: 1,
            word: &word,
        };
        let soon = Deadline::after(Duration::from_millis(1));
        let ended = Engine::wait(&engine, at, 0, Some(&soon));
        assert_eq!(ended, Outcome::TimedOut);
        let locks = <Recorded<SlotparkMutex, Timing> as LockEngine>::new();
        drop(LockEngine::lock(&locks, 7));
        let snapshot = Snapshot::take();
        set_detail(Detail::Off);
        assert_eq!(snapshot.detail, Detail::Timing);
        for of in ["wait", "hold"] {
            let tables = snapshot.tables.iter();
            let mut recorded = tables.flat_map(|table| &table.histograms);
            assert!(recorded.any(|spread| spread.of == of), "{of}");
        }
    }
}
