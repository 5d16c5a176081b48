//! Semaphores: a permit is acquired and released, by one thread or by more than there are permits.

use std::future::Future as _;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

use super::{crowd, keys, time_and_allocations, work};
use crate::measure::locks::{AsyncPermitEngine, PermitEngine, PermitWorkload, Plan};
use crate::measure::{Hung, Row, Sample, Scale, Unit};

/// The work of a thread while it has a permit, and of a thread that has none.
const WORK: [u32; 2] = [32, 32];
/// Permits for one thread.
const ENOUGH: usize = 16;

/// Who acquires; engines that serve in turn are reported apart from those in which whoever comes
/// may take a free permit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Permits {
    /// One thread, with permits for all.
    Alone,
    /// More threads than permits.
    Contended(Contended),
}

/// So many threads share so many permits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contended {
    row: &'static str,
    threads: usize,
    permits: usize,
}

impl Permits {
    pub(crate) const FAIR: [Self; 2] = [
        Self::of("permit_2_threads_of_1_fair", 2, 1),
        Self::of("permit_8_threads_of_2_fair", 8, 2),
    ];
    pub(crate) const BARGING: [Self; 2] = [
        Self::of("permit_2_threads_of_1_barging", 2, 1),
        Self::of("permit_8_threads_of_2_barging", 8, 2),
    ];

    const fn of(row: &'static str, threads: usize, permits: usize) -> Self {
        Self::Contended(Contended {
            row,
            threads,
            permits,
        })
    }
}

impl Plan for Permits {
    fn rows(&self) -> Vec<Row> {
        match self {
            Self::Alone => time_and_allocations(["permit_alone", "permit_alone_allocs"]),
            Self::Contended(contended) => vec![Row {
                name: contended.row,
                unit: Unit::Ns,
            }],
        }
    }
}

impl PermitWorkload for Permits {
    fn sample<E: PermitEngine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        match self {
            Self::Alone => {
                let engine = E::new(ENOUGH);
                Ok(keys::measure(scale, |_| {
                    let permit = engine.acquire();
                    black_box(&permit);
                }))
            }
            Self::Contended(contended) => contended.sample::<E>(scale),
        }
    }
}

impl Contended {
    fn sample<E: PermitEngine>(self, scale: &Scale) -> Result<Sample, Hung> {
        let engine: &'static E = Box::leak(Box::new(E::new(self.permits)));
        let done = crowd::measure(self.threads, scale, move |_, count| {
            loop {
                let permit = engine.acquire();
                work(WORK[0]);
                drop(permit);
                work(WORK[1]);
                count.add_one();
            }
        })?;
        Ok(Sample::new([done.ns_each]))
    }
}

/// One thread, with permits for all, by a future that is polled by hand, once: it is ready.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsyncPermits;

impl Plan for AsyncPermits {
    fn rows(&self) -> Vec<Row> {
        time_and_allocations(["permit_async_alone", "permit_async_alone_allocs"])
    }
}

impl AsyncPermits {
    /// One sample of one engine.
    pub(crate) fn sample<E: AsyncPermitEngine>(scale: &Scale) -> Sample {
        let engine = E::new(ENOUGH);
        let mut context = Context::from_waker(Waker::noop());
        keys::measure(scale, |_| {
            let permit = pin!(engine.acquire_async()).poll(&mut context);
            assert!(black_box(&permit).is_ready());
        })
    }
}
