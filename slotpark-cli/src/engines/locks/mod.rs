//! The engines of locks side by side: each file adapts one way to lock a key, to share permits or
//! to make a value once.

mod flights;
mod keyed_lock;
mod lockable;
mod lockmap;
mod map;
mod of_map;
mod one;
mod permits;
mod slotpark;
mod striped;
#[cfg(test)]
mod tests;

pub(crate) use flights::{DashMapOnce, Moka};
pub(crate) use keyed_lock::{AsyncKeyedLock, KeyedLock};
pub(crate) use lockable::{AsyncLockable, Lockable};
pub(crate) use lockmap::LockMap;
pub(crate) use of_map::{
    DashMapAsyncLock, DashMapKept, DashMapRead, DashMapRemoved, DashMapSemaphore, DashMapTokio,
};
pub(crate) use one::{ParkingLot, ParkingLotFair, StdMutex};
pub(crate) use permits::{
    AsyncLockSemaphore, SlotparkBargingSemaphore, SlotparkSemaphore, StdCondvar, TokioSemaphore,
};
pub(crate) use slotpark::{
    SlotparkBargingMutex, SlotparkFlight, SlotparkMutex, SlotparkPermit, SlotparkRead,
    SlotparkWord, SlotparkWordFair,
};
pub(crate) use striped::Striped512;
