//! The engines side by side: each file adapts one way to block on a key.

pub(crate) mod block_on;
mod chosen;
mod dashmap_arc;
mod floor;
mod futex;
mod futex_abi;
#[cfg(test)]
mod futex_tests;
pub(crate) mod locks;
pub(crate) mod managers;
mod parking_lot_core;
mod recorded;
mod seed_slot;
mod slotpark;
mod std_condvar;
pub(crate) mod tasks;
#[cfg(test)]
mod threads_tests;

pub(crate) use chosen::{Chosen, ManySlots, NeverSpin, OneSlot};
pub(crate) use dashmap_arc::{DashMapArc, Kept, Removed};
pub(crate) use floor::Floor;
pub(crate) use futex::Futex;
pub(crate) use futex_abi::{FutexNumbers, NoSpin, On, Process};
pub(crate) use parking_lot_core::{ParkingLotCore, ParkingLotCore09};
pub(crate) use recorded::{Counters, Full, Level, Off, Recorded, Timing};
pub(crate) use seed_slot::SeedSlot;
pub(crate) use slotpark::Slotpark;
pub(crate) use std_condvar::{StdMap, StdOne};
