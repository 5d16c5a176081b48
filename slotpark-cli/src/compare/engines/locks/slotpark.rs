//! slotpark: `KeyedMutex<u64>`.

use std::future::Future;

use slotpark::KeyedMutex;

use crate::measure::locks::{AsyncLockEngine, LockEngine};

/// First come, first served.
#[derive(Debug)]
pub(crate) struct SlotparkMutex(KeyedMutex<u64>);

impl LockEngine for SlotparkMutex {
    const NAME: &'static str = "slotpark";

    fn new() -> Self {
        Self(KeyedMutex::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        self.0.lock(key)
    }

    #[inline]
    fn with_lock<R>(&self, key: u64, body: impl FnOnce() -> R) -> R {
        self.0.with_lock(&key, body)
    }
}

impl AsyncLockEngine for SlotparkMutex {
    const NAME: &'static str = "slotpark";

    fn new() -> Self {
        Self(KeyedMutex::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Future {
        self.0.lock_async(key)
    }
}

/// Whoever comes may take a free key.
#[derive(Debug)]
pub(crate) struct SlotparkBargingMutex(KeyedMutex<u64>);

impl LockEngine for SlotparkBargingMutex {
    const NAME: &'static str = "slotpark_barging";

    fn new() -> Self {
        Self(KeyedMutex::barging())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        self.0.lock(key)
    }

    #[inline]
    fn with_lock<R>(&self, key: u64, body: impl FnOnce() -> R) -> R {
        self.0.with_lock(&key, body)
    }
}
