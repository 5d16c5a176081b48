//! Runs a program on a table, and compares everything that can be seen with the model.

use std::collections::BTreeMap;
use std::rc::Rc;

use slotpark_core::{Candidate, Filter, Platform, Table};

use crate::expected::{Ended, Expected, Outcome, Progress, Stats};
use crate::host::{self, Key, Resume, Threads};
use crate::program::{ALL, Command, KEYS, Park, Program, Shape, Step};
use crate::waits::{progress, wait_once};

/// Up to here each sleeper of a slot has a bit of its own.
const BITS: usize = 32;

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
    pub(crate) table: Rc<Table<Key, P>>,
    shape: Shape,
    threads: Threads<Outcome>,
    pub(crate) expected: Expected,
    /// The last number given: to a wait, or to a wake as its token.
    number: u64,
    /// Sleepers have shared a bit, and some may still do.
    was_crowded: bool,
    pub(crate) seen: &'s mut Seen,
}

/// Runs `program` to its end.
pub(crate) fn follow<P: Platform>(program: &Program, seen: &mut Seen) {
    host::begin();
    let mut machine = Machine::<P> {
        table: Rc::new(Table::with_slots(program.shape.slots)),
        shape: program.shape,
        threads: Threads::new(),
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
    let collisions = machine
        .expected
        .stats
        .iter()
        .map(|slot| slot.collisions as usize);
    machine
        .seen
        .add("a key found others in its slot", collisions.sum());
}

impl<P: Platform> Machine<'_, P> {
    fn execute(&mut self, command: &Command) {
        let panicking = command.panicking_comparison;
        match &command.step {
            Step::Park(park) => self.park(*park, panicking),
            Step::Run {
                who,
                says_timed_out,
            } => self.run(*who, *says_timed_out),
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
            wake => self.wake(wake, panicking),
        }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    pub(crate) fn hash(&self, key: u64) -> u64 {
        self.shape.hashes[key as usize]
    }

    fn park(&mut self, park: Park, panicking: Option<u8>) {
        let wait = self.number();
        let now = host::now_ns();
        let (table, hash) = (Rc::clone(&self.table), self.hash(park.key));
        let (result, panicked) = host::comparing(panicking, || {
            self.threads
                .start(wait, move || wait_once(&table, hash, wait, park, now))
        });
        self.seen.when("a comparison panicked", panicked);
        let expected = self.expected.park(wait, park, now, panicked);
        assert_eq!(progress(result), expected, "wait {wait} begins");
        self.tally(expected);
    }

    fn run(&mut self, who: usize, says_timed_out: bool) {
        let count = self.expected.waits.len();
        if count == 0 {
            return;
        }
        let (wait, state) = self
            .expected
            .waits
            .iter()
            .nth(who % count)
            .expect("below the count");
        let (wait, state, now) = (*wait, *state, host::now_ns());
        let for_nothing = state.sleeps && host::is_woken(wait) && state.chosen.is_none();
        let result = self.threads.run(wait, Resume { says_timed_out });
        let expected = self.expected.go_on(wait, now);
        assert_eq!(progress(result), expected, "wait {wait} goes on");
        let is_woken = matches!(
            expected,
            Progress::Ended(Outcome {
                ended: Ended::Woken(_),
                ..
            })
        );
        let is_late = matches!(
            expected,
            Progress::Ended(Outcome {
                ended: Ended::TimedOut,
                ..
            })
        );
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
        self.tally(expected);
    }

    fn tally(&mut self, progress: Progress) {
        if let Progress::Ended(outcome) = progress {
            let event = match outcome.ended {
                Ended::Woken(_) => "a wait was woken",
                Ended::Stale => "a wait was stale",
                Ended::TimedOut => "a wait timed out",
                Ended::Failed => "a wait failed",
                Ended::Panicked => "a wait panicked",
            };
            self.seen.add(event, 1);
        }
    }

    /// Everything that can be seen of the table is as the model says.
    fn check(&mut self) {
        for key in 0..KEYS {
            let mut queue = Vec::new();
            let look = |waiter: &Candidate| {
                queue.push(waiter.tag >> 32);
                Filter::Skip
            };
            let (hash, locks) = (self.hash(key), host::counts().0);
            let woken = self.table.unpark_filter(hash, &Key(key), ALL, look, 0);
            assert_eq!(
                (woken, &queue),
                (0, &self.expected.queues.waiters(key)),
                "queue {key}"
            );
            assert_eq!(self.table.waiters(hash, &Key(key)), queue.len());
            // A wake looks behind the lock exactly where somebody is announced.
            let looks = host::counts().0 - locks;
            let is_used = self.expected.is_used(self.expected.slot(key));
            assert_eq!(
                looks,
                if is_used { 2 } else { 0 },
                "announced in the slot of {key}"
            );
            // Where nobody can be chosen, it does not look.
            let (count, locks) = (if is_used { 0 } else { ALL }, host::counts().0);
            let all = |_: &Candidate| Filter::Unpark;
            let woken = self.table.unpark(hash, &Key(key), count, 0)
                + self.table.unpark_filter(hash, &Key(key), count, all, 0);
            assert_eq!((woken, host::counts().0), (0, locks), "{count} of {key}");
        }
        for (index, expected) in self.expected.stats.iter().enumerate() {
            let stats = self.table.slot_stats(index);
            let found = Stats {
                parks: stats.parks,
                wakes: stats.wakes,
                timeouts: stats.timeouts,
                cancels: stats.cancels,
                requeues: stats.requeues,
                collisions: stats.collisions,
            };
            assert_eq!(found, *expected, "slot {index}");
        }
        let sleepers = self.expected.waits.iter().filter(|(_, state)| state.sleeps);
        self.was_crowded |= sleepers.clone().count() > BITS;
        for (wait, state) in sleepers {
            let (is_woken, is_chosen) = (host::is_woken(*wait), state.chosen.is_some());
            assert!(is_woken || !is_chosen, "wait {wait} sleeps on");
            assert!(
                is_chosen || !is_woken || self.was_crowded,
                "wait {wait} is woken for nothing"
            );
        }
    }

    /// Everybody is woken, and goes on to the end.
    fn end(&mut self) {
        for key in 0..KEYS {
            self.wake(&Step::Unpark { key, count: ALL }, None);
            self.check();
        }
        while !self.expected.waits.is_empty() {
            self.run(0, false);
            self.check();
        }
        assert!(self.expected.queues.is_empty() && self.threads.is_empty());
    }
}
