//! Semaphores.

use std::future::Future;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use slotpark::Semaphore;

use crate::engines::block_on::block_on;
use crate::measure::locks::{AsyncPermitEngine, PermitEngine};

const NEVER_CLOSED: &str = "it is never closed";

/// slotpark's, which serves in turn.
#[derive(Debug)]
pub(crate) struct SlotparkSemaphore(Semaphore);

impl PermitEngine for SlotparkSemaphore {
    const NAME: &'static str = "slotpark";

    fn new(permits: usize) -> Self {
        Self(Semaphore::new(permits))
    }

    #[inline]
    fn acquire(&self) -> impl Sized {
        self.0.acquire().expect(NEVER_CLOSED)
    }
}

impl AsyncPermitEngine for SlotparkSemaphore {
    #[inline]
    fn acquire_async(&self) -> impl Future {
        self.0.acquire_async(1)
    }
}

/// slotpark's, in which whoever comes may take a free permit.
#[derive(Debug)]
pub(crate) struct SlotparkBargingSemaphore(Semaphore);

impl PermitEngine for SlotparkBargingSemaphore {
    const NAME: &'static str = "slotpark_barging";

    fn new(permits: usize) -> Self {
        Self(Semaphore::barging(permits))
    }

    #[inline]
    fn acquire(&self) -> impl Sized {
        self.0.acquire().expect(NEVER_CLOSED)
    }
}

/// tokio's, which serves in turn. It has no form for threads: they try first and block on the
/// future where they must.
#[derive(Debug)]
pub(crate) struct TokioSemaphore(tokio::sync::Semaphore);

impl PermitEngine for TokioSemaphore {
    const NAME: &'static str = "tokio";

    fn new(permits: usize) -> Self {
        Self(tokio::sync::Semaphore::new(permits))
    }

    #[inline]
    fn acquire(&self) -> impl Sized {
        match self.0.try_acquire() {
            Ok(permit) => permit,
            Err(_) => block_on(self.0.acquire()).expect(NEVER_CLOSED),
        }
    }
}

impl AsyncPermitEngine for TokioSemaphore {
    #[inline]
    fn acquire_async(&self) -> impl Future {
        self.0.acquire()
    }
}

/// async-lock's, in which whoever comes may take a free permit.
#[derive(Debug)]
pub(crate) struct AsyncLockSemaphore(async_lock::Semaphore);

impl PermitEngine for AsyncLockSemaphore {
    const NAME: &'static str = "async_lock";

    fn new(permits: usize) -> Self {
        Self(async_lock::Semaphore::new(permits))
    }

    #[inline]
    fn acquire(&self) -> impl Sized {
        self.0.acquire_blocking()
    }
}

impl AsyncPermitEngine for AsyncLockSemaphore {
    #[inline]
    fn acquire_async(&self) -> impl Future {
        self.0.acquire()
    }
}

/// A number under the standard library's mutex, with its condition variable: for threads only.
#[derive(Debug)]
pub(crate) struct StdCondvar {
    free: Mutex<usize>,
    changed: Condvar,
}

impl StdCondvar {
    fn free(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PermitEngine for StdCondvar {
    const NAME: &'static str = "std_condvar";

    fn new(permits: usize) -> Self {
        Self {
            free: Mutex::new(permits),
            changed: Condvar::new(),
        }
    }

    #[inline]
    fn acquire(&self) -> impl Sized {
        let free = self.changed.wait_while(self.free(), |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        GiveBack(self)
    }
}

struct GiveBack<'s>(&'s StdCondvar);

impl Drop for GiveBack<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.0.free() += 1;
        self.0.changed.notify_one();
    }
}
