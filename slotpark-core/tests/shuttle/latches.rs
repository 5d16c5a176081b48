//! Random programs of one latch: it is armed, counted down, abandoned, and waited for. Nobody waits
//! at an open latch, and nobody passes one that was closed all the while.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use slotpark_core::{
    ArmError, Clock, Deadline, KeyedOptions, Latch, LatchOutcome, Model, WhenFull,
};

use crate::crew::{Crew, Plan};
use crate::oracle;

const KEYS: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Command {
    /// Armed for so many, counted down by its guard, which is dropped then.
    Arm {
        count: u32,
        counts_down: u32,
        pauses: u32,
    },
    CountDown {
        count: u32,
    },
    Wait {
        deadline: Option<u64>,
    },
    Task {
        plan: Plan,
    },
}

impl Command {
    fn random(rng: &mut impl Rng) -> (usize, Self) {
        let command = match rng.gen_range(0..10) {
            0..=2 => Self::Arm {
                count: rng.gen_range(0..4),
                counts_down: rng.gen_range(0..3),
                pauses: rng.gen_range(0..12),
            },
            3 | 4 => Self::CountDown {
                count: rng.gen_range(0..3),
            },
            5..=7 => Self::Wait {
                deadline: rng.gen_bool(0.4).then(|| rng.gen_range(0..6)),
            },
            _ => Self::Task {
                plan: Plan::random(rng),
            },
        };
        (rng.gen_range(0..KEYS).min(rng.gen_range(0..KEYS)), command)
    }
}

/// What is known of one key. None of it is a step of the program.
#[derive(Debug, Default)]
struct Books {
    /// How often something was begun that could open it, or that has closed it.
    changes: AtomicUsize,
    /// How many of them have not ended.
    begun: AtomicUsize,
    /// It was closed at that change, and is until the next one.
    closed_since: AtomicUsize,
    abandoned: AtomicUsize,
}

impl Books {
    /// Runs what may open it.
    fn changes<R>(&self, change: impl FnOnce() -> R) -> R {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        let result = change();
        self.begun.fetch_sub(1, Ordering::Relaxed);
        result
    }

    /// Runs what closes it, if it says so.
    fn closes(&self, close: impl FnOnce() -> bool) {
        let before = self.changes.fetch_add(1, Ordering::Relaxed) + 1;
        let is_alone = self.begun.load(Ordering::Relaxed) == 0;
        if close() && is_alone && self.changes.load(Ordering::Relaxed) == before {
            self.closed_since.store(before, Ordering::Relaxed);
        }
    }

    /// Which change has closed it for sure, if nobody has begun to open it since.
    fn closed(&self) -> Option<usize> {
        let since = self.closed_since.load(Ordering::Relaxed);
        (since > 0 && since == self.changes.load(Ordering::Relaxed)).then_some(since)
    }
}

struct World {
    latch: Latch<usize, Model>,
    hashes: [u64; KEYS],
    crew: Crew,
    books: [Books; KEYS],
}

/// A program of three or four threads, and another that ends it.
pub(crate) fn run() {
    let mut rng = thread_rng();
    let threads = rng.gen_range(3..5);
    let program: Vec<Vec<(usize, Command)>> = (0..threads)
        .map(|_| {
            let length = rng.gen_range(1..5);
            (0..length).map(|_| Command::random(&mut rng)).collect()
        })
        .collect();
    let hashes = [1, rng.gen_range(1..3)];
    oracle::begin(Vec::new(), 0, format!("{hashes:?}\n{program:#?}"));
    let options = KeyedOptions::new().slots(1).pool(1, WhenFull::Allocate);
    let world = Arc::new(World {
        latch: Latch::with_options(options).expect("one slot"),
        hashes,
        crew: Crew::new(threads),
        books: Default::default(),
    });
    let act = |commands: Vec<(usize, Command)>| {
        let world = Arc::clone(&world);
        thread::spawn(move || {
            for (key, command) in commands {
                world.execute(key, command);
            }
            world.crew.comes_home();
        })
    };
    let threads: Vec<_> = program.into_iter().map(act).collect();
    // Guards go by themselves: whoever waits while nobody acts waits in vain.
    world.crew.bring_home(|| world.queued(), || false, || {});
    for thread in threads {
        thread.join().expect("a thread of the program");
    }
    assert_eq!(world.queued(), 0);
    assert_eq!(world.latch.pool_stats().taken, 0);
    for (key, hash) in hashes.iter().enumerate() {
        assert!(world.latch.is_open(*hash, &key));
    }
}

impl World {
    fn queued(&self) -> usize {
        let hashes = self.hashes.iter().enumerate();
        let waiters = hashes.map(|(key, hash)| self.latch.waiters(*hash, &key));
        waiters.sum()
    }

    fn execute(&self, key: usize, command: Command) {
        let (hash, books) = (self.hashes[key], &self.books[key]);
        match command {
            Command::Arm {
                count,
                counts_down,
                pauses,
            } => self.arm(key, count, counts_down, pauses),
            Command::CountDown { count } => {
                let left = books.changes(|| self.latch.count_down(hash, &key, count));
                oracle::saw("a latch was counted down", usize::from(left == Some(0)));
            }
            Command::Wait { deadline } => {
                let closed = books.closed();
                let at = deadline.map(|at| Deadline::new(Clock::Monotonic, at));
                let wait = || self.latch.wait(hash, &key, at);
                let outcome = match deadline {
                    Some(_) => wait(),
                    None => self.crew.waits(wait),
                };
                self.check(key, closed, outcome);
                let is_late = outcome == LatchOutcome::TimedOut;
                assert!(deadline.is_some() || !is_late, "nobody asked for that");
            }
            Command::Task { plan } => {
                let closed = books.closed();
                let wait = Box::pin(self.latch.wait_async(hash, key));
                if let Some(outcome) = self.crew.follow(wait, plan) {
                    self.check(key, closed, outcome);
                }
            }
        }
    }

    fn arm(&self, key: usize, count: u32, counts_down: u32, pauses: u32) {
        let (hash, books) = (self.hashes[key], &self.books[key]);
        let mut armed = None;
        books.closes(|| match self.latch.arm(hash, key, count) {
            Ok(guard) => {
                armed = Some(guard);
                count > 0
            }
            Err(ArmError::AlreadyArmed(_)) => {
                oracle::saw("a latch was armed already", 1);
                false
            }
            Err(_) => unreachable!("a full pool allocates"),
        });
        let Some(armed) = armed else {
            return;
        };
        for _ in 0..pauses {
            thread::yield_now();
        }
        let left = books.changes(|| armed.count_down(counts_down));
        let most = count.saturating_sub(counts_down);
        assert!(left <= most, "{left} are left, of {most}");
        // Others may have counted it down.
        books
            .abandoned
            .fetch_add(usize::from(left > 0), Ordering::Relaxed);
        books.changes(|| drop(armed));
    }

    fn check(&self, key: usize, closed: Option<usize>, outcome: LatchOutcome) {
        let books = &self.books[key];
        oracle::saw(
            match outcome {
                LatchOutcome::Opened => "a latch opened",
                LatchOutcome::Abandoned => "a latch was abandoned",
                _ => "a latch opened too late",
            },
            1,
        );
        if outcome == LatchOutcome::TimedOut {
            return;
        }
        let still = closed.is_some() && closed == books.closed();
        assert!(!still, "it was closed all the while: {outcome:?}");
        if outcome == LatchOutcome::Abandoned {
            let abandoned = books.abandoned.load(Ordering::Relaxed);
            assert!(abandoned > 0, "nobody has gone");
        }
    }
}
