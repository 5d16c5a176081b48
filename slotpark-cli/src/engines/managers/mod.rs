//! The managers and what they stand beside, each behind an adapter.

mod pipes;
mod signals;
#[cfg(test)]
mod tests;

pub(crate) use pipes::{CrossbeamChannel, KernelPipe, MapAndWait, SlotparkPipe};
pub(crate) use signals::{KernelSignals, SlotparkSignals};

/// The name of the kernel on this side.
const KERNEL: &str = "kernel";
/// The name of the managers.
const SLOTPARK: &str = "slotpark";
