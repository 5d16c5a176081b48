//! A small harness that measures several ways to block on a key side by side, in one run.
//!
//! An [`Engine`] is an adapter: how one implementation waits on a key and wakes it. A [`Workload`]
//! is written once, generic over the engine, and gives the figures of one sample for its rows. A
//! [`Contest`] is a workload with the engines that enter it. [`TaskEngine`] and [`TaskWorkload`]
//! are the same for tasks; `locks` has those of keyed locks, semaphores and single flights, `futex`
//! what the kernel's futex is asked beyond an engine's waits and wakes, `managers` what pipes and
//! signals are asked.
//!
//! Every sample runs in a child process of its own: the allocation counts are its own, tables that
//! belong to a whole process start empty, and what hangs ends with its process. The rounds are
//! interleaved: round 1 of every contest and engine, then round 2, each starting with another
//! engine, so that a slow minute of the machine falls on all of them. Ratios are paired: made
//! within a round, then summed up over the rounds.

pub(crate) mod allocator;
pub(crate) mod child;
pub(crate) mod engine;
pub(crate) mod futex;
pub(crate) mod locks;
pub(crate) mod machine;
pub(crate) mod managers;
pub(crate) mod report;
pub(crate) mod resident;
pub(crate) mod rounds;
pub(crate) mod statistics;
pub(crate) mod tasks;
pub(crate) mod threads;
pub(crate) mod workload;

pub(crate) use engine::{Deadline, Engine, Outcome, Place, Slots, Word};
pub(crate) use tasks::{TaskEngine, TaskWorkload};
pub(crate) use workload::{Contest, Entrant, Hung, Row, Sample, Scale, Side, Unit, Workload};
