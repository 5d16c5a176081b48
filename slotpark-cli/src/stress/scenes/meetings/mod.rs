//! Latches and barriers: threads and tasks wait until a key was counted down, or for each other.
//! Nobody waits at an open latch; members come, arrive, take that back and go.

mod relay;

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use slotpark::Clock;
use slotpark::core::{
    ArmedLatch, Barrier, BarrierOutcome, Inspect, KeyedOptions, Latch, LatchOutcome,
};

use super::{Scene, Setting, named};
use crate::stress::actor::{Actor, Ended};
use crate::stress::drive::{Course, Driven, Plain};
use crate::stress::planned::Key;
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Numbers, Queue, Tables, Which};
use crate::stress::tally::Operation;

const SITES_MAX: usize = 32;

type Armed = Option<ArmedLatch<'static, Key>>;

/// One key, which is a latch and a barrier.
struct Site {
    key: Key,
    /// The latch's guard.
    armed: Mutex<Armed>,
    /// Guards that were dropped before all was counted down.
    abandoned: AtomicU64,
    /// Who waits at the barrier or has waited there: how it was told.
    leaders: AtomicU64,
    followers: AtomicU64,
    /// Waits that went away without telling how.
    dropped: AtomicU64,
}

struct Meetings {
    index: usize,
    numbers: &'static Numbers,
    latches: &'static Latch<Key>,
    barriers: Barrier<Key>,
    sites: Vec<Site>,
    /// A key for each thread, which no other uses.
    private: Vec<Key>,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let numbers = setting.numbers(tables).numbers;
    let keys = numbers.keys(15, setting.keys.min(SITES_MAX), setting.crowded);
    let site = |key: Key| Site {
        key,
        armed: Mutex::default(),
        abandoned: AtomicU64::new(0),
        leaders: AtomicU64::new(0),
        followers: AtomicU64::new(0),
        dropped: AtomicU64::new(0),
    };
    let options = KeyedOptions::new().slots(numbers.waits.slots());
    Box::new(Meetings {
        index,
        numbers,
        latches: &tables.latches,
        barriers: Barrier::with_options(options)
            .unwrap_or_default()
            .with_key_text(),
        sites: keys.into_iter().map(site).collect(),
        private: numbers.keys(17, setting.threads, setting.crowded),
    })
}

impl Site {
    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The guard goes, and whoever waits is told.
    fn abandon(&self) {
        let mut armed = self.armed();
        if armed.is_some() {
            // Before anybody can be told.
            self.abandoned.fetch_add(1, Ordering::Relaxed);
        }
        // Dropped before another is armed.
        *armed = None;
    }
}

impl Meetings {
    fn hash(&self, site: &Site) -> u64 {
        self.numbers.hash(site.key)
    }

    fn place(&self, number: usize) -> Place {
        Place {
            scene: self.index,
            key: number,
            ..Place::default()
        }
    }

    fn wait_at_latch(&self, actor: &mut Actor<'_>, number: usize) {
        let site = &self.sites[number];
        let (hash, patience) = (self.hash(site), actor.patience());
        let (mut outcome, at) = (None, self.place(number));
        let mut told = |ended: LatchOutcome| {
            outcome = Some(ended);
            match ended {
                LatchOutcome::TimedOut => Ended::TimedOut,
                LatchOutcome::Abandoned => Ended::Closed,
                _ => Ended::Woken { token: 0 },
            }
        };
        if actor.one_in(2) {
            let deadline = patience.deadline(Clock::Monotonic);
            actor.wait(Operation::WaitLatch, at, patience, || {
                told(self.latches.wait(hash, &site.key, deadline))
            });
        } else {
            let course = Course::draw(actor, patience).of_plain();
            actor.wait(Operation::WaitLatchAsync, at, patience, || {
                let wait = Plain(Box::pin(self.latches.wait_async(hash, site.key)));
                match course.drive(pin!(wait)) {
                    Driven::AtStart(ended) | Driven::Ended(ended) => told(ended),
                    Driven::GivenUp { .. } => Ended::GivenUp,
                }
            });
        }
        let abandoned = site.abandoned.load(Ordering::Relaxed);
        if outcome == Some(LatchOutcome::Abandoned) && abandoned == 0 {
            actor.found("who waited at a latch was told that its guard has gone: it has not");
        }
    }

    fn arm(&self, actor: &mut Actor<'_>, site: &Site) {
        let mut armed = site.armed();
        if armed.is_none() {
            match self
                .latches
                .arm(self.hash(site), site.key, actor.below(0..=3))
            {
                Ok(guard) => *armed = Some(guard),
                Err(error) => actor.found(&format!("a latch without a guard: {error:?}")),
            }
        } else if actor.one_in(2) {
            let left = armed.as_ref().map(|armed| armed.count_down(1));
            if left == Some(0) {
                *armed = None;
            }
        } else {
            drop(armed);
            site.abandon();
        }
        actor.tally.row(Operation::Arm).calls += 1;
    }

    /// One member, from its coming to its going.
    fn meet(&self, actor: &mut Actor<'_>, number: usize) {
        let site = &self.sites[number];
        let Ok(mut member) = self.barriers.register(self.hash(site), site.key) else {
            actor.found("a full pool allocates");
            return;
        };
        for _ in 0..actor.below(0..6) {
            let (patience, at) = (actor.patience(), self.place(number));
            let (mut is_leader, wait) = (false, actor.one_in(2));
            let mut told = |ended: BarrierOutcome| {
                is_leader = ended.is_leader();
                match ended {
                    BarrierOutcome::TimedOut => Ended::TimedOut,
                    _ => Ended::Woken { token: 0 },
                }
            };
            let ended = if wait {
                let deadline = patience.deadline(Clock::Monotonic);
                actor.wait(Operation::WaitBarrier, at, patience, || {
                    told(member.wait(deadline))
                })
            } else {
                let course = Course::draw(actor, patience).of_plain();
                actor.wait(Operation::WaitBarrierAsync, at, patience, || {
                    match course.drive(pin!(Plain(Box::pin(member.wait_async())))) {
                        Driven::AtStart(ended) | Driven::Ended(ended) => told(ended),
                        Driven::GivenUp { .. } => Ended::GivenUp,
                    }
                })
            };
            let count = match ended {
                Ended::Woken { .. } if is_leader => &site.leaders,
                Ended::Woken { .. } => &site.followers,
                Ended::GivenUp => &site.dropped,
                _ => continue,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn waiters(&self, site: &Site) -> (usize, usize) {
        let hash = self.hash(site);
        let at_latch = self.latches.waiters(hash, &site.key);
        (at_latch, self.barriers.arrived(hash, &site.key))
    }

    /// Nobody acts: who waits waits at a closed latch, or for a member that waits there.
    fn check_site(&self, site: &Site) -> Result<(), String> {
        let hash = self.hash(site);
        let (at_latch, arrived) = self.waiters(site);
        if at_latch > 0 && self.latches.is_open(hash, &site.key) {
            return Err(format!("{at_latch} wait at an open latch"));
        }
        let members = self.barriers.members(hash, &site.key);
        if members > 0 && arrived == members {
            return Err(format!("all {members} members have arrived, and wait"));
        }
        Ok(())
    }

    /// Everybody has come home.
    fn check_book(&self, site: &Site) -> Result<(), String> {
        let hash = self.hash(site);
        let members = self.barriers.members(hash, &site.key);
        let left = self.latches.remaining(hash, &site.key);
        if members > 0 || left > 0 {
            return Err(format!("{members} members and a latch of {left} are left"));
        }
        let [leaders, followers, dropped] = [&site.leaders, &site.followers, &site.dropped]
            .map(|each| each.load(Ordering::Relaxed));
        if followers > 0 && leaders + dropped == 0 {
            return Err(format!("{followers} have passed a barrier, led by nobody"));
        }
        Ok(())
    }
}

impl Scene for Meetings {
    fn name(&self) -> &'static str {
        "meetings"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let number = actor.target(self.index, self.sites.len());
        let site = &self.sites[number];
        match actor.below(0..10) {
            0..=3 => self.wait_at_latch(actor, number),
            4 | 5 => self.arm(actor, site),
            6 | 7 => {
                let count = actor.below(0..=2);
                let _left = self.latches.count_down(self.hash(site), &site.key, count);
                actor.tally.row(Operation::CountDown).calls += 1;
            }
            8 => self.relay(actor),
            _ => self.meet(actor, number),
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let queue = |(number, site): (usize, &Site)| {
            let (at_latch, arrived) = self.waiters(site);
            (at_latch + arrived > 0).then(|| Queue {
                table: Which::Own,
                key: format!("key {number}: {at_latch} at its latch, {arrived} at its barrier"),
                slot: self.numbers.waits.slot_of(&site.key),
                waiters: at_latch + arrived,
            })
        };
        self.sites.iter().enumerate().filter_map(queue).collect()
    }

    fn tables(&self) -> Vec<&dyn Inspect> {
        vec![&self.barriers]
    }

    fn check_quiet(&self, _waits: &[Waiting]) -> Result<(), String> {
        for (number, site) in self.sites.iter().enumerate() {
            named(format_args!("meeting {number}"), self.check_site(site))?;
        }
        Ok(())
    }

    fn release(&self) {
        for site in &self.sites {
            site.abandon();
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for (number, site) in self.sites.iter().enumerate() {
            named(format_args!("meeting {number}"), self.check_book(site))?;
        }
        for stats in [self.latches.pool_stats(), self.barriers.pool_stats()] {
            if stats.taken > 0 {
                return Err(format!("no guard is left, and {stats:?}"));
            }
        }
        Ok(())
    }

    fn sent(&self) -> (Which, u64) {
        (Which::Own, 0)
    }
}
