//! The naive model of a table: for each key a queue of waiters, in their order.

use std::collections::BTreeMap;

use slotpark_core::{Filter, Order};

/// One of the places of a waiter.
#[derive(Clone, Copy, Debug)]
struct Place {
    waiter: u64,
    /// Which of its places it is.
    entry: usize,
    weight: u32,
}

/// One who was taken out by a wake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) waiter: u64,
    /// By which of its places.
    pub(crate) entry: usize,
    /// The keys of its other places.
    pub(crate) others: Vec<u64>,
}

/// Waiters are numbers. Most stand in one place; one that waits for several keys stands in several,
/// and is taken out of all of them at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naive {
    queues: BTreeMap<u64, Vec<Place>>,
}

impl Naive {
    /// Who waits for `key`, in the order in which a wake looks at them.
    pub(crate) fn waiters(&self, key: u64) -> Vec<u64> {
        let queue = self.queues.get(&key).into_iter().flatten();
        queue.map(|place| place.waiter).collect()
    }

    pub(crate) fn count(&self, key: u64) -> usize {
        self.queues.get(&key).map_or(0, Vec::len)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queues.values().all(Vec::is_empty)
    }

    pub(crate) fn first(&self, key: u64) -> Option<u64> {
        Some(self.queues.get(&key)?.first()?.waiter)
    }

    /// The last to come.
    pub(crate) fn push(&mut self, key: u64, waiter: u64) {
        self.enter(key, (waiter, 0), Order::Fifo);
    }

    /// One more place of a waiter.
    pub(crate) fn enter(&mut self, key: u64, (waiter, entry): (u64, usize), order: Order) {
        let (weight, is_first) = match order {
            Order::Fifo => (0, false),
            Order::Lifo => (0, true),
            Order::Priority(weight) => (weight, false),
            other => unreachable!("no wait asks for {other:?}"),
        };
        let place = Place {
            waiter,
            entry,
            weight,
        };
        self.insert(key, place, is_first);
    }

    /// Puts a place behind all that weigh more, and behind or before its equals.
    fn insert(&mut self, key: u64, place: Place, is_first: bool) {
        let queue = self.queues.entry(key).or_default();
        let least = place.weight + u32::from(is_first);
        let before = queue.iter().take_while(|other| other.weight >= least);
        queue.insert(before.count(), place);
    }

    /// Takes a waiter out of the queue it is in; that queue's key.
    pub(crate) fn remove(&mut self, waiter: u64) -> Option<u64> {
        Some(self.remove_all(waiter).first()?.1)
    }

    /// Takes a waiter out of all its places; the entry and the key of each.
    pub(crate) fn remove_all(&mut self, waiter: u64) -> Vec<(usize, u64)> {
        let mut places = Vec::new();
        for (key, queue) in &mut self.queues {
            queue.retain(|place| {
                let is_meant = place.waiter == waiter;
                places.extend(is_meant.then_some((place.entry, *key)));
                !is_meant
            });
        }
        places
    }

    /// Takes out up to `count` waiters of `key`, as `verdict` says of each place in turn.
    pub(crate) fn wake(
        &mut self,
        key: u64,
        count: usize,
        mut verdict: impl FnMut(u64) -> Filter,
    ) -> Vec<Chosen> {
        let mut chosen: Vec<Chosen> = Vec::new();
        let queue = self.queues.get(&key).cloned().unwrap_or_default();
        for Place { waiter, entry, .. } in queue {
            if chosen.len() == count {
                break;
            }
            if chosen.iter().any(|chosen| chosen.waiter == waiter) {
                continue;
            }
            match verdict(waiter) {
                Filter::Unpark => {}
                Filter::Skip => continue,
                Filter::Stop => break,
            }
            chosen.push(self.take_out(waiter, entry));
        }
        chosen
    }

    /// Takes out the last waiter of `key`.
    pub(crate) fn wake_last(&mut self, key: u64) -> Vec<Chosen> {
        let Some(Place { waiter, entry, .. }) =
            self.queues.get(&key).and_then(|q| q.last()).copied()
        else {
            return Vec::new();
        };
        vec![self.take_out(waiter, entry)]
    }

    /// Takes a waiter out who was chosen by this entry.
    fn take_out(&mut self, waiter: u64, entry: usize) -> Chosen {
        let mut places = self.remove_all(waiter);
        places.retain(|place| place.0 != entry);
        let others = places.into_iter().map(|place| place.1).collect();
        Chosen {
            waiter,
            entry,
            others,
        }
    }

    /// Takes the first `wake_max` waiters out of the queue of `from` and moves the next `move_max`
    /// places to the end of `to`'s; those taken out, and those moved.
    pub(crate) fn requeue(
        &mut self,
        (from, to): (u64, u64),
        wake_max: usize,
        move_max: usize,
    ) -> (Vec<Chosen>, Vec<u64>) {
        let woken = self.wake(from, wake_max, |_| Filter::Unpark);
        let mut moved = self.waiters(from);
        moved.truncate(move_max);
        if from != to {
            for _ in &moved {
                self.move_first(from, to);
            }
        }
        (woken, moved)
    }

    /// Moves the first place of `from` to the end of `to`'s queue, behind its equals.
    pub(crate) fn move_first(&mut self, from: u64, to: u64) -> Option<u64> {
        let queue = self.queues.get_mut(&from)?;
        let place = (!queue.is_empty()).then(|| queue.remove(0))?;
        self.insert(to, place, false);
        Some(place.waiter)
    }
}
