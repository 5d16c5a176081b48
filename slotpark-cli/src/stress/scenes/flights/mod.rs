//! Single flights: threads and tasks lead and follow, fail, come too late and go away. One leads a
//! key at a time, nobody has a value of a flight that had ended before, and every clone is dropped
//! once.

mod relay;

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use slotpark::Clock;
use slotpark::core::{FlightError, Inspect, SingleFlight};

use super::{Scene, Setting, named};
use crate::stress::actor::{Actor, Ended, Patience};
use crate::stress::drive::{Course, Driven, Plain};
use crate::stress::planned::{Key, panic_as_planned};
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Numbers, Queue, Tables, Which};
use crate::stress::tally::Operation;

const SITES_MAX: usize = 64;

/// What was made: when its flight had ended, if it has, and how many of it there are.
struct Value {
    ended: Arc<AtomicU64>,
    alive: Arc<AtomicU64>,
}

impl Clone for Value {
    fn clone(&self) -> Self {
        self.alive.fetch_add(1, Ordering::Relaxed);
        Self {
            ended: Arc::clone(&self.ended),
            alive: Arc::clone(&self.alive),
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Site {
    key: Key,
    /// How many lead, and how often one was not alone: seen where no finding can be told.
    leading: AtomicU64,
    crowded: AtomicU64,
}

struct Flights {
    index: usize,
    numbers: &'static Numbers,
    flights: SingleFlight<Key, Value>,
    sites: Vec<Site>,
    /// Counts wishes and ends of flights. 0 is never.
    clock: AtomicU64,
    alive: Arc<AtomicU64>,
    /// A key for each thread, which no other uses.
    private: Vec<Key>,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let numbers = setting.numbers(tables).numbers;
    let keys = numbers.keys(14, setting.keys.min(SITES_MAX), setting.crowded);
    let site = |key: Key| Site {
        key,
        leading: AtomicU64::new(0),
        crowded: AtomicU64::new(0),
    };
    Box::new(Flights {
        index,
        numbers,
        flights: SingleFlight::try_with_slots(numbers.waits.slots())
            .unwrap_or_default()
            .with_key_text(),
        sites: keys.into_iter().map(site).collect(),
        clock: AtomicU64::new(1),
        alive: Arc::default(),
        private: numbers.keys(16, setting.threads, setting.crowded),
    })
}

/// Counted as one that leads its key.
struct Leads<'s>(&'s Site);

impl<'s> Leads<'s> {
    fn new(site: &'s Site) -> Self {
        // Relaxed: the library orders the leads of one key, which is on trial.
        let others = site.leading.fetch_add(1, Ordering::Relaxed);
        site.crowded.fetch_add(others, Ordering::Relaxed);
        Self(site)
    }
}

impl Drop for Leads<'_> {
    fn drop(&mut self) {
        self.0.leading.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a leader does.
#[derive(Clone, Copy)]
struct Makes {
    spins: u32,
    /// Polls for nothing, of a task.
    pauses: u32,
    fails: bool,
    panics: bool,
}

/// A flight that is not counted as leading any more when it begins to be dropped.
struct Flight<'s, F>(Pin<Box<F>>, Rc<RefCell<Option<Leads<'s>>>>);

impl<F: Future> Future for Flight<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<F> Drop for Flight<'_, F> {
    fn drop(&mut self) {
        self.1.take();
    }
}

impl Flights {
    fn make(&self, makes: Makes) -> Result<Value, ()> {
        for _ in 0..makes.spins {
            std::hint::spin_loop();
        }
        if makes.panics {
            panic_as_planned();
        }
        if makes.fails {
            return Err(());
        }
        self.alive.fetch_add(1, Ordering::Relaxed);
        Ok(Value {
            ended: Arc::default(),
            alive: Arc::clone(&self.alive),
        })
    }

    /// The result, and whether the caller has led; none if it came too late or went away.
    fn fly(&self, actor: &mut Actor<'_>, number: usize) -> Option<(Result<Value, ()>, bool)> {
        let site = &self.sites[number];
        let (patience, at) = (actor.patience(), self.place(number));
        let makes = Makes {
            spins: actor.below(0..200),
            pauses: actor.below(0..3),
            fails: actor.one_in(5),
            panics: actor.one_in(32),
        };
        let (mut flown, mut has_led) = (None, false);
        if actor.one_in(2) {
            let deadline = patience.deadline(Clock::Monotonic);
            let hash = self.numbers.hash(site.key);
            actor.wait(Operation::Fly, at, patience, || {
                let ended = self.flights.fly(hash, &site.key, deadline, || {
                    let _leads = Leads::new(site);
                    has_led = true;
                    self.make(makes)
                });
                if matches!(ended, Err(FlightError::TimedOut)) {
                    return Ended::TimedOut;
                }
                flown = Some(ended.map_err(|_failed| ()));
                Ended::Woken { token: 0 }
            });
        } else {
            flown = self.fly_async(actor, (number, patience), makes, &mut has_led);
        }
        flown.map(|flown| (flown, has_led))
    }

    fn fly_async(
        &self,
        actor: &mut Actor<'_>,
        (number, patience): (usize, Patience),
        makes: Makes,
        has_led: &mut bool,
    ) -> Option<Result<Value, ()>> {
        let (site, mut pauses, mut flown) = (&self.sites[number], makes.pauses, None);
        let (course, at) = (Course::draw(actor, patience), self.place(number));
        actor.wait(Operation::FlyAsync, at, patience, || {
            let leads = Rc::new(RefCell::new(None));
            let make = poll_fn(|context| {
                *has_led = true;
                let mut leading = leads.borrow_mut();
                leading.get_or_insert_with(|| Leads::new(site));
                if pauses > 0 {
                    pauses -= 1;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                // Not counted any more, also by a panic, before others lead.
                let _leads = leading.take();
                Poll::Ready(self.make(makes))
            });
            let hash = self.numbers.hash(site.key);
            let flying = Box::pin(self.flights.fly_async(hash, site.key, make));
            let flight = Plain(Box::pin(Flight(flying, Rc::clone(&leads))));
            match course.of_plain().drive(pin!(flight)) {
                Driven::AtStart(ended) | Driven::Ended(ended) => {
                    flown = Some(ended);
                    Ended::Woken { token: 0 }
                }
                Driven::GivenUp { .. } => Ended::GivenUp,
            }
        });
        flown
    }

    fn place(&self, number: usize) -> Place {
        Place {
            scene: self.index,
            key: number,
            ..Place::default()
        }
    }

    fn waiters(&self, site: &Site) -> usize {
        let hash = self.numbers.hash(site.key);
        self.flights.waiters(hash, &site.key)
    }

    /// Nobody acts, so nobody leads.
    fn check_site(&self, site: &Site) -> Result<(), String> {
        let flies = self
            .flights
            .is_flying(self.numbers.hash(site.key), &site.key);
        let waiters = self.waiters(site);
        if flies || waiters > 0 {
            return Err(format!(
                "a lead was lost: all is quiet, it flies: {flies}, and {waiters} wait"
            ));
        }
        match site.crowded.load(Ordering::Relaxed) {
            0 => Ok(()),
            count => Err(format!("{count} times another one has led, too")),
        }
    }
}

impl Scene for Flights {
    fn name(&self) -> &'static str {
        "flights"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        if actor.one_in(8) {
            self.relay(actor);
            return;
        }
        let number = actor.target(self.index, self.sites.len());
        // A value that had come before must not come again.
        let before = self.clock.fetch_add(1, Ordering::Relaxed);
        match self.fly(actor, number) {
            Some((Ok(value), has_led)) => {
                let ended = value.ended.load(Ordering::Relaxed);
                if ended != 0 && ended < before {
                    actor.found(&format!(
                        "a wish of moment {before} was given a value of a flight that had ended at \
                         {ended}"
                    ));
                }
                if has_led {
                    let now = self.clock.fetch_add(1, Ordering::Relaxed);
                    value.ended.store(now, Ordering::Relaxed);
                }
            }
            Some((Err(()), false)) => actor.found("who has not led was told of a failure"),
            Some((Err(()), true)) | None => {}
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let queue = |(number, site): (usize, &Site)| {
            let waiters = self.waiters(site);
            (waiters > 0).then(|| Queue {
                table: Which::Own,
                key: format!("flight {number}"),
                slot: self.numbers.waits.slot_of(&site.key),
                waiters,
            })
        };
        self.sites.iter().enumerate().filter_map(queue).collect()
    }

    fn tables(&self) -> Vec<&dyn Inspect> {
        vec![&self.flights]
    }

    fn check_quiet(&self, _waits: &[Waiting]) -> Result<(), String> {
        for (number, site) in self.sites.iter().enumerate() {
            named(format_args!("flight {number}"), self.check_site(site))?;
        }
        Ok(())
    }

    fn release(&self) {}

    fn check_books(&self) -> Result<(), String> {
        self.check_quiet(&[])?;
        match self.alive.load(Ordering::Relaxed) {
            0 => Ok(()),
            alive => Err(format!("flights: {alive} values are left of all (as i64)")),
        }
    }

    fn sent(&self) -> (Which, u64) {
        (Which::Own, 0)
    }
}
