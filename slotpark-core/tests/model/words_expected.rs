//! What must come out of programs of words: permits go to those who wait in their order, or are
//! there for who tries first; events come to all whose count has come.

use std::collections::BTreeMap;

use slotpark_core::{AcquireError, EventError};

use crate::program::BELLS;
use crate::words::{What, Words};

/// How a wait, or an attempt, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    Permits(Result<(), AcquireError>),
    Events(Result<u64, EventError>),
}

/// What one who is queued no more does not know yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Granted,
    /// It may try again.
    Woken,
    Came,
    Closed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiter {
    /// Events: the count that it waits for.
    pub(crate) what: What,
    /// Of a thread.
    pub(crate) deadline: Option<u64>,
    pub(crate) is_task: bool,
    /// Which of a task's Wakers is to be called.
    pub(crate) bell: Option<usize>,
    pub(crate) told: Option<Told>,
}

/// See the file.
#[derive(Debug)]
pub(crate) struct Expected {
    is_barging: bool,
    /// Below zero they are owed.
    pub(crate) free: isize,
    pub(crate) is_closed: bool,
    pub(crate) count: u64,
    /// Those who wait, in the order in which they came.
    permits: Vec<u64>,
    events: Vec<u64>,
    pub(crate) waiters: BTreeMap<u64, Waiter>,
    /// How often the Wakers of each task were called.
    pub(crate) rings: BTreeMap<u64, [usize; BELLS]>,
}

impl Expected {
    pub(crate) fn new(program: &Words) -> Self {
        Self {
            is_barging: program.is_barging,
            free: program.permits as isize,
            is_closed: false,
            count: 0,
            permits: Vec::new(),
            events: Vec::new(),
            waiters: BTreeMap::new(),
            rings: BTreeMap::new(),
        }
    }

    /// What those who wait carry as their tags, in their order: for permits, for events.
    pub(crate) fn queues(&self) -> [Vec<u64>; 2] {
        let tag = |id: &u64| match self.waiters[id].what {
            What::Permits(count) => count as u64,
            What::Events(count) => count,
        };
        [&self.permits, &self.events].map(|queue| queue.iter().map(tag).collect())
    }

    fn take(&mut self, count: usize) -> bool {
        let is_enough = count == 0 || self.free >= count as isize;
        if is_enough {
            self.free -= count as isize;
        }
        is_enough
    }

    pub(crate) fn try_acquire(&mut self, count: usize) -> Option<Out> {
        if self.is_closed {
            return Some(Out::Permits(Err(AcquireError::Closed)));
        }
        // Nobody passes who waits.
        let is_free = self.is_barging || self.permits.is_empty();
        (is_free && self.take(count)).then_some(Out::Permits(Ok(())))
    }

    /// Somebody comes, for the first time or again; how it ended if it does not wait.
    pub(crate) fn come(&mut self, id: u64, waiter: Waiter, now: u64, again: bool) -> Option<Out> {
        let is_late = waiter.deadline.is_some_and(|deadline| deadline <= now);
        match waiter.what {
            What::Permits(count) => {
                if let Some(out) = self.try_acquire(count) {
                    return Some(out);
                }
                if is_late {
                    self.serve();
                    return Some(Out::Permits(Err(AcquireError::TimedOut)));
                }
                self.permits.push(id);
            }
            What::Events(count) => {
                if self.count >= count {
                    return Some(Out::Events(Ok(self.count)));
                }
                if is_late {
                    return Some(Out::Events(Err(EventError::TimedOut)));
                }
                self.events.push(id);
            }
        }
        self.waiters.insert(id, waiter);
        if again {
            self.serve();
        }
        None
    }

    /// Somebody looks: a thread goes on, or a task is polled with this Waker.
    pub(crate) fn look(&mut self, id: u64, now: u64, bell: Option<usize>) -> Option<Out> {
        let mut waiter = self.waiters[&id];
        waiter.bell = bell;
        let Some(told) = waiter.told.take() else {
            if waiter.deadline.is_some_and(|deadline| deadline <= now) {
                return Some(self.time_out(id));
            }
            self.waiters.insert(id, waiter);
            return None;
        };
        self.waiters.remove(&id);
        match (told, waiter.what) {
            (Told::Granted, _) => Some(Out::Permits(Ok(()))),
            (Told::Woken, _) => self.come(id, waiter, now, true),
            (Told::Came, _) => Some(Out::Events(Ok(self.count))),
            (Told::Closed, What::Permits(_)) => Some(Out::Permits(Err(AcquireError::Closed))),
            (Told::Closed, What::Events(_)) => Some(Out::Events(Err(EventError::Closed))),
        }
    }

    fn time_out(&mut self, id: u64) -> Out {
        match self.leave(id) {
            What::Permits(_) => {
                self.serve();
                Out::Permits(Err(AcquireError::TimedOut))
            }
            What::Events(_) => Out::Events(Err(EventError::TimedOut)),
        }
    }

    fn leave(&mut self, id: u64) -> What {
        self.permits.retain(|other| *other != id);
        self.events.retain(|other| *other != id);
        self.waiters.remove(&id).expect("who leaves was there").what
    }

    /// A task is dropped: what it was granted is free for others, or its turn is theirs.
    pub(crate) fn drop_task(&mut self, id: u64) {
        self.rings.remove(&id);
        let Some(waiter) = self.waiters.get(&id).copied() else {
            return;
        };
        if let What::Permits(count) = self.leave(id) {
            let is_granted = waiter.told == Some(Told::Granted);
            self.free += if is_granted { count as isize } else { 0 };
            self.serve();
        }
    }

    pub(crate) fn release(&mut self, count: usize) {
        self.free += count as isize;
        self.serve();
    }

    /// What is free goes to those who wait.
    fn serve(&mut self) {
        let mut left = self.free;
        for id in self.permits.clone() {
            let What::Permits(count) = self.waiters[&id].what else {
                unreachable!("it waits for permits");
            };
            if self.is_barging {
                // As many as could have what they want at once.
                if left >= count as isize {
                    left -= count as isize;
                    self.tell(id, Told::Woken);
                }
            } else if self.take(count) {
                self.tell(id, Told::Granted);
            } else {
                return;
            }
        }
    }

    fn tell(&mut self, id: u64, told: Told) {
        self.permits.retain(|other| *other != id);
        self.events.retain(|other| *other != id);
        let waiter = self.waiters.get_mut(&id).expect("who is told waits");
        assert_eq!(waiter.told, None);
        waiter.told = Some(told);
        if let Some(bell) = waiter.bell.take() {
            self.rings.entry(id).or_default()[bell] += 1;
        }
    }

    fn tell_all(&mut self, ids: Vec<u64>, told: Told) -> usize {
        let count = ids.len();
        for id in ids {
            self.tell(id, told);
        }
        count
    }

    /// How many it wakes.
    pub(crate) fn advance(&mut self, events: u64) -> usize {
        self.count += events;
        let has_come = |id: &u64| match self.waiters[id].what {
            What::Events(count) => count <= self.count,
            What::Permits(_) => unreachable!("it waits for events"),
        };
        let ids = self.events.iter().copied().filter(has_come).collect();
        self.tell_all(ids, Told::Came)
    }

    pub(crate) fn close_events(&mut self) -> usize {
        self.tell_all(self.events.clone(), Told::Closed)
    }

    pub(crate) fn close_semaphore(&mut self) -> usize {
        self.is_closed = true;
        self.tell_all(self.permits.clone(), Told::Closed)
    }
}
