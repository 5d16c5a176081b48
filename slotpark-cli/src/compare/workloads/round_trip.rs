//! Pairs of threads that wake each other in turn, on two keys and two words each.
//!
//! The pairs run all the time; after a warm-up, in which an engine may settle into the regime,
//! their progress is read twice, a window apart.

use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;
use rustix::time::{ClockId, clock_gettime};

use super::default_engine;
use crate::measure::threads::{Sight, cores, start, start_seen};
use crate::measure::{Engine, Hung, Place, Row, Sample, Scale, Unit, Word, Workload};

/// Which pairs, beside whom.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RoundTrip {
    /// One pair, and nobody else.
    Idle,
    /// One pair, while as many threads as there are cores do nothing but compute.
    Busy,
    /// Eight pairs, and nobody else.
    EightPairs,
}

impl Workload for RoundTrip {
    fn rows(&self) -> Vec<Row> {
        let unit = Unit::Ns;
        match self {
            Self::Idle => vec![Row {
                name: "round_trip_idle",
                unit,
            }],
            Self::Busy => vec![Row {
                name: "round_trip_busy",
                unit,
            }],
            Self::EightPairs => vec![
                Row {
                    name: "round_trip_8_pairs",
                    unit,
                },
                Row {
                    name: "round_trip_8_pairs_cpu",
                    unit,
                },
            ],
        }
    }

    fn rounds(&self, scale: &Scale) -> usize {
        scale.pick(5, 11)
    }

    fn sample<E: Engine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine = default_engine::<E>();
        let (pairs, burners) = match self {
            Self::Idle => (1, 0),
            Self::Busy => (1, cores()),
            Self::EightPairs => (8, 0),
        };
        for _ in 0..burners {
            start(burn);
        }
        let pairs: Vec<Running> = (0..pairs)
            .map(|index| Running::start(engine, index))
            .collect();
        // An engine that learns needs some trips to settle, and with idle cores a trip may cost two
        // wake-ups of a core. Where threads compete for the cores, a window must hold many of the
        // scheduler's turns.
        let [warm_ups, windows] = if matches!(self, Self::Idle) {
            [3, 1]
        } else {
            [2, 3]
        };
        std::thread::sleep(scale.warm_up * warm_ups);
        let begin = Reading::take(&pairs);
        std::thread::sleep(scale.window * windows);
        let end = first_with_progress(&pairs, &begin)?;
        Ok(Sample::new(
            end.per_trip_since(&begin)
                .into_iter()
                .take(self.rows().len()),
        ))
    }
}

/// One pair: its two words, and how many trips it has made.
#[derive(Default)]
struct Pair {
    ping: Word,
    pong: Word,
    trips: CachePadded<AtomicCell<u32>>,
}

impl Pair {
    fn ping<E: Engine>(&self, engine: &E, [ping, pong]: [Place<'_>; 2]) {
        for trip in 1.. {
            ping.word.set(trip);
            engine.wake_one(ping);
            engine.wait_while(pong, trip - 1);
            self.trips.store(trip);
        }
    }

    fn pong<E: Engine>(engine: &E, [ping, pong]: [Place<'_>; 2]) {
        for trip in 1.. {
            engine.wait_while(ping, trip - 1);
            pong.word.set(trip);
            engine.wake_one(pong);
        }
    }
}

/// A pair with its threads.
struct Running {
    pair: &'static Pair,
    threads: Vec<Sight>,
}

impl Running {
    fn start<E: Engine>(engine: &'static E, index: u64) -> Self {
        let pair: &'static Pair = Box::leak(Box::default());
        let ping = Place {
            key: 2 * index + 1,
            word: &pair.ping,
        };
        let pong = Place {
            key: 2 * index + 2,
            word: &pair.pong,
        };
        let threads = start_seen(2, move |player| match player {
            0 => pair.ping(engine, [ping, pong]),
            _ => Pair::pong(engine, [ping, pong]),
        });
        Self { pair, threads }
    }

    fn asleep(&self) -> bool {
        self.threads.iter().all(Sight::asleep)
    }
}

/// What the pairs have done, and what it has cost so far.
struct Reading {
    at: Instant,
    cpu: Duration,
    trips: Vec<u32>,
}

impl Reading {
    fn take(pairs: &[Running]) -> Self {
        let cpu = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
        let trips = pairs
            .iter()
            .map(|running| running.pair.trips.load())
            .collect();
        Self {
            at: Instant::now(),
            cpu,
            trips,
        }
    }

    /// Nanoseconds of time and of CPU time for each round trip since `begin`.
    fn per_trip_since(&self, begin: &Self) -> [f64; 2] {
        let pairs = self.trips.iter().zip(&begin.trips);
        let trips: f64 = pairs.map(|(end, begin)| f64::from(end - begin)).sum();
        let per_trip = |time: Duration| time.as_secs_f64() * 1e9 / trips;
        [
            per_trip(self.at - begin.at),
            per_trip(self.cpu.saturating_sub(begin.cpu)),
        ]
    }

    /// The pairs that have not gone on since `begin`.
    fn still_since<'a>(&self, begin: &Self, pairs: &'a [Running]) -> Vec<&'a Running> {
        let trips = self.trips.iter().zip(&begin.trips);
        let still = pairs
            .iter()
            .zip(trips)
            .filter(|(_, (end, begin))| end == begin);
        still.map(|(running, _)| running).collect()
    }
}

/// Looks at a pair that stands still, 5 ms apart, that show it asleep before it is given up: while
/// a pair is alive, one of its threads runs, or could.
const LOOKS: u32 = 20;

/// The first reading in which every pair has gone on, unless one of them never will.
fn first_with_progress(pairs: &[Running], begin: &Reading) -> Result<Reading, Hung> {
    let mut asleep = 0;
    while asleep < LOOKS {
        let reading = Reading::take(pairs);
        let still = reading.still_since(begin, pairs);
        if still.is_empty() {
            return Ok(reading);
        }
        asleep = if still.iter().any(|running| running.asleep()) {
            asleep + 1
        } else {
            0
        };
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(Hung)
}

/// Computes for ever.
fn burn() {
    let mut state = 1_u64;
    loop {
        state = std::hint::black_box(state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1));
    }
}
