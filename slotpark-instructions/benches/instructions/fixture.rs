//! What the paths run on.

use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use slotpark::core::Table;
use slotpark::{DefaultPlatform, Seeded, ShardedWait, WaitFuture, WaitOutcome};

/// How often a path does its operation. The loop around it is two instructions a round.
pub(crate) const TIMES: usize = 100;

/// The key that the paths are about, out of sight of the compiler.
pub(crate) const KEY: u64 = 7;
/// The first of the keys of those who wait beside it.
pub(crate) const OTHERS: u64 = 1000;

/// The same slots in every run.
pub(crate) const fn seeded() -> Seeded {
    Seeded::with_seed(0x9E37_79B9_7F4A_7C15)
}

/// Calls `operation` [`TIMES`] times. From its first instruction to its last, what is called
/// included, callgrind counts; the name is known to it, so this stays a function of its own.
#[inline(never)]
pub(crate) fn repeat(mut operation: impl FnMut()) {
    for _ in 0..TIMES {
        operation();
    }
}

/// As [`repeat`], with another one of `things` each time, of which there are enough.
pub(crate) fn one_each<T>(things: impl IntoIterator<Item = T>, mut operation: impl FnMut(T)) {
    let mut things = things.into_iter();
    repeat(|| operation(things.next().expect("as many as there are rounds")));
}

/// What lives as long as the process: fixtures borrow from it.
pub(crate) fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

pub(crate) fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A task that has waited, and was polled once.
pub(crate) type Waiting = Pin<Box<WaitFuture<'static, u64, fn() -> bool, DefaultPlatform>>>;

/// Tasks that wait on a table.
pub(crate) struct Waits {
    pub(crate) table: &'static ShardedWait<u64>,
    pub(crate) tasks: Vec<Waiting>,
}

impl Waits {
    /// One task on each of `keys`, in this order, in `slots` slots.
    pub(crate) fn of(slots: usize, keys: impl IntoIterator<Item = u64>) -> Self {
        let table = forever(ShardedWait::from_table(Table::with_slots(slots), seeded()));
        let tasks = keys.into_iter().map(|key| waiting(table, key)).collect();
        Self { table, tasks }
    }

    /// Nobody waits.
    pub(crate) fn nobody() -> Self {
        Self::of(512, [])
    }

    /// One waits on [`KEY`], `others` on keys of their own.
    pub(crate) fn one_beside(others: u64) -> Self {
        Self::of(512, (OTHERS..OTHERS + others).chain([KEY]))
    }
}

fn waiting(table: &'static ShardedWait<u64>, key: u64) -> Waiting {
    let mut wait: Waiting = Box::pin(table.wait_async(key, (|| true) as fn() -> bool));
    assert_eq!(poll(wait.as_mut()), Poll::Pending);
    wait
}

/// A wait that was woken, then waits again.
#[inline(always)]
pub(crate) fn again(task: &mut Waiting) {
    assert_eq!(
        poll(task.as_mut()),
        Poll::Ready(WaitOutcome::Woken { token: 0 })
    );
    let _pending = black_box(poll(task.as_mut()));
}
