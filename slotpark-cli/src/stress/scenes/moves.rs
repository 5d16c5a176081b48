//! Moves: waits without a condition, woken and requeued at random between the keys of a cluster, in
//! all directions. The books of the cluster must balance to the last count and token.

use std::convert::Infallible;

use slotpark::Clock;
use slotpark::core::{Candidate, Filter, ParkOptions, RequeueOptions};

use super::{Ground, Scene, Setting, book, named};
use crate::stress::actor::{Actor, Ended, Patience};
use crate::stress::ledger::Ledger;
use crate::stress::planned::{Key, panic_as_planned, planned, with_faulty_eq};
use crate::stress::stage::{Place, Waiting};
use crate::stress::tables::{Queue, Tables, Which};
use crate::stress::tally::Operation;

const ALL: usize = usize::MAX;
/// How many a wake or a requeue takes at most.
const COUNTS: [usize; 5] = [0, 1, 2, 5, ALL];

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

    fn wake(&self, actor: &mut Actor<'_>, number: usize) {
        let cluster = &self.clusters[number];
        let key = draw(actor, cluster);
        let (waits, table) = (&self.ground.numbers.waits, self.ground.numbers.table());
        let hash = self.ground.numbers.hash(key);
        let (count, token) = (*actor.pick(&COUNTS), actor.token(number));
        let bits = actor.bits() as u32;
        let (operation, woken, token) = match actor.below(0..7) {
            0 => (Operation::WakeFew, waits.wake_one(&key), 0),
            1 => (Operation::WakeFew, waits.wake(&key, count), 0),
            2 => (Operation::WakeAll, waits.wake_all(&key), 0),
            3 => {
                let woken = waits.wake_with_token(&key, count, token);
                (Operation::WakeToken, woken, token)
            }
            4 => {
                let woken = waits.wake_bitset(&key, count, bits, token);
                (Operation::WakeBits, woken, token)
            }
            5 => {
                let by_tag = |waiter: &Candidate| decide(waiter, bits);
                let woken = table.unpark_filter(hash, &key, count, by_tag, token);
                (Operation::UnparkFilter, woken, token)
            }
            _ => return self.wake_with_policy(actor, number, key),
        };
        cluster.ledger.sent(woken, token);
        actor.woke(operation, woken);
        if woken > count.max(1) && operation != Operation::WakeAll {
            actor.found(&format!(
                "{operation:?} of {count} says that it woke {woken}"
            ));
        }
    }

    /// A filter and a policy, either of which may panic.
    fn wake_with_policy(&self, actor: &mut Actor<'_>, number: usize, key: Key) {
        let ledger = &self.clusters[number].ledger;
        let (table, hash) = (self.ground.numbers.table(), self.ground.numbers.hash(key));
        let (count, token) = (*actor.pick(&COUNTS), actor.token(number));
        let (bits, panicking) = (actor.bits() as u32, actor.below(0..8));
        let mut chosen = 0;
        let mut seen = None;
        let by_tag = |waiter: &Candidate| {
            if panicking == 0 && chosen == 2 {
                panic_as_planned();
            }
            let decision = decide(waiter, bits);
            chosen += usize::from(decision == Filter::Unpark);
            decision
        };
        let policy = |choice: slotpark::core::Choice| {
            seen = Some(choice);
            if panicking == 1 {
                panic_as_planned();
            }
            token
        };
        let result = planned(|| table.unpark_with(hash, &key, count, by_tag, policy));
        // Whoever was chosen before a panic is woken all the same, without a token.
        ledger.sent(chosen, if result.is_some() { token } else { 0 });
        match result {
            Some(woken) => actor.woke(Operation::UnparkWith, woken),
            None => actor.panicked(Operation::UnparkWith),
        }
        let counts = [Some(chosen), seen.map(|choice| choice.count), result];
        if counts.iter().flatten().any(|&count| count != chosen) {
            actor.found(&format!(
                "chosen, told to the policy, returned: {counts:?} (none after a panic)"
            ));
        }
    }

    fn requeue(&self, actor: &mut Actor<'_>, number: usize) {
        let cluster = &self.clusters[number];
        let (from, to) = (draw(actor, cluster), draw(actor, cluster));
        let numbers = self.ground.numbers;
        let options = RequeueOptions {
            wake_max: *actor.pick(&COUNTS),
            move_max: *actor.pick(&COUNTS),
            token: actor.token(number),
        };
        let (api, verdict) = (actor.below(0..2), actor.below(0..16));
        let validate = || {
            if verdict == 0 {
                panic_as_planned();
            }
            verdict > 2
        };
        let hashes = (numbers.hash(from), numbers.hash(to));
        let mut token = options.token;
        let result = planned(|| match api {
            0 => {
                let (from, to) = ((hashes.0, &from), (hashes.1, &to));
                let validate = || Ok::<_, Infallible>(validate());
                match numbers.table().requeue(from, to, options, validate) {
                    Ok(requeued) => requeued,
                    Err(never) => match never {},
                }
            }
            _ => {
                token = 0;
                let (wake_max, move_max) = (options.wake_max, options.move_max);
                numbers
                    .waits
                    .requeue(&from, &to, wake_max, move_max, validate)
            }
        });
        let row = actor.tally.row(Operation::Requeue);
        row.calls += 1;
        match result {
            Some(Some(requeued)) => {
                row.woken += requeued.woken as u64;
                row.moved += requeued.moved as u64;
                cluster.ledger.sent(requeued.woken, token);
            }
            Some(None) => row.stale += 1,
            None => row.panicked += 1,
        }
    }
}

fn decide(waiter: &Candidate, bits: u32) -> Filter {
    let drawn = (waiter.tag >> 32) as u32 ^ bits;
    match drawn % 4 {
        0 | 1 => Filter::Unpark,
        2 => Filter::Skip,
        _ => Filter::Stop,
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
