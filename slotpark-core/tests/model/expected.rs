//! What must come out of each step: the naive queues, and what every wait has been told.

use std::collections::BTreeMap;

use slotpark_core::Filter;

use crate::naive::Naive;
use crate::program::{Answer, KEYS, Park, Shape, Verdict};

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Woken(u64),
    Stale,
    TimedOut,
    Failed,
    Panicked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) ended: Ended,
    /// How often `validate` ran.
    pub(crate) validations: usize,
    /// What `on_leave` was told, if it ran.
    pub(crate) was_last: Option<bool>,
}

/// How far a wait has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Lingers,
    Sleeps,
    Ended(Outcome),
}

/// What a wake or a requeue came to, where it did not panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Woken {
    pub(crate) count: Option<usize>,
    /// In the order in which the filter was asked.
    pub(crate) looked_at: Vec<u64>,
    /// What the policy was told: how many were chosen, and whether others remain.
    pub(crate) choice: Option<(usize, bool)>,
}

/// How a requeue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    Done { woken: usize, moved: usize },
    Refused,
    Failed,
    Panicked,
}

/// The counters of one slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) parks: u32,
    pub(crate) wakes: u32,
    pub(crate) timeouts: u32,
    pub(crate) cancels: u32,
    pub(crate) requeues: u32,
    pub(crate) collisions: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait {
    plan: Park,
    deadline: Option<u64>,
    validations: usize,
    pub(crate) sleeps: bool,
    /// The token of the wake that chose it.
    pub(crate) chosen: Option<u64>,
    pub(crate) is_moved: bool,
}

impl Wait {
    pub(crate) fn bits(&self) -> u32 {
        self.plan.bits
    }

    pub(crate) fn is_past(&self, now: u64) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

#[derive(Debug)]
pub(crate) struct Expected {
    shape: Shape,
    pub(crate) queues: Naive,
    pub(crate) waits: BTreeMap<u64, Wait>,
    pub(crate) stats: Vec<Stats>,
}

impl Expected {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            queues: Naive::default(),
            waits: BTreeMap::new(),
            stats: vec![Stats::default(); shape.slots],
        }
    }

    pub(crate) fn slot(&self, key: u64) -> usize {
        self.shape.hashes[key as usize] as usize % self.shape.slots
    }

    /// Somebody waits in this slot.
    pub(crate) fn is_used(&self, slot: usize) -> bool {
        (0..KEYS).any(|key| self.slot(key) == slot && self.queues.count(key) > 0)
    }

    /// Somebody waits for a key of the same hash, so that keys are compared.
    pub(crate) fn is_compared(&self, key: u64) -> bool {
        let hash = |key: u64| self.shape.hashes[key as usize];
        (0..KEYS).any(|other| hash(other) == hash(key) && self.queues.count(other) > 0)
    }

    pub(crate) fn park(&mut self, wait: u64, plan: Park, now: u64, panicked: bool) -> Progress {
        let mut validations = 0;
        let ended = |ended, validations| {
            Progress::Ended(Outcome {
                ended,
                validations,
                was_last: None,
            })
        };
        let mut answers = plan.answers.into_iter();
        if !plan.validated {
            validations += 1;
            if let Some(refusal) = refusal(answers.next()) {
                return ended(refusal, validations);
            }
        }
        if plan.patience == Some(0) {
            return ended(Ended::TimedOut, validations);
        }
        validations += 1;
        if let Some(refusal) = refusal(answers.next()) {
            return ended(refusal, validations);
        }
        if panicked {
            return ended(Ended::Panicked, validations);
        }
        let slot = self.slot(plan.key);
        let collides = self.queues.count(plan.key) == 0 && self.is_used(slot);
        self.stats[slot].collisions += u32::from(collides);
        self.stats[slot].parks += 1;
        self.queues.push(plan.key, wait);
        let state = Wait {
            plan,
            deadline: plan.patience.map(|patience| now + patience),
            validations,
            sleeps: false,
            chosen: None,
            is_moved: false,
        };
        self.waits.insert(wait, state);
        if plan.lingers {
            return Progress::Lingers;
        }
        self.go_on(wait, now)
    }

    /// Goes on from where it lingers or sleeps.
    pub(crate) fn go_on(&mut self, wait: u64, now: u64) -> Progress {
        let state = self.waits[&wait];
        if !state.sleeps && state.plan.before_sleep_panics {
            // A wake that chose it meanwhile is spent.
            if state.chosen.is_none() {
                let (slot, _) = self.leave(wait);
                self.stats[slot].cancels += 1;
            }
            return self.end(wait, Ended::Panicked, None);
        }
        if let Some(token) = state.chosen {
            return self.end(wait, Ended::Woken(token), None);
        }
        if state.is_past(now) {
            let (slot, is_last) = self.leave(wait);
            self.stats[slot].timeouts += 1;
            let panics = state.plan.on_leave_panics;
            let ended = if panics {
                Ended::Panicked
            } else {
                Ended::TimedOut
            };
            return self.end(wait, ended, Some(is_last));
        }
        if let Some(state) = self.waits.get_mut(&wait) {
            state.sleeps = true;
        }
        Progress::Sleeps
    }

    /// The slot that it leaves, and whether it was the last of its key.
    fn leave(&mut self, wait: u64) -> (usize, bool) {
        let key = self
            .queues
            .remove(wait)
            .expect("who is not chosen is queued");
        (self.slot(key), self.queues.count(key) == 0)
    }

    fn end(&mut self, wait: u64, ended: Ended, was_last: Option<bool>) -> Progress {
        let state = self.waits.remove(&wait).expect("it ends once");
        Progress::Ended(Outcome {
            ended,
            validations: state.validations,
            was_last,
        })
    }

    /// A wake whose filter says `verdict(place, wait)`; with a policy, which may panic.
    pub(crate) fn wake(
        &mut self,
        (key, count, token): (u64, usize, u64),
        verdict: impl Fn(usize, u64) -> Verdict,
        policy_panics: Option<bool>,
    ) -> Woken {
        let mut looked_at = Vec::new();
        let mut panicked = false;
        let chosen = self.queues.wake(key, count, |wait| {
            looked_at.push(wait);
            match verdict(looked_at.len() - 1, wait) {
                Verdict::Unpark => Filter::Unpark,
                Verdict::Skip => Filter::Skip,
                Verdict::Stop => Filter::Stop,
                Verdict::Panics => {
                    panicked = true;
                    Filter::Stop
                }
            }
        });
        let choice = policy_panics.filter(|_| !panicked);
        let choice = choice.map(|_| (chosen.len(), self.queues.count(key) > 0));
        panicked |= policy_panics == Some(true);
        // The token of a wake with a policy is what the policy returns.
        let has_none = panicked && policy_panics.is_some();
        self.choose(key, &chosen, if has_none { 0 } else { token });
        Woken {
            count: (!panicked).then_some(chosen.len()),
            looked_at,
            choice,
        }
    }

    pub(crate) fn requeue(
        &mut self,
        (from, to): (u64, u64),
        (wake_max, move_max): (usize, usize),
        token: u64,
        answer: Answer,
    ) -> Moved {
        match answer {
            Answer::Yes => {}
            Answer::No => return Moved::Refused,
            Answer::Fails => return Moved::Failed,
            Answer::Panics => return Moved::Panicked,
        }
        let queue = self.queues.waiters(from);
        let (chosen, moved) = self.queues.requeue((from, to), wake_max, move_max);
        self.choose(from, &chosen, token);
        let slot = self.slot(to);
        self.stats[slot].requeues += moved as u32;
        for wait in queue.iter().skip(chosen.len()).take(moved) {
            if let Some(state) = self.waits.get_mut(wait) {
                state.is_moved |= from != to;
            }
        }
        Moved::Done {
            woken: chosen.len(),
            moved,
        }
    }

    /// A comparison panicked in a requeue: none were moved, and those chosen before are woken.
    pub(crate) fn interrupted_requeue(
        &mut self,
        from: u64,
        wake_max: usize,
        (woken, token): (usize, u64),
    ) {
        let all = self.queues.count(from).min(wake_max);
        assert!(woken == 0 || woken == all, "{woken} of {all} were woken");
        let chosen = self.queues.wake(from, woken, |_| Filter::Unpark);
        self.choose(from, &chosen, token);
    }

    fn choose(&mut self, key: u64, chosen: &[u64], token: u64) {
        let slot = self.slot(key);
        self.stats[slot].wakes += chosen.len() as u32;
        for wait in chosen {
            let state = self.waits.get_mut(wait).expect("who is chosen waits");
            state.chosen = Some(token);
        }
    }
}

fn refusal(answer: Option<Answer>) -> Option<Ended> {
    match answer.expect("two answers") {
        Answer::Yes => None,
        Answer::No => Some(Ended::Stale),
        Answer::Fails => Some(Ended::Failed),
        Answer::Panics => Some(Ended::Panicked),
    }
}
