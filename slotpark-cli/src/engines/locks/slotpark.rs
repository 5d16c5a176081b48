//! slotpark: locks by key, single flights, and its locks of one word.

use std::future::Future;

use slotpark::core::Inspect;
use slotpark::{
    KeyedMutex, KeyedRwLock, KeyedSemaphore, Mutex as WordMutex, MutexGuard, SingleFlight,
};

use super::one::HandOver;
use crate::engines::recorded::Shown;
use crate::measure::locks::{AsyncLockEngine, FlightEngine, LockEngine};

/// First come, first served.
#[derive(Debug)]
pub(crate) struct SlotparkMutex(KeyedMutex<u64>);

impl Shown for SlotparkMutex {
    fn shown(&self) -> &dyn Inspect {
        &self.0
    }
}

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

/// A reader of the lock of many readers or one writer.
#[derive(Debug)]
pub(crate) struct SlotparkRead(KeyedRwLock<u64>);

impl LockEngine for SlotparkRead {
    const NAME: &'static str = "slotpark";

    fn new() -> Self {
        Self(KeyedRwLock::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        self.0.read(key)
    }
}

/// The semaphore with two permits a key.
#[derive(Debug)]
pub(crate) struct SlotparkPermit(KeyedSemaphore<u64>);

impl LockEngine for SlotparkPermit {
    const NAME: &'static str = "slotpark";

    fn new() -> Self {
        Self(KeyedSemaphore::new(2))
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        self.0.acquire(key)
    }
}

/// The single flight, which keeps no value.
#[derive(Debug)]
pub(crate) struct SlotparkFlight(SingleFlight<u64, u64>);

impl FlightEngine for SlotparkFlight {
    const NAME: &'static str = "slotpark";

    fn new() -> Self {
        Self(SingleFlight::new())
    }

    #[inline]
    fn run(&self, key: u64, make: impl FnOnce() -> u64) -> u64 {
        self.0.run(&key, make)
    }
}

/// The mutex of one byte: whoever comes may take it, but for one who was woken too late again and
/// again.
#[derive(Debug)]
pub(crate) struct SlotparkWord(WordMutex<()>);

impl LockEngine for SlotparkWord {
    const NAME: &'static str = "slotpark_word";

    fn new() -> Self {
        Self(WordMutex::new(()))
    }

    #[inline]
    fn lock(&self, _key: u64) -> impl Sized {
        self.0.lock()
    }
}

/// The mutex of one byte, handed over at every unlock.
#[derive(Debug)]
pub(crate) struct SlotparkWordFair(WordMutex<()>);

impl LockEngine for SlotparkWordFair {
    const NAME: &'static str = "slotpark_word_fair";

    fn new() -> Self {
        Self(WordMutex::new(()))
    }

    #[inline]
    fn lock(&self, _key: u64) -> impl Sized {
        HandOver::new(self.0.lock(), MutexGuard::unlock_fair)
    }
}
