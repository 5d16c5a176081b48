//! The naive model of a table: for each key a queue of waiters, first come, first served.

use std::collections::{BTreeMap, VecDeque};

use slotpark_core::Filter;

/// Waiters are numbers; nobody waits in two queues.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    queues: BTreeMap<u64, VecDeque<u64>>,
}

impl Naive {
    pub(crate) fn waiters(&self, key: u64) -> Vec<u64> {
        let queue = self.queues.get(&key);
        queue.map_or_else(Vec::new, |queue| queue.iter().copied().collect())
    }

    pub(crate) fn count(&self, key: u64) -> usize {
        self.queues.get(&key).map_or(0, VecDeque::len)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queues.values().all(VecDeque::is_empty)
    }

    pub(crate) fn first(&self, key: u64) -> Option<u64> {
        self.queues.get(&key)?.front().copied()
    }

    /// The last to come.
    pub(crate) fn push(&mut self, key: u64, waiter: u64) {
        self.queues.entry(key).or_default().push_back(waiter);
    }

    /// Takes a waiter out of the queue it is in; that queue's key.
    pub(crate) fn remove(&mut self, waiter: u64) -> Option<u64> {
        self.queues.iter_mut().find_map(|(key, queue)| {
            let at = queue.iter().position(|other| *other == waiter)?;
            queue.remove(at);
            Some(*key)
        })
    }

    /// Takes out up to `count` waiters of `key`, as `verdict` says of each in turn.
    pub(crate) fn wake(
        &mut self,
        key: u64,
        count: usize,
        mut verdict: impl FnMut(u64) -> Filter,
    ) -> Vec<u64> {
        let mut chosen = Vec::new();
        for waiter in self.waiters(key) {
            if chosen.len() == count {
                break;
            }
            match verdict(waiter) {
                Filter::Unpark => chosen.push(waiter),
                Filter::Skip => {}
                Filter::Stop => break,
            }
        }
        for waiter in &chosen {
            self.remove(*waiter);
        }
        chosen
    }

    /// Takes the first `wake_max` out of the queue of `from` and moves the next `move_max` to the
    /// end of `to`'s; those taken out, and how many were moved.
    pub(crate) fn requeue(
        &mut self,
        (from, to): (u64, u64),
        wake_max: usize,
        move_max: usize,
    ) -> (Vec<u64>, usize) {
        let woken = self.wake(from, wake_max, |_| Filter::Unpark);
        let moved = self.count(from).min(move_max);
        if from != to {
            for _ in 0..moved {
                self.move_first(from, to);
            }
        }
        (woken, moved)
    }

    /// Moves the first waiter of `from` to the end of `to`'s queue.
    pub(crate) fn move_first(&mut self, from: u64, to: u64) -> Option<u64> {
        let waiter = self.first(from)?;
        self.remove(waiter);
        self.push(to, waiter);
        Some(waiter)
    }
}
