//! Random programs of one barrier: members wait for each other, come too late, take their arrival
//! back, and go. Nobody passes before all have arrived, and a phase has one leader.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use slotpark_core::{Barrier, BarrierOutcome, Clock, Deadline, KeyedOptions, Model, WhenFull};

use crate::crew::{Crew, Plan};
use crate::oracle;

const KEY: u64 = 7;
const MEMBERS_MAX: usize = 4;
const PHASES_MAX: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Command {
    Wait { deadline: Option<u64> },
    Task { plan: Plan },
    Pause,
}

impl Command {
    fn random(rng: &mut impl Rng, drops: bool) -> Self {
        match rng.gen_range(0..6) {
            0..=2 => Self::Wait {
                deadline: rng.gen_bool(0.4).then(|| rng.gen_range(0..6)),
            },
            3 | 4 if drops => Self::Task {
                plan: Plan::random(rng),
            },
            3 | 4 => Self::Task {
                plan: Plan::random(rng).kept(),
            },
            _ => Self::Pause,
        }
    }
}

/// How far a member has come. None of it is a step of the program.
#[derive(Debug, Default)]
struct Progress {
    /// Phases that it has passed for sure, and those that it may have passed.
    passed: AtomicUsize,
    passed_max: AtomicUsize,
    /// The phase that it has begun to arrive in; all of them, once it goes.
    arrives: AtomicUsize,
}

struct World {
    barrier: Barrier<u64, Model>,
    progress: Vec<Progress>,
    registered: AtomicUsize,
    crew: Crew,
    leaders: [AtomicUsize; PHASES_MAX],
}

/// A program of two to four members.
pub(crate) fn run() {
    let mut rng = thread_rng();
    let count = rng.gen_range(2..=MEMBERS_MAX);
    // Who drops a wait does not know whether it has passed.
    let drops = rng.gen_bool(0.5);
    let program: Vec<Vec<Command>> = (0..count)
        .map(|_| {
            let length = rng.gen_range(1..PHASES_MAX);
            let command = |_| Command::random(&mut rng, drops);
            (0..length).map(command).collect()
        })
        .collect();
    oracle::begin(Vec::new(), 0, format!("{program:#?}"));
    let options = KeyedOptions::new().slots(1).pool(2, WhenFull::Allocate);
    let world = Arc::new(World {
        barrier: Barrier::with_options(options).expect("one slot"),
        progress: (0..count).map(|_| Progress::default()).collect(),
        registered: AtomicUsize::new(0),
        crew: Crew::new(count),
        leaders: Default::default(),
    });
    let act = |(number, commands): (usize, Vec<Command>)| {
        let world = Arc::clone(&world);
        thread::spawn(move || world.execute(number, commands))
    };
    let threads: Vec<_> = program.into_iter().enumerate().map(act).collect();
    for thread in threads {
        thread.join().expect("a thread of the program");
    }
    let barrier = &world.barrier;
    let left = (barrier.members(KEY, &KEY), barrier.arrived(KEY, &KEY));
    assert_eq!(left, (0, 0));
    assert_eq!(barrier.pool_stats().taken, 0);
    if !drops {
        world.check_leaders();
    }
}

impl World {
    fn execute(&self, number: usize, commands: Vec<Command>) {
        let member = self.barrier.register(KEY, KEY);
        let mut member = member.expect("a full pool allocates");
        self.registered.fetch_add(1, Ordering::Relaxed);
        while self.registered.load(Ordering::Relaxed) < self.progress.len() {
            thread::yield_now();
        }
        let own = &self.progress[number];
        for command in commands {
            let next = own.passed_max.load(Ordering::Relaxed) + 1;
            match command {
                Command::Wait { deadline } => {
                    own.arrives.store(next, Ordering::Relaxed);
                    let at = deadline.map(|at| Deadline::new(Clock::Monotonic, at));
                    let outcome = member.wait(at);
                    let is_late = outcome == BarrierOutcome::TimedOut;
                    assert!(deadline.is_some() || !is_late, "nobody asked for that");
                    self.told(number, outcome);
                }
                Command::Task { plan } => {
                    own.arrives.store(next, Ordering::Relaxed);
                    let wait = Box::pin(member.wait_async());
                    match self.crew.follow(wait, plan) {
                        Some(outcome) => self.told(number, outcome),
                        None => own.passed_max.store(next, Ordering::Relaxed),
                    }
                }
                Command::Pause => thread::yield_now(),
            }
        }
        own.arrives.store(usize::MAX, Ordering::Relaxed);
        drop(member);
        self.crew.comes_home();
    }

    fn told(&self, number: usize, outcome: BarrierOutcome) {
        let own = &self.progress[number];
        if outcome == BarrierOutcome::TimedOut {
            oracle::saw("a barrier was passed too late", 1);
            let passed = own.passed_max.load(Ordering::Relaxed);
            own.arrives.store(passed, Ordering::Relaxed);
            return;
        }
        oracle::saw("a barrier was passed", 1);
        own.passed_max.fetch_add(1, Ordering::Relaxed);
        let phase = own.passed.fetch_add(1, Ordering::Relaxed) + 1;
        for other in &self.progress {
            let arrives = other.arrives.load(Ordering::Relaxed);
            assert!(arrives >= phase, "it has passed before all arrived");
        }
        if outcome.is_leader() {
            self.leaders[phase].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn check_leaders(&self) {
        let passed = self.progress.iter().map(|own| &own.passed);
        let phases = passed.map(|passed| passed.load(Ordering::Relaxed)).max();
        for phase in 1..=phases.unwrap_or(0) {
            let leaders = self.leaders[phase].load(Ordering::Relaxed);
            assert_eq!(leaders, 1, "phase {phase} has one leader");
        }
    }
}
