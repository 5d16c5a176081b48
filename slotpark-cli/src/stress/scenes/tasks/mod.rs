//! Tasks: permits as in `permits`, in two lanes, that threads and futures wait for in any order of
//! the queue, some of which go away while they are queued or chosen: then the wake must go on.
//!
//! Some pools have a second key, to which waiters are moved and from which they never come back:
//! who brings permits looks at both, in this order.

mod crowd;
mod waits;
mod wakes;

use std::sync::atomic::{AtomicU32, Ordering};

use super::relay::Track;
use super::{Ground, Scene, Setting, named};
use crate::stress::actor::Actor;
use crate::stress::ledger::Ledger;
use crate::stress::planned::Key;
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Queue, Tables, Which};

const LANES: usize = 2;

/// Permits that are waited for at one key. All counts are relaxed: the fences of the library are on
/// trial.
struct Pool {
    key: Key,
    /// Where waiters are moved to.
    back: Option<Key>,
    /// 1: every permit is for everybody. Else each lane has a bit of its own in wakes and waits.
    lanes: usize,
    counts: [AtomicU32; LANES],
    ledger: Ledger,
}

struct Tasks {
    index: usize,
    ground: Ground,
    pools: Vec<Pool>,
    /// A key for each thread, which no other uses; the last two books are theirs.
    private: Vec<Key>,
    relays: Ledger,
    closed: Ledger,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let ground = setting.tasks(tables);
    let keys = ground.numbers.keys(5, 2 * setting.keys, setting.crowded);
    let pool = |(number, keys): (usize, &[Key])| Pool {
        key: keys[0],
        back: (number % 3 == 2).then_some(keys[1]),
        lanes: 1 + number % 2,
        counts: Default::default(),
        ledger: Ledger::default(),
    };
    Box::new(Tasks {
        index,
        ground,
        pools: keys.chunks_exact(2).enumerate().map(pool).collect(),
        private: ground.numbers.keys(8, setting.threads, setting.crowded),
        relays: Ledger::default(),
        closed: Ledger::default(),
    })
}

impl Pool {
    fn count(&self, lane: usize) -> u32 {
        self.counts[lane].load(Ordering::Relaxed)
    }

    /// The bits that wakes compare.
    fn bits(&self, lane: usize) -> u32 {
        if self.lanes == 1 { u32::MAX } else { 1 << lane }
    }

    fn keys(&self) -> impl Iterator<Item = Key> {
        [self.key].into_iter().chain(self.back)
    }
}

impl Tasks {
    /// Those that count wakes.
    fn ledgers(&self) -> impl Iterator<Item = &Ledger> {
        let pools = self.pools.iter().map(|pool| &pool.ledger);
        pools.chain([&self.relays])
    }

    fn relay(&self, actor: &mut Actor<'_>) {
        let (waits, key) = (&self.ground.numbers.waits, self.private[actor.number()]);
        if actor.one_in(2) {
            return self.hand_on(actor, key);
        }
        let track = Track {
            waits,
            keys: &[key],
            woken: &self.relays,
            closed: &self.closed,
        };
        track.run(actor, |options| {
            waits.wait_async_with(key, options, || true)
        });
    }
}

impl Scene for Tasks {
    fn name(&self) -> &'static str {
        "tasks"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let key = actor.target(self.index, self.pools.len());
        let lane = actor.below(0..self.pools[key].lanes);
        let at = Place {
            scene: self.index,
            key,
            lanes: 1 << lane,
            ..Place::default()
        };
        match actor.below(0..16) {
            // Most keep what they take.
            0..=8 => {
                if self.acquire(actor, at) && actor.one_in(4) {
                    self.bring(actor, at, 1);
                }
            }
            9 => self.requeue(actor, key),
            10 if actor.one_in(8) => self.crowd(actor),
            10 => self.relay(actor),
            _ => self.bring_some(actor, at),
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let mut queues = Vec::new();
        for (number, pool) in self.pools.iter().enumerate() {
            for key in pool.keys() {
                queues.extend(self.ground.queue(key, || {
                    let left = &pool.counts[..pool.lanes];
                    format!("key {:#x} of pool {number}, permits left {left:?}", key.0)
                }));
            }
        }
        queues
    }

    fn check_quiet(&self, waits: &[Waiting]) -> Result<(), String> {
        for Waiting { at, .. } in waits {
            let lane = at.lanes.trailing_zeros() as usize;
            let count = self.pools[at.key].count(lane);
            if count > 0 {
                return Err(format!(
                    "a wake was lost: {count} permits are left in lane {lane} of pool {}, all is \
                     quiet, and a waiter is still queued for them",
                    at.key
                ));
            }
        }
        Ok(())
    }

    fn release(&self) {
        for pool in &self.pools {
            for key in pool.keys() {
                let woken = self.ground.numbers.waits.wake_all(&key);
                pool.ledger.sent(woken, 0);
            }
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for (number, pool) in self.pools.iter().enumerate() {
            named(format_args!("pool {number}"), pool.ledger.close())?;
        }
        named("relays", self.relays.close())?;
        named("closings of relays as wakes", self.closed.close())
    }

    fn sent(&self) -> (Which, u64) {
        (
            self.ground.which,
            self.ledgers().map(Ledger::total_sent).sum(),
        )
    }

    fn passed_max(&self) -> u64 {
        self.ledgers().map(Ledger::total_spent).sum()
    }
}
