//! Pairs of threads that wake each other in turn: the first rings, the second answers.
//!
//! Answers on keys of the pair's own are woken by `wake_one`. On shared keys the second adds one to
//! the key's word and wakes all: whoever waits there goes on, as all who wait for a page do when
//! somebody has loaded it. A first thread that goes on by another pair's answer rings again before
//! its second one has looked; then that one answers the newer ring, and nobody waits for the older.

use crossbeam_utils::CachePadded;
use slotpark_report::Metric;

use super::crew::Crew;
use super::{Answer, Request, engine};
use crate::bench::draws;
use crate::bench::shape::RoundTrip;
use crate::measure::threads::{cores, start, start_seen};
use crate::measure::{Engine, Hung, Place, Word};

/// The first of the keys that pairs share; those below are the pairs' own.
const SHARED: u64 = 1 << 32;

/// One pair's own words and keys.
#[derive(Debug, Default)]
pub(super) struct Pair {
    index: u64,
    bell: Word,
    answer: Word,
}

impl Pair {
    pub(super) fn new(index: usize) -> CachePadded<Self> {
        CachePadded::new(Self {
            index: index as u64,
            ..Self::default()
        })
    }

    fn bell(&self) -> Place<'_> {
        Place {
            key: 2 * self.index + 1,
            word: &self.bell,
        }
    }

    fn answer(&self) -> Place<'_> {
        Place {
            key: 2 * self.index + 2,
            word: &self.answer,
        }
    }

    /// One trip, of the first player.
    #[inline]
    pub(super) fn ring<E: Engine>(&self, engine: &E, trip: u32) {
        self.bell.set(trip);
        engine.wake_one(self.bell());
        engine.wait_while(self.answer(), trip.wrapping_sub(1));
    }

    /// All trips, of the second one.
    pub(super) fn answer_for_ever<E: Engine>(&self, engine: &E) {
        let mut trip = 0_u32;
        loop {
            engine.wait_while(self.bell(), trip);
            trip = trip.wrapping_add(1);
            self.answer.set(trip);
            engine.wake_one(self.answer());
        }
    }
}

/// Keys that all pairs answer on, and the order in which each pair does.
#[derive(Debug)]
struct Shared {
    words: Vec<Word>,
    /// For each pair.
    drawn: Vec<Vec<u32>>,
}

impl Shared {
    fn new(trips: &RoundTrip, seed: u64) -> Self {
        let draw = |pair| draws::indices(trips.draw, trips.shared_keys, trips.exponent, seed, pair);
        Self {
            words: (0..trips.shared_keys).map(|_| Word::default()).collect(),
            drawn: (0..trips.pairs as u64).map(draw).collect(),
        }
    }

    /// Where the answer to this ring comes.
    fn place(&self, pair: &Pair, trip: u32) -> Place<'_> {
        #[expect(clippy::cast_possible_truncation, reason = "the number of a pair")]
        let drawn = &self.drawn[pair.index as usize];
        let index = drawn[trip as usize % drawn.len()];
        Place {
            key: SHARED + u64::from(index),
            word: &self.words[index as usize],
        }
    }

    #[inline]
    fn ring<E: Engine>(&self, engine: &E, pair: &Pair, trip: u32) {
        let at = self.place(pair, trip);
        // Before it rings: any answer after that will do.
        let before = at.word.value();
        pair.bell.set(trip);
        engine.wake_one(pair.bell());
        engine.wait_while(at, before);
    }

    fn answer_for_ever<E: Engine>(&self, engine: &E, pair: &Pair) {
        let mut seen = 0;
        loop {
            engine.wait_while(pair.bell(), seen);
            seen = pair.bell.value();
            let at = self.place(pair, seen);
            at.word.add_one();
            engine.wake_all(at);
        }
    }
}

pub(super) fn sample<E: Engine>(trips: &RoundTrip, request: &Request) -> Result<Answer, Hung> {
    let crew = Crew::new(request, trips.pairs);
    let engine = engine::<E>();
    let pairs: &'static [_] = Vec::leak((0..trips.pairs).map(Pair::new).collect());
    let shared = (trips.shared_keys > 0).then(|| Shared::new(trips, request.seed));
    let shared: &'static Option<Shared> = Box::leak(Box::new(shared));
    if trips.busy {
        keep_busy();
    }
    start_seen(2 * trips.pairs, move |player| {
        let (id, pair) = (player / 2, &pairs[player / 2]);
        let mut trip = 0_u32;
        match (player % 2, shared) {
            (0, None) => crew.work(id, 1, || {
                trip = trip.wrapping_add(1);
                pair.ring(engine, trip);
            }),
            (0, Some(shared)) => crew.work(id, 1, || {
                trip = trip.wrapping_add(1);
                shared.ring(engine, pair, trip);
            }),
            (_, None) => pair.answer_for_ever(engine),
            (_, Some(shared)) => shared.answer_for_ever(engine, pair),
        }
    });
    let mut answer = crew.measure(true)?;
    if trips.busy {
        // It is that of the threads that compute.
        answer.figures.remove(&Metric::Cpu);
    }
    Ok(answer)
}

/// As many threads as there are cores do nothing but compute, for ever.
fn keep_busy() {
    for _ in 0..cores() {
        start(|| {
            let mut state = 1_u64;
            loop {
                compute(&mut state);
            }
        });
    }
}

/// A step of a computation that nobody needs.
#[inline]
pub(super) fn compute(state: &mut u64) {
    *state = std::hint::black_box(state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1));
}
