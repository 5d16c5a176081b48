//! Permits: a count of them per key; a wait takes one or waits for one, a wake brings some and
//! wakes as many. While permits are left, nobody may be queued for them.

use std::sync::atomic::{AtomicU32, Ordering};

use slotpark::Clock;
use slotpark::core::{Filter, ParkOptions};

use super::{Ground, Scene, Setting, book, named, try_take};
use crate::stress::actor::{Actor, Ended, Patience};
use crate::stress::ledger::Ledger;
use crate::stress::planned::{Key, panic_as_planned};
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Queue, Tables, Which};
use crate::stress::tally::Operation;

/// Permits of one key. The count is relaxed: the fences of the library are on trial.
pub(super) struct Permits {
    pub(super) key: Key,
    count: AtomicU32,
    pub(super) ledger: Ledger,
}

impl Permits {
    pub(super) fn new(key: Key, count: u32) -> Self {
        Self {
            key,
            count: AtomicU32::new(count),
            ledger: Ledger::default(),
        }
    }

    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn try_take(&self) -> bool {
        try_take(&self.count)
    }

    /// Takes a permit; false if there was none in time, or if the phase is over.
    pub(super) fn acquire(&self, actor: &mut Actor<'_>, ground: Ground, at: Place) -> bool {
        loop {
            if self.try_take() {
                return true;
            }
            if actor.is_sealed() {
                return false;
            }
            match self.wait(actor, ground, at) {
                Ended::Woken { token } => {
                    book(actor, Ended::Woken { token }, at.key, &self.ledger);
                }
                Ended::Stale => {}
                ended => {
                    book(actor, ended, at.key, &self.ledger);
                    return false;
                }
            }
        }
    }

    fn wait(&self, actor: &mut Actor<'_>, ground: Ground, at: Place) -> Ended {
        let (waits, table) = (&ground.numbers.waits, ground.numbers.table());
        let (patience, api) = (actor.patience(), actor.below(0..4));
        let panics = actor.one_in(64);
        let none_left = || {
            if panics {
                panic_as_planned();
            }
            self.count() == 0
        };
        let operation = match (api, patience) {
            (0, _) => Operation::Park,
            (1, _) => Operation::WaitBits,
            (_, Patience::Endless) => Operation::Wait,
            _ => Operation::WaitTimed,
        };
        let deadline = patience.deadline(Clock::Monotonic);
        actor.wait(operation, at, patience, || {
            match (api, patience.instant()) {
                (0, _) => {
                    let options = ParkOptions::new().deadline(deadline);
                    let hash = ground.numbers.hash(self.key);
                    table.park(hash, &self.key, options, none_left).into()
                }
                (1, _) => waits
                    .wait_with(&self.key, u32::MAX, deadline, none_left)
                    .into(),
                (_, Some(deadline)) => waits.wait_until(&self.key, none_left, deadline).into(),
                (_, None) => waits.wait(&self.key, none_left).into(),
            }
        })
    }

    /// Brings `count` permits and wakes as many waiters. `key` is named in the token.
    pub(super) fn release(&self, actor: &mut Actor<'_>, ground: Ground, key: usize, count: u32) {
        let (waits, table) = (&ground.numbers.waits, ground.numbers.table());
        let hash = ground.numbers.hash(self.key);
        let (api, token) = (actor.below(0..6), actor.token(key));
        let bring = || self.count.fetch_add(count, Ordering::Relaxed);
        let wanted = count as usize;
        if api != 0 {
            bring();
        }
        let all = |_: &_| Filter::Unpark;
        let (operation, woken, token) = match api {
            // Under the slot lock, between the choice and the release.
            0 => {
                let policy = |_| {
                    bring();
                    token
                };
                let woken = table.unpark_with(hash, &self.key, wanted, all, policy);
                (Operation::UnparkWith, woken, token)
            }
            1 => {
                let woken = waits.wake_with_token(&self.key, wanted, token);
                (Operation::WakeToken, woken, token)
            }
            2 => {
                let woken = table.unpark_filter(hash, &self.key, wanted, all, token);
                (Operation::UnparkFilter, woken, token)
            }
            3 if count == 1 => (Operation::WakeFew, waits.wake_one(&self.key), 0),
            4 if count == 1 => (Operation::WakeLast, waits.wake_last(&self.key), 0),
            _ => (Operation::WakeFew, waits.wake(&self.key, wanted), 0),
        };
        self.ledger.sent(woken, token);
        actor.woke(operation, woken);
        if woken > wanted {
            actor.found(&format!(
                "a wake of at most {wanted} says that it woke {woken}"
            ));
        }
    }

    /// Nobody acts: who is queued has no permit to take.
    pub(super) fn check_quiet(&self, ground: Ground) -> Result<(), String> {
        let (count, waiters) = (self.count(), ground.numbers.waits.waiters(&self.key));
        if count > 0 && waiters > 0 {
            return Err(format!(
                "a wake was lost: {count} permits are left, all is quiet, and {waiters} waiters \
                 are still queued for them"
            ));
        }
        Ok(())
    }

    /// Wakes all who wait for a permit; the phase is sealed, so none of them waits again.
    pub(super) fn release_all(&self, ground: Ground) {
        self.ledger
            .sent(ground.numbers.waits.wake_all(&self.key), 0);
    }
}

struct Scenery {
    index: usize,
    ground: Ground,
    permits: Vec<Permits>,
}

/// More permits than this are not brought: then nobody would wait any more.
const PERMITS_MAX: u32 = 4;

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let ground = setting.numbers(tables);
    let keys = ground.numbers.keys(2, setting.keys, setting.crowded);
    let permits = keys.into_iter().map(|key| Permits::new(key, 1)).collect();
    Box::new(Scenery {
        index,
        ground,
        permits,
    })
}

impl Scene for Scenery {
    fn name(&self) -> &'static str {
        "permits"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let key = actor.target(self.index, self.permits.len());
        let permits = &self.permits[key];
        if actor.one_in(2) {
            let at = Place {
                scene: self.index,
                key,
                ..Place::default()
            };
            // Some keep what they take.
            if permits.acquire(actor, self.ground, at) && !actor.one_in(3) {
                permits.release(actor, self.ground, key, 1);
            }
        } else if permits.count() < PERMITS_MAX {
            let count = actor.below(1..=3);
            permits.release(actor, self.ground, key, count);
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let permits = self.permits.iter().enumerate();
        let queue = |(key, permits): (usize, &Permits)| {
            self.ground.queue(permits.key, || {
                format!("permits {key}, {} left", permits.count())
            })
        };
        permits.filter_map(queue).collect()
    }

    fn check_quiet(&self, _waits: &[Waiting]) -> Result<(), String> {
        for (key, permits) in self.permits.iter().enumerate() {
            named(
                format_args!("permits {key}"),
                permits.check_quiet(self.ground),
            )?;
        }
        Ok(())
    }

    fn release(&self) {
        for permits in &self.permits {
            permits.release_all(self.ground);
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for (key, permits) in self.permits.iter().enumerate() {
            named(format_args!("permits {key}"), permits.ledger.close())?;
        }
        Ok(())
    }

    fn sent(&self) -> (Which, u64) {
        let sent = self
            .permits
            .iter()
            .map(|permits| permits.ledger.total_sent());
        (self.ground.which, sent.sum())
    }
}
