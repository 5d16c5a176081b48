//! Event counters: threads and tasks wait until one has come so far, others advance it. Nobody
//! returns too early, nobody waits for what has come, and an advance counts whom it wakes.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};

use slotpark::core::{At, Candidate, Filter, Inspect, RawEventCounter, Table};
use slotpark::{Clock, DefaultPlatform, EventError};

use super::{Scene, Setting, named};
use crate::stress::actor::{Actor, Ended};
use crate::stress::drive::{Course, Driven, Plain};
use crate::stress::planned::Key;
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Numbers, Queue, Tables, Which, adds_up};
use crate::stress::tally::Operation;

const SITES_MAX: usize = 64;

struct Site {
    key: Key,
    events: RawEventCounter,
    /// At least so many have come.
    announced: AtomicU64,
    /// At the end, else it is advanced as far as anybody waits for.
    is_closed: bool,
}

struct Counters {
    index: usize,
    /// A table whose slots the keys have here, too.
    numbers: &'static Numbers,
    table: Table<Key>,
    sites: Vec<Site>,
    /// Whom advances have woken, as they say.
    woken: AtomicU64,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let numbers = setting.numbers(tables).numbers;
    let keys = numbers.keys(10, setting.keys.min(SITES_MAX), setting.crowded);
    let site = |(number, key): (usize, Key)| Site {
        key,
        events: RawEventCounter::new(),
        announced: AtomicU64::new(0),
        is_closed: number % 2 == 1,
    };
    Box::new(Counters {
        index,
        numbers,
        table: numbers.own_table(),
        sites: keys.into_iter().enumerate().map(site).collect(),
        woken: AtomicU64::new(0),
    })
}

impl Counters {
    fn at(&self, site: &Site) -> At<'_, Key, DefaultPlatform> {
        At {
            table: &self.table,
            hash: self.numbers.hash(site.key),
            key: site.key,
        }
    }

    fn wait(&self, actor: &mut Actor<'_>, number: usize) {
        let site = &self.sites[number];
        // One more is what a ticket waits for.
        let count = site.events.count() + actor.below(0..=3);
        let at = Place {
            scene: self.index,
            key: number,
            ..Place::default()
        };
        let patience = actor.patience();
        let mut come = None;
        let ended = if actor.one_in(2) {
            let deadline = patience.deadline(Clock::Monotonic);
            actor.wait(Operation::WaitForEvents, at, patience, || {
                let waited = site
                    .events
                    .wait_for_at_least(self.at(site), count, deadline);
                told(waited, &mut come)
            })
        } else {
            let course = Course::draw(actor, patience).of_plain();
            actor.wait(Operation::WaitForEventsAsync, at, patience, || {
                let wait = site.events.wait_for_at_least_async(self.at(site), count);
                match course.drive(pin!(Plain(Box::pin(wait)))) {
                    Driven::AtStart(waited) | Driven::Ended(waited) => told(waited, &mut come),
                    Driven::GivenUp { .. } => Ended::GivenUp,
                }
            })
        };
        let announced = site.announced.load(Ordering::Relaxed);
        if come.is_some_and(|come| come < count || come > announced) {
            actor.found(&format!(
                "who waited for {count} events was told of {come:?}, of {announced}"
            ));
        }
        if ended == Ended::Closed && !actor.is_sealed() {
            actor.found("waits for events were closed, and nobody has done that");
        }
    }

    fn advance(&self, site: &Site, events: u64) -> usize {
        site.announced.fetch_add(events, Ordering::Relaxed);
        let woken = site.events.advance(self.at(site), events);
        self.woken.fetch_add(woken as u64, Ordering::Relaxed);
        woken
    }

    /// What those wait for who are queued.
    fn wanted(&self, site: &Site) -> Vec<u64> {
        let mut wanted = Vec::new();
        let look = |waiter: &Candidate| {
            wanted.push(waiter.tag);
            Filter::Skip
        };
        let at = self.at(site);
        let _none = at
            .table
            .unpark_filter(at.hash, &at.key, usize::MAX, look, 0);
        wanted
    }

    fn check_site(&self, site: &Site) -> Result<(), String> {
        let (count, wanted) = (site.events.count(), self.wanted(site));
        if wanted.iter().any(|wanted| *wanted <= count) {
            return Err(format!(
                "a wake was lost: {count} events have come, all is quiet, and {wanted:?} are \
                 waited for"
            ));
        }
        Ok(())
    }
}

fn told(waited: Result<u64, EventError>, come: &mut Option<u64>) -> Ended {
    match waited {
        Ok(count) => {
            *come = Some(count);
            Ended::Woken { token: 0 }
        }
        Err(EventError::TimedOut) => Ended::TimedOut,
        Err(_) => Ended::Closed,
    }
}

impl Scene for Counters {
    fn name(&self) -> &'static str {
        "counters"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let number = actor.target(self.index, self.sites.len());
        if actor.one_in(2) {
            self.wait(actor, number);
        } else {
            let events = actor.below(0..=2);
            let woken = self.advance(&self.sites[number], events);
            actor.woke(Operation::Advance, woken);
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let queue = |(number, site): (usize, &Site)| {
            let at = self.at(site);
            let waiters = self.table.waiters(at.hash, &at.key);
            (waiters > 0).then(|| Queue {
                table: Which::Own,
                key: format!("counter {number}, {:?}", site.events),
                slot: self.table.slot_index(at.hash),
                waiters,
            })
        };
        self.sites.iter().enumerate().filter_map(queue).collect()
    }

    fn tables(&self) -> Vec<&dyn Inspect> {
        vec![&self.table]
    }

    fn check_quiet(&self, _waits: &[Waiting]) -> Result<(), String> {
        for (number, site) in self.sites.iter().enumerate() {
            named(format_args!("counter {number}"), self.check_site(site))?;
        }
        Ok(())
    }

    fn release(&self) {
        for site in &self.sites {
            if site.is_closed {
                let at = self.at(site);
                let _closed = self.table.close_key(at.hash, &at.key);
            } else {
                let last = self.wanted(site).into_iter().max().unwrap_or(0);
                self.advance(site, last.saturating_sub(site.events.count()));
            }
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for (number, site) in self.sites.iter().enumerate() {
            let announced = site.announced.load(Ordering::Relaxed);
            if site.events.count() != announced {
                let come = site.events.count();
                return Err(format!("counter {number}: {come} of {announced} have come"));
            }
        }
        let wakes = named("counters", adds_up(&self.table))?;
        let woken = self.woken.load(Ordering::Relaxed);
        if wakes != woken as u32 {
            return Err(format!(
                "counters: advances counted {woken} waiters, the slots {wakes} (modulo 2^32)"
            ));
        }
        Ok(())
    }

    fn sent(&self) -> (Which, u64) {
        (Which::Own, 0)
    }
}
