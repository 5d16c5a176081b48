//! Who has a key, who is to have it, and who waits for its condition.
//!
//! **States** of a place: waits for the condition, is in the queue for the key, has the key.
//! **Invariants** C1: nobody is in the queue unless somebody has the key. C2: a place is in one
//! state, or in none. C3: whoever gets the key by another's doing has moved the event on, and is
//! woken by the number of its place.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::WaitKey;
use crate::event::Event;

/// A call that locks, or a guard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) key: WaitKey,
    /// It has been notified by a `notify_one`, which goes on to another if it gives up.
    is_chosen: bool,
}

impl Place {
    pub(super) fn new() -> Self {
        Self {
            key: WaitKey::fresh("condvar"),
            is_chosen: false,
        }
    }
}

/// Who is to be woken once the lock is given back.
#[derive(Debug)]
#[must_use]
pub(super) struct Granted(pub(super) Option<WaitKey>);

#[derive(Debug)]
pub(super) struct Entry {
    /// Moved on when somebody gets the key by another's doing.
    pub(super) event: Event,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    has: Option<Place>,
    queue: VecDeque<Place>,
    /// In the order of their numbers.
    waiting: VecDeque<WaitKey>,
}

impl Entry {
    pub(super) fn new() -> Self {
        Self {
            event: Event::new("condvar"),
            state: Mutex::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No code of others runs under it, so nothing is left half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the key, which nobody has any more, to the first in the queue.
    pub(super) fn give(&self, state: &mut State) -> Granted {
        state.has = state.queue.pop_front();
        if state.has.is_some() {
            self.event.advance();
        }
        Granted(state.has.map(|place| place.key))
    }

    /// Notifies the first who waits, or all; how many there were.
    pub(super) fn notify(&self, state: &mut State, is_chosen: bool) -> (usize, Granted) {
        let count = match is_chosen {
            true => 1.min(state.waiting.len()),
            false => state.waiting.len(),
        };
        for key in state.waiting.drain(..count) {
            state.queue.push_back(Place { key, is_chosen });
        }
        if state.has.is_some() {
            return (count, Granted(None));
        }
        (count, self.give(state))
    }

    /// Takes a place out, wherever it is. If it was chosen by a `notify_one`, that goes on to the
    /// next who waits.
    pub(super) fn remove(&self, state: &mut State, place: &Place) -> Granted {
        if state.stop_waiting(place) {
            return Granted(None);
        }
        let (removed, granted) = match state.has.filter(|has| has.key == place.key) {
            Some(has) => (Some(has), self.give(state)),
            None => (state.leave_queue(place), Granted(None)),
        };
        if !removed.is_some_and(|removed| removed.is_chosen) {
            return granted;
        }
        // At most one of the two: who was given the key has it now (C1).
        let (_, next) = self.notify(state, true);
        Granted(granted.0.or(next.0))
    }
}

impl State {
    pub(super) fn is_locked(&self) -> bool {
        self.has.is_some()
    }

    pub(super) fn has(&self, place: &Place) -> bool {
        self.has.is_some_and(|has| has.key == place.key)
    }

    /// How many are in the queue.
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// How many wait for the condition.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes the key, or a place in the queue.
    pub(super) fn enter(&mut self, place: &Place) {
        match self.has {
            None => self.has = Some(*place),
            Some(_) => self.queue.push_back(*place),
        }
    }

    /// Begins to wait for the condition, in a place of its own: numbers are in order because they
    /// are made under this lock.
    pub(super) fn start_waiting(&mut self) -> Place {
        let place = Place::new();
        self.waiting.push_back(place.key);
        place
    }

    /// True if it did wait, and does no longer.
    pub(super) fn stop_waiting(&mut self, place: &Place) -> bool {
        let found = self.find_waiting(place);
        found.is_some_and(|at| self.waiting.remove(at).is_some())
    }

    /// Whether it waits for the condition.
    pub(super) fn is_waiting(&self, place: &Place) -> bool {
        self.find_waiting(place).is_some()
    }

    fn find_waiting(&self, place: &Place) -> Option<usize> {
        let number = place.key.number();
        let found = self.waiting.binary_search_by_key(&number, WaitKey::number);
        found.ok()
    }

    fn leave_queue(&mut self, place: &Place) -> Option<Place> {
        let at = self.queue.iter().position(|other| other.key == place.key);
        self.queue.remove(at?)
    }

    /// Its notification has arrived.
    pub(super) fn settle(&mut self, place: &Place) {
        if let Some(has) = self.has.as_mut().filter(|has| has.key == place.key) {
            has.is_chosen = false;
        }
    }
}
