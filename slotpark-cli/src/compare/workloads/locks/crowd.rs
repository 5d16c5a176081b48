//! Threads that do one thing again and again, and how often they did it in a span of time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use crate::measure::threads::start_seen;
use crate::measure::{Hung, Scale};

/// The span is so many windows long: more threads than cores take turns of milliseconds, and a span
/// should see several of each.
const WINDOWS: u32 = 4;

/// A counter that one thread writes and others look at.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

// Relaxed throughout: it counts, and publishes nothing.
impl Count {
    /// By its only writer: no locked instruction.
    pub(super) fn add_one(&self) {
        let count = self.0.load(Ordering::Relaxed);
        self.0.store(count + 1, Ordering::Relaxed);
    }

    pub(super) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a crowd did in the span.
#[derive(Debug, PartialEq)]
pub(super) struct Done {
    /// The nanoseconds of the span for each thing done by anybody.
    pub(super) ns_each: f64,
    /// What the thread did that did the least, of what an equal share would be: at most 1.
    pub(super) least_share: f64,
}

impl Done {
    /// The counts of the threads at the beginning and at the end; `None` where nothing was done.
    fn between(begin: &[u64], end: &[u64], span: Duration) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let done = || {
            begin
                .iter()
                .zip(end)
                .map(|(begin, end)| (end - begin) as f64)
        };
        let all: f64 = done().sum();
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let threads = begin.len() as f64;
        (all > 0.0).then(|| Self {
            ns_each: span.as_secs_f64() * 1e9 / all,
            least_share: done().fold(f64::INFINITY, f64::min) * threads / all,
        })
    }
}

/// Lets threads begin, gives them the warm-up, and counts what they do in the span. They go on
/// until the process ends.
pub(super) fn measure(
    threads: usize,
    scale: &Scale,
    body: impl Fn(usize, &Count) + Clone + Send + 'static,
) -> Result<Done, Hung> {
    let counts: &'static [CachePadded<Count>] =
        Vec::leak((0..threads).map(|_| CachePadded::default()).collect());
    start_seen(threads, move |thread| body(thread, &counts[thread]));
    let look = || counts.iter().map(|count| count.value()).collect::<Vec<_>>();
    std::thread::sleep(scale.warm_up);
    let (begin, start) = (look(), Instant::now());
    std::thread::sleep(WINDOWS * scale.window);
    while start.elapsed() < scale.cut_off {
        let (end, span) = (look(), start.elapsed());
        if let Some(done) = Done::between(&begin, &end, span) {
            return Ok(done);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(Hung)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_shared_out() {
        let span = Duration::from_nanos(1200);
        let done = Done::between(&[5, 0], &[8, 9], span);
        let expected = Done {
            ns_each: 100.0,
            least_share: 0.5,
        };
        assert_eq!(done, Some(expected));
        assert_eq!(Done::between(&[5, 1], &[5, 1], span), None);
    }

    #[test]
    fn a_crowd_is_counted_and_one_that_stands_still_is_hung() {
        let scale = Scale {
            cut_off: Duration::from_millis(100),
            ..Scale::QUICK
        };
        let done = measure(2, &scale, |_, count| {
            while count.value() < u64::MAX {
                count.add_one();
            }
        });
        let done = done.expect("they count");
        assert!(done.ns_each > 0.0 && done.least_share <= 1.0, "{done:?}");
        assert!(measure(1, &scale, |_, _| ()).is_err());
    }
}
