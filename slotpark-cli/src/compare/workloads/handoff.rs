//! One thread waits on a fresh key each time, another wakes it.
//!
//! When is a wait queued? No engine but ours and none of the others can be asked in the same way,
//! so one rule holds for all. For the time of a hand-over: the waiter says that it is about to
//! wait, the waker spins for a fixed grace, many times what any engine needs to queue a waiter, and
//! then wakes. For allocations: the waker looks at the waiter's thread until the scheduler says
//! that it sleeps. In both, a wake that did not find the waiter is not counted.

use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use crossbeam_utils::atomic::AtomicCell;

use super::default_engine;
use crate::measure::allocator;
use crate::measure::statistics::median;
use crate::measure::threads::{Sight, spin_until, start_seen};
use crate::measure::{Engine, Hung, Place, Row, Sample, Scale, Unit, Word, Workload};

/// The time between the waiter's word that it is about to wait, and the wake.
const GRACE: Duration = Duration::from_micros(10);
/// The hand-overs before the first that counts: enough for each of 512 slots to see several.
const WARM_UP: u64 = 8 * 512;
/// Keys are always fresh; the memory of their words is used again after this many.
const WORDS: usize = 1024;

/// What is measured of the hand-over.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Handoff {
    /// From the call of wake to the return of the wait.
    Time,
    /// The allocations of a wait that sleeps and is woken, and of its wake.
    Allocations,
}

impl Workload for Handoff {
    fn rows(&self) -> Vec<Row> {
        vec![match self {
            Self::Time => Row {
                name: "keyed_wait_wake",
                unit: Unit::Ns,
            },
            Self::Allocations => Row {
                name: "allocs_per_wait",
                unit: Unit::Count,
            },
        }]
    }

    fn rounds(&self, scale: &Scale) -> usize {
        match self {
            Self::Time => scale.pick(3, 11),
            Self::Allocations => scale.pick(3, 5),
        }
    }

    fn sample<E: Engine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let partners = Partners::start(default_engine::<E>());
        match self {
            Self::Time => partners.time(scale),
            Self::Allocations => partners.allocations(scale),
        }
    }
}

/// What the waiter and the waker share.
struct Shared {
    words: Vec<Word>,
    started: Instant,
    /// The number of waits that are about to begin or have begun.
    announced: CachePadded<AtomicCell<u64>>,
    /// The number of waits that have returned.
    returned: CachePadded<AtomicCell<u64>>,
    /// When the last one returned, in nanoseconds.
    returned_at: CachePadded<AtomicCell<u64>>,
}

impl Shared {
    fn place(&self, wait: u64) -> Place<'_> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a remainder of a small number"
        )]
        let index = (wait % WORDS as u64) as usize;
        Place {
            key: wait + 1,
            word: &self.words[index],
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn wait_for_ever<E: Engine>(&self, engine: &E) {
        for wait in 0.. {
            let at = self.place(wait);
            at.word.set(0);
            self.announced.store(wait + 1);
            engine.wait_while(at, 0);
            self.returned_at.store(self.now());
            self.returned.store(wait + 1);
        }
    }
}

/// The waker's side.
struct Partners<E: Engine> {
    engine: &'static E,
    shared: &'static Shared,
    waiter: Sight,
    /// The number of the next wait.
    next: u64,
}

impl<E: Engine> Partners<E> {
    fn start(engine: &'static E) -> Self {
        let shared: &'static Shared = Box::leak(Box::new(Shared {
            words: (0..WORDS).map(|_| Word::default()).collect(),
            started: Instant::now(),
            announced: CachePadded::default(),
            returned: CachePadded::default(),
            returned_at: CachePadded::default(),
        }));
        let waiter = start_seen(1, move |_| shared.wait_for_ever(engine)).remove(0);
        Self {
            engine,
            shared,
            waiter,
            next: 0,
        }
    }

    /// One hand-over; the nanoseconds from the call of wake, unless the wake found nobody.
    fn hand_over(
        &mut self,
        scale: &Scale,
        queued: impl FnOnce(&Sight),
    ) -> Result<Option<u64>, Hung> {
        let shared = self.shared;
        let at = shared.place(self.next);
        self.next += 1;
        spin_until(Duration::MAX, || shared.announced.load() == self.next);
        queued(&self.waiter);
        at.word.set(1);
        let called = shared.now();
        let woken = self.engine.wake_one(at);
        self.wait_for_return(scale)?;
        Ok((woken == 1).then(|| shared.returned_at.load().saturating_sub(called)))
    }

    /// Waits until the wait has returned; a waiter that is seen to sleep long after its wake, and
    /// again and again, has lost it.
    fn wait_for_return(&self, scale: &Scale) -> Result<(), Hung> {
        let mut asleep = 0;
        while asleep < 3 {
            if spin_until(scale.cut_off / 10, || {
                self.shared.returned.load() == self.next
            }) {
                return Ok(());
            }
            asleep = if self.waiter.asleep() { asleep + 1 } else { 0 };
        }
        Err(Hung)
    }

    fn time(mut self, scale: &Scale) -> Result<Sample, Hung> {
        let grace = |_: &Sight| {
            spin_until(GRACE, || false);
        };
        let start = Instant::now();
        while self.next < WARM_UP && start.elapsed() < scale.cut_off {
            self.hand_over(scale, grace)?;
        }
        let mut times = Vec::new();
        let start = Instant::now();
        while start.elapsed() < scale.window || times.is_empty() {
            #[expect(clippy::cast_precision_loss, reason = "a short time")]
            times.extend(self.hand_over(scale, grace)?.map(|time| time as f64));
        }
        Ok(Sample::new([median(&mut times)]))
    }

    fn allocations(mut self, scale: &Scale) -> Result<Sample, Hung> {
        let asleep = |waiter: &Sight| {
            spin_until(Duration::MAX, || waiter.asleep());
        };
        for _ in 0..100 {
            self.hand_over(scale, asleep)?;
        }
        allocator::start_counting();
        let mut waits = 0_u32;
        let wanted = scale.pick(500, 5000);
        while waits < wanted {
            waits += u32::from(self.hand_over(scale, asleep)?.is_some());
        }
        let allocations = allocator::counted().allocations;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        Ok(Sample::new([allocations as f64 / f64::from(waits)]))
    }
}
