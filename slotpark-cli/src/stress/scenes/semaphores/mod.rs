//! Semaphores, fair and barging: threads and tasks acquire some permits at once, hold them, give
//! them back in parts, or use them up; others bring new ones. Never more are held than exist, and
//! nobody waits for what is free.

mod books;
mod relay;

use std::pin::pin;
use std::time::Duration;

use slotpark::core::{At, Candidate, Filter, Inspect, RawSemaphore, Table};
use slotpark::{AcquireError, Clock, DefaultPlatform, TryAcquireError};

use super::{Scene, Setting, named};
use crate::stress::actor::{Actor, Ended};
use crate::stress::drive::{Course, Driven, Plain};
use crate::stress::planned::Key;
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Numbers, Queue, Tables, Which, adds_up};
use crate::stress::tally::Operation;
use books::Books;

/// More permits than this are not brought: then nobody would wait any more.
const PERMITS_MAX: u64 = 6;
/// The most that is asked for at once.
const COUNT_MAX: usize = 3;
const SITES_MAX: usize = 64;
/// Looks at one who should have been woken, by somebody who may still be about to.
const LOOKS: u32 = 1_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

struct Site {
    key: Key,
    semaphore: RawSemaphore,
    is_barging: bool,
    /// At the end, else it is given what all want.
    is_closed: bool,
    books: Books,
}

struct Semaphores {
    index: usize,
    /// A table whose slots the keys have here, too.
    numbers: &'static Numbers,
    table: Table<Key>,
    sites: Vec<Site>,
    /// A key for each thread, which no other uses.
    private: Vec<Key>,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let numbers = setting.numbers(tables).numbers;
    let keys = numbers.keys(9, setting.keys.min(SITES_MAX), setting.crowded);
    let site = |(number, key): (usize, Key)| {
        let is_barging = number % 2 == 1;
        Site {
            key,
            semaphore: match is_barging {
                true => RawSemaphore::barging(0),
                false => RawSemaphore::new(0),
            },
            is_barging,
            is_closed: number % 4 < 2,
            books: Books::default(),
        }
    };
    Box::new(Semaphores {
        index,
        numbers,
        table: numbers.own_table(),
        sites: keys.into_iter().enumerate().map(site).collect(),
        private: numbers.keys(11, setting.threads, setting.crowded),
    })
}

impl Semaphores {
    fn at(&self, site: &Site) -> At<'_, Key, DefaultPlatform> {
        self.at_key(site.key)
    }

    fn at_key(&self, key: Key) -> At<'_, Key, DefaultPlatform> {
        At {
            table: &self.table,
            hash: self.numbers.hash(key),
            key,
        }
    }

    fn acquire(&self, actor: &mut Actor<'_>, number: usize) {
        let (site, count) = (&self.sites[number], actor.below(1..=COUNT_MAX));
        let at = Place {
            scene: self.index,
            key: number,
            ..Place::default()
        };
        let patience = actor.patience();
        let ended = if actor.one_in(2) {
            let deadline = patience.deadline(Clock::Monotonic);
            actor.wait(Operation::Acquire, at, patience, || {
                told(site.semaphore.acquire(self.at(site), count, deadline))
            })
        } else {
            let course = Course::draw(actor, patience).of_plain();
            actor.wait(Operation::AcquireAsync, at, patience, || {
                let acquire = Plain(Box::pin(site.semaphore.acquire_async(self.at(site), count)));
                match course.drive(pin!(acquire)) {
                    Driven::AtStart(acquired) | Driven::Ended(acquired) => told(acquired),
                    Driven::GivenUp { .. } => Ended::GivenUp,
                }
            })
        };
        match ended {
            Ended::Woken { .. } => self.hold(actor, site, count),
            Ended::Closed if !actor.is_sealed() => {
                actor.found("a semaphore that nobody has closed is closed");
            }
            _ => {}
        }
    }

    /// Permits were acquired: some are used up.
    fn hold(&self, actor: &mut Actor<'_>, site: &Site, count: usize) {
        if !site.books.hold(count) {
            actor.found(&format!(
                "more permits are held than exist: {:?}",
                site.books
            ));
        }
        for _ in 0..actor.below(0..64_u32) {
            std::hint::spin_loop();
        }
        if actor.one_in(4) {
            site.books.use_up(count);
            return;
        }
        let (times, each) = if actor.one_in(2) {
            (1, count)
        } else {
            (count, 1)
        };
        for _ in 0..times {
            site.books.give_back(each);
            self.release(actor, site, each);
        }
    }

    fn release(&self, actor: &mut Actor<'_>, site: &Site, count: usize) {
        site.semaphore.release(self.at(site), count);
        actor.woke(Operation::Release, 0);
    }

    fn bring(&self, actor: &mut Actor<'_>, site: &Site) {
        if site.books.read().0 < PERMITS_MAX {
            let count = actor.below(1..=COUNT_MAX);
            site.books.bring(count);
            self.release(actor, site, count);
        }
    }

    /// What those ask for who are queued, in their order.
    fn wanted(&self, site: &Site) -> Vec<usize> {
        let mut wanted = Vec::new();
        let look = |waiter: &Candidate| {
            wanted.push(waiter.tag as usize);
            Filter::Skip
        };
        let at = self.at(site);
        let _none = at
            .table
            .unpark_filter(at.hash, &at.key, usize::MAX, look, 0);
        wanted
    }

    /// Who is next could not have what it asks for.
    fn is_right(&self, site: &Site) -> bool {
        let (wanted, free) = (self.wanted(site), site.semaphore.available());
        let next = if site.is_barging {
            wanted.iter().min()
        } else {
            wanted.first()
        };
        next.is_none_or(|next| *next > free)
    }

    fn check_site(&self, site: &Site) -> Result<(), String> {
        // A barging one that has queued again may be about to look after the others.
        for _ in 0..LOOKS {
            if self.is_right(site) {
                break;
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
        if !self.is_right(site) {
            return Err(format!(
                "a wake was lost: {} permits are free, all is quiet, and those wait who ask for \
                 {:?}",
                site.semaphore.available(),
                self.wanted(site)
            ));
        }
        check_count(site)
    }

    fn check_book(&self, site: &Site) -> Result<(), String> {
        check_count(site)?;
        let free = site.semaphore.available();
        let expected = match site.is_closed {
            true => Err(TryAcquireError::Closed),
            false => Ok(()),
        };
        if free > 0 && site.semaphore.try_acquire(free) != expected {
            return Err(format!("{free} are free, and nobody gets them"));
        }
        Ok(())
    }
}

/// Nobody acts: what exists is free.
fn check_count(site: &Site) -> Result<(), String> {
    let (free, books) = (site.semaphore.available(), site.books.read());
    if books != (free as u64, 0) {
        return Err(format!(
            "{free} permits are free, and (existing, held) are {books:?}"
        ));
    }
    Ok(())
}

fn told(acquired: Result<(), AcquireError>) -> Ended {
    match acquired {
        Ok(()) => Ended::Woken { token: 0 },
        Err(AcquireError::TimedOut) => Ended::TimedOut,
        Err(_) => Ended::Closed,
    }
}

impl Scene for Semaphores {
    fn name(&self) -> &'static str {
        "semaphores"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let number = actor.target(self.index, self.sites.len());
        let site = &self.sites[number];
        match actor.below(0..16) {
            0..=9 => self.acquire(actor, number),
            10 => {
                let count = actor.below(1..=COUNT_MAX);
                let taken = site.semaphore.try_acquire(count);
                actor.tally.row(Operation::TryAcquire).calls += 1;
                if taken.is_ok() {
                    self.hold(actor, site, count);
                }
            }
            11 => self.relay(actor),
            _ => self.bring(actor, site),
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let queue = |(number, site): (usize, &Site)| {
            let at = self.at(site);
            let waiters = self.table.waiters(at.hash, &at.key);
            (waiters > 0).then(|| Queue {
                table: Which::Own,
                key: format!("semaphore {number}, {:?}", site.semaphore),
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
            named(format_args!("semaphore {number}"), self.check_site(site))?;
        }
        Ok(())
    }

    fn release(&self) {
        for site in &self.sites {
            if site.is_closed {
                site.semaphore.close(self.at(site));
            } else {
                let wanted = self.wanted(site).iter().sum();
                site.books.bring(wanted);
                site.semaphore.release(self.at(site), wanted);
            }
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for (number, site) in self.sites.iter().enumerate() {
            named(format_args!("semaphore {number}"), self.check_book(site))?;
        }
        named("semaphores", adds_up(&self.table)).map(|_wakes| ())
    }

    fn sent(&self) -> (Which, u64) {
        (Which::Own, 0)
    }
}
