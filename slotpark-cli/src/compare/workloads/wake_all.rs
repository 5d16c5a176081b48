//! Many threads sleep on one key, and one call wakes them all.
//!
//! The call is made when every one of them has said that it is about to wait, and the scheduler
//! says of each that it sleeps. A call that did not wake exactly all of them is not counted.
//!
//! The sleepers are tied to the CPUs in turn, and the waker to the first. Free, they stay where the
//! scheduler once put them, for as long as the process lives: all on the waker's CPU, all on
//! another, or between. That makes more of a difference than the engine.

use std::thread::Thread;
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;

use super::default_engine;
use crate::measure::statistics::median;
use crate::measure::threads::{Cpus, Sight, sleep_until, start_seen};
use crate::measure::{Engine, Hung, Place, Row, Sample, Scale, Unit, Word, Workload};

/// The time between two looks at who has returned.
const STEP: Duration = Duration::from_millis(50);

/// How many threads sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WakeAll {
    Of8,
    Of64,
    Of512,
}

impl WakeAll {
    fn threads(self) -> usize {
        match self {
            Self::Of8 => 8,
            Self::Of64 => 64,
            Self::Of512 => 512,
        }
    }
}

impl Workload for WakeAll {
    fn rows(&self) -> Vec<Row> {
        let [call, running] = match self {
            Self::Of8 => ["wake_all_8_call", "wake_all_8_running"],
            Self::Of64 => ["wake_all_64_call", "wake_all_64_running"],
            Self::Of512 => ["wake_all_512_call", "wake_all_512_running"],
        };
        vec![
            Row {
                name: call,
                unit: Unit::Ns,
            },
            Row {
                name: running,
                unit: Unit::Ns,
            },
        ]
    }

    fn rounds(&self, scale: &Scale) -> usize {
        match self {
            Self::Of8 | Self::Of64 => scale.pick(5, 11),
            Self::Of512 => scale.pick(3, 7),
        }
    }

    fn sample<E: Engine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        Ok(Sample::new(medians::<E>(self.threads(), scale)?))
    }
}

/// Nanoseconds of the call that wakes so many threads, and until all of them run.
pub(crate) fn medians<E: Engine>(threads: usize, scale: &Scale) -> Result<[f64; 2], Hung> {
    let mut crowd = Crowd::start(default_engine::<E>(), threads);
    let [mut calls, mut runs] = [Vec::new(), Vec::new()];
    crowd.wake_all(scale)?;
    let start = Instant::now();
    while calls.len() < 3 || start.elapsed() < scale.window {
        if let Some((call, running)) = crowd.wake_all(scale)? {
            calls.push(call);
            runs.push(running);
        }
    }
    Ok([median(&mut calls), median(&mut runs)])
}

/// What the sleepers share.
struct Shared {
    word: Word,
    threads: usize,
    started: Instant,
    waker: Thread,
    /// How many have announced their wait, over all rounds.
    announced: CachePadded<AtomicCell<u64>>,
    /// How many have returned from this round's wait.
    returned: CachePadded<AtomicCell<usize>>,
    /// When the last of them did, in nanoseconds.
    last_at: CachePadded<AtomicCell<u64>>,
}

impl Shared {
    fn place(&self) -> Place<'_> {
        Place {
            key: 1,
            word: &self.word,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn sleep_for_ever<E: Engine>(&self, engine: &E) {
        for round in 0.. {
            self.announced.fetch_add(1);
            engine.wait_while(self.place(), round);
            if self.returned.fetch_add(1) + 1 == self.threads {
                self.last_at.store(self.now());
                self.returned.store(0);
                self.waker.unpark();
            }
        }
    }
}

struct Crowd<E: Engine> {
    engine: &'static E,
    shared: &'static Shared,
    sleepers: Vec<Sight>,
    round: u32,
}

impl<E: Engine> Crowd<E> {
    fn start(engine: &'static E, threads: usize) -> Self {
        let shared: &'static Shared = Box::leak(Box::new(Shared {
            word: Word::default(),
            threads,
            started: Instant::now(),
            waker: std::thread::current(),
            announced: CachePadded::default(),
            returned: CachePadded::default(),
            last_at: CachePadded::default(),
        }));
        let cpus = Cpus::allowed();
        let own = cpus.clone();
        let sleepers = start_seen(threads, move |number| {
            // Where it is refused, all engines run free.
            let _tied = own.tie(number);
            shared.sleep_for_ever(engine);
        });
        let _tied = cpus.tie(0);
        Self {
            engine,
            shared,
            sleepers,
            round: 0,
        }
    }

    /// One call; its nanoseconds and those until all run, unless it did not wake exactly all.
    fn wake_all(&mut self, scale: &Scale) -> Result<Option<(f64, f64)>, Hung> {
        let shared = self.shared;
        self.round += 1;
        let announced = u64::from(self.round) * shared.threads as u64;
        let asleep = || shared.announced.load() == announced && self.all_asleep();
        sleep_until(asleep);
        shared.last_at.store(0);
        shared.word.set(self.round);
        let called = shared.now();
        let woken = self.engine.wake_all(shared.place());
        let call = shared.now() - called;
        self.wait_for_the_last(scale)?;
        let running = shared.last_at.load() - called;
        #[expect(clippy::cast_precision_loss, reason = "short times")]
        Ok((woken == shared.threads).then_some((call as f64, running as f64)))
    }

    /// Waits until all have returned; the rest is lost when none does for the cut-off time. That is
    /// counted in steps, so that a machine that stands still as a whole is not taken for a loss.
    fn wait_for_the_last(&self, scale: &Scale) -> Result<(), Hung> {
        let steps = scale.cut_off.as_millis() / STEP.as_millis();
        let mut last = (0, 0);
        while self.shared.last_at.load() == 0 {
            std::thread::park_timeout(STEP);
            let returned = self.shared.returned.load();
            last = if returned == last.0 {
                (returned, last.1 + 1)
            } else {
                (returned, 0)
            };
            if last.1 > steps {
                return Err(Hung);
            }
        }
        Ok(())
    }

    /// Twice, since one of them may sleep on its way into the wait.
    fn all_asleep(&self) -> bool {
        (0..2).all(|_| self.sleepers.iter().all(Sight::asleep))
    }
}
