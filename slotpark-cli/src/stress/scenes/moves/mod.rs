//! Moves: waits without a condition, woken and requeued at random between the keys of a cluster, in
//! all directions. The books of the cluster must balance to the last count and token.

mod wakes;

use std::convert::Infallible;

use slotpark::Clock;
use slotpark::core::ParkOptions;

use super::{Ground, Scene, Setting, book, named};
use crate::stress::actor::{Actor, Ended, Patience};
use crate::stress::ledger::Ledger;
use crate::stress::planned::{Key, panic_as_planned, with_faulty_eq};
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Queue, Tables, Which};
use crate::stress::tally::Operation;

/// Keys that exchange waiters.
struct Cluster {
    keys: Vec<Key>,
    ledger: Ledger,
}

struct Moves {
    index: usize,
    ground: Ground,
    clusters: Vec<Cluster>,
}

pub(super) fn build(index: usize, setting: Setting, tables: &'static Tables) -> Box<dyn Scene> {
    /// Keys of a cluster, if there are so many.
    const CLUSTER: usize = 4;
    let ground = setting.numbers(tables);
    let keys = ground.numbers.keys(4, setting.keys, setting.crowded);
    let cluster = |keys: &[Key]| Cluster {
        keys: keys.to_vec(),
        ledger: Ledger::default(),
    };
    Box::new(Moves {
        index,
        ground,
        clusters: keys.chunks(CLUSTER).map(cluster).collect(),
    })
}

fn draw(actor: &mut Actor<'_>, cluster: &Cluster) -> Key {
    *actor.pick(&cluster.keys)
}

impl Moves {
    fn wait(&self, actor: &mut Actor<'_>, number: usize) {
        let cluster = &self.clusters[number];
        let key = draw(actor, cluster);
        let (waits, table) = (&self.ground.numbers.waits, self.ground.numbers.table());
        let hash = self.ground.numbers.hash(key);
        let at = Place {
            scene: self.index,
            key: number,
            ..Place::default()
        };
        let (patience, api) = (actor.patience(), actor.below(0..5));
        let bits = actor.bits() as u32 | 1 << actor.below(0..32);
        let options = ParkOptions::new()
            .tag(actor.bits() << 32 | u64::from(bits))
            .deadline(patience.deadline(Clock::Monotonic));
        let (panicking, faulty) = (actor.below(0..8), actor.one_in(32));
        let operation = match (api, patience) {
            (0, _) => Operation::Park,
            (1, _) => Operation::ParkWith,
            (2, _) => Operation::WaitBits,
            (_, Patience::Endless) => Operation::Wait,
            _ => Operation::WaitTimed,
        };
        let ended = actor.wait(operation, at, patience, || {
            match (api, patience.timeout()) {
                (0, _) if faulty => {
                    with_faulty_eq(|| table.park(hash, &key, options, || true)).into()
                }
                (0, _) => table.park(hash, &key, options, || true).into(),
                (1, _) => self.park_with_panics(cluster, key, options, panicking),
                (2, _) => {
                    let deadline = patience.deadline(Clock::Realtime);
                    waits.wait_with(&key, bits, deadline, || true).into()
                }
                (_, Some(timeout)) => waits.wait_for(&key, || true, timeout).into(),
                (_, None) => waits.wait(&key, || true).into(),
            }
        });
        book(actor, ended, number, &cluster.ledger);
    }

    fn park_with_panics(
        &self,
        cluster: &Cluster,
        key: Key,
        options: ParkOptions,
        panicking: i32,
    ) -> Ended {
        let numbers = self.ground.numbers;
        let validate = || {
            if panicking == 0 {
                panic_as_planned();
            }
            Ok::<_, Infallible>(true)
        };
        let before_sleep = || {
            if panicking == 1 {
                cluster.ledger.spent();
                panic_as_planned();
            }
        };
        let on_leave = |_| {
            if panicking == 2 {
                panic_as_planned();
            }
        };
        let hash = numbers.hash(key);
        let parked =
            numbers
                .table()
                .park_with(hash, &key, options, validate, before_sleep, on_leave);
        match parked {
            Ok(parked) => parked.into(),
            Err(never) => match never {},
        }
    }
}

impl Scene for Moves {
    fn name(&self) -> &'static str {
        "moves"
    }

    fn act(&self, actor: &mut Actor<'_>) {
        let number = actor.target(self.index, self.clusters.len());
        match actor.below(0..10) {
            0..=4 => self.wait(actor, number),
            5..=6 => self.wake(actor, number),
            _ => self.requeue(actor, number),
        }
    }

    fn queues(&self) -> Vec<Queue> {
        let mut queues = Vec::new();
        for (number, cluster) in self.clusters.iter().enumerate() {
            for key in &cluster.keys {
                queues.extend(
                    self.ground
                        .queue(*key, || format!("key {:#x} of cluster {number}", key.0)),
                );
            }
        }
        queues
    }

    fn check_quiet(&self, _waits: &[Waiting]) -> Result<(), String> {
        Ok(())
    }

    fn release(&self) {
        for cluster in &self.clusters {
            for key in &cluster.keys {
                cluster
                    .ledger
                    .sent(self.ground.numbers.waits.wake_all(key), 0);
            }
        }
    }

    fn check_books(&self) -> Result<(), String> {
        for (number, cluster) in self.clusters.iter().enumerate() {
            named(format_args!("cluster {number}"), cluster.ledger.close())?;
        }
        Ok(())
    }

    fn sent(&self) -> (Which, u64) {
        let sent = self
            .clusters
            .iter()
            .map(|cluster| cluster.ledger.total_sent());
        (self.ground.which, sent.sum())
    }
}
