//! What the seed replaced: a `DashMap` from the key to a shared mutex and condition variable.

use std::marker::PhantomData;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use dashmap::DashMap;

use crate::measure::{Deadline, Engine, Outcome, Place, Slots};

/// One entry of the map, which waiters share.
type Entry = (Mutex<State>, Condvar);

#[derive(Debug, Default)]
pub(crate) struct State {
    /// Who waits here.
    waiters: usize,
}

/// What becomes of an entry when its waiters leave.
pub(crate) trait Removal: Send + Sync + 'static {
    /// Whether a waiter that was blocked removes it.
    const WHEN_A_WAITER_LEAVES: bool;
}

/// It is kept: correct, and it grows with every key that was ever waited on.
#[derive(Debug)]
pub(crate) enum Kept {}

impl Removal for Kept {
    const WHEN_A_WAITER_LEAVES: bool = false;
}

/// A waiter that leaves removes it. That is the naive way to keep the map small: whoever waits on
/// the entry at that time, or has just taken it out of the map, waits where no waker will ever
/// look.
#[derive(Debug)]
pub(crate) enum Removed {}

impl Removal for Removed {
    const WHEN_A_WAITER_LEAVES: bool = true;
}

/// The map.
#[derive(Debug, Default)]
pub(crate) struct DashMapArc<R> {
    entries: DashMap<u64, Arc<Entry>>,
    removal: PhantomData<R>,
}

impl<R: Removal> Engine for DashMapArc<R> {
    const NAME: &'static str = "dashmap_arc";

    fn new(slots: Slots) -> Option<Self> {
        let new = || Self {
            entries: DashMap::new(),
            removal: PhantomData,
        };
        (slots == Slots::Default).then(new)
    }

    fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome {
        let entry = Arc::clone(&*self.entries.entry(at.key).or_default());
        let mut state = lock(&entry);
        if at.word.value() != expected {
            return Outcome::Stale;
        }
        state.waiters += 1;
        let (mut state, outcome) = block(&entry, state, deadline);
        state.waiters -= 1;
        drop(state);
        if R::WHEN_A_WAITER_LEAVES {
            self.entries.remove(&at.key);
        }
        outcome
    }

    fn wake_one(&self, at: Place<'_>) -> usize {
        let Some(entry) = self.find(at.key) else {
            return 0;
        };
        // Under the mutex, a waiter has either seen the new value or is blocked already.
        let waiters = lock(&entry).waiters;
        entry.1.notify_one();
        waiters.min(1)
    }

    fn wake_all(&self, at: Place<'_>) -> usize {
        let Some(entry) = self.find(at.key) else {
            return 0;
        };
        let waiters = lock(&entry).waiters;
        entry.1.notify_all();
        waiters
    }
}

impl<R> DashMapArc<R> {
    /// The entry, shared, so that no lock of the map is held while it is used.
    fn find(&self, key: u64) -> Option<Arc<Entry>> {
        self.entries.get(&key).map(|entry| Arc::clone(&entry))
    }
}

/// Blocks until somebody is woken here, or the deadline passes.
fn block<'a>(
    entry: &'a Entry,
    state: MutexGuard<'a, State>,
    deadline: Option<&Deadline>,
) -> (MutexGuard<'a, State>, Outcome) {
    let Some(deadline) = deadline else {
        let state = entry.1.wait(state).unwrap_or_else(PoisonError::into_inner);
        return (state, Outcome::Woken);
    };
    let left = deadline.instant.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return (state, Outcome::TimedOut);
    }
    let waited = entry
        .1
        .wait_timeout(state, left)
        .unwrap_or_else(PoisonError::into_inner);
    let outcome = if waited.1.timed_out() {
        Outcome::TimedOut
    } else {
        Outcome::Woken
    };
    (waited.0, outcome)
}

fn lock(entry: &Entry) -> MutexGuard<'_, State> {
    entry.0.lock().unwrap_or_else(PoisonError::into_inner)
}
