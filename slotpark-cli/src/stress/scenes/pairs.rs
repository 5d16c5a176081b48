//! Pairs: a condition variable and a lock each; a broadcast moves the waiters to the lock's queue
//! while the lock is held, and wakes them all while it is not.
//!
//! The lock is one permit. Who was moved is woken by its unlock; if the requeuer's announcement on
//! the target were missing, an unlocker would find nobody while waiters are being moved.

use std::sync::atomic::{AtomicU32, Ordering};

use slotpark::Clock;
use slotpark::core::{Candidate, Filter, ParkOptions, RequeueOptions};

use super::permits::Permits;
use super::{Ground, Scene, Setting, named};
use crate::stress::actor::{Actor, Ended, THREADS_MAX, stamp_of};
use crate::stress::planned::Key;
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Queue, Tables, Which};
use crate::stress::tally::Operation;

const ALL: usize = usize::MAX;

struct Pair {
    condition: Key,
    /// What waiters of the condition expect to be unchanged. Relaxed: the fences of the library are
    /// on trial.
    sequence: AtomicU32,
    /// Its ledger holds the wakes of both queues.
    lock: Permits,
}

struct Pairs {
    index: usize,
    ground: Ground,
    pairs: Vec<Pair>,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    let ground = setting.numbers(tables);
    let keys = ground.numbers.keys(3, 2 * setting.keys, setting.crowded);
    let pair = |keys: &[Key]| Pair {
        condition: keys[0],
        sequence: AtomicU32::new(0),
        lock: Permits::new(keys[1], 1),
    };
    Box::new(Pairs {
        index,
        ground,
        pairs: keys.chunks_exact(2).map(pair).collect(),
    })
}

impl Pairs {
    /// Waits on the condition. Whoever was woken passes through the lock, as after `Condvar::wait`.
    fn wait(&self, actor: &mut Actor<'_>, key: usize) {
        let pair = &self.pairs[key];
        let (numbers, patience) = (self.ground.numbers, actor.patience());
        let expected = pair.sequence.load(Ordering::Relaxed);
        let mut at = self.place(key);
        at.lanes = 1;
        at.expected[0] = expected;
        let options = ParkOptions::new()
            .tag(u64::from(expected) << 32 | u64::from(u32::MAX))
            .deadline(patience.deadline(Clock::Monotonic));
        let hash = numbers.hash(pair.condition);
        let ended = actor.wait(Operation::Park, at, patience, || {
            let unchanged = || pair.sequence.load(Ordering::Relaxed) == expected;
            numbers
                .table()
                .park(hash, &pair.condition, options, unchanged)
                .into()
        });
        if let Ended::Woken { token } = ended {
            pair.lock.ledger.received(token);
            actor.check_token(key, token);
            // If it is not free, then its holder's unlock wakes those who are still queued.
            if pair.lock.try_take() {
                pair.lock.release(actor, self.ground, key, 1);
            }
        }
    }

    fn broadcast(&self, actor: &mut Actor<'_>, key: usize) {
        let pair = &self.pairs[key];
        let (numbers, table) = (self.ground.numbers, self.ground.numbers.table());
        let [from, to] = [pair.condition, pair.lock.key].map(|key| (numbers.hash(key), key));
        let options = RequeueOptions {
            wake_max: actor.below(0..=1),
            move_max: ALL,
            token: actor.token(key),
        };
        let stamp = actor.stamp();
        let old = pair.sequence.load(Ordering::Relaxed);
        pair.sequence.store(stamp, Ordering::Relaxed);
        let is_locked = || Ok::<_, std::convert::Infallible>(pair.lock.count() == 0);
        let requeued = match table.requeue((from.0, &from.1), (to.0, &to.1), options, is_locked) {
            Ok(requeued) => requeued,
            Err(never) => match never {},
        };
        let row = actor.tally.row(Operation::Requeue);
        row.calls += 1;
        if let Some(requeued) = requeued {
            row.woken += requeued.woken as u64;
            row.moved += requeued.moved as u64;
            pair.lock.ledger.sent(requeued.woken, options.token);
        } else {
            row.stale += 1;
            let woken = numbers.waits.wake_all(&pair.condition);
            pair.lock.ledger.sent(woken, 0);
            actor.woke(Operation::WakeAll, woken);
        }
        self.audit(actor, key, old);
    }

    /// A broadcast that replaced `old` has returned: who expects `old` was woken or moved.
    fn audit(&self, actor: &mut Actor<'_>, key: usize, old: u32) {
        let condition = self.pairs[key].condition;
        let numbers = self.ground.numbers;
        let mut lost = 0;
        let look = |waiter: &Candidate| {
            lost += usize::from(old != 0 && (waiter.tag >> 32) as u32 == old);
            Filter::Skip
        };
        let hash = numbers.hash(condition);
        let woken = numbers
            .table()
            .unpark_filter(hash, &condition, ALL, look, 0);
        actor.woke(Operation::Audit, woken);
        if lost > 0 {
            actor.found(&format!(
                "pair {key}: a broadcast was lost: after it {lost} waiters of the value {old:#x}, \
                 which it replaced, are still queued at the condition"
            ));
        }
    }

    fn place(&self, key: usize) -> Place {
        Place {
            scene: self.index,
            key,
            ..Place::default()
        }
    }
}

impl Scene for Pairs {
    fn name(&self) -> &'static str {
        "pairs"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let key = actor.target(self.index, self.pairs.len());
        let lock = &self.pairs[key].lock;
        match actor.below(0..10) {
            0..=4 => self.wait(actor, key),
            5..=6 => self.broadcast(actor, key),
            _ => {
                if lock.acquire(actor, self.ground, self.place(key)) {
                    if actor.one_in(2) {
                        self.broadcast(actor, key);
                    }
                    lock.release(actor, self.ground, key, 1);
                }
            }
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let mut queues = Vec::new();
        for (key, pair) in self.pairs.iter().enumerate() {
            queues.extend(self.ground.queue(pair.condition, || {
                let sequence = pair.sequence.load(Ordering::Relaxed);
                format!("condition {key}, its word {sequence:#x}")
            }));
            queues.extend(self.ground.queue(pair.lock.key, || {
                format!("lock of pair {key}, {} permits left", pair.lock.count())
            }));
        }
        queues
    }

    fn check_quiet(&self, waits: &[Waiting]) -> Result<(), String> {
        let mut current = vec![0; self.pairs.len()];
        for Waiting { at, .. } in waits {
            let sequence = self.pairs[at.key].sequence.load(Ordering::Relaxed);
            current[at.key] += usize::from(at.lanes != 0 && at.expected[0] == sequence);
        }
        for (key, pair) in self.pairs.iter().enumerate() {
            named(
                format_args!("pair {key}"),
                pair.lock.check_quiet(self.ground),
            )?;
            let queued = self.ground.numbers.waits.waiters(&pair.condition);
            if queued > current[key] {
                return Err(format!(
                    "a broadcast was lost: all is quiet, {queued} waiters are queued at condition \
                     {key}, but only {} waits expect its present value",
                    current[key]
                ));
            }
        }
        Ok(())
    }

    fn release(&self) {
        for pair in &self.pairs {
            let stamp = stamp_of(THREADS_MAX);
            pair.sequence.store(stamp, Ordering::Relaxed);
            let woken = self.ground.numbers.waits.wake_all(&pair.condition);
            pair.lock.ledger.sent(woken, 0);
            pair.lock.release_all(self.ground);
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for (key, pair) in self.pairs.iter().enumerate() {
            named(format_args!("pair {key}"), pair.lock.ledger.close())?;
        }
        Ok(())
    }

    fn sent(&self) -> (Which, u64) {
        let sent = self.pairs.iter().map(|pair| pair.lock.ledger.total_sent());
        (self.ground.which, sent.sum())
    }
}
