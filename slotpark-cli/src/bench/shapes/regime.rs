//! A pair of threads while the machine becomes busy, and idle again: how soon does it run as well
//! as it will?
//!
//! Trips are counted in steps of time. What a phase settles at is the time of a trip in its last
//! third; it is found again in the first step from which on three steps together are within twice
//! of that.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use slotpark_report::Metric;

use super::round_trip::{Pair, compute};
use super::{Answer, Request, engine};
use crate::bench::shape::Regime;
use crate::measure::threads::{cores, start};
use crate::measure::{Engine, Hung};

const STEP: Duration = Duration::from_millis(5);
/// Steps that are looked at together: a busy machine lets a thread run for milliseconds at a time.
const TOGETHER: usize = 3;
const SETTLED_WITHIN: f64 = 2.0;
const PHASES: usize = 3;

/// Trips in each step of time. Relaxed throughout: they count, and publish nothing.
#[derive(Debug)]
struct Steps {
    began: Instant,
    trips: Vec<AtomicU32>,
}

impl Steps {
    fn count(&self) {
        let step = self.began.elapsed().as_nanos() / STEP.as_nanos();
        let trips = usize::try_from(step)
            .ok()
            .and_then(|step| self.trips.get(step));
        if let Some(trips) = trips {
            let so_far = trips.load(Ordering::Relaxed);
            trips.store(so_far + 1, Ordering::Relaxed);
        }
    }
}

pub(super) fn sample<E: Engine>(regime: &Regime, request: &Request) -> Result<Answer, Hung> {
    let engine = engine::<E>();
    let pair: &'static Pair = Box::leak(Box::new(Pair::new(0)));
    let phase = Duration::from_millis(regime.phase_ms);
    let in_phase = usize::try_from(phase.as_nanos() / STEP.as_nanos()).unwrap_or(usize::MAX);
    let steps: &'static Steps = Box::leak(Box::new(Steps {
        began: Instant::now() + request.warm_up(),
        trips: (0..PHASES * in_phase).map(|_| AtomicU32::new(0)).collect(),
    }));
    start(move || pair.answer_for_ever(engine));
    start(move || {
        for trip in 1.. {
            pair.ring(engine, trip);
            if steps.began <= Instant::now() {
                steps.count();
            }
        }
    });
    std::thread::sleep(request.warm_up() + phase);
    let computing: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(true)));
    for _ in 0..cores() {
        start(|| compute_while(computing));
    }
    std::thread::sleep(phase);
    computing.store(false, Ordering::Relaxed);
    std::thread::sleep(phase);
    let trips: Vec<u32> = steps
        .trips
        .iter()
        .map(|trips| trips.load(Ordering::Relaxed))
        .collect();
    let found = trips.chunks(in_phase).skip(1).map(settled_after);
    let slower = found.flatten().max().ok_or(Hung)?;
    let time = STEP * u32::try_from(slower).unwrap_or(u32::MAX);
    let mut answer = Answer::of([(Metric::Time, time.as_secs_f64() * 1e9)]);
    answer.notes.push(format!(
        "looked at every {} ms: less than that is 0",
        STEP.as_millis()
    ));
    Ok(answer)
}

fn compute_while(computing: &AtomicBool) {
    let mut state = 1;
    while computing.load(Ordering::Relaxed) {
        (0..1000).for_each(|_| compute(&mut state));
    }
}

/// The first step from which on trips came about as often as in the last third; `None` of a phase
/// without any trips there.
fn settled_after(trips: &[u32]) -> Option<usize> {
    let rate = |trips: &[u32]| {
        let sum: u32 = trips.iter().sum();
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let steps = trips.len().max(1) as f64;
        f64::from(sum) / steps
    };
    let settled = rate(&trips[trips.len() - trips.len() / 3..]);
    let found = |trips: &[u32]| rate(trips) * SETTLED_WITHIN >= settled;
    (settled > 0.0).then(|| {
        let mut windows = trips.windows(TOGETHER);
        windows.position(found).unwrap_or(trips.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_settled_from_where_it_is_half_as_fast_as_at_its_end() {
        assert_eq!(settled_after(&[100; 12]), Some(0));
        let slow_at_first: Vec<u32> = [1; 6].into_iter().chain([100; 18]).collect();
        // Steps 5, 6 and 7 together are fast enough.
        assert_eq!(settled_after(&slow_at_first), Some(5));
        assert_eq!(settled_after(&[7, 7, 7, 0, 0, 0]), None);
    }
}
