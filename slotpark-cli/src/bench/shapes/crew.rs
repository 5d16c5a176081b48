//! The threads of a sample: what they count, and what is read of them in the window.
//!
//! They run all the time and are left behind. After the warm-up their counts are read twice, a
//! window apart; then once more, a quarter of a window apart, while allocations are counted, which
//! costs time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use slotpark_report::Metric;

use crate::bench::pace::{Clock as _, Monotonic, Pace, Schedule, open_loop};
use crate::bench::request::{Answer, Request};
use crate::measure::resident::resident_bytes;
use crate::measure::{Hung, allocator};

/// The longest latency that is told apart.
const LONGEST_NS: u64 = 60_000_000_000;

/// One thread's count, and its latencies where they are asked for.
#[derive(Debug)]
pub(super) struct Member {
    /// Written by one thread. Relaxed throughout: it counts, and publishes nothing.
    operations: AtomicU64,
    latencies: Option<Mutex<Histogram<u64>>>,
}

impl Member {
    fn new(latency: bool) -> Self {
        let bounds = || Histogram::new_with_bounds(1, LONGEST_NS, 2);
        Self {
            operations: AtomicU64::new(0),
            latencies: latency.then(|| Mutex::new(bounds().expect("the bounds are in order"))),
        }
    }

    /// By its only writer: no locked instruction.
    #[inline]
    pub(super) fn add(&self, operations: u64) {
        let count = self.operations.load(Ordering::Relaxed);
        self.operations.store(count + operations, Ordering::Relaxed);
    }

    fn took(&self, ns: u64) {
        if let Some(latencies) = &self.latencies {
            let mut latencies = latencies.lock().unwrap_or_else(PoisonError::into_inner);
            latencies.saturating_record(ns.max(1));
        }
        self.add(1);
    }
}

/// All members, and the request that they serve.
#[derive(Debug)]
pub(super) struct Crew {
    request: Request,
    resident_bytes: i64,
    members: Vec<CachePadded<Member>>,
    clock: Monotonic,
}

impl Crew {
    /// To be made before the engine, which is to be seen in the resident memory.
    pub(super) fn new(request: &Request, members: usize) -> &'static Self {
        let member = |_| CachePadded::new(Member::new(request.latency));
        Box::leak(Box::new(Self {
            request: request.clone(),
            resident_bytes: resident_bytes(),
            members: (0..members).map(member).collect(),
            clock: Monotonic::start(),
        }))
    }

    pub(super) fn member(&self, id: usize) -> &Member {
        &self.members[id]
    }

    /// Does the operation for ever, at the pace of the request. `batch` of them are done between
    /// two writes of the count.
    pub(super) fn work(&self, id: usize, batch: u32, mut operation: impl FnMut()) {
        let member = self.member(id);
        match self.request.pace {
            Pace::Closed if self.request.latency => loop {
                let began = self.clock.now();
                operation();
                member.took(self.clock.now() - began);
            },
            Pace::Closed => loop {
                for _ in 0..batch {
                    operation();
                }
                member.add(u64::from(batch));
            },
            Pace::Open {
                operations_per_second: rate,
                arrivals,
            } => {
                let threads = self.members.len();
                let schedule = Schedule::new(rate, arrivals, threads, self.request.seed, id as u64);
                let began = self.clock.now();
                let times = schedule.map(|ns| began + ns);
                open_loop(&self.clock, times, operation, |ns| member.took(ns));
            }
        }
    }

    /// Does the operation with one item after the other, again and again. As `work`, but that a
    /// batch is a walk over a slice, which costs next to nothing beside calls of nanoseconds.
    pub(super) fn work_through<T: Copy>(
        &self,
        id: usize,
        batch: usize,
        items: &[T],
        mut operation: impl FnMut(T),
    ) {
        if self.request.latency || self.request.pace != Pace::Closed {
            let mut items = items.iter().copied().cycle();
            return self.work(id, 1, || items.by_ref().take(1).for_each(&mut operation));
        }
        let member = self.member(id);
        loop {
            for batch in items.chunks(batch) {
                for &item in batch {
                    operation(item);
                }
                member.add(batch.len() as u64);
            }
        }
    }

    /// What they do in the window. It is lengthened until somebody, or every one of them, has done
    /// something.
    pub(super) fn measure(&self, every: bool) -> Result<Answer, Hung> {
        std::thread::sleep(self.request.warm_up());
        self.forget_latencies();
        let timed = self.span(self.request.window(), every)?;
        let latency = self.latencies();
        let resident = resident_bytes() - self.resident_bytes;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let mut answer = Answer::of([
            (Metric::Time, timed.wall_ns()),
            (Metric::Cpu, timed.cpu_ns()),
            (Metric::ResidentBytes, resident.max(0) as f64),
        ]);
        let allocations = self.allocations();
        answer
            .figures
            .extend(allocations.map(|allocations| (Metric::Allocations, allocations)));
        if self.members.len() > 1 {
            answer
                .figures
                .insert(Metric::LeastShare, timed.least_share());
        }
        answer.latency = latency;
        Ok(answer)
    }

    /// Of one operation; `None` where none was done meanwhile. The looks allocate, and so are not
    /// within what is counted.
    fn allocations(&self) -> Option<f64> {
        let begin = Look::take(self);
        allocator::start_counting();
        std::thread::sleep(self.request.window() / 4);
        let allocations = allocator::counted().allocations;
        let done = begin.until(&Look::take(self)).total();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        (done > 0.0).then(|| allocations as f64 / done)
    }

    fn span(&self, window: Duration, every: bool) -> Result<Span, Hung> {
        let begin = Look::take(self);
        std::thread::sleep(window);
        loop {
            let end = Look::take(self);
            let span = begin.until(&end);
            let mut done = span.done.iter().map(|&done| done > 0);
            let enough = if every {
                done.all(|done| done)
            } else {
                done.any(|done| done)
            };
            if enough {
                return Ok(span);
            }
            if span.wall > self.request.cut_off() {
                return Err(Hung);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn histograms(&self) -> impl Iterator<Item = std::sync::MutexGuard<'_, Histogram<u64>>> {
        let members = self.members.iter();
        let latencies = members.filter_map(|member| member.latencies.as_ref());
        latencies.map(|latencies| latencies.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn forget_latencies(&self) {
        self.histograms()
            .for_each(|mut latencies| latencies.reset());
    }

    fn latencies(&self) -> Option<Vec<(u64, u64)>> {
        let sum = |mut sum: Histogram<u64>, one: Histogram<u64>| {
            sum += &one;
            sum
        };
        let all = self
            .histograms()
            .map(|latencies| latencies.clone())
            .reduce(sum)?;
        let buckets = all.iter_recorded();
        Some(
            buckets
                .map(|bucket| {
                    (
                        bucket.value_iterated_to(),
                        bucket.count_since_last_iteration(),
                    )
                })
                .collect(),
        )
    }
}

/// The counts at one time.
struct Look {
    at: Instant,
    cpu: Duration,
    operations: Vec<u64>,
}

impl Look {
    fn take(crew: &Crew) -> Self {
        let members = crew.members.iter();
        Self {
            at: Instant::now(),
            cpu: Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default(),
            operations: members
                .map(|member| member.operations.load(Ordering::Relaxed))
                .collect(),
        }
    }

    fn until(&self, end: &Self) -> Span {
        let pairs = end.operations.iter().zip(&self.operations);
        Span {
            wall: end.at - self.at,
            cpu: end.cpu.saturating_sub(self.cpu),
            done: pairs.map(|(end, begin)| end - begin).collect(),
        }
    }
}

/// What was done between two looks.
#[derive(Debug)]
struct Span {
    wall: Duration,
    cpu: Duration,
    done: Vec<u64>,
}

impl Span {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn total(&self) -> f64 {
        self.done.iter().sum::<u64>() as f64
    }

    fn wall_ns(&self) -> f64 {
        self.wall.as_secs_f64() * 1e9 / self.total()
    }

    fn cpu_ns(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e9 / self.total()
    }

    /// What the member did that did the least, of what an equal share would be.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn least_share(&self) -> f64 {
        let least = self.done.iter().min().copied().unwrap_or(0);
        least as f64 * self.done.len() as f64 / self.total()
    }
}
