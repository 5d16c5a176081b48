//! Single flight: one thread asks for a key that nobody asked for before, or many for one at once.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;

use super::{keys, time_and_allocations};
use crate::measure::locks::{FlightEngine, FlightWorkload, Plan};
use crate::measure::statistics::median;
use crate::measure::threads::{spin_until, start_seen};
use crate::measure::{Hung, Row, Sample, Scale, Unit};

/// The time between the last thread's word that it is about to ask, and the value: more than it
/// needs to find that somebody makes it.
const GRACE: Duration = Duration::from_micros(10);

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flights {
    /// One thread, for a fresh key each time; the value costs nothing.
    Alone,
    /// Two threads, for one fresh key at a time; its value is made when both have asked.
    Two,
    /// Eight threads, likewise.
    Eight,
}

impl Plan for Flights {
    fn rows(&self) -> Vec<Row> {
        let shared = |[time, made]: [&'static str; 2]| {
            vec![
                Row {
                    name: time,
                    unit: Unit::Ns,
                },
                Row {
                    name: made,
                    unit: Unit::Count,
                },
            ]
        };
        match self {
            Self::Alone => time_and_allocations(["flight_alone", "flight_alone_allocs"]),
            Self::Two => shared(["flight_2_shared", "flight_2_shared_made"]),
            Self::Eight => shared(["flight_8_shared", "flight_8_shared_made"]),
        }
    }
}

impl FlightWorkload for Flights {
    fn sample<E: FlightEngine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine: &'static E = Box::leak(Box::new(E::new()));
        match self {
            Self::Alone => Ok(keys::measure(scale, |key| {
                black_box(engine.run(key, || black_box(key)));
            })),
            Self::Two => Ok(Sample::new(shared(engine, 2, scale)?)),
            Self::Eight => Ok(Sample::new(shared(engine, 8, scale)?)),
        }
    }
}

/// What the threads share.
struct Shared {
    threads: u64,
    /// All begin a round together, and all end it together.
    rounds: Barrier,
    started: Instant,
    asked: CachePadded<AtomicCell<u64>>,
    made: CachePadded<AtomicCell<u64>>,
    /// When the value of this round was made, in nanoseconds.
    made_at: AtomicCell<u64>,
    /// When the last thread so far had it.
    shared_at: CachePadded<AtomicCell<u64>>,
}

impl Shared {
    fn new(threads: usize) -> Self {
        Self {
            threads: threads as u64,
            rounds: Barrier::new(threads),
            started: Instant::now(),
            asked: CachePadded::default(),
            made: CachePadded::default(),
            made_at: AtomicCell::default(),
            shared_at: CachePadded::default(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Asks in every round; in each, one of the threads tells how long the value took to be shared.
    fn ask<E: FlightEngine>(&self, engine: &E, tell: &Sender<u64>) {
        for round in 1.. {
            self.rounds.wait();
            self.asked.fetch_add(1);
            let value = engine.run(round, || self.make(round));
            self.shared_at.fetch_max(self.now());
            assert_eq!(value, round, "a flight brings its own key's value");
            if self.rounds.wait().is_leader() {
                let took = self.shared_at.load().saturating_sub(self.made_at.load());
                // Nobody listens any more when the sample is taken.
                let _ = tell.send(took);
            }
        }
    }

    /// The value of this round: made when all have asked, and had time to find that it is being
    /// made.
    fn make(&self, round: u64) -> u64 {
        spin_until(Duration::MAX, || self.asked.load() == round * self.threads);
        spin_until(GRACE, || false);
        self.made.fetch_add(1);
        self.made_at.store(self.now());
        round
    }
}

/// The nanoseconds from the value until all have it, the middle of the rounds, and the values made
/// for each call.
pub(crate) fn shared<E: FlightEngine>(
    engine: &'static E,
    threads: usize,
    scale: &Scale,
) -> Result<[f64; 2], Hung> {
    let shared: &'static Shared = Box::leak(Box::new(Shared::new(threads)));
    let (tell, told) = mpsc::channel();
    start_seen(threads, move |_| shared.ask(engine, &tell));
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < scale.warm_up + scale.window || times.is_empty() {
        let took = told.recv_timeout(scale.cut_off).map_err(|_| Hung)?;
        if start.elapsed() > scale.warm_up {
            #[expect(clippy::cast_precision_loss, reason = "a short time")]
            times.push(took as f64);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let made = shared.made.load() as f64 / shared.asked.load() as f64;
    Ok([median(&mut times), made])
}
