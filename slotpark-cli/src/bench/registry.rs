//! All engines by name, and what each can answer.

use super::outside;
use super::request::{Answer, Request};
use super::shape::{Poll, Shape};
use super::shapes::{
    Question, Take, of_flights, of_locks, of_permits, of_task_locks, of_tasks, of_threads, of_wakes,
};
use crate::engines::locks::{
    AsyncKeyedLock, AsyncLockSemaphore, AsyncLockable, DashMapAsyncLock, DashMapKept, DashMapOnce,
    DashMapRemoved, DashMapTokio, KeyedLock, LockMap, Lockable, Moka, ParkingLot,
    SlotparkBargingMutex, SlotparkBargingSemaphore, SlotparkFlight, SlotparkMutex,
    SlotparkSemaphore, StdCondvar, StdMutex, Striped512, TokioSemaphore,
};
use crate::engines::tasks::{AsyncEvent, EventListener, Maitake, SlotparkTasks, TokioNotify};
use crate::engines::{
    Chosen, Counters, DashMapArc, Floor, Full, Futex, FutexNumbers, Kept, Level, ManySlots,
    NeverSpin, Off, OneSlot, ParkingLotCore, ParkingLotCore09, Process, Recorded, Slotpark, StdMap,
    StdOne, Timing,
};
use crate::measure::locks::{AsyncLockEngine, FlightEngine, LockEngine, PermitEngine};
use crate::measure::{Engine, TaskEngine};

/// An engine, and the programs that may ask it.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    answers: &'static [(Question, Take)],
    /// Why it cannot run a program, though it can answer the question.
    except: fn(&Shape) -> Option<&'static str>,
    /// A program of another language: takes a sample by itself.
    outside: Option<Outside>,
}

/// Takes a sample by a program that is not this one.
pub(crate) type Outside = fn(&Request) -> anyhow::Result<Answer>;

impl Entry {
    const fn new(
        name: &'static str,
        about: &'static str,
        answers: &'static [(Question, Take)],
    ) -> Self {
        Self {
            name,
            about,
            answers,
            except: |_| None,
            outside: None,
        }
    }

    /// A program of another language.
    pub(super) const fn by_program(
        name: &'static str,
        about: &'static str,
        outside: Outside,
    ) -> Self {
        let mut entry = Self::new(name, about, &[]);
        entry.outside = Some(outside);
        entry
    }

    const fn except(mut self, except: fn(&Shape) -> Option<&'static str>) -> Self {
        self.except = except;
        self
    }

    /// The program that takes the sample, where it is not this one.
    pub(crate) fn outside(&self) -> Option<Outside> {
        self.outside
    }

    /// What takes the sample in this process, or why nothing does.
    pub(crate) fn take(&self, shape: &Shape) -> Result<Take, String> {
        if let Some(reason) = (self.except)(shape) {
            return Err(reason.to_owned());
        }
        let question = Question::of(shape);
        let mut answers = self.answers.iter();
        let found = answers.find(|(answers, _)| *answers == question);
        let none = || format!("it has no {}", question.describe());
        found.map(|&(_, take)| take).ok_or_else(none)
    }
}

type Answers = &'static [(Question, Take)];

const fn wakes<E: Engine>() -> (Question, Take) {
    (Question::Wakes, of_wakes::<E>)
}

const fn threads<E: Engine>() -> (Question, Take) {
    (Question::Threads, of_threads::<E>)
}

const fn tasks<E: TaskEngine>() -> (Question, Take) {
    (Question::Tasks, of_tasks::<E>)
}

const fn locks<E: LockEngine>() -> (Question, Take) {
    (Question::Locks, of_locks::<E>)
}

const fn task_locks<E: AsyncLockEngine>() -> (Question, Take) {
    (Question::TaskLocks, of_task_locks::<E>)
}

const fn permits<E: PermitEngine>() -> (Question, Take) {
    (Question::Permits, of_permits::<E>)
}

const fn flights<E: FlightEngine>() -> (Question, Take) {
    (Question::Flights, of_flights::<E>)
}

/// What all that threads wait on answer.
struct Waits<E>(std::marker::PhantomData<E>);

impl<E: Engine> Waits<E> {
    const ALL: Answers = &[wakes::<E>(), threads::<E>()];
}

/// What slotpark's tables answer, for threads and tasks.
struct Both<E, T>(std::marker::PhantomData<(E, T)>);

impl<E: Engine, T: TaskEngine> Both<E, T> {
    const ALL: Answers = &[wakes::<E>(), threads::<E>(), tasks::<T>()];
}

type Made<C> = Both<Chosen<Slotpark, C>, Chosen<SlotparkTasks, C>>;

/// What is asked of slotpark while it records.
struct At<L>(std::marker::PhantomData<L>);

impl<L: Level> At<L> {
    const ALL: Answers = &[
        wakes::<Recorded<Slotpark, L>>(),
        threads::<Recorded<Slotpark, L>>(),
        tasks::<Recorded<SlotparkTasks, L>>(),
        locks::<Recorded<SlotparkMutex, L>>(),
    ];
}

const SLOTPARK: Answers = &[
    wakes::<Slotpark>(),
    threads::<Slotpark>(),
    tasks::<SlotparkTasks>(),
    locks::<SlotparkMutex>(),
    task_locks::<SlotparkMutex>(),
    permits::<SlotparkSemaphore>(),
    flights::<SlotparkFlight>(),
];

/// Those of this program; `ours` come first.
static INSIDE: [Entry; 35] = [
    Entry::new("slotpark", "this library, as it is by default", SLOTPARK),
    Entry::new(
        "slotpark_many_slots",
        "with more slots than keys",
        Made::<ManySlots>::ALL,
    ),
    Entry::new(
        "slotpark_one_slot",
        "with one slot, which all keys share",
        Made::<OneSlot>::ALL,
    ),
    Entry::new(
        "slotpark_never_spin",
        "whoever waits sleeps at once",
        Waits::<Chosen<Slotpark, NeverSpin>>::ALL,
    ),
    Entry::new(
        "slotpark_futex",
        "the numeric futex ABI on the process-wide table: addresses are keys",
        Waits::<FutexNumbers<Process>>::ALL,
    ),
    Entry::new(
        "slotpark_barging",
        "locks and semaphores in which whoever comes may take what is free",
        &[
            locks::<SlotparkBargingMutex>(),
            permits::<SlotparkBargingSemaphore>(),
        ],
    ),
    Entry::new(
        "slotpark_off",
        "recording nothing, made as those that do: `Detail::Off`",
        At::<Off>::ALL,
    ),
    Entry::new(
        "slotpark_counters",
        "recording the busiest keys: `Detail::Counters`",
        At::<Counters>::ALL,
    ),
    Entry::new(
        "slotpark_timing",
        "recording also who and how long: `Detail::Timing`",
        At::<Timing>::ALL,
    ),
    Entry::new(
        "slotpark_full",
        "recording also where in the source: `Detail::Full`",
        At::<Full>::ALL,
    ),
    Entry::new(
        "floor",
        "a hash, a full fence, a load: the least a wake costs",
        &[wakes::<Floor>()],
    ),
    Entry::new(
        "futex",
        "the kernel's futex: one system call each",
        Waits::<Futex>::ALL,
    ),
    Entry::new(
        "parking_lot_core",
        "version 0.10",
        Waits::<ParkingLotCore>::ALL,
    ),
    Entry::new(
        "parking_lot_core_09",
        "version 0.9",
        Waits::<ParkingLotCore09>::ALL,
    ),
    Entry::new(
        "dashmap_arc",
        "DashMap of Arc<(Mutex, Condvar)>, entries kept",
        Waits::<DashMapArc<Kept>>::ALL,
    ),
    Entry::new(
        "std_map",
        "HashMap of Arc<(Mutex, Condvar)> under a mutex, removed",
        Waits::<StdMap>::ALL,
    ),
    Entry::new(
        "std_one_condvar",
        "one Mutex and Condvar for all keys",
        Waits::<StdOne>::ALL,
    ),
    Entry::new("maitake", "maitake-sync's WaitMap", &[tasks::<Maitake>()]).except(of_maitake),
    Entry::new(
        "tokio_notify",
        "DashMap of Arc<tokio::sync::Notify>, removed",
        &[tasks::<TokioNotify>()],
    ),
    Entry::new(
        "event_listener",
        "DashMap of event-listener's Event, removed",
        &[tasks::<EventListener>()],
    ),
    Entry::new(
        "async_event",
        "DashMap of async-event's Event, removed",
        &[tasks::<AsyncEvent>()],
    ),
    Entry::new("lockmap", "its entries", &[locks::<LockMap>()]),
    Entry::new(
        "lockable",
        "its pool",
        &[locks::<Lockable>(), task_locks::<AsyncLockable>()],
    ),
    Entry::new(
        "keyed_lock",
        "its map under one mutex",
        &[locks::<KeyedLock>(), task_locks::<AsyncKeyedLock>()],
    ),
    Entry::new(
        "dashmap_removed",
        "DashMap of Arc<parking_lot::Mutex>, removed by the last",
        &[locks::<DashMapRemoved>()],
    ),
    Entry::new(
        "dashmap_kept",
        "DashMap of Arc<parking_lot::Mutex>, kept",
        &[locks::<DashMapKept>()],
    ),
    Entry::new(
        "dashmap_tokio",
        "DashMap of tokio's mutex, removed",
        &[task_locks::<DashMapTokio>()],
    ),
    Entry::new(
        "dashmap_async_lock",
        "DashMap of async-lock's mutex, removed",
        &[task_locks::<DashMapAsyncLock>()],
    ),
    Entry::new(
        "striped_512",
        "512 mutexes by hash: the least a lock by hash costs; no lock by key",
        &[locks::<Striped512>()],
    ),
    Entry::new(
        "parking_lot",
        "one mutex, whatever the key",
        &[locks::<ParkingLot>()],
    ),
    Entry::new(
        "std",
        "one mutex, whatever the key; a semaphore of Mutex and Condvar",
        &[locks::<StdMutex>(), permits::<StdCondvar>()],
    ),
    Entry::new("tokio", "its semaphore", &[permits::<TokioSemaphore>()]),
    Entry::new(
        "async_lock",
        "its semaphore",
        &[permits::<AsyncLockSemaphore>()],
    ),
    Entry::new("moka", "the cache's get_with", &[flights::<Moka>()]),
    Entry::new(
        "dashmap_once",
        "DashMap of Arc<OnceLock>, removed",
        &[flights::<DashMapOnce>()],
    ),
];

/// More tasks than that take maitake seconds to queue: a new wait looks through all others.
const MAITAKE_TASKS_MAX: u64 = 20_000;

/// What maitake cannot run.
fn of_maitake(shape: &Shape) -> Option<&'static str> {
    match shape {
        Shape::WakeTasks(_) => Some("a key of it has one waiter at most"),
        Shape::Polled(polled) if polled.same_key && polled.call == Poll::Drop => {
            Some("a key of it has one waiter at most")
        }
        Shape::Polled(polled) if polled.others > MAITAKE_TASKS_MAX => {
            Some("so many waits take it seconds to queue: each new one looks through all others")
        }
        _ => None,
    }
}

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Entry> {
    INSIDE.iter().chain(&outside::ENGINES)
}

pub(crate) fn find(name: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.name == name)
}

/// Their names, for errors.
pub(crate) fn names() -> String {
    all().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let names: HashSet<&str> = all().map(|entry| entry.name).collect();
        assert_eq!(names.len(), all().count());
    }

    #[test]
    fn who_cannot_answer_says_why() {
        let shape = |json| serde_json::from_value(json).unwrap();
        let storm: Shape = shape(serde_json::json!({"shape": "storm",
            "parameters": {"keys": 1, "waiters": 1, "notifiers": 1}}));
        let reason = |engine, shape| find(engine).unwrap().take(shape).err();
        assert_eq!(
            reason("moka", &storm).as_deref(),
            Some("it has no threads that wait on keys")
        );
        assert_eq!(reason("slotpark", &storm), None);
        let same: Shape = shape(serde_json::json!({"shape": "polled",
            "parameters": {"call": "drop", "same_key": true}}));
        assert_eq!(
            reason("maitake", &same).as_deref(),
            Some("a key of it has one waiter at most")
        );
    }
}
