//! One run: a table, its values, the threads of a program, and the end.

use std::sync::Arc;

use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use shuttle::thread;
use slotpark_core::{AtomicU32, Interrupter, Platform, Table, word};

use crate::oracle::{self, Doing};
use crate::program::{ALL, Brings, Command, KEYS, Shape};

pub(crate) struct World<P: Platform> {
    pub(crate) table: Table<u64, P>,
    shape: Shape,
    pub(crate) values: [AtomicU32; KEYS as usize],
    /// One for each thread of the program.
    pub(crate) interrupters: Vec<Interrupter<P>>,
    /// Nobody begins to wait or is moved any more.
    is_over: AtomicBool,
    /// Waits and wakes are numbered; a wake's number is its token.
    numbers: AtomicU64,
}

/// A random program of two to five threads, and a sixth that ends it.
pub(crate) fn run<P: Platform>(shape: Shape) {
    let mut rng = thread_rng();
    let threads = rng.gen_range(2..6);
    let program: Vec<Vec<Command>> = (0..threads)
        .map(|_| {
            let length = rng.gen_range(1..8);
            let commands = (0..length).map(|_| Command::random(&mut rng, threads, shape.mix));
            commands.collect()
        })
        .collect();
    let world = Arc::new(World::<P> {
        table: Table::with_slots(shape.slots),
        shape,
        values: Default::default(),
        interrupters: (0..threads).map(|_| Interrupter::on_platform()).collect(),
        is_over: AtomicBool::new(false),
        numbers: AtomicU64::new(1),
    });
    let hashes = shape.hashes.iter();
    let slots = hashes.map(|hash| world.table.slot_index(*hash)).collect();
    oracle::begin(slots, threads, format!("{shape:?}\n{program:#?}"));
    let threads: Vec<_> = program
        .into_iter()
        .enumerate()
        .map(|(thread, commands)| {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                for command in commands {
                    world.execute(thread, command);
                }
            })
        })
        .collect();
    let pause = [30, 300, 3_000][rng.gen_range(0..3)];
    for _ in 0..rng.gen_range(0..pause) {
        thread::yield_now();
    }
    world.end(rng.gen_bool(0.5));
    for thread in threads {
        thread.join().expect("a thread of the program");
    }
    oracle::end();
    world.assert_empty();
}

impl<P: Platform> World<P> {
    fn execute(&self, thread: usize, command: Command) {
        match command {
            Command::Wait { key, brings } if brings.interruptible => {
                self.wait_interruptible(thread, key, brings);
            }
            Command::Wait { key, brings } => self.wait(key, brings),
            Command::WaitAny { keys, brings } => self.wait_any(thread, &keys, brings),
            Command::Prepare {
                key,
                brings,
                wakes,
                leaves,
            } => self.prepare(key, brings, wakes, leaves),
            Command::Task { key, brings, plan } => self.task(key, brings, plan),
            Command::TaskAny { keys, brings, plan } => self.task_any(thread, keys, brings, plan),
            Command::KeepClosed { key, then } => self.keep_closed(key, || {
                for command in then {
                    self.execute(thread, command);
                }
            }),
            Command::Interrupt { thread } => {
                oracle::interrupt(thread, || self.interrupters[thread].interrupt());
            }
            Command::Clear { thread } => {
                oracle::clear(thread, || self.interrupters[thread].clear());
            }
            wake => self.execute_wake(wake),
        }
    }

    fn execute_wake(&self, command: Command) {
        match command {
            Command::Wake { key, count } => {
                self.wake(key, count);
            }
            Command::WakeLast { key } => self.wake_last(key),
            Command::WakeFiltered { key, count, bits } => self.wake_filtered(key, count, bits),
            Command::WakeBits { key, count, bits } => self.wake_bits(key, count, bits),
            Command::WakeWhere { keys } => self.wake_where(keys),
            Command::Change { key } => self.change(key),
            Command::Requeue {
                from,
                to,
                wake_max,
                move_max,
            } => self.requeue((from, to), wake_max, move_max),
            Command::Count { key } => {
                self.count(key);
            }
            Command::CloseKey { key } => self.close_key(key),
            Command::CloseWhere { keys } => self.close_where(keys),
            other => unreachable!("a wait: {other:?}"),
        }
    }

    pub(crate) fn at(&self, key: u64) -> u64 {
        self.shape.hashes[key as usize]
    }

    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    pub(crate) fn version(&self, key: u64) -> u32 {
        word::load(&self.values[key as usize])
    }

    /// Whether there is something to wait for: for the end of this version.
    pub(crate) fn is_current(&self, key: u64, version: u32) -> bool {
        !self.is_over() && self.version(key) == version
    }

    pub(crate) fn interrupter(&self, thread: usize, brings: Brings) -> Option<&Interrupter<P>> {
        brings.interruptible.then(|| &self.interrupters[thread])
    }

    /// Says that nobody may wait, then wakes everybody, once; or closes the table. Nobody may be
    /// left.
    fn end(&self, by_closing: bool) {
        if by_closing {
            self.close();
            return;
        }
        self.is_over.store(true, Ordering::SeqCst);
        let woken = (0..KEYS).map(|key| self.wake(key, ALL)).sum();
        oracle::saw("the last wake ended a wait", woken);
    }

    fn close(&self) {
        oracle::closing(None);
        let (done, closed) = oracle::during(Doing::CloseTable, || self.table.close());
        oracle::closed(None);
        assert_eq!(closed, done.closed, "waits that the closing ended");
        let (_, again) = oracle::during(Doing::CloseTable, || self.table.close());
        assert_eq!(again, 0, "nobody waits in a closed table");
    }

    fn assert_empty(&self) {
        for key in 0..KEYS {
            let (count, looks) = self.count(key);
            assert_eq!((count, looks), (0, 0), "a node or an announcement was left");
        }
        for (thread, interrupter) in self.interrupters.iter().enumerate() {
            let is_pending = interrupter.is_pending();
            assert!(
                is_pending || !oracle::must_be_pending(thread),
                "an interrupt was lost"
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
