//! What the tests share: a table, a value that waiters check, and the model checker's run.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use loom::sync::atomic::Ordering;
use loom::thread::{self, JoinHandle};
use slotpark_core::{
    AtomicU32, Clock, Deadline, ParkOptions, Parked, RequeueOptions, Requeued, Table, word,
};

use crate::host::{self, Choice, Host, OwnBit};

/// Keys are their own hashes: in a table of two slots, A and C meet in the first, B has the second.
pub(crate) const A: u64 = 0;
pub(crate) const B: u64 = 1;
pub(crate) const C: u64 = 2;
const KEYS: [u64; 3] = [A, B, C];

pub(crate) const ALL: usize = usize::MAX;
pub(crate) const TOKEN: u64 = 77;

/// Not past when a wait begins, past when it would sleep.
pub(crate) const SOON: Option<Deadline> = Some(Deadline::new(Clock::Monotonic, 1));

/// A signal's handler runs as soon as a wait sleeps.
pub(crate) const SIGNAL: Option<Deadline> = Some(Deadline::new(Clock::Realtime, 1));

/// How a wait ended, in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ended {
    Woken(u64),
    Stale,
    TimedOut,
    Closed,
    Interrupted,
}

impl Ended {
    /// 1 for a wait that some waker must have counted.
    pub(crate) fn count(self) -> usize {
        usize::from(matches!(self, Self::Woken(_)))
    }
}

impl From<Parked> for Ended {
    fn from(parked: Parked) -> Self {
        match parked {
            Parked::Woken { token } => Self::Woken(token),
            Parked::Stale => Self::Stale,
            Parked::TimedOut => Self::TimedOut,
            Parked::Closed => Self::Closed,
            Parked::Interrupted => Self::Interrupted,
            _ => unreachable!("no wait here is ended by anything else"),
        }
    }
}

/// Two preemptions, unless the environment says another number.
pub(crate) const PREEMPTIONS: usize = 2;

/// Runs `scenario` in every interleaving, and asserts that its results are exactly `expected`.
#[track_caller]
pub(crate) fn explore<T, const N: usize>(
    expected: [T; N],
    scenario: impl Fn() -> T + Send + Sync + 'static,
) where
    T: Ord + Debug + Send + 'static,
{
    explore_with(PREEMPTIONS, expected, scenario);
}

/// As [`explore`], with at least so many preemptions.
#[track_caller]
pub(crate) fn explore_with<T, const N: usize>(
    preemptions: usize,
    expected: [T; N],
    scenario: impl Fn() -> T + Send + Sync + 'static,
) where
    T: Ord + Debug + Send + 'static,
{
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let mut model = loom::model::Builder::new();
    let preemptions = preemptions.max(model.preemption_bound.unwrap_or(0));
    model.preemption_bound = Some(preemptions);
    model.max_branches = 10_000;
    let collect = Arc::clone(&seen);
    model.check(move || {
        host::begin();
        let result = scenario();
        collect.lock().unwrap().insert(result);
    });
    assert_eq!(
        *seen.lock().unwrap(),
        BTreeSet::from(expected),
        "what was seen is not what can happen"
    );
}

/// A table and the value that its waiters check. Plain `Arc`s share it: loom's would order threads.
#[derive(Debug)]
pub(crate) struct Scene<H: Choice = OwnBit> {
    pub(crate) table: Table<u64, Host<H>>,
    pub(crate) value: AtomicU32,
}

impl<H: Choice> Scene<H> {
    pub(crate) fn new(slots: usize) -> Arc<Self> {
        Arc::new(Self {
            table: Table::with_slots(slots),
            value: AtomicU32::new(0),
        })
    }

    /// Runs `action` on a thread of its own.
    pub(crate) fn spawn<R: 'static>(
        self: &Arc<Self>,
        action: impl FnOnce(&Arc<Self>) -> R + 'static,
    ) -> JoinHandle<R> {
        let scene = Arc::clone(self);
        thread::spawn(move || action(&scene))
    }

    pub(crate) fn holds(&self, value: u32) -> bool {
        word::load(&self.value) == value
    }

    pub(crate) fn set(&self, value: u32) {
        self.value.store(value, Ordering::Relaxed);
    }

    /// Waits on `key` while the value is 0.
    pub(crate) fn wait(&self, key: u64, deadline: Option<Deadline>) -> Ended {
        let options = ParkOptions::new().deadline(deadline).until_signal();
        let parked = self.table.park(key, &key, options, || self.holds(0));
        parked.into()
    }

    /// Waits on `key` whatever the value is; `then` runs when the waiter can be found, before it
    /// sleeps. What is spawned there begins with the waiter in the queue, which saves the model
    /// checker all the interleavings before.
    pub(crate) fn wait_then<R>(
        &self,
        key: u64,
        deadline: Option<Deadline>,
        then: impl FnOnce() -> R,
    ) -> (Ended, R) {
        let options = ParkOptions::new().deadline(deadline).until_signal();
        let mut result = None;
        let parked = self.table.park_with(
            key,
            &key,
            options,
            || Ok::<_, ()>(true),
            || result = Some(then()),
            |_| {},
        );
        let ended = parked.expect("validate does not fail").into();
        (ended, result.expect("it was linked"))
    }

    /// Wakes up to `count` waiters of `key`, without touching the value.
    pub(crate) fn wake(&self, key: u64, count: usize) -> usize {
        self.table.unpark(key, &key, count, TOKEN)
    }

    /// Moves all waiters of `from` to `to` if `validate` says yes; how many, if it did.
    pub(crate) fn requeue(
        &self,
        from: u64,
        to: u64,
        validate: impl FnOnce() -> bool,
    ) -> Option<usize> {
        let done = self.wake_and_move(from, to, 0, validate)?;
        assert_eq!(done.woken, 0);
        Some(done.moved)
    }

    /// Wakes the first `wake_max` waiters of `from` and moves the others to `to`.
    pub(crate) fn wake_and_move(
        &self,
        from: u64,
        to: u64,
        wake_max: usize,
        validate: impl FnOnce() -> bool,
    ) -> Option<Requeued> {
        let options = RequeueOptions {
            wake_max,
            move_max: ALL,
            token: TOKEN,
        };
        let validate = || Ok::<_, ()>(validate());
        let done = self
            .table
            .requeue((from, &from), (to, &to), options, validate);
        done.expect("validate does not fail")
    }

    /// Nobody is left behind: not in a queue, not in a hint, not in the counters.
    #[track_caller]
    pub(crate) fn assert_empty(&self) {
        for key in KEYS {
            let looked = host::critical_count(|| {
                assert_eq!(
                    self.table.waiters(key, &key),
                    0,
                    "a node was left in a queue"
                );
            });
            assert_eq!(looked, 0, "an announcement was left behind");
        }
        let (mut linked, mut gone) = (0, 0);
        for index in 0..self.table.slot_count() {
            let stats = self.table.slot_stats(index);
            linked += stats.parks;
            gone += stats.wakes + stats.timeouts + stats.cancels;
        }
        assert_eq!(linked, gone, "who was linked was woken or left, once");
    }
}
