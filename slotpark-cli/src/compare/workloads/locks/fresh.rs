//! One thread locks and unlocks a key that nobody used before, and then the next one.

use std::future::Future as _;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Waker};

use super::{keys, time_and_allocations};
use crate::measure::locks::{AsyncLockEngine, LockEngine, LockWorkload, Plan};
use crate::measure::{Hung, Row, Sample, Scale};

/// How the key is locked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fresh {
    /// By a guard.
    Guard,
    /// For the time of a closure.
    Closure,
    /// By a guard of a reader, of engines that are locks of many readers or one writer.
    Read,
    /// By a permit, of engines that are semaphores by key.
    Permit,
    /// By a guard, of engines that are one lock without keys.
    Alone,
}

impl Plan for Fresh {
    fn rows(&self) -> Vec<Row> {
        time_and_allocations(match self {
            Self::Guard => ["lock_fresh", "lock_fresh_allocs"],
            Self::Closure => ["lock_fresh_closure", "lock_fresh_closure_allocs"],
            Self::Read => ["lock_fresh_read", "lock_fresh_read_allocs"],
            Self::Permit => ["lock_fresh_permit", "lock_fresh_permit_allocs"],
            Self::Alone => ["lock_alone", "lock_alone_allocs"],
        })
    }
}

impl LockWorkload for Fresh {
    fn sample<E: LockEngine>(&self, scale: &Scale) -> Result<Sample, Hung> {
        let engine = E::new();
        Ok(match self {
            Self::Closure => keys::measure(scale, |key| {
                engine.with_lock(key, || black_box(key));
            }),
            _ => keys::measure(scale, |key| {
                let guard = engine.lock(key);
                black_box(&guard);
            }),
        })
    }
}

/// The same by a future that is polled by hand, once: it is ready.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsyncFresh;

impl Plan for AsyncFresh {
    fn rows(&self) -> Vec<Row> {
        time_and_allocations(["lock_fresh_async", "lock_fresh_async_allocs"])
    }
}

impl AsyncFresh {
    /// One sample of one engine.
    pub(crate) fn sample<E: AsyncLockEngine>(scale: &Scale) -> Sample {
        let engine = E::new();
        let mut context = Context::from_waker(Waker::noop());
        keys::measure(scale, |key| {
            let guard = pin!(engine.lock(key)).poll(&mut context);
            assert!(black_box(&guard).is_ready());
        })
    }
}
