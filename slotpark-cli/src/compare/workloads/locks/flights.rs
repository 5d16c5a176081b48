//! Single flight: one thread asks for a key that nobody asked for before, or many for one at once.

use std::hint::black_box;

use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;

use super::{crowd, keys, time_and_allocations, work};
use crate::measure::locks::{FlightEngine, FlightWorkload, Plan};
use crate::measure::{Hung, Row, Sample, Scale, Unit};

/// The work that makes a value: so much that others come while it is done.
const WORK: u32 = 4096;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Flights {
    /// One thread, for a fresh key each time; the value costs nothing.
    Alone,
    /// Two threads.
    Two,
    /// Eight threads: all ask for the newest key; whoever makes its value makes it an old one.
    Eight,
}

impl Plan for Flights {
    fn rows(&self) -> Vec<Row> {
        let joined = |[time, made]: [&'static str; 2]| {
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
            Self::Two => joined(["flight_2_threads", "flight_2_threads_made"]),
            Self::Eight => joined(["flight_8_threads", "flight_8_threads_made"]),
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
            Self::Two => joined(engine, 2, scale),
            Self::Eight => joined(engine, 8, scale),
        }
    }
}

/// What the threads share.
#[derive(Default)]
struct Shared {
    newest: CachePadded<AtomicCell<u64>>,
    calls: CachePadded<AtomicCell<u64>>,
    made: CachePadded<AtomicCell<u64>>,
}

impl Shared {
    fn ask<E: FlightEngine>(&self, engine: &E) {
        let key = self.newest.load();
        let value = engine.run(key, || {
            work(WORK);
            self.made.fetch_add(1);
            self.newest.fetch_max(key + 1);
            key
        });
        assert_eq!(value, key, "a flight brings its own key's value");
        self.calls.fetch_add(1);
    }
}

/// The nanoseconds for each call of anybody, and the values made for each call.
fn joined<E: FlightEngine>(
    engine: &'static E,
    threads: usize,
    scale: &Scale,
) -> Result<Sample, Hung> {
    let shared: &'static Shared = Box::leak(Box::default());
    let done = crowd::measure(threads, scale, move |_, count| {
        loop {
            shared.ask(engine);
            count.add_one();
        }
    })?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let made = shared.made.load() as f64 / shared.calls.load() as f64;
    Ok(Sample::new([done.ns_each, made]))
}
