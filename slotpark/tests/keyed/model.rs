//! What a lock by key is: a queue and amounts, one list of actors.

use std::collections::VecDeque;

use slotpark::Preference;

use super::{ACTORS, KEYS};

/// What an actor does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) key: usize,
    pub(crate) held: u32,
    pub(crate) phase: Phase,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Idle,
    /// In the queue of its key, for so much.
    Waiting(u32),
    /// It holds what it waited for, and does not know.
    Granted,
    /// To try again, for so much.
    Woken(u32),
    Holding,
}

#[derive(Debug)]
pub(crate) struct Model {
    capacity: u32,
    preference: Preference,
    queues: [VecDeque<usize>; KEYS],
    pub(crate) actors: [State; ACTORS],
}

impl Model {
    pub(crate) fn new(capacity: u32, preference: Preference) -> Self {
        Self {
            capacity,
            preference,
            queues: Default::default(),
            actors: Default::default(),
        }
    }

    pub(crate) fn held(&self, key: usize) -> u32 {
        let actors = self.actors.iter().filter(|actor| actor.key == key);
        actors.map(|actor| actor.held).sum()
    }

    pub(crate) fn waiters(&self, key: usize) -> usize {
        self.queues[key].len()
    }

    fn fits(&self, key: usize, wanted: u32) -> bool {
        wanted <= self.capacity - self.held(key)
    }

    fn grows(&self, actor: usize) -> bool {
        self.actors[actor].held > 0
    }

    /// Holds at once, if it may.
    pub(crate) fn take(&mut self, actor: usize, key: usize, wanted: u32) -> bool {
        let first = self.queues[key].front();
        let others_first =
            first.is_some_and(|first| self.preference != Preference::Barging || self.grows(*first));
        let is_taken = !others_first && self.fits(key, wanted);
        if is_taken {
            self.actors[actor] = State {
                key,
                held: wanted,
                phase: Phase::Holding,
            };
        }
        is_taken
    }

    /// Holds, or waits behind all others.
    pub(crate) fn hold(&mut self, actor: usize, key: usize, wanted: u32) {
        if !self.take(actor, key, wanted) {
            let phase = Phase::Waiting(wanted);
            let held = 0;
            self.actors[actor] = State { key, held, phase };
            self.queues[key].push_back(actor);
        }
    }

    /// Holds more, if it is free.
    pub(crate) fn take_more(&mut self, actor: usize, more: u32) -> bool {
        let fits = self.fits(self.actors[actor].key, more);
        if fits {
            self.actors[actor].held += more;
        }
        fits
    }

    /// Holds more, or waits in front of all others.
    pub(crate) fn grow(&mut self, actor: usize, more: u32) {
        if !self.take_more(actor, more) {
            self.actors[actor].phase = Phase::Waiting(more);
            self.queues[self.actors[actor].key].push_front(actor);
        }
    }

    /// The actor looks how its wait goes.
    pub(crate) fn poll(&mut self, actor: usize) {
        let State { key, phase, .. } = self.actors[actor];
        match phase {
            Phase::Granted => self.actors[actor].phase = Phase::Holding,
            Phase::Woken(wanted) => {
                self.hold(actor, key, wanted);
                if self.actors[actor].phase != Phase::Holding && self.capacity > 1 {
                    self.serve(key, false);
                }
            }
            _ => {}
        }
    }

    /// Waits no more; holds what it held before.
    pub(crate) fn give_up_growth(&mut self, actor: usize) {
        let key = self.actors[actor].key;
        self.queues[key].retain(|other| *other != actor);
        self.actors[actor].phase = Phase::Holding;
        self.serve(key, false);
    }

    /// Drops its guard, or its future with whatever it holds.
    pub(crate) fn end(&mut self, actor: usize, before_growth: Option<u32>) {
        let State { key, held, phase } = self.actors[actor];
        match (phase, before_growth) {
            (Phase::Waiting(_), Some(_)) => {
                self.give_up_growth(actor);
                self.shrink(actor, 0);
            }
            (Phase::Granted, Some(before)) => {
                self.shrink(actor, before);
                self.shrink(actor, 0);
            }
            (Phase::Waiting(_) | Phase::Woken(_), None) => {
                self.queues[key].retain(|other| *other != actor);
                self.actors[actor] = State::default();
                self.serve(key, false);
            }
            _ if held > 0 => self.shrink(actor, 0),
            _ => self.serve(key, false),
        }
        self.actors[actor] = State::default();
    }

    pub(crate) fn shrink(&mut self, actor: usize, amount: u32) {
        let State { key, held, .. } = self.actors[actor];
        self.actors[actor].held = amount;
        if amount < held {
            self.serve(key, held == self.capacity);
        }
    }

    fn serve(&mut self, key: usize, after_exclusive: bool) {
        if self.preference == Preference::Barging {
            return self.wake(key);
        }
        if self.preference == Preference::PhaseFair && after_exclusive {
            for actor in self.queues[key].clone() {
                if self.actors[actor].phase == Phase::Waiting(1) && self.fits(key, 1) {
                    self.grant(actor);
                }
            }
        }
        while let Some(&actor) = self.queues[key].front() {
            let Phase::Waiting(wanted) = self.actors[actor].phase else {
                unreachable!("who is queued waits");
            };
            if !self.fits(key, wanted) {
                break;
            }
            self.grant(actor);
        }
    }

    fn grant(&mut self, actor: usize) {
        let state = &mut self.actors[actor];
        if let Phase::Waiting(wanted) = state.phase {
            state.held += wanted;
            state.phase = Phase::Granted;
            self.queues[state.key].retain(|other| *other != actor);
        }
    }

    fn wake(&mut self, key: usize) {
        let mut free = self.capacity - self.held(key);
        for actor in self.queues[key].clone() {
            let Phase::Waiting(wanted) = self.actors[actor].phase else {
                unreachable!("who is queued waits");
            };
            if self.grows(actor) {
                if wanted > free {
                    return;
                }
                free -= wanted;
                self.grant(actor);
            } else if free > 0 && wanted <= free {
                free -= wanted;
                self.actors[actor].phase = Phase::Woken(wanted);
                self.queues[key].retain(|other| *other != actor);
            }
        }
    }
}
