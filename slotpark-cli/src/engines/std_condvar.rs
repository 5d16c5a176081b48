//! The standard library alone: one mutex and condition variable for all keys, or a map of them.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::measure::{Deadline, Engine, Outcome, Place, Slots};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Blocks until somebody is woken here, or the deadline passes.
fn block<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Option<&Deadline>,
) -> (MutexGuard<'a, T>, Outcome) {
    let Some(deadline) = deadline else {
        let guard = condvar.wait(guard).unwrap_or_else(PoisonError::into_inner);
        return (guard, Outcome::Woken);
    };
    let left = deadline.instant.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return (guard, Outcome::TimedOut);
    }
    let waited = condvar.wait_timeout(guard, left);
    let (guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
    let outcome = if result.timed_out() {
        Outcome::TimedOut
    } else {
        Outcome::Woken
    };
    (guard, outcome)
}

/// One for all keys: every wake wakes everybody, who look whether it was for them.
#[derive(Debug, Default)]
pub(crate) struct StdOne {
    /// How many wait, of all keys.
    waiters: Mutex<usize>,
    changed: Condvar,
}

impl Engine for StdOne {
    const NAME: &'static str = "std_one_condvar";

    fn new(slots: Slots) -> Option<Self> {
        (slots == Slots::Default).then(Self::default)
    }

    fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome {
        let mut waiters = lock(&self.waiters);
        if at.word.value() != expected {
            return Outcome::Stale;
        }
        *waiters += 1;
        let (mut waiters, outcome) = block(&self.changed, waiters, deadline);
        *waiters -= 1;
        outcome
    }

    fn wake_one(&self, at: Place<'_>) -> usize {
        self.wake_all(at)
    }

    fn wake_all(&self, _at: Place<'_>) -> usize {
        let waiters = *lock(&self.waiters);
        self.changed.notify_all();
        waiters
    }
}

type Entry = Arc<(Mutex<usize>, Condvar)>;

/// A `HashMap` of them under a mutex; the last who waits on a key removes its entry.
///
/// **Invariant.** An `Arc` of an entry is cloned under the map's mutex only, so who finds there
/// that nobody else has one may remove it.
#[derive(Debug, Default)]
pub(crate) struct StdMap(Mutex<HashMap<u64, Entry>>);

impl StdMap {
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }

    fn find(&self, key: u64) -> Option<Entry> {
        lock(&self.0).get(&key).map(Arc::clone)
    }

    fn leave(&self, key: u64, entry: Entry) {
        let mut map = lock(&self.0);
        // The map's and this one.
        if Arc::strong_count(&entry) == 2 {
            map.remove(&key);
        }
        // Under the mutex still, so that whoever leaves next sees it gone.
        drop(entry);
        drop(map);
    }
}

impl Engine for StdMap {
    const NAME: &'static str = "std_map";

    fn new(slots: Slots) -> Option<Self> {
        (slots == Slots::Default).then(Self::default)
    }

    fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome {
        let entry = Arc::clone(lock(&self.0).entry(at.key).or_default());
        let mut waiters = lock(&entry.0);
        let outcome = if at.word.value() == expected {
            *waiters += 1;
            let (mut waiters, outcome) = block(&entry.1, waiters, deadline);
            *waiters -= 1;
            outcome
        } else {
            drop(waiters);
            Outcome::Stale
        };
        self.leave(at.key, entry);
        outcome
    }

    fn wake_one(&self, at: Place<'_>) -> usize {
        let Some(entry) = self.find(at.key) else {
            return 0;
        };
        let waiters = *lock(&entry.0);
        entry.1.notify_one();
        self.leave(at.key, entry);
        waiters.min(1)
    }

    fn wake_all(&self, at: Place<'_>) -> usize {
        let Some(entry) = self.find(at.key) else {
            return 0;
        };
        let waiters = *lock(&entry.0);
        entry.1.notify_all();
        self.leave(at.key, entry);
        waiters
    }
}
