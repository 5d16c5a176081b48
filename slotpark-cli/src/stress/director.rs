//! Phases of about a second: random operations, then silence, then the checks, so that a finding is
//! near its cause.
//!
//! The director tells the watchdog what it does before it does it, and waits for threads without a
//! limit of its own: whoever does not come home is the watchdog's affair.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::actor::{self, Actor, THREADS_MAX};
use super::looker;
use super::scenes::{self, Scene, Setting};
use super::sight::{Sight, now_ns};
use super::stage::{Stage, Waiting};
use super::tables::{Queue, Tables, Which};
use super::tally::Tally;
use super::{Event, Plant};

/// How long a phase acts.
pub(super) const PHASE: Duration = Duration::from_secs(1);
/// Between two looks at threads that are expected to come home.
const LOOK: Duration = Duration::from_micros(500);
const STACK_BYTES: usize = 256 * 1024;

/// What a run does.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) threads: usize,
    pub(super) length: Duration,
    pub(super) first_phase: u64,
    pub(super) plant: Option<Plant>,
}

/// One phase: its threads own a share of it, so that it outlives those who never come home.
pub(super) struct Phase {
    pub(super) number: u64,
    /// Nobody has begun to wait before.
    pub(super) begin_ns: u64,
    pub(super) setting: Setting,
    pub(super) stage: Stage,
    pub(super) scenes: Vec<Box<dyn Scene>>,
}

impl Phase {
    fn new(plan: &Plan, number: u64, tables: &'static Tables) -> Self {
        let mut random = actor::random(plan.seed, number, THREADS_MAX);
        let setting = Setting::draw(&mut random, number, plan.threads);
        Self {
            number,
            begin_ns: now_ns(),
            setting,
            stage: Stage::new(plan.threads, setting.awake_min),
            scenes: scenes::build(setting, tables),
        }
    }

    /// The keys that have waiters, each with its scene. Takes slot locks.
    pub(super) fn queues(&self) -> Vec<(&'static str, Queue)> {
        let mut queues = Vec::new();
        for scene in &self.scenes {
            queues.extend(
                scene
                    .queues()
                    .into_iter()
                    .map(|queue| (scene.name(), queue)),
            );
        }
        queues
    }

    fn queued(&self) -> usize {
        self.queues().iter().map(|(_, queue)| queue.waiters).sum()
    }

    /// One thread: acts until the phase closes.
    fn act(&self, number: usize, seed: u64, events: &Sender<Event>) -> Tally {
        self.stage.enter(number);
        let mut actor = Actor::new(number, &self.stage, (seed, self.number), events.clone());
        while !self.stage.is_closing() {
            actor.pick(&self.scenes).act(&mut actor);
        }
        self.stage.come_home(number);
        actor.tally
    }

    fn check_quiet(&self, waits: &[Waiting]) -> Result<(), String> {
        for (index, scene) in self.scenes.iter().enumerate() {
            let own: Vec<Waiting> = waits
                .iter()
                .filter(|wait| wait.at.scene == index)
                .copied()
                .collect();
            scene.check_quiet(&own)?;
        }
        Ok(())
    }

    fn check_books(&self) -> Result<(), String> {
        for scene in &self.scenes {
            scene.check_books()?;
        }
        match self.queues().first() {
            Some((scene, queue)) => Err(format!(
                "everybody has come home, and {} waiters of {} ({scene}) are still queued",
                queue.waiters, queue.key
            )),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scenes: Vec<_> = self.scenes.iter().map(|scene| scene.name()).collect();
        let Setting {
            keys,
            crowded,
            sleepy,
            looked_at,
            ..
        } = self.setting;
        write!(
            f,
            "phase {} ({}; {keys} keys",
            self.number,
            scenes.join(", ")
        )?;
        if crowded {
            f.write_str(", in few slots")?;
        }
        if sleepy {
            f.write_str(", without spinning")?;
        }
        if looked_at {
            f.write_str(", looked at")?;
        }
        f.write_str(")")
    }
}

/// Runs phases until the time is up. Ends early with a finding of its own.
pub(super) fn direct(plan: &Plan, tables: &'static Tables, events: &Sender<Event>) {
    let result = (|| {
        let begin = Instant::now();
        looker::listen();
        let mut sent = HashMap::new();
        let mut number = plan.first_phase;
        while begin.elapsed() < plan.length {
            let left = plan.length.saturating_sub(begin.elapsed());
            let phase = Arc::new(Phase::new(plan, number, tables));
            let tally = run(plan, &phase, (tables, left.min(PHASE)), events)?;
            for scene in &phase.scenes {
                let (which, count) = scene.sent();
                let (all, passed_max) = sent.entry(which).or_insert((0, 0));
                *all += count;
                *passed_max += scene.passed_max();
            }
            tables.check_empty(|which: Which| sent.get(&which).copied().unwrap_or_default())?;
            let _sent = events.send(Event::Done(Box::new(tally)));
            number += 1;
        }
        Ok::<_, String>(())
    })();
    let last = match result {
        Ok(()) => Event::Over,
        Err(finding) => Event::Found(finding),
    };
    // Whoever listens has ended the process by then, if it does not listen any more.
    let _sent = events.send(last);
}

fn run(
    plan: &Plan,
    phase: &Arc<Phase>,
    (tables, length): (&'static Tables, Duration),
    events: &Sender<Event>,
) -> Result<Tally, String> {
    let tell = |event| {
        let _sent = events.send(event);
    };
    tell(Event::Begin(Arc::clone(phase)));
    let mut threads = start_looker(plan.seed, phase, tables, events)?;
    for number in 0..plan.threads {
        threads.push(start(number, plan.seed, phase, events)?);
    }
    std::thread::sleep(length);
    phase.stage.close();
    tell(Event::Step(
        "the threads come home or wait without a deadline",
    ));
    let waits = loop {
        if let Some(waits) = phase.stage.quiet(|| phase.queued()) {
            break waits;
        }
        std::thread::sleep(LOOK);
    };
    phase.check_quiet(&waits)?;
    let seen = Sight::new(phase, tables).waiters()?;
    if seen != waits.len() {
        let waits = waits.len();
        return Err(format!("all is quiet, {waits} wait, and looks see {seen}"));
    }
    tell(Event::Step(
        "every key has been woken and every waiter comes home",
    ));
    phase.stage.seal();
    if plan.plant != Some(Plant::Stuck) {
        for scene in &phase.scenes {
            scene.release();
        }
    }
    while !phase.stage.is_over() {
        std::thread::sleep(LOOK);
    }
    tell(Event::Step("the books are closed"));
    let mut tally = Tally::new();
    for thread in threads {
        // It has come home, so it has not panicked.
        if let Ok(Some(own)) = thread.join() {
            tally.add(&own);
        }
    }
    phase.check_books()?;
    Ok(tally)
}

type Thread = JoinHandle<Option<Tally>>;

fn start(
    number: usize,
    seed: u64,
    phase: &Arc<Phase>,
    events: &Sender<Event>,
) -> Result<Thread, String> {
    let (phase, told) = (Arc::clone(phase), events.clone());
    let act = move || Ok(phase.act(number, seed, &told));
    spawn(format!("stress {number}"), act, events)
}

/// Who looks at the tables, if this phase is looked at.
fn start_looker(
    seed: u64,
    phase: &Arc<Phase>,
    tables: &'static Tables,
    events: &Sender<Event>,
) -> Result<Vec<Thread>, String> {
    if !phase.setting.looked_at {
        return Ok(Vec::new());
    }
    let phase = Arc::clone(phase);
    let look = move || {
        let mut random = actor::random(seed, phase.number, THREADS_MAX + 1);
        looker::look_on(&Sight::new(&phase, tables), &mut random)
    };
    spawn("looker".to_owned(), look, events).map(|thread| vec![thread])
}

/// A thread that tells of its finding, or of its panic.
fn spawn(
    name: String,
    act: impl FnOnce() -> Result<Tally, String> + Send + 'static,
    events: &Sender<Event>,
) -> Result<Thread, String> {
    let (events, own) = (events.clone(), name.clone());
    let body = move || {
        let ended = catch_unwind(AssertUnwindSafe(act));
        let ended = ended.unwrap_or_else(|panic| {
            let what = message(&*panic);
            Err(format!("thread `{own}` panicked: {what}"))
        });
        let found = |text| {
            let _sent = events.send(Event::Found(text));
        };
        ended.map_err(found).ok()
    };
    let thread = std::thread::Builder::new()
        .name(name.clone())
        .stack_size(STACK_BYTES)
        .spawn(body);
    thread.map_err(|error| format!("cannot start thread `{name}`: {error}"))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}
