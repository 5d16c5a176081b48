//! Pairs of players on threads that wake each other in turn, on two keys and two words each.
//!
//! The pairs run all the time; after a warm-up, in which an engine may settle into the regime,
//! their progress is read twice, a window apart.

use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;
use rustix::time::{ClockId, clock_gettime};

use crate::measure::threads::{Sight, start_seen};
use crate::measure::{Hung, Place, Word};

/// Lets so many pairs play, on two threads each, which are told their number; nanoseconds of time
/// and of CPU time for each round trip, in the second span of time.
pub(super) fn measure(
    pairs: u64,
    play: impl Fn(&'static Pair, usize) + Clone + Send + 'static,
    [warm_up, window]: [Duration; 2],
) -> Result<[f64; 2], Hung> {
    let pairs: Vec<Running> = (0..pairs)
        .map(|index| Running::start(index, play.clone()))
        .collect();
    std::thread::sleep(warm_up);
    let begin = Reading::take(&pairs);
    std::thread::sleep(window);
    let end = first_with_progress(&pairs, &begin)?;
    Ok(end.per_trip_since(&begin))
}

/// One pair: its two words, and how many trips it has made.
#[derive(Default)]
pub(super) struct Pair {
    index: u64,
    ping: Word,
    pong: Word,
    trips: CachePadded<AtomicCell<u32>>,
}

impl Pair {
    /// Where the first player wakes, and where the second one does.
    pub(super) fn places(&self) -> [Place<'_>; 2] {
        let place = |key, word| Place { key, word };
        [
            place(2 * self.index + 1, &self.ping),
            place(2 * self.index + 2, &self.pong),
        ]
    }

    /// Said by the first player at the end of each trip.
    pub(super) fn made(&self, trip: u32) {
        self.trips.store(trip);
    }
}

/// A pair with its threads.
struct Running {
    pair: &'static Pair,
    threads: Vec<Sight>,
}

impl Running {
    fn start(index: u64, play: impl Fn(&'static Pair, usize) + Clone + Send + 'static) -> Self {
        let pair: &'static Pair = Box::leak(Box::new(Pair {
            index,
            ..Pair::default()
        }));
        let threads = start_seen(2, move |player| play(pair, player));
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
