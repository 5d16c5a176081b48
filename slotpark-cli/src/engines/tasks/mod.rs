//! The engines of tasks side by side: each file adapts one way to await a wake by key.
//!
//! Those without keys get an event per key, in a map that they share.

mod async_event;
mod entries;
mod event_listener;
mod maitake;
mod slotpark;
#[cfg(test)]
mod tests;
mod tokio_notify;

pub(crate) use async_event::AsyncEvent;
pub(crate) use event_listener::EventListener;
pub(crate) use maitake::Maitake;
pub(crate) use slotpark::SlotparkTasks;
pub(crate) use tokio_notify::TokioNotify;
