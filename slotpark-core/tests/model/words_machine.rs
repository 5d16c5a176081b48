//! Runs a program of words on a table, and compares all that can be seen with the model.

use std::collections::BTreeMap;
use std::rc::Rc;

use corosensei::CoroutineResult;
use slotpark_core::{
    AcquireError, Candidate, EventError, Filter, Platform, RawEventCounter, RawSemaphore, Table,
    TryAcquireError,
};

use crate::host::{self, Pause, Resume, Threads};
use crate::machine::Seen;
use crate::words::{Act, What, Words};
use crate::words_expected::{Expected, Out, Told, Waiter};
use crate::words_ground::{Ground, Task};

struct Machine<'s, P: Platform> {
    threads: Threads<Out>,
    /// They borrow the ground, which is declared after them.
    tasks: BTreeMap<u64, Task>,
    ground: Rc<Ground<P>>,
    expected: Expected,
    number: u64,
    seen: &'s mut Seen,
}

/// Runs `program` to its end.
pub(crate) fn follow<P: Platform>(program: &Words, seen: &mut Seen) {
    let semaphore = match program.is_barging {
        true => RawSemaphore::barging(program.permits),
        false => RawSemaphore::new(program.permits),
    };
    host::begin();
    let mut machine = Machine::<P> {
        threads: Threads::new(),
        tasks: BTreeMap::new(),
        ground: Rc::new(Ground {
            table: Table::with_slots(program.slots),
            semaphore,
            events: RawEventCounter::new(),
            hashes: program.hashes,
        }),
        expected: Expected::new(program),
        number: 0,
        seen,
    };
    for act in &program.acts {
        machine.act(*act);
        machine.check();
    }
    machine.end();
}

impl<P: Platform> Machine<'_, P> {
    fn act(&mut self, act: Act) {
        let ground = Rc::clone(&self.ground);
        match act {
            Act::Thread { what, patience } => self.start(what, patience),
            Act::Task { what, bell } => self.add_task(what, bell),
            Act::Try { count } => {
                let found = ground.semaphore.try_acquire(count);
                let expected = match self.expected.try_acquire(count) {
                    Some(Out::Permits(Ok(()))) => Ok(()),
                    Some(_) => Err(TryAcquireError::Closed),
                    None => Err(TryAcquireError::NoPermits),
                };
                assert_eq!(found, expected, "{act:?}");
            }
            Act::Release { count } => {
                ground.semaphore.release(ground.at(0), count);
                self.expected.release(count);
            }
            Act::Forget { count } => {
                ground.semaphore.forget(count);
                self.expected.free -= count as isize;
                self.seen.when("permits were owed", self.expected.free < 0);
            }
            Act::Advance { events } => self.advance(events),
            Act::Run {
                who,
                says_timed_out,
            } => {
                let threads = self.expected.waiters.iter().filter(|(_, w)| !w.is_task);
                let ids: Vec<u64> = threads.map(|(id, _)| *id).collect();
                if let Some(id) = ids.get(who % ids.len().max(1)) {
                    self.run(*id, says_timed_out);
                }
            }
            Act::Poll { who, bell } => {
                if let Some(id) = self.which_task(who) {
                    self.poll(id, bell);
                }
            }
            Act::Drop { who } => {
                if let Some(id) = self.which_task(who) {
                    self.drop_task(id);
                }
            }
            Act::Pass { ns } => host::pass(ns),
            Act::CloseEvents => {
                let at = ground.at(1);
                let closed = ground.table.close_key(at.hash, &at.key);
                assert_eq!(closed, self.expected.close_events(), "waits for events");
                self.seen.add("waits for events were closed", closed);
            }
            Act::CloseSemaphore => {
                let closed = ground.semaphore.close(ground.at(0));
                assert_eq!(closed, self.expected.close_semaphore(), "acquires");
                self.seen.add("acquires were closed", closed);
            }
        }
    }

    fn advance(&mut self, events: u64) {
        let woken = self.ground.events.advance(self.ground.at(1), events);
        assert_eq!(woken, self.expected.advance(events), "advance by {events}");
        self.seen.add("an advance woke", woken);
    }

    /// A number, and what it waits for: events are counted from now.
    fn newcomer(&mut self, what: What) -> (u64, What) {
        self.number += 1;
        let what = match what {
            What::Events(more) => What::Events(self.expected.count + more),
            permits => permits,
        };
        (self.number, what)
    }

    fn start(&mut self, what: What, patience: Option<u64>) {
        let (id, what) = self.newcomer(what);
        let now = host::now_ns();
        let deadline = patience.map(|patience| now + patience);
        let ground = Rc::clone(&self.ground);
        let result = self.threads.start(id, move || ground.wait(what, deadline));
        let waiter = Waiter {
            what,
            deadline,
            is_task: false,
            bell: None,
            told: None,
        };
        let expected = self.expected.come(id, waiter, now, false);
        assert_eq!(ended(result), expected, "thread {id} begins");
        self.tally(None, expected);
    }

    fn run(&mut self, id: u64, says_timed_out: bool) {
        let told = self.expected.waiters[&id].told;
        let resume = Resume {
            says_timed_out,
            is_signal: false,
        };
        let result = self.threads.run(id, resume);
        let expected = self.expected.look(id, host::now_ns(), None);
        assert_eq!(ended(result), expected, "thread {id} goes on");
        self.tally(told, expected);
    }

    fn add_task(&mut self, what: What, bell: usize) {
        let (id, what) = self.newcomer(what);
        // SAFETY: the ground lives as long as the machine, which drops its tasks first; a failing
        // program leaks both.
        let ground: &'static Ground<P> = unsafe { &*Rc::as_ptr(&self.ground) };
        self.tasks.insert(id, Task::new(ground.wait_async(what)));
        let found = self.tasks.get_mut(&id).and_then(|task| task.poll(bell));
        let waiter = Waiter {
            what,
            deadline: None,
            is_task: true,
            bell: Some(bell),
            told: None,
        };
        let expected = self.expected.come(id, waiter, host::now_ns(), false);
        assert_eq!(found, expected, "task {id} begins");
        self.finish(id, None, expected);
    }

    fn which_task(&self, who: usize) -> Option<u64> {
        let ids: Vec<u64> = self.tasks.keys().copied().collect();
        ids.get(who % ids.len().max(1)).copied()
    }

    fn poll(&mut self, id: u64, bell: usize) {
        let told = self.expected.waiters[&id].told;
        let found = self.tasks.get_mut(&id).and_then(|task| task.poll(bell));
        let expected = self.expected.look(id, host::now_ns(), Some(bell));
        assert_eq!(found, expected, "task {id} is polled");
        self.finish(id, told, expected);
    }

    fn finish(&mut self, id: u64, told: Option<Told>, expected: Option<Out>) {
        if expected.is_some() {
            self.tasks.remove(&id);
            self.expected.rings.remove(&id);
        }
        self.tally(told, expected);
    }

    fn drop_task(&mut self, id: u64) {
        let told = self.expected.waiters[&id].told;
        drop(self.tasks.remove(&id));
        self.expected.drop_task(id);
        let seen = &mut *self.seen;
        seen.when("a granted task was dropped", told == Some(Told::Granted));
        seen.when("a woken task was dropped", told == Some(Told::Woken));
        seen.when("a queued task was dropped", told.is_none());
    }

    fn tally(&mut self, told: Option<Told>, out: Option<Out>) {
        let seen = &mut *self.seen;
        let is_too_late = told == Some(Told::Woken) && out.is_none();
        seen.when("a woken one was too late", is_too_late);
        seen.when("permits were granted", told == Some(Told::Granted));
        let is_late = |out| {
            matches!(
                out,
                Out::Permits(Err(AcquireError::TimedOut)) | Out::Events(Err(EventError::TimedOut))
            )
        };
        seen.when("a deadline passed", out.is_some_and(is_late));
        seen.when("events came", told == Some(Told::Came));
    }

    /// Everything that can be seen between two acts.
    fn check(&self) {
        let Ground {
            table, semaphore, ..
        } = &*self.ground;
        let free = usize::try_from(self.expected.free).unwrap_or(0);
        assert_eq!(semaphore.available(), free);
        assert_eq!(semaphore.is_closed(), self.expected.is_closed);
        assert_eq!(self.ground.events.count(), self.expected.count);
        for (key, expected) in (0..).zip(self.expected.queues()) {
            let mut queue = Vec::new();
            let look = |waiter: &Candidate| {
                queue.push(waiter.tag);
                Filter::Skip
            };
            let hash = self.ground.hashes[key as usize];
            assert_eq!(table.unpark_filter(hash, &key, usize::MAX, look, 0), 0);
            assert_eq!(queue, expected, "queue of {key}");
            assert_eq!(table.waiters(hash, &key), expected.len());
        }
        for (id, task) in &self.tasks {
            let expected = self.expected.rings.get(id).copied();
            assert_eq!(task.rings(), expected.unwrap_or_default(), "task {id}");
        }
        for (id, waiter) in &self.expected.waiters {
            let sleeps_on = !waiter.is_task && waiter.told.is_some() && !host::is_woken(*id);
            assert!(!sleeps_on, "thread {id} sleeps on");
        }
    }

    /// All get what they wait for, and nothing is left.
    fn end(&mut self) {
        while !self.expected.waiters.is_empty() {
            let [permits, events] = self.expected.queues();
            let owed = usize::try_from(-self.expected.free).unwrap_or(0);
            let wanted = permits.iter().sum::<u64>() as usize;
            if wanted > 0 {
                self.act(Act::Release {
                    count: wanted + owed,
                });
            }
            let last = events.into_iter().max().unwrap_or(0);
            self.advance(last.saturating_sub(self.expected.count));
            self.check();
            let waiters = self.expected.waiters.clone();
            for (id, waiter) in waiters {
                match waiter.is_task {
                    true => self.poll(id, 0),
                    false => self.run(id, false),
                }
                self.check();
            }
        }
        assert!(self.tasks.is_empty() && self.threads.is_empty());
        for index in 0..self.ground.table.slot_count() {
            let stats = self.ground.table.slot_stats(index);
            let gone = stats.wakes + stats.timeouts + stats.cancels;
            assert_eq!(stats.parks, gone, "who was linked was woken or left, once");
        }
    }
}

impl<P: Platform> Drop for Machine<'_, P> {
    /// Not empty only when a program failed.
    fn drop(&mut self) {
        if !self.tasks.is_empty() || !self.threads.is_empty() {
            std::mem::forget(std::mem::take(&mut self.tasks));
            std::mem::forget(Rc::clone(&self.ground));
        }
    }
}

fn ended(result: CoroutineResult<Pause, Out>) -> Option<Out> {
    match result {
        CoroutineResult::Yield(_) => None,
        CoroutineResult::Return(out) => Some(out),
    }
}
