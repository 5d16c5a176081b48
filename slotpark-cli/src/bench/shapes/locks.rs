//! Threads that lock and unlock keys.

use std::future::Future as _;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

use super::crew::Crew;
use super::keys::lengthened;
use super::{Answer, Request};
use crate::bench::draws::{self, scattered};
use crate::bench::shape::{Draw, Locks};
use crate::compare::workloads::locks::work;
use crate::measure::Hung;
use crate::measure::locks::{AsyncLockEngine, LockEngine};
use crate::measure::threads::start_seen;

/// Locks between two writes of their count.
const BATCH: u32 = 16;

/// Keys that nobody used before, for one thread: no other one has them.
fn fresh(id: usize) -> impl FnMut() -> u64 {
    let mut number = (id as u64) << 40;
    move || {
        number += 1;
        scattered(number)
    }
}

pub(super) fn sample<E: LockEngine>(locks: &Locks, request: &Request) -> Result<Answer, Hung> {
    let crew = Crew::new(request, locks.threads);
    let engine: &'static E = Box::leak(Box::new(E::new()));
    let (locks, seed) = (locks.clone(), request.seed);
    start_seen(locks.threads, move |id| {
        let once = |key: u64| {
            let guard = engine.lock(key);
            black_box(&guard);
            work(locks.held_steps);
            drop(guard);
            work(locks.free_steps);
        };
        if locks.draw == Draw::Fresh {
            let mut next = fresh(id);
            crew.work(id, BATCH, || once(next()));
        } else {
            let drawn = draws::indices(locks.draw, locks.keys, locks.exponent, seed, id as u64);
            let keys = drawn.iter().map(|&index| scattered(index.into()));
            let keys = lengthened(&keys.collect::<Vec<_>>());
            crew.work_through(id, BATCH as usize, &keys, once);
        }
    });
    crew.measure(false)
}

/// By futures that one thread polls by hand, once: they are ready.
pub(super) fn polled<E: AsyncLockEngine>(request: &Request) -> Result<Answer, Hung> {
    let crew = Crew::new(request, 1);
    let engine: &'static E = Box::leak(Box::new(E::new()));
    start_seen(1, move |id| {
        let mut context = Context::from_waker(Waker::noop());
        let mut next = fresh(id);
        crew.work(id, BATCH, || {
            let guard = pin!(engine.lock(next())).poll(&mut context);
            assert!(black_box(&guard).is_ready());
        });
    });
    crew.measure(false)
}
