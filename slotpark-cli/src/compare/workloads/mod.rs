//! What is measured: each workload is written once, generic over the engine.

mod calls;
mod collisions;
mod futex_calls;
mod handoff;
mod hang_demo;
pub(crate) mod locks;
pub(crate) mod managers;
mod memory;
mod pairs;
mod round_trip;
pub(crate) mod tasks;
pub(crate) mod wake_all;

pub(crate) use calls::Calls;
pub(crate) use collisions::Collisions;
pub(crate) use futex_calls::FutexCalls;
pub(crate) use handoff::Handoff;
pub(crate) use hang_demo::HangDemo;
pub(crate) use memory::Memory;
pub(crate) use round_trip::RoundTrip;
pub(crate) use wake_all::WakeAll;

use crate::measure::{Engine, Slots};

/// An engine with its default table, which lives as long as the sample's process.
fn default_engine<E: Engine>() -> &'static E {
    let engine = E::new(Slots::Default).expect("every engine has a default table");
    Box::leak(Box::new(engine))
}

/// An engine with one slot where it has slots to choose, else with its default table.
fn one_slot_engine<E: Engine>() -> &'static E {
    match E::new(Slots::One) {
        Some(engine) => Box::leak(Box::new(engine)),
        None => default_engine(),
    }
}
