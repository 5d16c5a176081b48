//! 4,096 keys, one wait and one wake each, up to 512 waiting at once: who is woken, and who is not?
//!
//! The wakers take whoever has announced a wait and is not yet woken, and wake them in random
//! order, so that waiters of colliding keys stand in their slots together, and wakes race with
//! waits that are just beginning. A waiter rechecks its word and waits again where it has not
//! changed. A waiter that still sleeps when nothing has happened for a second, although its key was
//! woken, has lost its wake: it is counted, and freed by waking everybody of its key until it
//! returns.

use std::time::Duration;

use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;

use super::{default_engine, one_slot_engine};
use crate::measure::threads::start;
use crate::measure::{
    Engine, Hung, Outcome, Place, Row, Sample, Scale, Slots, Unit, Word, Workload,
};

const KEYS: usize = 4096;
const WAITERS: usize = 512;
const WAKERS: usize = 2;
/// The time between two looks at what has happened.
const STEP: Duration = Duration::from_millis(5);
/// All is quiet when nothing has happened in so many of them, a second. Steps are counted, rather
/// than time, so that a machine that stands still as a whole is not taken for a quiet one.
const QUIET_STEPS: u32 = 200;

/// The run with collisions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Collisions;

impl Workload for Collisions {
    fn rows(&self) -> Vec<Row> {
        ["lost_wakes", "wrong_key_wakes"]
            .map(|name| Row {
                name,
                unit: Unit::Count,
            })
            .to_vec()
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(1, 3)
    }

    fn sample<E: Engine>(&self, _scale: &Scale) -> Result<Sample, Hung> {
        let [lost, wrong] = run(default_engine::<E>());
        if E::new(Slots::One).is_none() {
            return Ok(Sample::new([lost, wrong]));
        }
        let [lost_one, wrong_one] = run(one_slot_engine::<E>());
        let mut sample = Sample::new([lost + lost_one, wrong + wrong_one]);
        sample.note = Some(format!(
            "the sum of two runs: {lost} lost and {wrong} of the wrong key with the default slots, \
             {lost_one} lost and {wrong_one} of the wrong key with one slot"
        ));
        Ok(sample)
    }
}

/// How far the wait on a key has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Untouched,
    Announced,
    Woken,
    Returned,
}

struct Key {
    word: Word,
    /// Written by the waiter, then the waker, then the waiter.
    stage: AtomicCell<Stage>,
}

struct Shared {
    keys: Vec<Key>,
    next: CachePadded<AtomicCell<usize>>,
    /// Counts whatever happens, so that quiet can be seen.
    events: CachePadded<AtomicCell<u64>>,
    wrong: CachePadded<AtomicCell<u32>>,
    /// While waiters are being freed, wakes of the wrong key are not counted.
    freeing: AtomicCell<bool>,
}

fn run<E: Engine>(engine: &'static E) -> [f64; 2] {
    let key = |_| Key {
        word: Word::default(),
        stage: AtomicCell::new(Stage::Untouched),
    };
    let shared: &'static Shared = Box::leak(Box::new(Shared {
        keys: (0..KEYS).map(key).collect(),
        next: CachePadded::default(),
        events: CachePadded::default(),
        wrong: CachePadded::default(),
        freeing: AtomicCell::new(false),
    }));
    for _ in 0..WAITERS {
        start(move || shared.wait_on_keys(engine));
    }
    for waker in 0..WAKERS {
        start(move || shared.wake_keys(engine, waker));
    }
    let lost = shared.count_and_free(engine);
    [f64::from(lost), f64::from(shared.wrong.load())]
}

impl Shared {
    fn place(&self, index: usize) -> Place<'_> {
        Place {
            key: index as u64 + 1,
            word: &self.keys[index].word,
        }
    }

    fn happened(&self) {
        self.events.fetch_add(1);
    }

    fn wait_on_keys<E: Engine>(&self, engine: &E) {
        loop {
            let index = self.next.fetch_add(1);
            let Some(key) = self.keys.get(index) else {
                return;
            };
            key.stage.store(Stage::Announced);
            self.happened();
            while key.word.value() == 0 {
                let outcome = engine.wait(self.place(index), 0, None);
                if outcome == Outcome::Woken && key.word.value() == 0 && !self.freeing.load() {
                    self.wrong.fetch_add(1);
                }
            }
            // The waker has said `Woken` before it changed the word.
            key.stage.store(Stage::Returned);
            self.happened();
        }
    }

    /// Wakes every key of this waker's share once.
    fn wake_keys<E: Engine>(&self, engine: &E, waker: usize) {
        let mut share: Vec<usize> = (waker..KEYS).step_by(WAKERS).collect();
        let mut random = Random::new(waker);
        while !share.is_empty() {
            let stage = |&index: &usize| self.keys[index].stage.load();
            let (mut ready, rest): (Vec<usize>, Vec<usize>) = share
                .into_iter()
                .partition(|index| stage(index) == Stage::Announced);
            share = rest;
            if ready.is_empty() {
                std::thread::sleep(Duration::from_micros(100));
            }
            random.shuffle(&mut ready);
            for index in ready {
                let at = self.place(index);
                self.keys[index].stage.store(Stage::Woken);
                at.word.set(1);
                engine.wake_one(at);
                self.happened();
            }
        }
    }

    /// Waits for the end, and counts and frees those who sleep on where all is quiet.
    fn count_and_free<E: Engine>(&self, engine: &E) -> u32 {
        let mut lost = 0;
        let mut last = (self.events.load(), 0);
        while !self
            .keys
            .iter()
            .all(|key| key.stage.load() == Stage::Returned)
        {
            std::thread::sleep(STEP);
            let events = self.events.load();
            last = if events == last.0 {
                (events, last.1 + 1)
            } else {
                (events, 0)
            };
            if last.1 == QUIET_STEPS {
                lost += self.free(engine);
            }
        }
        lost
    }

    /// Frees the waiters whose key was woken and who have not returned; says how many there were.
    fn free<E: Engine>(&self, engine: &E) -> u32 {
        let asleep = |key: &Key| key.stage.load() == Stage::Woken;
        let lost: Vec<usize> = (0..KEYS)
            .filter(|&index| asleep(&self.keys[index]))
            .collect();
        self.freeing.store(true);
        for &index in &lost {
            while asleep(&self.keys[index]) {
                engine.wake_all(self.place(index));
                std::thread::sleep(Duration::from_micros(50));
            }
        }
        self.freeing.store(false);
        u32::try_from(lost.len()).unwrap_or(u32::MAX)
    }
}

/// A small generator, for the order of the wakes only (xorshift64).
struct Random(u64);

impl Random {
    fn new(seed: usize) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ seed as u64)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a remainder of a small number"
        )]
        let index = (self.0 % limit as u64) as usize;
        index
    }

    fn shuffle(&mut self, items: &mut [usize]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
