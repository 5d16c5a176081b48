//! How those who wait at a cluster are woken and moved.

use std::convert::Infallible;

use slotpark::core::{Candidate, Filter, RequeueOptions};

use super::{Moves, draw};
use crate::stress::actor::Actor;
use crate::stress::planned::{Key, panic_as_planned, planned};
use crate::stress::tally::Operation;

const ALL: usize = usize::MAX;
/// How many a wake or a requeue takes at most.
const COUNTS: [usize; 5] = [0, 1, 2, 5, ALL];

impl Moves {
    pub(super) fn wake(&self, actor: &mut Actor<'_>, number: usize) {
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

    pub(super) fn requeue(&self, actor: &mut Actor<'_>, number: usize) {
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
