//! slotpark with another table than the usual one: the same engine, made otherwise.

use std::future::Future;
use std::marker::PhantomData;

use super::Slotpark;
use crate::measure::{Deadline, Engine, Outcome, Place, Slots, TaskEngine};

/// More slots than any workload has keys that are waited on.
const MANY: usize = 1 << 17;

/// How the engine is made.
pub(crate) trait Choice<E>: Send + Sync + 'static {
    fn make() -> Option<E>;
}

/// With more slots than keys.
#[derive(Debug)]
pub(crate) enum ManySlots {}

/// With one slot: all keys share it.
#[derive(Debug)]
pub(crate) enum OneSlot {}

/// Whoever waits sleeps at once.
#[derive(Debug)]
pub(crate) enum NeverSpin {}

macro_rules! choose_slots {
    ($choice:ty, $slots:expr, $($engine:ty),*) => {
        $(impl Choice<$engine> for $choice {
            fn make() -> Option<$engine> {
                <$engine>::new($slots)
            }
        })*
    };
}

choose_slots!(
    ManySlots,
    Slots::AtLeast(MANY),
    Slotpark,
    super::tasks::SlotparkTasks
);
choose_slots!(OneSlot, Slots::One, Slotpark, super::tasks::SlotparkTasks);

impl Choice<Slotpark> for NeverSpin {
    fn make() -> Option<Slotpark> {
        Some(Slotpark::never_spinning())
    }
}

/// An engine that was made so.
#[derive(Debug)]
pub(crate) struct Chosen<E, C>(E, PhantomData<fn() -> C>);

impl<E: Engine, C: Choice<E>> Engine for Chosen<E, C> {
    const NAME: &'static str = E::NAME;
    const TABLE_IN_PROCESS: bool = E::TABLE_IN_PROCESS;

    fn new(slots: Slots) -> Option<Self> {
        let made = (slots == Slots::Default).then(C::make).flatten();
        made.map(|engine| Self(engine, PhantomData))
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

impl<E: TaskEngine, C: Choice<E>> TaskEngine for Chosen<E, C> {
    const NAME: &'static str = E::NAME;
    type Output = E::Output;

    fn new(slots: Slots) -> Option<Self> {
        let made = (slots == Slots::Default).then(C::make).flatten();
        made.map(|engine| Self(engine, PhantomData))
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

    #[inline]
    fn before_wake(&self) {
        self.0.before_wake();
    }

    fn queued_by_slot(&self) -> Option<Vec<u32>> {
        self.0.queued_by_slot()
    }
}
