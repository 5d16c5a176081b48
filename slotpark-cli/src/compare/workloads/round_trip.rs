//! Pairs of threads that wake each other in turn, on two keys and two words each.
//!
//! The pairs run all the time; after a warm-up, in which an engine may settle into the regime,
//! their progress is read twice, a window apart.

use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;
use rustix::time::{ClockId, clock_gettime};

use super::default_engine;
use crate::measure::threads::{cores, start};
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
        let pairs: Vec<&'static Pair> =
            (0..pairs).map(|index| Pair::start(engine, index)).collect();
        // Many hand-overs, each of which may cost a switch: an engine that learns needs some to
        // settle.
        std::thread::sleep(scale.warm_up * 3);
        let begin = Reading::take(&pairs);
        // Where threads compete for the cores, a window must hold many of the scheduler's turns.
        let crowded = matches!(self, Self::Busy | Self::EightPairs);
        std::thread::sleep(scale.window * if crowded { 3 } else { 1 });
        let end = first_with_progress(&pairs, &begin, scale.cut_off)?;
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
    fn start<E: Engine>(engine: &'static E, index: u64) -> &'static Self {
        let pair: &'static Self = Box::leak(Box::default());
        let ping = Place {
            key: 2 * index + 1,
            word: &pair.ping,
        };
        let pong = Place {
            key: 2 * index + 2,
            word: &pair.pong,
        };
        start(move || {
            for trip in 1.. {
                ping.word.set(trip);
                engine.wake_one(ping);
                engine.wait_while(pong, trip - 1);
                pair.trips.store(trip);
            }
        });
        start(move || {
            for trip in 1.. {
                engine.wait_while(ping, trip - 1);
                pong.word.set(trip);
                engine.wake_one(pong);
            }
        });
        pair
    }
}

/// What the pairs have done, and what it has cost so far.
struct Reading {
    at: Instant,
    cpu: Duration,
    trips: Vec<u32>,
}

impl Reading {
    fn take(pairs: &[&Pair]) -> Self {
        let cpu = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
        let trips = pairs.iter().map(|pair| pair.trips.load()).collect();
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

    fn every_pair_went_on_since(&self, begin: &Self) -> bool {
        self.trips
            .iter()
            .zip(&begin.trips)
            .all(|(end, begin)| end > begin)
    }
}

/// The first reading in which every pair has gone on; a pair that does not for so long is lost.
fn first_with_progress(
    pairs: &[&Pair],
    begin: &Reading,
    cut_off: Duration,
) -> Result<Reading, Hung> {
    loop {
        let reading = Reading::take(pairs);
        if reading.every_pair_went_on_since(begin) {
            return Ok(reading);
        }
        if begin.at.elapsed() > cut_off {
            return Err(Hung);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Computes for ever.
fn burn() {
    let mut state = 1_u64;
    loop {
        state = std::hint::black_box(state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1));
    }
}
