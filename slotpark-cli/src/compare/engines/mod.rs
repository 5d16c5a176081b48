//! The engines side by side: each file adapts one way to block on a key.

mod dashmap_arc;
mod futex;
mod futex_abi;
#[cfg(test)]
mod futex_tests;
pub(crate) mod locks;
pub(crate) mod managers;
mod parking_lot_core;
mod seed_slot;
mod slotpark;
pub(crate) mod tasks;

pub(crate) use dashmap_arc::{DashMapArc, Kept, Removed};
pub(crate) use futex::Futex;
pub(crate) use futex_abi::{FutexNumbers, NoSpin, On, Process};
pub(crate) use parking_lot_core::ParkingLotCore;
pub(crate) use seed_slot::SeedSlot;
pub(crate) use slotpark::Slotpark;
