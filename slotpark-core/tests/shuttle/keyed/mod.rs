//! Random programs of one keyed lock: threads and tasks hold keys, one or several, by frames and
//! guards, more and less of them, wait for their conditions, and give up. Never more of a key is
//! held than there is, what a key guards is changed by one at a time, whoever waits goes on, and no
//! notification comes to nothing while somebody waits for it.

mod amounts;
mod books;
mod many;
mod program;
mod waits;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use slotpark_core::{Clock, Condition, Deadline, HoldError, HoldOptions, Holding, KeyedLock};
use slotpark_core::{KeyedOptions, Model, Preference, TryHoldError, WhenFull};

use crate::crew::Crew;
use crate::oracle;
use books::{Books, pause};
use program::{Command, Focus, KEYS, Which};

type Guard<'l> = Holding<'l, usize, Model>;

struct World {
    lock: KeyedLock<usize, Model>,
    hashes: [u64; KEYS],
    capacity: u32,
    /// A full pool is an error.
    fails: bool,
    /// Somebody holds and waits for more.
    growing: [AtomicBool; KEYS],
    counted: Condition,
    all: Condition,
    crew: Crew,
    books: Books,
}

/// A program of three or four threads, and another that ends it.
pub(crate) fn run(capacity: u32, preference: Preference) {
    let mut rng = thread_rng();
    let threads = rng.gen_range(3..5);
    let focus = Focus::random(&mut rng);
    let program: Vec<Vec<Command>> = (0..threads)
        .map(|thread| {
            let length = rng.gen_range(1..6);
            let command = |_| Command::random(&mut rng, capacity, focus, thread);
            (0..length).map(command).collect()
        })
        .collect();
    let hashes = match rng.gen_range(0..3) {
        0 => [1, 1, 1],
        _ => [0, 1, 2],
    };
    let (slots, fails) = (rng.gen_range(1..3), rng.gen_bool(0.2));
    let text = format!("{slots} slots, {hashes:?}, of {capacity}, {preference:?}\n{program:#?}");
    oracle::begin(Vec::new(), 0, text);
    let when_full = if fails {
        WhenFull::Fail
    } else {
        WhenFull::Allocate
    };
    let options = KeyedOptions::new().slots(slots).pool(3, when_full);
    let lock = KeyedLock::with_options(capacity, options.preference(preference));
    let world = Arc::new(World {
        lock: lock.expect("the number of slots is not absurd"),
        hashes,
        capacity,
        fails,
        growing: Default::default(),
        counted: Condition::new(),
        all: Condition::new(),
        crew: Crew::new(threads),
        books: Books::default(),
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
    world.end(rng.gen_range(0..100));
    for thread in threads {
        thread.join().expect("a thread of the program");
    }
    world.check_end();
}

impl World {
    fn execute(&self, command: Command) {
        match command {
            Command::With {
                key,
                amount,
                deadline,
                pauses,
            } => self.with(key, amount, deadline, pauses),
            Command::Try {
                key,
                amount,
                pauses,
            } => {
                let one = HoldOptions::new(amount);
                let held = || self.books.hold(key, amount, self.capacity, pauses);
                let (hash, give_up) = (self.hashes[key], || self.books.give_up(key, amount));
                let tried = self.lock.try_with(hash, &key, one, || (held(), give_up()));
                assert_ne!(tried, Err(TryHoldError::PoolFull));
                oracle::saw("a key was busy", usize::from(tried.is_err()));
            }
            Command::Hold {
                key,
                amount,
                deadline,
                holds,
            } => {
                if let Some(guard) = self.hold(key, amount, deadline) {
                    self.holds(guard, holds);
                }
            }
            Command::Task {
                key,
                amount,
                plan,
                holds,
            } => {
                let options = HoldOptions::new(amount);
                let hold = self.lock.hold_async(self.hashes[key], key, options);
                let held = self.crew.follow(Box::pin(hold), plan);
                if let Some(guard) = held.and_then(|held| self.told(held)) {
                    oracle::saw("a task held a key", 1);
                    self.holds(guard, holds);
                }
            }
            Command::Many {
                keys,
                count,
                way,
                pauses,
            } => self.many(&keys[..count], way, pauses),
            Command::Wait {
                key,
                condition,
                deadline,
            } => self.wait(key, condition, deadline),
            Command::WaitTask {
                key,
                condition,
                plan,
            } => self.wait_task(key, condition, plan),
            Command::Notify {
                key,
                condition,
                holds,
            } => self.notify(key, condition, holds),
        }
    }

    /// The guard, unless it came too late or found no place.
    fn told<G>(&self, held: Result<G, HoldError>) -> Option<G> {
        match held {
            Ok(guard) => Some(guard),
            Err(HoldError::TimedOut) => {
                oracle::saw("a key was not free in time", 1);
                None
            }
            Err(_) => {
                assert!(self.fails, "a full pool allocates");
                oracle::saw("a pool was full", 1);
                None
            }
        }
    }

    fn with(&self, key: usize, amount: u32, deadline: Option<u64>, pauses: u32) {
        let is_endless = deadline.is_none();
        if is_endless {
            self.crew.stands_still();
        }
        let options = HoldOptions::new(amount).deadline(deadline.map(at));
        let held = self.lock.with(self.hashes[key], &key, options, || {
            if is_endless {
                self.crew.goes_on();
            }
            self.books.hold(key, amount, self.capacity, pauses);
            self.books.give_up(key, amount);
        });
        assert!(held.is_ok() || !is_endless, "nobody asked for that");
        assert_ne!(held, Err(HoldError::PoolFull));
        let _late = self.told(held);
    }

    fn hold(&self, key: usize, amount: u32, deadline: Option<u64>) -> Option<Guard<'_>> {
        let options = HoldOptions::new(amount).deadline(deadline.map(at));
        let hold = || self.lock.hold(self.hashes[key], key, options);
        let held = match deadline {
            Some(_) => hold(),
            None => self.crew.waits(hold),
        };
        let is_late = matches!(held, Err(HoldError::TimedOut));
        assert!(deadline.is_some() || !is_late, "nobody asked for that");
        self.told(held)
    }

    fn queued(&self) -> usize {
        let queued = |(key, hash): (usize, &u64)| {
            let [counted, all] = [&self.counted, &self.all]
                .map(|condition| self.lock.condition_waiters(*hash, &key, condition));
            self.lock.waiters(*hash, &key) + counted + all
        };
        self.hashes.iter().enumerate().map(queued).sum()
    }

    /// Who waits while nobody acts waits for a condition.
    fn is_right(&self) -> bool {
        self.hashes.iter().enumerate().all(|(key, hash)| {
            self.lock.waiters(*hash, &key) == 0
                && self.lock.held(*hash, &key) == 0
                && self.books.held(key) == 0
        })
    }

    fn end(&self, pauses: u32) {
        pause(pauses);
        let help = || {
            self.books.check_quiet();
            for key in 0..KEYS {
                self.notify(
                    key,
                    Which::Counted {
                        count: usize::MAX - 1,
                    },
                    false,
                );
                self.notify(key, Which::All, false);
            }
        };
        self.crew
            .bring_home(|| self.queued(), || self.is_right(), help);
    }

    /// All are at home: nothing is held, nobody waits, and no place is taken.
    fn check_end(&self) {
        self.books.check_end();
        assert_eq!(self.queued(), 0);
        assert!(self.is_right(), "a key is held");
        assert_eq!(self.lock.pool_stats().taken, 0);
        for (key, hash) in self.hashes.iter().enumerate() {
            let all = HoldOptions::new(self.capacity);
            let tried = self.lock.try_with(*hash, &key, all, || {});
            assert_eq!(tried, Ok(()), "{key} is free");
        }
    }
}

fn at(ns: u64) -> Deadline {
    Deadline::new(Clock::Monotonic, ns)
}
