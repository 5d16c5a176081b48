//! Runs a program on a table, and compares everything that can be seen with the model.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use slotpark_core::{Interrupter, Platform, Table};

use crate::expected::{Expected, Start};
use crate::host::{self, Key, Resume, Threads};
use crate::lookout;
use crate::outcomes::{Ended, Outcome, Progress};
use crate::program::{ALL, Command, KEYS, Manner, Plan, Program, Shape, Step, Then, Touch};
use crate::tasks::Guests;
use crate::waits::{Ground, Who, progress, wait_once};

/// What happened and how often, so that a test can say that everything did.
#[derive(Debug, Default)]
pub(crate) struct Seen(BTreeMap<&'static str, u64>);

impl Seen {
    pub(crate) fn count(&self, event: &str) -> u64 {
        self.0.get(event).copied().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, event: &'static str, count: usize) {
        *self.0.entry(event).or_default() += count as u64;
    }

    pub(crate) fn when(&mut self, event: &'static str, is_so: bool) {
        self.add(event, usize::from(is_so));
    }
}

/// A table, the model of it, and those who wait.
pub(crate) struct Machine<'s, P: Platform> {
    threads: Threads<Outcome>,
    pub(crate) guests: Guests<P>,
    pub(crate) ground: Rc<Ground<P>>,
    shape: Shape,
    pub(crate) expected: Expected,
    /// The last number given: to a wait, or to a wake as its token.
    number: u64,
    /// Sleepers have shared a bit, and some may still do.
    pub(crate) was_crowded: bool,
    pub(crate) seen: &'s mut Seen,
}

/// Runs `program` to its end.
pub(crate) fn follow<P: Platform>(program: &Program, seen: &mut Seen) {
    let ground = Rc::new(Ground {
        table: Table::with_slots(program.shape.slots),
        interrupters: std::array::from_fn(|_| Interrupter::on_platform()),
    });
    let (looked_at, hashes) = (Rc::clone(&ground), program.shape.hashes);
    let count = move |key: usize| looked_at.table.waiters(hashes[key], &Key(key as u64));
    lookout::begin(move || std::array::from_fn(&count));
    host::begin();
    let mut machine = Machine::<P> {
        threads: Threads::new(),
        guests: Guests::new(&ground),
        ground,
        shape: program.shape,
        expected: Expected::new(program.shape),
        number: 0,
        was_crowded: false,
        seen,
    };
    for command in &program.commands {
        machine.execute(command);
        machine.check();
    }
    machine.end();
    let Machine { expected, seen, .. } = machine;
    let collisions = expected.stats.iter().map(|slot| slot.collisions as usize);
    seen.add("a key found others in its slot", collisions.sum());
    let [nobody, somebody] = expected.passed_on;
    let to_last = expected.passed_on_to_last;
    seen.add("a wake of the last was passed on", to_last);
    seen.add("a wake was passed on", somebody);
    seen.add("a wake found nobody to be passed on to", nobody);
}

impl<P: Platform> Machine<'_, P> {
    fn execute(&mut self, command: &Command) {
        let panicking = command.panicking_comparison;
        match &command.step {
            Step::Wait(plan) if plan.is_task() => self.add_task(plan, panicking),
            Step::Wait(plan) => self.park(plan, panicking),
            Step::Run { who, resume } => self.run(*who, *resume, panicking),
            Step::Touch { who, touch } => {
                if let Some(task) = self.which_task(*who) {
                    self.touch(task, *touch, panicking);
                }
            }
            Step::Pass { ns } => host::pass(*ns),
            Step::Requeue {
                from,
                to,
                wake_max,
                move_max,
                answer,
            } => {
                self.requeue((*from, *to), (*wake_max, *move_max), *answer, panicking);
            }
            Step::End(end) => self.end_waits(*end, panicking),
            wake => self.wake(wake, panicking),
        }
        self.expected.prune();
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    pub(crate) fn hash(&self, key: u64) -> u64 {
        self.shape.hashes[key as usize]
    }

    /// Whoever waits next.
    pub(crate) fn who(&mut self, plan: &Plan) -> Who {
        let is_free = |at: &usize| self.expected.interrupters[*at].user.is_none();
        let wanted = plan.interrupter.filter(|_| plan.has_claim());
        let interrupter = wanted.and_then(|at| [at, 1 - at].into_iter().find(is_free));
        Who {
            wait: self.number(),
            plan: Rc::new(plan.clone()),
            hashes: plan.keys.iter().map(|key| self.hash(*key)).collect(),
            interrupter,
            asked: Rc::new(RefCell::default()),
        }
    }

    fn park(&mut self, plan: &Plan, panicking: Option<u8>) {
        let who = self.who(plan);
        let (wait, now) = (who.wait, host::now_ns());
        let (ground, thread) = (Rc::clone(&self.ground), who.clone());
        let (result, panicked) = host::comparing(panicking, || {
            self.threads
                .start(wait, move || wait_once(&ground, &thread, now))
        });
        self.seen.when("a comparison panicked", panicked);
        let start = Start {
            plan: Rc::clone(&who.plan),
            interrupter: who.interrupter,
            waker: None,
            now,
            panicked_at: panicked.then(|| who.asked.borrow().len()),
        };
        let lingers = matches!(
            plan.manner,
            Manner::Park { lingers: true, .. } | Manner::Prepare { lingers: true, .. }
        );
        let expected = match self.expected.begin(wait, &start) {
            Some(outcome) => Progress::Ended(outcome),
            None if lingers => Progress::Lingers,
            None => self.expected.go_on(wait, now, false, false),
        };
        assert_eq!(progress(result), expected, "wait {wait} begins");
        let asked = self.expected.asked.remove(&wait);
        assert_eq!(Some(&*who.asked.borrow()), asked.as_ref(), "{wait}");
        self.tally(expected);
    }

    fn run(&mut self, who: usize, resume: Resume, panicking: Option<u8>) {
        let waits = &self.expected.waits;
        let threads = || waits.iter().filter(|(_, state)| !state.plan.is_task());
        let count = threads().count();
        if count == 0 {
            return;
        }
        let (wait, state) = threads().nth(who % count).expect("below the count");
        let (wait, state, now) = (*wait, state.clone(), host::now_ns());
        let for_nothing = state.sleeps && host::is_woken(wait) && state.told.is_none();
        // A second panic in one unwinding would end the process.
        let panics = matches!(
            state.plan.manner,
            Manner::Prepare {
                then: Then::Panics,
                ..
            }
        );
        let panicking = panicking.filter(|_| !panics);
        let (result, panicked) = host::comparing(panicking, || self.threads.run(wait, resume));
        let expected = self.expected.go_on(wait, now, resume.is_signal, panicked);
        assert_eq!(progress(result), expected, "wait {wait} goes on");
        let ended = expected.ended();
        let is_woken = matches!(ended, Some(Ended::Woken(_)));
        let is_late = ended == Some(Ended::TimedOut);
        let seen = &mut *self.seen;
        seen.when(
            "a wait was woken before it slept",
            is_woken && !state.sleeps,
        );
        seen.when(
            "a wait was woken past its deadline",
            is_woken && state.is_past(now),
        );
        seen.when("a wait was woken after a move", is_woken && state.is_moved);
        seen.when("a wait timed out after a move", is_late && state.is_moved);
        seen.when("a wait was woken for nothing", for_nothing);
        let by_signal = ended == Some(Ended::Interrupted) && state.told.is_none();
        seen.when("a signal ended a wait", by_signal);
        seen.when("a signal ended no wait", resume.is_signal && !by_signal);
        seen.when("a moved wait was interrupted", by_signal && state.is_moved);
        let is_many = state.plan.keys.len() > 1;
        seen.when("a signal ended a wait on several", by_signal && is_many);
        seen.when("a thread on several keys was woken", is_woken && is_many);
        seen.when("a thread on several keys timed out", is_late && is_many);
        let has_left = ended == Some(Ended::Left);
        seen.when("a prepared thread left", has_left);
        self.tally(expected);
    }

    pub(crate) fn tally(&mut self, progress: Progress) {
        if let Some(ended) = progress.ended() {
            let event = match ended {
                Ended::Woken(_) => "a wait was woken",
                Ended::Stale => "a wait was stale",
                Ended::TimedOut => "a wait timed out",
                Ended::Closed => "a wait was closed",
                Ended::Interrupted => "a wait was interrupted",
                Ended::Left => "a wait left",
                Ended::Failed => "a wait failed",
                Ended::Panicked => "a wait panicked",
            };
            self.seen.add(event, 1);
        }
    }

    /// Everybody is woken, and goes on to the end.
    fn end(&mut self) {
        for key in 0..KEYS {
            self.wake(&Step::Unpark { key, count: ALL }, None);
            self.check();
        }
        while !self.threads.is_empty() {
            self.run(0, Resume::default(), None);
            self.expected.prune();
            self.check();
        }
        while let Some(task) = self.guests.tasks.keys().next().copied() {
            let is_queued = self.expected.waits.contains_key(&task);
            let touch = if is_queued {
                Touch::Poll(0)
            } else {
                Touch::Drop
            };
            self.touch(task, touch, None);
            self.expected.prune();
            self.check();
        }
        while !self.expected.seals.is_empty() {
            self.unseal(0, None);
            self.expected.prune();
            self.check();
        }
        assert!(self.expected.waits.is_empty() && self.expected.queues.is_empty());
        assert!(self.expected.groups.is_empty() && self.guests.is_empty());
    }
}
