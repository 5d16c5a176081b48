//! The engine under the model checker: every interleaving of two to four threads, with at most two
//! or three preemptions each, and every stale value that the memory model lets a thread read.
//!
//! Each test asserts exact counts, that the table is empty afterwards, and which outcomes were
//! seen: a test whose race never happens fails. Those named `pair_*` fail when an ordering of that
//! pair is weakened. Values that waiters check are stored and loaded relaxed, since the engine's
//! fences have to do.
#![cfg(slotpark_loom)]

mod barriers;
mod bell;
mod conditions;
mod drops;
mod each;
mod ends;
mod flight;
mod handed;
mod host;
mod keyed;
mod keyed_phases;
mod lasts;
mod latches;
mod locks;
mod looks;
mod mailbox;
mod many;
mod pairs;
mod plain;
mod requeues;
mod scene;
mod semaphore;
mod signals;
mod sleeps;
mod tasks;
mod timeouts;
mod wakes;
mod words;
