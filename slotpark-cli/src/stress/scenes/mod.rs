//! The scenes: each one uses the library in one way, with random operations on keys of its own, and
//! knows what must hold. A new primitive is a new scene.

mod counters;
mod ends;
mod flights;
mod gates;
mod keyed;
mod mailbox;
mod meetings;
mod moves;
mod names;
mod pairs;
mod permits;
mod relay;
mod semaphores;
mod tasks;
mod words;

use std::sync::atomic::{AtomicU32, Ordering};

use rand::Rng;
use slotpark::core::Inspect;

use super::actor::{Actor, Ended};
use super::ledger::Ledger;
use super::planned::Key;
use super::stage::Waiting;
use super::tables::{Numbers, Queue, Tables, Which};

/// One way to use the library.
pub(super) trait Scene: Send + Sync {
    /// What its operations are, for a finding.
    fn name(&self) -> &'static str;

    /// Does one random operation.
    fn act(&self, actor: &mut Actor<'_>);

    /// The keys that have waiters, as the library counts them.
    fn queues(&self) -> Vec<Queue>;

    /// What there is to be looked at besides the tables that all scenes share; keys are numbers.
    fn tables(&self) -> Vec<&dyn Inspect> {
        Vec::new()
    }

    /// Nobody acts, and who waits is queued: each of these waits (all of this scene) must have a
    /// reason to go on. A wake that was lost shows here, before anything else wakes its waiter.
    fn check_quiet(&self, waits: &[Waiting]) -> Result<(), String>;

    /// Ends all waits: nobody acts any more.
    fn release(&self);

    /// Everybody has come home: what was counted must be what has happened.
    fn check_books(&self) -> Result<(), String>;

    /// What the wakes of this phase have counted, by table.
    fn sent(&self) -> (Which, u64);

    /// How often, at most, one of those was passed on by a wait that went away.
    fn passed_max(&self) -> u64 {
        0
    }
}

/// What a phase is about: few keys or many, in few slots or in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub(super) threads: usize,
    pub(super) keys: usize,
    pub(super) crowded: bool,
    pub(super) sleepy: bool,
    /// How many threads are always awake, or have a deadline.
    pub(super) awake_min: usize,
    /// Somebody looks at the tables all the time, and changes the level of detail.
    pub(super) looked_at: bool,
    /// The scenes that take part, as bits; at least one.
    pub(super) scenes: u32,
}

impl Setting {
    /// The first phase has all scenes and is looked at, so that a short run is, too.
    pub(super) fn draw(random: &mut impl Rng, phase: u64, threads: usize) -> Self {
        let all = (1 << SCENES.len()) - 1;
        let scenes = match random.random_range(0..3) {
            _ if phase == 0 => all,
            0 => all,
            1 => 1 << random.random_range(0..SCENES.len()),
            _ => random.random_range(1..=all),
        };
        Self {
            threads,
            keys: [1, 2, 5, 40, 1000][random.random_range(0..5)],
            crowded: random.random_ratio(1, 2),
            sleepy: random.random_ratio(1, 3),
            awake_min: random.random_range(1..=threads.div_ceil(2)),
            looked_at: phase == 0 || random.random_ratio(1, 2),
            scenes,
        }
    }

    fn numbers(self, tables: &'static Tables) -> Ground {
        self.ground(tables, [Which::Spinning, Which::Sleeping])
    }

    /// For waits that may go away before they end.
    fn tasks(self, tables: &'static Tables) -> Ground {
        self.ground(tables, [Which::Tasks, Which::SleepingTasks])
    }

    fn ground(self, tables: &'static Tables, among: [Which; 2]) -> Ground {
        let which = among[usize::from(self.sleepy)];
        Ground {
            which,
            numbers: tables.numbers(which),
        }
    }
}

type Build = fn(usize, Setting, &'static Tables) -> Box<dyn Scene>;

const SCENES: [Build; 14] = [
    gates::build,
    permits::build,
    pairs::build,
    moves::build,
    names::build,
    words::build,
    tasks::build,
    ends::build,
    mailbox::build,
    semaphores::build,
    counters::build,
    keyed::build,
    flights::build,
    meetings::build,
];

/// The scenes of a phase. Each is told its index among them.
pub(super) fn build(setting: Setting, tables: &'static Tables) -> Vec<Box<dyn Scene>> {
    let builds = SCENES.iter().enumerate();
    let chosen = builds.filter(|(bit, _)| setting.scenes & (1 << bit) != 0);
    chosen
        .enumerate()
        .map(|(index, (_, build))| build(index, setting, tables))
        .collect()
}

/// The table that a scene's numbers wait in.
#[derive(Clone, Copy, Debug)]
struct Ground {
    which: Which,
    numbers: &'static Numbers,
}

impl Ground {
    /// The queue of a key, if anybody stands in it.
    fn queue(self, key: Key, what: impl FnOnce() -> String) -> Option<Queue> {
        let waiters = self.numbers.waits.waiters(&key);
        (waiters > 0).then(|| Queue {
            table: self.which,
            key: what(),
            slot: self.numbers.waits.slot_of(&key),
            waiters,
        })
    }
}

/// Enters a wait of a scene that closes nothing into the books of its key, once it has ended.
fn book(actor: &Actor<'_>, ended: Ended, key: usize, ledger: &Ledger) {
    match ended {
        Ended::Woken { token } => {
            ledger.received(token);
            actor.check_token(key, token);
        }
        Ended::Closed | Ended::Interrupted => {
            actor.found(&format!(
                "a wait of key {key} returned {ended:?}, which nobody asked for"
            ));
        }
        Ended::Stale | Ended::TimedOut | Ended::GivenUp | Ended::Panicked => {}
    }
}

/// Takes one of what is counted, if any is left. Relaxed: the fences of the library are on trial.
fn try_take(count: &AtomicU32) -> bool {
    let one_less = |count: u32| count.checked_sub(1);
    count
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
        .is_ok()
}

/// Puts a name before what is wrong.
fn named<T>(name: impl std::fmt::Display, result: Result<T, String>) -> Result<T, String> {
    result.map_err(|what| format!("{name}: {what}"))
}
