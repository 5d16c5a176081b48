//! One lock for all keys: what a lock costs where its key need not be found.

use std::sync::PoisonError;

use parking_lot::{Mutex, MutexGuard};

use crate::measure::locks::LockEngine;

/// parking_lot's mutex: whoever comes may take it, but for one hand-over every half millisecond.
#[derive(Debug)]
pub(crate) struct ParkingLot(Mutex<()>);

impl LockEngine for ParkingLot {
    const NAME: &'static str = "parking_lot";

    fn new() -> Self {
        Self(Mutex::new(()))
    }

    #[inline]
    fn lock(&self, _key: u64) -> impl Sized {
        self.0.lock()
    }
}

/// parking_lot's mutex, handed over at every unlock to who waits longest.
#[derive(Debug)]
pub(crate) struct ParkingLotFair(Mutex<()>);

impl LockEngine for ParkingLotFair {
    const NAME: &'static str = "parking_lot_fair";

    fn new() -> Self {
        Self(Mutex::new(()))
    }

    #[inline]
    fn lock(&self, _key: u64) -> impl Sized {
        HandOver::new(self.0.lock(), MutexGuard::unlock_fair)
    }
}

/// Gives a guard to what hands its lock over.
pub(super) struct HandOver<G, F: FnOnce(G)>(Option<(G, F)>);

impl<G, F: FnOnce(G)> HandOver<G, F> {
    #[inline]
    pub(super) fn new(guard: G, unlock: F) -> Self {
        Self(Some((guard, unlock)))
    }
}

impl<G, F: FnOnce(G)> Drop for HandOver<G, F> {
    #[inline]
    fn drop(&mut self) {
        if let Some((guard, unlock)) = self.0.take() {
            unlock(guard);
        }
    }
}

/// The standard library's mutex.
#[derive(Debug)]
pub(crate) struct StdMutex(std::sync::Mutex<()>);

impl LockEngine for StdMutex {
    const NAME: &'static str = "std_mutex";

    fn new() -> Self {
        Self(std::sync::Mutex::new(()))
    }

    #[inline]
    fn lock(&self, _key: u64) -> impl Sized {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
