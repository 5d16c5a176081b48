//! Random programs of one event counter: threads and tasks wait until it has come far enough, or
//! until the next event, while others advance it. Nobody wakes too early, and nobody waits in vain.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use slotpark_core::Table;
use slotpark_core::{At, Candidate, Clock, Deadline, EventError, Filter, Model, RawEventCounter};

use crate::crew::{Crew, Plan};
use crate::oracle;

const KEY: u64 = 7;

#[derive(Clone, Copy, Debug)]
enum Command {
    /// Until so many more have come; one more is what a ticket waits for.
    Wait {
        more: u64,
        deadline: Option<u64>,
    },
    Task {
        more: u64,
        plan: Plan,
    },
    Advance {
        events: u64,
    },
}

impl Command {
    fn random(rng: &mut impl Rng) -> Self {
        let more = rng.gen_range(0..4);
        match rng.gen_range(0..10) {
            0..=2 => Self::Wait {
                more,
                deadline: rng.gen_bool(0.4).then(|| rng.gen_range(0..6)),
            },
            3..=5 => Self::Task {
                more,
                plan: Plan::random(rng),
            },
            _ => Self::Advance {
                events: rng.gen_range(0..3),
            },
        }
    }
}

struct World {
    table: Table<u64, Model>,
    events: RawEventCounter,
    crew: Crew,
    /// At least so many were announced, and so many waits were woken.
    announced: AtomicU64,
    woken: AtomicUsize,
    is_closed: AtomicBool,
}

/// A program of two to five threads, and a sixth that ends it.
pub(crate) fn run() {
    let mut rng = thread_rng();
    let threads = rng.gen_range(2..6);
    let program: Vec<Vec<Command>> = (0..threads)
        .map(|_| {
            let length = rng.gen_range(1..6);
            (0..length).map(|_| Command::random(&mut rng)).collect()
        })
        .collect();
    oracle::begin(Vec::new(), 0, format!("{program:#?}"));
    let world = Arc::new(World {
        table: Table::with_slots(1),
        events: RawEventCounter::new(),
        crew: Crew::new(threads),
        announced: AtomicU64::new(0),
        woken: AtomicUsize::new(0),
        is_closed: AtomicBool::new(false),
    });
    let act = |commands: Vec<Command>| {
        let world = Arc::clone(&world);
        thread::spawn(move || {
            for command in commands {
                world.execute(command);
            }
            world.crew.comes_home();
        })
    };
    let threads: Vec<_> = program.into_iter().map(act).collect();
    world.end(rng.gen_bool(0.2), rng.gen_range(0..300));
    for thread in threads {
        thread.join().expect("a thread of the program");
    }
    assert_eq!(world.table.waiters(KEY, &KEY), 0);
    let stats = world.table.slot_stats(0);
    let woken = world.woken.load(Ordering::Relaxed);
    assert_eq!(stats.wakes as usize, woken, "what advances have counted");
    let gone = stats.wakes + stats.timeouts + stats.cancels;
    assert_eq!(stats.parks, gone, "who was linked was woken or left, once");
}

impl World {
    fn at(&self) -> At<'_, u64, Model> {
        At {
            table: &self.table,
            hash: KEY,
            key: KEY,
        }
    }

    fn execute(&self, command: Command) {
        match command {
            Command::Wait { more, deadline } => {
                let count = self.events.count() + more;
                let at = deadline.map(|at| Deadline::new(Clock::Monotonic, at));
                let wait = || self.events.wait_for_at_least(self.at(), count, at);
                let waited = match deadline {
                    Some(_) => wait(),
                    None => self.crew.waits(wait),
                };
                self.check(count, deadline.is_some(), waited);
            }
            Command::Task { more, plan } => {
                let count = self.events.count() + more;
                let wait = self.events.wait_for_at_least_async(self.at(), count);
                if let Some(waited) = self.crew.follow(Box::pin(wait), plan) {
                    oracle::saw("a task saw its events", usize::from(waited.is_ok()));
                    self.check(count, false, waited);
                }
            }
            Command::Advance { events } => self.advance(events),
        }
    }

    fn advance(&self, events: u64) {
        self.announced.fetch_add(events, Ordering::Relaxed);
        let woken = self.events.advance(self.at(), events);
        oracle::saw("an advance woke", woken);
        self.woken.fetch_add(woken, Ordering::Relaxed);
    }

    fn check(&self, count: u64, may_time_out: bool, waited: Result<u64, EventError>) {
        match waited {
            Ok(come) => {
                let announced = self.announced.load(Ordering::Relaxed);
                let is_right = count <= come && come <= announced;
                assert!(is_right, "{come} of {announced} have come, not {count}");
                oracle::saw("events came", 1);
            }
            Err(EventError::TimedOut) => {
                assert!(may_time_out, "nobody asked for that");
                oracle::saw("events came too late", 1);
            }
            Err(_) => {
                assert!(self.is_closed.load(Ordering::Relaxed), "it is open");
                oracle::saw("a wait for events was closed", 1);
            }
        }
    }

    /// What those wait for who are queued.
    fn wanted(&self) -> Vec<u64> {
        let mut wanted = Vec::new();
        let look = |waiter: &Candidate| {
            wanted.push(waiter.tag);
            Filter::Skip
        };
        let chosen = self.table.unpark_filter(KEY, &KEY, usize::MAX, look, 0);
        assert_eq!(chosen, 0);
        wanted
    }

    fn end(&self, by_closing: bool, pauses: u32) {
        for _ in 0..pauses {
            thread::yield_now();
        }
        if by_closing {
            self.is_closed.store(true, Ordering::Relaxed);
            self.table.close();
        }
        let queued = || self.table.waiters(KEY, &KEY);
        let is_right = || {
            let count = self.events.count();
            !by_closing && self.wanted().into_iter().all(|wanted| wanted > count)
        };
        let help = || {
            let last = self.wanted().into_iter().max().unwrap_or(0);
            self.advance(last.saturating_sub(self.events.count()));
        };
        self.crew.bring_home(queued, is_right, help);
    }
}
