//! Random programs: what each thread does, and what it checks at each step.

use std::sync::Arc;

use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use shuttle::thread;
use slotpark_core::{
    AtomicU32, Candidate, Choice, Clock, Deadline, Filter, ParkOptions, Platform, RequeueOptions,
    Requeued, Table, word,
};

use crate::oracle::{self, Doing, Done};

const KEYS: u64 = 3;
const ALL: usize = usize::MAX;

/// The slots of a table and the hash of each key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) slots: usize,
    pub(crate) hashes: [u64; KEYS as usize],
}

#[derive(Clone, Copy, Debug)]
enum Command {
    Wait {
        key: u64,
        deadline: Option<u64>,
        bits: u32,
    },
    Wake {
        key: u64,
        count: usize,
    },
    WakeBits {
        key: u64,
        count: usize,
        bits: u32,
    },
    Change {
        key: u64,
    },
    Requeue {
        from: u64,
        to: u64,
        wake_max: usize,
        move_max: usize,
    },
    Count {
        key: u64,
    },
}

impl Command {
    fn random(rng: &mut impl Rng) -> Self {
        let key = rng.gen_range(0..KEYS);
        let bits = rng.gen_range(1..4);
        let mut count = || [1, 1, 1, 2, ALL][rng.gen_range(0..5)];
        let (one, other) = (count(), count());
        match rng.gen_range(0..20) {
            0..=8 => {
                let deadline = rng.gen_bool(0.5).then(|| rng.gen_range(0..6));
                Self::Wait {
                    key,
                    deadline,
                    bits,
                }
            }
            9..=11 => Self::Wake { key, count: one },
            12..=13 => Self::WakeBits {
                key,
                count: one,
                bits,
            },
            14 => Self::Change { key },
            15..=18 => Self::Requeue {
                from: key,
                to: rng.gen_range(0..KEYS),
                wake_max: rng.gen_range(0..2),
                move_max: other,
            },
            _ => Self::Count { key },
        }
    }
}

struct World<P: Platform> {
    table: Table<u64, P>,
    shape: Shape,
    values: [AtomicU32; KEYS as usize],
    /// Nobody begins to wait or is moved any more.
    is_closed: AtomicBool,
    /// Waits and wakes are numbered; a wake's number is its token.
    numbers: AtomicU64,
}

/// One run: a random program of two to five threads, and a sixth that ends it.
pub(crate) fn run<P: Platform>(shape: Shape) {
    let mut rng = thread_rng();
    let threads = rng.gen_range(2..6);
    let program: Vec<Vec<Command>> = (0..threads)
        .map(|_| {
            let length = rng.gen_range(1..8);
            (0..length).map(|_| Command::random(&mut rng)).collect()
        })
        .collect();
    let world = Arc::new(World::<P> {
        table: Table::with_slots(shape.slots),
        shape,
        values: Default::default(),
        is_closed: AtomicBool::new(false),
        numbers: AtomicU64::new(1),
    });
    let slots = shape
        .hashes
        .iter()
        .map(|hash| world.table.slot_index(*hash));
    oracle::begin(slots.collect(), format!("{shape:?}\n{program:#?}"));
    let threads: Vec<_> = program
        .into_iter()
        .map(|commands| {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                for command in commands {
                    world.execute(command);
                }
            })
        })
        .collect();
    let pause = [30, 300, 3_000][rng.gen_range(0..3)];
    for _ in 0..rng.gen_range(0..pause) {
        thread::yield_now();
    }
    let closed = world.close();
    for thread in threads {
        thread.join().expect("a thread of the program");
    }
    oracle::end(closed);
    world.assert_empty();
}

impl<P: Platform> World<P> {
    fn execute(&self, command: Command) {
        match command {
            Command::Wait {
                key,
                deadline,
                bits,
            } => self.wait(key, deadline, bits),
            Command::Wake { key, count } => {
                self.wake(key, count);
            }
            Command::WakeBits { key, count, bits } => self.wake_bits(key, count, bits),
            Command::Change { key } => self.change(key),
            Command::Requeue {
                from,
                to,
                wake_max,
                move_max,
            } => {
                self.requeue((from, to), wake_max, move_max);
            }
            Command::Count { key } => {
                self.count(key);
            }
        }
    }

    fn at(&self, key: u64) -> u64 {
        self.shape.hashes[key as usize]
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::SeqCst)
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    fn wait(&self, key: u64, deadline: Option<u64>, bits: u32) {
        let wait = self.number();
        let value = &self.values[key as usize];
        let version = word::load(value);
        let options = ParkOptions::new()
            .tag(wait << 32 | u64::from(bits))
            .deadline(deadline.map(|at| Deadline::new(Clock::Monotonic, at)));
        let (done, parked) = oracle::during(Doing::Wait { wait, key, version }, || {
            self.table.park_with(
                self.at(key),
                &key,
                options,
                || Ok::<_, ()>(!self.is_closed() && word::load(value) == version),
                || {},
                |left| oracle::left(wait, left.last),
            )
        });
        let parked = parked.expect("this validate has no errors");
        oracle::judge(wait, done, parked, deadline == Some(0));
    }

    fn wake(&self, key: u64, count: usize) -> usize {
        let token = self.number();
        let doing = Doing::Wake {
            key,
            token,
            candidate: None,
        };
        let (done, woken) = oracle::during(doing, || {
            self.table.unpark(self.at(key), &key, count, token)
        });
        assert_eq!(woken, done.woken, "a wake's count");
        woken
    }

    fn wake_bits(&self, key: u64, count: usize, bits: u32) {
        let token = self.number();
        let doing = Doing::Wake {
            key,
            token,
            candidate: None,
        };
        let mut expected = None;
        let filter = |waiter: &Candidate| {
            // The queue as it stands at the first look; the engine walks it in this order.
            let queue = expected.get_or_insert_with(|| oracle::now(key).1.into_iter());
            let wait = waiter.tag >> 32;
            assert_eq!(queue.next(), Some(wait), "first come, first served");
            let is_skipped = waiter.tag as u32 & bits == 0;
            oracle::look_at(wait, is_skipped);
            if is_skipped {
                Filter::Skip
            } else {
                Filter::Unpark
            }
        };
        let policy = |choice: Choice| {
            let (done, queue) = oracle::now(key);
            assert_eq!(choice.count, done.woken, "what the policy is told");
            assert_eq!(choice.remain, !queue.is_empty(), "who remains");
            token
        };
        let (done, woken) = oracle::during(doing, || {
            self.table
                .unpark_with(self.at(key), &key, count, filter, policy)
        });
        assert_eq!(woken, done.woken, "a wake's count");
    }

    /// Everybody who waits for the old value is woken, whoever looks later sees the new one.
    fn change(&self, key: u64) {
        let version = self.values[key as usize].fetch_add(1, Ordering::SeqCst) + 1;
        self.wake(key, ALL);
        oracle::announce(key, version);
    }

    fn requeue(&self, (from, to): (u64, u64), wake_max: usize, move_max: usize) {
        let token = self.number();
        let options = RequeueOptions {
            wake_max,
            move_max,
            token,
        };
        let mut before = (0, 0);
        let validate = || {
            before = (oracle::now(from).1.len(), oracle::now(to).1.len());
            Ok::<_, ()>(!self.is_closed())
        };
        let (done, requeued) = oracle::during(Doing::Requeue { from, to, token }, || {
            let (from, to) = ((self.at(from), &from), (self.at(to), &to));
            self.table.requeue(from, to, options, validate)
        });
        let Some(requeued) = requeued.expect("this validate has no errors") else {
            assert_eq!((done.woken, done.moved), (0, 0), "it was closed");
            return;
        };
        let woken = before.0.min(wake_max);
        let moved = (before.0 - woken).min(move_max);
        assert_eq!(requeued, Requeued { woken, moved }, "of {before:?}");
        assert_eq!(
            (done.woken, done.moved),
            (woken, moved),
            "what was seen of it"
        );
    }

    fn count(&self, key: u64) -> Done {
        let (done, count) = oracle::during(Doing::Count { key }, || {
            self.table.waiters(self.at(key), &key)
        });
        assert_eq!(count, done.counted, "waiters at that moment");
        done
    }

    /// Says that nobody may wait, then wakes everybody, once: nobody may be left.
    fn close(&self) -> usize {
        self.is_closed.store(true, Ordering::SeqCst);
        (0..KEYS).map(|key| self.wake(key, ALL)).sum()
    }

    fn assert_empty(&self) {
        for key in 0..KEYS {
            let done = self.count(key);
            assert_eq!(
                (done.counted, done.looks),
                (0, 0),
                "a node or an announcement was left"
            );
        }
        let (mut linked, mut gone) = (0, 0);
        for index in 0..self.table.slot_count() {
            let stats = self.table.slot_stats(index);
            linked += stats.parks;
            gone += stats.wakes + stats.timeouts + stats.cancels;
        }
        assert_eq!(linked, gone, "who was linked was woken or left, once");
    }
}
