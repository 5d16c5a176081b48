//! Random programs of one semaphore: threads and tasks acquire, hold, release, and give up. Permits
//! are counted: never more are held than there are, none is lost, and nobody waits in vain or, of a
//! fair one, gets any before its turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use slotpark_core::{AcquireError, At, Candidate, Clock, Deadline, Filter, RawSemaphore};
use slotpark_core::{Table, TryAcquireError};

use crate::crew::{Crew, Plan};
use crate::host::Queued;
use crate::{oracle, turns};

const KEY: u64 = 7;
/// The most that is asked for at once.
const COUNT_MAX: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Command {
    Acquire {
        count: usize,
        deadline: Option<u64>,
        holds: Holds,
    },
    Try {
        count: usize,
        holds: Holds,
    },
    Task {
        count: usize,
        plan: Plan,
        holds: Holds,
    },
    /// Releases what was never acquired.
    Bring {
        count: usize,
    },
    Forget {
        count: usize,
    },
}

/// What is done with permits.
#[derive(Clone, Copy, Debug)]
struct Holds {
    pauses: u32,
    /// They are given back one by one.
    apart: bool,
    /// They are not given back: there are fewer then.
    uses_up: bool,
}

impl Command {
    fn random(rng: &mut impl Rng) -> Self {
        let count = rng
            .gen_range(0..=COUNT_MAX)
            .min(rng.gen_range(1..=COUNT_MAX));
        let holds = Holds {
            pauses: rng.gen_range(0..6),
            apart: rng.gen_bool(0.3),
            uses_up: rng.gen_bool(0.2),
        };
        match rng.gen_range(0..12) {
            0..=4 => Self::Acquire {
                count,
                deadline: rng.gen_bool(0.5).then(|| rng.gen_range(0..6)),
                holds,
            },
            5 => Self::Try { count, holds },
            6..=9 => Self::Task {
                count,
                plan: Plan::random(rng),
                holds,
            },
            10 => Self::Bring { count },
            _ => Self::Forget { count: 1 },
        }
    }
}

struct World {
    table: Table<u64, Queued>,
    semaphore: RawSemaphore,
    crew: Crew,
    /// Permits that were there and not used up, those that were forgotten, and those that are held.
    /// Counted so that too few seem to be held, never too many.
    brought: AtomicUsize,
    forgotten: AtomicUsize,
    held: AtomicUsize,
    is_barging: bool,
    is_closed: AtomicBool,
}

/// A program of two to five threads, and a sixth that ends it.
pub(crate) fn run(is_barging: bool) {
    let mut rng = thread_rng();
    let threads = rng.gen_range(2..6);
    let permits = rng.gen_range(0..=COUNT_MAX);
    let program: Vec<Vec<Command>> = (0..threads)
        .map(|_| {
            let length = rng.gen_range(1..6);
            (0..length).map(|_| Command::random(&mut rng)).collect()
        })
        .collect();
    let text = format!("{permits} permits, barging: {is_barging}\n{program:#?}");
    oracle::begin(Vec::new(), 0, text);
    turns::begin(!is_barging);
    let world = Arc::new(World {
        table: Table::with_slots(1),
        semaphore: match is_barging {
            true => RawSemaphore::barging(permits),
            false => RawSemaphore::new(permits),
        },
        crew: Crew::new(threads),
        brought: AtomicUsize::new(permits),
        forgotten: AtomicUsize::new(0),
        held: AtomicUsize::new(0),
        is_barging,
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
    world.end(rng.gen_bool(0.3), rng.gen_range(0..300));
    for thread in threads {
        thread.join().expect("a thread of the program");
    }
    world.check_end();
}

impl World {
    fn at(&self) -> At<'_, u64, Queued> {
        At {
            table: &self.table,
            hash: KEY,
            key: KEY,
        }
    }

    fn execute(&self, command: Command) {
        match command {
            Command::Acquire {
                count,
                deadline,
                holds,
            } => {
                let at = deadline.map(|at| Deadline::new(Clock::Monotonic, at));
                let acquire = || self.semaphore.acquire(self.at(), count, at);
                let acquired = match deadline {
                    Some(_) => acquire(),
                    None => self.crew.waits(acquire),
                };
                if acquired == Err(AcquireError::TimedOut) {
                    assert!(deadline.is_some(), "nobody asked for that");
                    oracle::saw("an acquire timed out", 1);
                    return;
                }
                self.acquired(count, acquired, holds);
            }
            Command::Try { count, holds } => match self.semaphore.try_acquire(count) {
                Err(TryAcquireError::NoPermits) => oracle::saw("a try found too few", 1),
                Err(_) => self.acquired(count, Err(AcquireError::Closed), holds),
                Ok(()) => self.acquired(count, Ok(()), holds),
            },
            Command::Task { count, plan, holds } => {
                let acquire = Box::pin(self.semaphore.acquire_async(self.at(), count));
                if let Some(acquired) = self.crew.follow(acquire, plan) {
                    oracle::saw("a task acquired", usize::from(acquired.is_ok()));
                    self.acquired(count, acquired, holds);
                }
            }
            Command::Bring { count } => {
                self.brought.fetch_add(count, Ordering::Relaxed);
                self.semaphore.release(self.at(), count);
            }
            Command::Forget { count } => {
                self.semaphore.forget(count);
                self.forgotten.fetch_add(count, Ordering::Relaxed);
            }
        }
    }

    /// Holds the permits for a while, and gives them back.
    fn acquired(&self, count: usize, acquired: Result<(), AcquireError>, holds: Holds) {
        if let Err(error) = acquired {
            assert_eq!(error, AcquireError::Closed);
            assert!(self.is_closed.load(Ordering::Relaxed), "it is open");
            oracle::saw("an acquire was refused", 1);
            return;
        }
        oracle::saw("permits were acquired", 1);
        let held = self.held.fetch_add(count, Ordering::Relaxed) + count;
        let brought = self.brought.load(Ordering::Relaxed);
        assert!(held <= brought, "{held} are held, of {brought}");
        for _ in 0..holds.pauses {
            thread::yield_now();
        }
        if holds.uses_up {
            self.held.fetch_sub(count, Ordering::Relaxed);
            self.brought.fetch_sub(count, Ordering::Relaxed);
            return;
        }
        let (times, each) = if holds.apart { (count, 1) } else { (1, count) };
        for _ in 0..times {
            self.held.fetch_sub(each, Ordering::Relaxed);
            self.semaphore.release(self.at(), each);
        }
    }

    /// What those ask for who are queued, in their order.
    fn wanted(&self) -> Vec<usize> {
        let mut wanted = Vec::new();
        let look = |waiter: &Candidate| {
            wanted.push(waiter.tag as usize);
            Filter::Skip
        };
        let chosen = self.table.unpark_filter(KEY, &KEY, usize::MAX, look, 0);
        assert_eq!(chosen, 0);
        wanted
    }

    /// How many are free while nobody acts, and so nobody holds any; below zero they are owed.
    fn free(&self) -> isize {
        let [brought, forgotten, held] =
            [&self.brought, &self.forgotten, &self.held].map(|count| count.load(Ordering::Relaxed));
        assert_eq!(held, 0);
        brought as isize - forgotten as isize
    }

    /// Nobody who is queued could have what it asks for.
    fn is_right(&self) -> bool {
        let free = self.free();
        let available = self.semaphore.available();
        assert_eq!(available, usize::try_from(free).unwrap_or(0));
        let wanted = self.wanted();
        let next = if self.is_barging {
            wanted.iter().min()
        } else {
            wanted.first()
        };
        next.is_none_or(|next| *next > 0 && *next as isize > free)
    }

    fn end(&self, by_closing: bool, pauses: u32) {
        for _ in 0..pauses {
            thread::yield_now();
        }
        if by_closing {
            self.is_closed.store(true, Ordering::Relaxed);
            let closed = self.semaphore.close(self.at());
            oracle::saw("waits were closed", closed);
        }
        let help = || {
            let owed = usize::try_from(-self.free()).unwrap_or(0);
            let wanted = self.wanted().iter().sum::<usize>() + owed;
            self.brought.fetch_add(wanted, Ordering::Relaxed);
            self.semaphore.release(self.at(), wanted);
        };
        let queued = || self.table.waiters(KEY, &KEY);
        let is_right = || !by_closing && self.is_right();
        self.crew.bring_home(queued, is_right, help);
    }

    /// All are at home: the permits are there, and nothing of a waiter is left.
    fn check_end(&self) {
        assert_eq!(self.table.waiters(KEY, &KEY), 0);
        let free = usize::try_from(self.free()).unwrap_or(0);
        assert_eq!(self.semaphore.available(), free);
        let expected = match self.is_closed.load(Ordering::Relaxed) {
            true => Err(TryAcquireError::Closed),
            false => Ok(()),
        };
        if free > 0 {
            assert_eq!(
                self.semaphore.try_acquire(free),
                expected,
                "a flag was left"
            );
        }
        let stats = self.table.slot_stats(0);
        let gone = stats.wakes + stats.timeouts + stats.cancels;
        assert_eq!(stats.parks, gone, "who was linked was woken or left, once");
    }
}
