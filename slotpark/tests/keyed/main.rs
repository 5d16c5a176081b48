//! Random programs on the locks by key, in step with a model: who is granted what, and in which
//! order. And the same with threads, where the model is what must never be.

mod choices;
#[path = "../../../slotpark-core/tests/common/mod.rs"]
mod common;
mod model;
mod subject;
mod threads;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use model::{Model, Phase};
use proptest::prelude::*;
use slotpark::{KeyedOptions, Preference, WhenFull};
use subject::{Guard, Holds, Kind, Subject, UPGRADABLE, UPGRADE, WRITER};

pub(crate) const ACTORS: usize = 6;
pub(crate) const KEYS: usize = 2;

/// What one step does, by numbers whose meaning depends on what its actor does.
#[derive(Clone, Copy, Debug)]
struct Step {
    actor: usize,
    verb: u8,
    key: usize,
    amount: u8,
}

/// Counts how often it was woken.
#[derive(Debug, Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
enum Actor<'l> {
    #[default]
    Idle,
    /// A future, and what its owner held before if it is an upgrade.
    Waiting(Holds<'l>, Option<u32>),
    Holding(Guard<'l>),
}

struct Run<'l> {
    subject: &'l Subject,
    model: Model,
    actors: [Actor<'l>; ACTORS],
    wakes: [Arc<Wakes>; ACTORS],
}

impl<'l> Run<'l> {
    fn new(subject: &'l Subject, preference: Preference) -> Self {
        Self {
            subject,
            model: Model::new(subject.capacity(), preference),
            actors: Default::default(),
            wakes: Default::default(),
        }
    }

    fn step(&mut self, step: Step) {
        let actor = step.actor;
        match std::mem::take(&mut self.actors[actor]) {
            Actor::Idle => self.begin(step),
            Actor::Waiting(future, before) if step.verb % 3 == 0 => {
                self.model.end(actor, before);
                drop(future);
            }
            Actor::Waiting(future, before) => {
                self.model.poll(actor);
                self.poll(actor, future, before);
            }
            Actor::Holding(guard) => self.change(step, guard),
        }
        self.compare();
    }

    fn begin(
        &mut self,
        Step {
            actor,
            verb,
            key,
            amount,
        }: Step,
    ) {
        let (subject, amount) = (self.subject, self.subject.amount(amount));
        if verb % 2 == 0 {
            let guard = subject.try_hold(key as u64, amount);
            let is_held = self.model.take(actor, key, amount);
            assert_eq!(guard.is_some(), is_held, "try {amount} of {key}");
            self.actors[actor] = guard.map_or(Actor::Idle, Actor::Holding);
        } else {
            self.model.hold(actor, key, amount);
            self.poll(actor, subject.hold(key as u64, amount), None);
        }
    }

    /// Polls, and compares what comes out with what the model says.
    fn poll(&mut self, actor: usize, mut future: Holds<'l>, before: Option<u32>) {
        let wakes = &self.wakes[actor];
        wakes.0.store(0, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(wakes));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        let state = self.model.actors[actor];
        let is_held = state.phase == Phase::Holding;
        assert_eq!(polled.is_ready(), is_held, "{actor} is held");
        self.actors[actor] = match polled {
            Poll::Ready(guard) => {
                assert_eq!(guard.key(), state.key as u64);
                Actor::Holding(guard)
            }
            Poll::Pending => Actor::Waiting(future, before),
        };
    }

    /// A holder does something with its guard.
    fn change(
        &mut self,
        Step {
            actor,
            verb,
            amount,
            ..
        }: Step,
        guard: Guard<'l>,
    ) {
        let model = &mut self.model;
        let guard = match (guard, verb % 4) {
            (guard, 0) => {
                model.end(actor, None);
                return drop(guard);
            }
            (Guard::Write(guard), 1) => {
                model.shrink(actor, 1);
                Guard::Read(guard.downgrade())
            }
            (Guard::Write(guard), _) => {
                model.shrink(actor, UPGRADABLE);
                Guard::Upgradable(guard.downgrade_to_upgradable())
            }
            (Guard::Upgradable(guard), 1) if amount % 2 == 0 => {
                model.shrink(actor, 1);
                Guard::Read(guard.downgrade())
            }
            (Guard::Upgradable(guard), 1) => {
                let upgraded = guard.try_upgrade();
                assert_eq!(upgraded.is_ok(), model.take_more(actor, UPGRADE));
                upgraded.map_or_else(Guard::Upgradable, Guard::Write)
            }
            (Guard::Upgradable(mut guard), 2) => {
                // Looks once, and keeps what it held.
                model.grow(actor, UPGRADE);
                let mut context = Context::from_waker(Waker::noop());
                let polled = pin!(guard.upgraded_async()).poll(&mut context);
                if polled.is_ready() {
                    assert_eq!(model.actors[actor].held, WRITER);
                    model.shrink(actor, UPGRADABLE);
                } else {
                    assert_eq!(model.actors[actor].phase, Phase::Waiting(UPGRADE));
                    model.give_up_growth(actor);
                }
                drop(polled);
                Guard::Upgradable(guard)
            }
            (Guard::Upgradable(guard), _) => {
                model.grow(actor, UPGRADE);
                let upgrade = async move { Guard::Write(guard.upgrade_async().await) };
                return self.poll(actor, Box::pin(upgrade), Some(UPGRADABLE));
            }
            (Guard::Permit(mut permit), _) => {
                let count = u32::from(amount) % (permit.count() + 1);
                permit.release(count);
                model.shrink(actor, permit.count());
                Guard::Permit(permit)
            }
            (guard, _) => guard,
        };
        self.actors[actor] = Actor::Holding(guard);
    }

    fn compare(&self) {
        for key in 0..KEYS {
            let (held, waiters) = (self.model.held(key), self.model.waiters(key));
            assert_eq!(self.subject.held(key as u64), held, "held of {key}");
            assert_eq!(
                self.subject.waiters(key as u64),
                waiters,
                "waiters of {key}"
            );
        }
        for (actor, wakes) in self.wakes.iter().enumerate() {
            if let Actor::Waiting(..) = self.actors[actor] {
                let phase = self.model.actors[actor].phase;
                let is_told = matches!(phase, Phase::Granted | Phase::Woken(_));
                let wakes = wakes.0.load(Ordering::Relaxed);
                assert_eq!(wakes, usize::from(is_told), "wakes of {actor}");
            }
        }
    }

    /// Everybody leaves, one after the other.
    fn finish(mut self) {
        for actor in 0..ACTORS {
            match std::mem::take(&mut self.actors[actor]) {
                Actor::Idle => {}
                Actor::Waiting(future, before) => {
                    self.model.end(actor, before);
                    drop(future);
                }
                Actor::Holding(guard) => {
                    self.model.end(actor, None);
                    drop(guard);
                }
            }
            self.compare();
        }
        assert_eq!(self.subject.pool_stats().taken, 0);
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..ACTORS, any::<u8>(), 0..KEYS, any::<u8>());
    let step = step.prop_map(|(actor, verb, key, amount)| Step {
        actor,
        verb,
        key,
        amount,
    });
    proptest::collection::vec(step, 1..60)
}

fn in_step_with_the_model(kind: Kind) {
    let preferences = [Preference::Fifo, Preference::PhaseFair, Preference::Barging];
    for preference in preferences {
        let config = ProptestConfig {
            cases: if cfg!(miri) { 8 } else { 2_000 },
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        proptest!(config, |(steps in steps(), slots in prop_oneof![Just(1_usize), Just(64)])| {
            let options = KeyedOptions::new().slots(slots).pool(ACTORS, WhenFull::Fail);
            let subject = Subject::new(kind, options.preference(preference));
            let mut run = Run::new(&subject, preference);
            for step in steps {
                run.step(step);
            }
            run.finish();
        });
    }
}

#[test]
fn mutexes_do_what_the_model_does() {
    in_step_with_the_model(Kind::Mutex);
}

#[test]
fn read_write_locks_do_what_the_model_does() {
    in_step_with_the_model(Kind::RwLock);
}

#[test]
fn semaphores_do_what_the_model_does() {
    in_step_with_the_model(Kind::Semaphore);
}
