//! What sets the pace of operations: their ends, or times set beforehand.
//!
//! In an open loop an operation that comes late, because the one before it took long, has waited
//! for its turn: its latency counts from the time that was set for it. A closed loop leaves that
//! wait out, which hides most of what a stall does to callers ("coordinated omission").

use std::time::{Duration, Instant};

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp1;
use serde::{Deserialize, Serialize};

use super::draws;

/// Closed or open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub(crate) enum Pace {
    /// The next operation begins when the last one has ended.
    #[default]
    Closed,
    /// Operations begin at times set beforehand, and latency counts from those.
    Open {
        /// In all threads together.
        operations_per_second: f64,
        /// How the times lie.
        arrivals: Arrivals,
    },
}

/// How the times of an open loop lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Arrivals {
    /// As far from each other as the rate says.
    Even,
    /// As of callers who know nothing of each other: gaps are drawn from the seed, exponentially.
    Exponential,
}

/// The times at which one thread's operations should begin, in nanoseconds from the start.
#[derive(Debug)]
pub(crate) struct Schedule {
    gap_ns: f64,
    arrivals: Arrivals,
    random: ChaCha8Rng,
    next_ns: f64,
}

impl Schedule {
    /// For one of `threads` that share the rate.
    pub(crate) fn new(rate: f64, arrivals: Arrivals, threads: usize, seed: u64, id: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let gap_ns = 1e9 * threads as f64 / rate;
        Self {
            gap_ns,
            arrivals,
            // Apart from the streams of keys.
            random: draws::random(seed, (1 << 32) | id),
            next_ns: 0.0,
        }
    }
}

impl Iterator for Schedule {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.next_ns += match self.arrivals {
            Arrivals::Even => self.gap_ns,
            Arrivals::Exponential => self.gap_ns * self.random.sample::<f64, _>(Exp1),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "nanoseconds of a run"
        )]
        Some(self.next_ns as u64)
    }
}

/// A clock that can be waited for.
pub(crate) trait Clock {
    /// Nanoseconds from its start.
    fn now(&self) -> u64;

    /// Returns at that time, or at once if it is past.
    fn wait_until(&self, ns: u64);
}

/// The real one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Monotonic(Instant);

/// A sleep may end so late; the rest is spent looking at the clock.
const SLEEP_SLACK: Duration = Duration::from_micros(200);

impl Monotonic {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Monotonic {
    #[inline]
    fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn wait_until(&self, ns: u64) {
        let left = Duration::from_nanos(ns.saturating_sub(self.now()));
        if let Some(sleep) = left.checked_sub(SLEEP_SLACK) {
            std::thread::sleep(sleep);
        }
        while self.now() < ns {
            std::hint::spin_loop();
        }
    }
}

/// Runs the operation at its times and says of each how long it took from the time set for it.
pub(crate) fn open_loop(
    clock: &impl Clock,
    times: impl Iterator<Item = u64>,
    mut operation: impl FnMut(),
    mut took: impl FnMut(u64),
) {
    for intended in times {
        clock.wait_until(intended);
        operation();
        took(clock.now() - intended);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Time passes only where somebody says so.
    #[derive(Default)]
    struct Told(Cell<u64>);

    impl Clock for Told {
        fn now(&self) -> u64 {
            self.0.get()
        }

        fn wait_until(&self, ns: u64) {
            self.0.set(self.0.get().max(ns));
        }
    }

    #[test]
    fn a_server_that_stalls_once_is_seen_by_all_who_should_have_come_meanwhile() {
        let clock = Told::default();
        let times = Schedule::new(1e7, Arrivals::Even, 1, 7, 0).take(30);
        let (mut latencies, mut served) = (Vec::new(), 0);
        let serve = || {
            served += 1;
            // Each takes 10 of its 100 ns; the tenth stalls for a thousand.
            clock
                .0
                .set(clock.now() + if served == 10 { 1000 } else { 10 });
        };
        open_loop(&clock, times, serve, |ns| latencies.push(ns));
        assert_eq!(latencies[..9], [10; 9]);
        assert_eq!(latencies[9], 1000);
        // The next should have begun 100 ns after the tenth, and comes 900 late, and so on.
        let late = (1..=10).map(|turn| 1000 - 90 * turn);
        assert_eq!(latencies[10..20], late.collect::<Vec<_>>());
        assert_eq!(latencies[20..], [10; 10]);
    }

    #[test]
    fn times_have_the_rate_and_come_again_from_the_seed() {
        let times = |arrivals, seed, id| {
            let schedule = Schedule::new(1e6, arrivals, 2, seed, id);
            schedule.take(10_000).collect::<Vec<_>>()
        };
        let even = times(Arrivals::Even, 7, 0);
        assert_eq!(even[..3], [2000, 4000, 6000]);
        let drawn = times(Arrivals::Exponential, 7, 0);
        assert_eq!(drawn, times(Arrivals::Exponential, 7, 0));
        assert_ne!(drawn, times(Arrivals::Exponential, 8, 0));
        assert_ne!(drawn, times(Arrivals::Exponential, 7, 1));
        assert!(drawn.is_sorted());
        let mean = drawn[9_999] / 10_000;
        assert!((1900..2100).contains(&mean), "{mean}");
        let gaps = drawn.windows(2).map(|pair| pair[1] - pair[0]);
        let long = gaps.filter(|&gap| gap > 2000).count();
        assert!((3400..3950).contains(&long), "1 in e: {long}");
    }

    #[test]
    fn the_real_clock_does_not_come_early() {
        let clock = Monotonic::start();
        clock.wait_until(300_000);
        assert!(clock.now() >= 300_000);
        clock.wait_until(0);
    }
}
