//! The programs: each is written once, generic over the engine that it asks.

mod calls;
mod crew;
mod flight;
mod keys;
mod locks;
mod memory;
mod permits;
mod polled;
mod regime;
mod round_trip;
mod storm;
mod wake_all;

use super::request::{Answer, Request};
use super::shape::Shape;
use crate::measure::locks::{AsyncLockEngine, FlightEngine, LockEngine, PermitEngine};
use crate::measure::{Engine, Hung, Scale, Slots, TaskEngine};

/// What a program asks of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Wakes of keys on which nobody waits.
    Wakes,
    /// Threads that wait on keys.
    Threads,
    /// Tasks that wait on keys.
    Tasks,
    /// Locks by key, for threads.
    Locks,
    /// Locks by key, for tasks.
    TaskLocks,
    /// A semaphore.
    Permits,
    /// Single flights.
    Flights,
}

impl Question {
    /// Of whom it is asked.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Wakes => "wakes of keys on which nobody waits",
            Self::Threads => "threads that wait on keys",
            Self::Tasks => "tasks that wait on keys",
            Self::Locks => "locks by key",
            Self::TaskLocks => "locks by key for tasks",
            Self::Permits => "semaphores",
            Self::Flights => "single flights",
        }
    }

    /// What the program asks.
    pub(crate) fn of(shape: &Shape) -> Self {
        match shape {
            Shape::Calls(calls) if calls.only_wakes() => Self::Wakes,
            Shape::Calls(_)
            | Shape::RoundTrip(_)
            | Shape::Storm(_)
            | Shape::WakeAll(_)
            | Shape::Regime(_)
            | Shape::WaitMemory(_) => Self::Threads,
            Shape::Polled(_) | Shape::WakeTasks(_) => Self::Tasks,
            Shape::Locks(_) | Shape::LockMemory(_) => Self::Locks,
            Shape::LocksPolled(_) => Self::TaskLocks,
            Shape::Permits(_) => Self::Permits,
            Shape::Flight(_) => Self::Flights,
        }
    }
}

/// Takes a sample in this process. Threads may be left behind.
pub(crate) type Take = fn(&Request) -> Result<Answer, Hung>;

/// The registry asks an engine only what it can answer.
const NOT_ASKED: &str = "a program of another question";

pub(crate) fn of_wakes<E: Engine>(request: &Request) -> Result<Answer, Hung> {
    match &request.shape {
        Shape::Calls(calls) => calls::sample::<E>(calls, request),
        _ => unreachable!("{NOT_ASKED}"),
    }
}

pub(crate) fn of_threads<E: Engine>(request: &Request) -> Result<Answer, Hung> {
    match &request.shape {
        Shape::Calls(calls) => calls::sample::<E>(calls, request),
        Shape::RoundTrip(trips) => round_trip::sample::<E>(trips, request),
        Shape::Storm(storm) => storm::sample::<E>(storm, request),
        Shape::WakeAll(wakes) => wake_all::of_threads::<E>(wakes.waiters, request),
        Shape::Regime(regime) => regime::sample::<E>(regime, request),
        Shape::WaitMemory(memory) => Ok(memory::of_waits::<E>(memory)),
        _ => unreachable!("{NOT_ASKED}"),
    }
}

pub(crate) fn of_tasks<E: TaskEngine>(request: &Request) -> Result<Answer, Hung> {
    match &request.shape {
        Shape::Polled(polled) => polled::sample::<E>(polled, request),
        Shape::WakeTasks(wakes) => Ok(wake_all::of_tasks::<E>(wakes.waiters, request)),
        _ => unreachable!("{NOT_ASKED}"),
    }
}

pub(crate) fn of_locks<E: LockEngine>(request: &Request) -> Result<Answer, Hung> {
    match &request.shape {
        Shape::Locks(parameters) => locks::sample::<E>(parameters, request),
        Shape::LockMemory(memory) => Ok(memory::of_locks::<E>(memory)),
        _ => unreachable!("{NOT_ASKED}"),
    }
}

pub(crate) fn of_task_locks<E: AsyncLockEngine>(request: &Request) -> Result<Answer, Hung> {
    locks::polled::<E>(request)
}

pub(crate) fn of_permits<E: PermitEngine>(request: &Request) -> Result<Answer, Hung> {
    match &request.shape {
        Shape::Permits(parameters) => permits::sample::<E>(parameters, request),
        _ => unreachable!("{NOT_ASKED}"),
    }
}

pub(crate) fn of_flights<E: FlightEngine>(request: &Request) -> Result<Answer, Hung> {
    match &request.shape {
        Shape::Flight(parameters) => flight::sample::<E>(parameters, request),
        _ => unreachable!("{NOT_ASKED}"),
    }
}

/// How long to measure, as the harness below knows it.
fn scale(request: &Request) -> Scale {
    Scale {
        quick: request.quick,
        window: request.window(),
        warm_up: request.warm_up(),
        cut_off: request.cut_off(),
    }
}

/// A table as it is by default, which lives as long as the sample's process.
fn engine<E: Engine>() -> &'static E {
    let engine = E::new(Slots::Default).expect("every engine has a default table");
    Box::leak(Box::new(engine))
}

/// The same for tasks.
fn task_engine<E: TaskEngine>() -> &'static E {
    let engine = E::new(Slots::Default).expect("every engine has a default table");
    Box::leak(Box::new(engine))
}

/// Tables of more slots than that are not shown slot by slot.
const SLOTS_SHOWN_MAX: usize = 4096;

fn shown(slots: Option<Vec<u32>>) -> Option<Vec<u32>> {
    slots.filter(|slots| slots.len() <= SLOTS_SHOWN_MAX)
}
