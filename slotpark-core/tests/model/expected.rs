//! What must come out of each step: the naive queues, and what every wait has been told. Here waits
//! begin; `leaving` is how they go on, `chosen` how others end them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::naive::Naive;
use crate::outcomes::{Ended, Outcome, Stats};
use crate::program::{Answer, BELLS, INTERRUPTERS, KEYS, Manner, Plan, Shape};

/// What ended a wait that does not know it yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) ended: Ended,
    pub(crate) entry: Option<usize>,
    pub(crate) pass: Option<Pass>,
}

/// A wake that goes on to another waiter if the one that it chose does not want it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) key: u64,
    /// `!0` fits everybody.
    pub(crate) bits: u32,
    pub(crate) token: u64,
    /// It was a wake of the last.
    pub(crate) to_last: bool,
}

/// One that is queued, or was and does not know yet that it is no more.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    pub(crate) plan: Rc<Plan>,
    deadline: Option<u64>,
    pub(crate) interrupter: Option<usize>,
    /// Which of a task's Wakers is to be called.
    pub(crate) waker: Option<usize>,
    pub(crate) sleeps: bool,
    pub(crate) told: Option<Told>,
    /// The keys of the places that it still has to take away.
    pub(crate) others: Vec<u64>,
    pub(crate) is_moved: bool,
}

impl Wait {
    pub(crate) fn is_past(&self, now: u64) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// It tells which key has ended it.
    pub(crate) fn names_entry(&self) -> bool {
        names_entry(&self.plan, self.interrupter)
    }
}

/// `park_interruptible` returns no entry.
fn names_entry(plan: &Plan, interrupter: Option<usize>) -> bool {
    let is_one = matches!(plan.manner, Manner::Any) && plan.keys.len() == 1;
    plan.has_claim() && !(is_one && interrupter.is_some())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interrupts {
    pub(crate) is_pending: bool,
    pub(crate) user: Option<u64>,
}

/// How a wait begins.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) plan: Rc<Plan>,
    pub(crate) interrupter: Option<usize>,
    pub(crate) waker: Option<usize>,
    pub(crate) now: u64,
    /// A comparison panicked after so many calls of `validate`.
    pub(crate) panicked_at: Option<usize>,
}

/// Why a wait was not queued, and by which of its keys.
type Refusal = (Ended, Option<usize>);

#[derive(Debug)]
pub(crate) struct Expected {
    shape: Shape,
    pub(crate) is_closed: bool,
    pub(crate) queues: Naive,
    pub(crate) waits: BTreeMap<u64, Wait>,
    /// The keys of a slot that anything is linked for, the newest first.
    pub(crate) groups: Vec<u64>,
    /// The keys that are kept closed.
    pub(crate) seals: Vec<u64>,
    pub(crate) interrupters: [Interrupts; INTERRUPTERS],
    /// The entries that each wait was asked to validate.
    pub(crate) asked: BTreeMap<u64, Vec<usize>>,
    /// Waits that have begun once.
    begun: BTreeSet<u64>,
    /// How often the Wakers of each task were called.
    pub(crate) rings: BTreeMap<u64, [usize; BELLS]>,
    pub(crate) stats: Vec<Stats>,
    /// Wakes that went on to nobody, and to somebody.
    pub(crate) passed_on: [usize; 2],
    pub(crate) passed_on_to_last: usize,
}

impl Expected {
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            is_closed: false,
            queues: Naive::default(),
            waits: BTreeMap::new(),
            groups: Vec::new(),
            seals: Vec::new(),
            interrupters: Default::default(),
            asked: BTreeMap::new(),
            begun: BTreeSet::new(),
            rings: BTreeMap::new(),
            stats: vec![Stats::default(); shape.slots],
            passed_on: [0; 2],
            passed_on_to_last: 0,
        }
    }

    pub(crate) fn slot(&self, key: u64) -> usize {
        self.shape.hashes[key as usize] as usize % self.shape.slots
    }

    pub(crate) fn at(&mut self, key: u64) -> &mut Stats {
        let slot = self.slot(key);
        &mut self.stats[slot]
    }

    /// A waiter is linked for this key, decided or not.
    fn is_linked(&self, key: u64) -> bool {
        let is_left = |wait: &Wait| wait.others.contains(&key);
        self.queues.count(key) > 0 || self.waits.values().any(is_left)
    }

    /// A waiter is linked in this slot.
    pub(crate) fn is_used(&self, slot: usize) -> bool {
        (0..KEYS).any(|key| self.slot(key) == slot && self.is_linked(key))
    }

    /// Something is linked for a key of the same hash, so that keys are compared.
    pub(crate) fn is_compared(&self, key: u64) -> bool {
        let hash = |key: u64| self.shape.hashes[key as usize];
        self.groups.iter().any(|other| hash(*other) == hash(key))
    }

    /// Something was linked for this key.
    pub(crate) fn add_group(&mut self, key: u64) {
        if !self.groups.contains(&key) {
            self.groups.insert(0, key);
        }
    }

    /// Forgets the keys that nothing is linked for.
    pub(crate) fn prune(&mut self) {
        let mut groups = std::mem::take(&mut self.groups);
        groups.retain(|key| self.is_linked(*key) || self.seals.contains(key));
        self.groups = groups;
    }

    /// Begins a wait; how it ended, if it does not wait.
    pub(crate) fn begin(&mut self, wait: u64, start: &Start) -> Option<Outcome> {
        self.asked.entry(wait).or_default();
        let is_first = self.begun.insert(wait);
        let queued = self
            .look(wait, start, is_first)
            .and_then(|()| self.enter(wait, start));
        let Err((ended, entry)) = queued else {
            return None;
        };
        Some(Outcome {
            entry: entry.filter(|_| names_entry(&start.plan, start.interrupter)),
            ..ended.into()
        })
    }

    /// What is looked at before anything is queued.
    fn look(&mut self, wait: u64, start: &Start, is_first: bool) -> Result<(), Refusal> {
        let plan = &*start.plan;
        if plan.is_prepared() {
            return Ok(());
        }
        for entry in 0..plan.keys.len() {
            // Who waits again has validated for its first wait only.
            if !(plan.validated && is_first) {
                self.ask(wait, plan, entry)?;
            }
            if self.is_closed {
                return Err((Ended::Closed, Some(entry)));
            }
        }
        if let Some(interrupter) = start.interrupter {
            let interrupts = &mut self.interrupters[interrupter];
            assert_eq!(interrupts.user, None, "it is in use");
            if std::mem::take(&mut interrupts.is_pending) {
                return Err((Ended::Interrupted, None));
            }
        }
        if !plan.is_task() && plan.patience == Some(0) {
            return Err((Ended::TimedOut, None));
        }
        Ok(())
    }

    /// Queues it for each of its keys, or for none.
    fn enter(&mut self, wait: u64, start: &Start) -> Result<(), Refusal> {
        let plan = &*start.plan;
        for (entry, key) in plan.keys.iter().copied().enumerate() {
            if let Err(refusal) = self.enter_one(wait, start, (entry, key)) {
                for (_, key) in self.queues.remove_all(wait) {
                    self.at(key).cancels += 1;
                }
                return Err(refusal);
            }
        }
        if let Some(interrupter) = start.interrupter {
            self.interrupters[interrupter].user = Some(wait);
        }
        let state = Wait {
            plan: Rc::clone(&start.plan),
            deadline: plan.patience.map(|patience| start.now + patience),
            interrupter: start.interrupter,
            waker: start.waker,
            sleeps: false,
            told: None,
            others: Vec::new(),
            is_moved: false,
        };
        self.waits.insert(wait, state);
        Ok(())
    }

    fn enter_one(
        &mut self,
        wait: u64,
        start: &Start,
        (entry, key): (usize, u64),
    ) -> Result<(), Refusal> {
        let plan = &*start.plan;
        if !plan.is_prepared() {
            self.ask(wait, plan, entry)?;
        }
        if start.panicked_at == Some(self.asked[&wait].len()) {
            return Err((Ended::Panicked, None));
        }
        if self.is_closed || self.seals.contains(&key) {
            return Err((Ended::Closed, Some(entry)));
        }
        let slot = self.slot(key);
        let has_others = self.groups.iter().any(|other| self.slot(*other) == slot);
        let collides = has_others && !self.groups.contains(&key);
        self.stats[slot].collisions += u32::from(collides);
        self.stats[slot].parks += 1;
        self.queues.enter(key, (wait, entry), plan.order);
        self.add_group(key);
        Ok(())
    }

    /// What `validate` says.
    fn ask(&mut self, wait: u64, plan: &Plan, entry: usize) -> Result<(), Refusal> {
        let asked = self.asked.entry(wait).or_default();
        let answer = plan.answers.get(asked.len()).copied();
        asked.push(entry);
        let has_errors = matches!(plan.manner, Manner::Park { .. });
        match answer.unwrap_or(Answer::Yes) {
            Answer::Yes => Ok(()),
            Answer::Fails if has_errors => Err((Ended::Failed, None)),
            Answer::No | Answer::Fails => Err((Ended::Stale, Some(entry))),
            Answer::Panics => Err((Ended::Panicked, None)),
        }
    }
}
