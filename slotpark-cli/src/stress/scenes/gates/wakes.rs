//! How those who wait at gates are woken, and how that is audited.

use std::sync::atomic::Ordering;

use slotpark::core::{Candidate, Filter};

use super::Gates;
use crate::stress::actor::Actor;
use crate::stress::planned::{panic_as_planned, planned, with_faulty_eq};
use crate::stress::tally::Operation;

const ALL: usize = usize::MAX;

impl Gates {
    pub(super) fn wake(&self, actor: &mut Actor<'_>) {
        let key = actor.target(self.index, self.gates.len());
        let gate = &self.gates[key];
        if actor.one_in(16) {
            self.wake_with_panics(actor, key);
        }
        let lane = actor.below(0..gate.lanes);
        let (stamp, token) = (actor.stamp(), actor.token(key));
        let (api, audits) = (actor.below(0..6), actor.one_in(2));
        let (numbers, hash) = (self.ground.numbers, self.ground.numbers.hash(gate.key));
        let (waits, table) = (&numbers.waits, numbers.table());
        let bits = gate.bits(1 << lane);
        let ours = |waiter: &Candidate| {
            if waiter.tag as u32 & bits == 0 {
                Filter::Skip
            } else {
                Filter::Unpark
            }
        };
        let word = &gate.words[lane];
        let old = word.load(Ordering::Relaxed);
        for line in &self.lines {
            line.0.store(stamp, Ordering::Relaxed);
        }
        // Nothing but the wake comes after this store.
        word.store(stamp, Ordering::Relaxed);
        let (operation, woken, token) = match (api, gate.lanes) {
            (0 | 1, 1) => (Operation::WakeAll, waits.wake_all(&gate.key), 0),
            (2, 1) => {
                let woken = waits.wake_with_token(&gate.key, ALL, token);
                (Operation::WakeToken, woken, token)
            }
            (3, _) => {
                let woken = table.unpark_filter(hash, &gate.key, ALL, ours, token);
                (Operation::UnparkFilter, woken, token)
            }
            (4, _) => {
                let woken = table.unpark_with(hash, &gate.key, ALL, ours, |_| token);
                (Operation::UnparkWith, woken, token)
            }
            _ => {
                let woken = waits.wake_bitset(&gate.key, ALL, bits, token);
                (Operation::WakeBits, woken, token)
            }
        };
        gate.ledger.sent(woken, token);
        actor.woke(operation, woken);
        if audits {
            self.audit(actor, key, old);
        }
    }

    /// Wakes some of the gate's waiters, perhaps none, and panics. They look again and go on
    /// waiting, and those who were not reached are woken by the wake that follows.
    fn wake_with_panics(&self, actor: &mut Actor<'_>, key: usize) {
        let gate = &self.gates[key];
        let (table, hash) = (
            self.ground.numbers.table(),
            self.ground.numbers.hash(gate.key),
        );
        let (limit, kind) = (actor.below(0..3), actor.below(0..3));
        let mut chosen = 0;
        let some = |_: &Candidate| {
            if chosen == limit {
                panic_as_planned();
            }
            chosen += 1;
            Filter::Unpark
        };
        let mut count = 0;
        let result = match kind {
            0 => planned(|| table.unpark_filter(hash, &gate.key, ALL, some, 0)),
            1 => planned(|| {
                let all = |_: &Candidate| Filter::Unpark;
                table.unpark_with(hash, &gate.key, limit, all, |choice| {
                    count = choice.count;
                    panic_as_planned()
                })
            }),
            _ => planned(|| with_faulty_eq(|| table.unpark(hash, &gate.key, ALL, 0))),
        };
        // Those chosen before the panic are woken, without a token.
        gate.ledger.sent(result.unwrap_or(chosen.max(count)), 0);
        match result {
            Some(woken) => actor.woke(Operation::UnparkFilter, woken),
            None => actor.panicked(Operation::UnparkFilter),
        }
    }

    /// A wake that replaced `old` has returned: who expects `old` was woken or saw the new value.
    fn audit(&self, actor: &mut Actor<'_>, key: usize, old: u32) {
        let gate = &self.gates[key];
        let (table, hash) = (
            self.ground.numbers.table(),
            self.ground.numbers.hash(gate.key),
        );
        let mut lost = 0;
        let look = |waiter: &Candidate| {
            lost += usize::from(old != 0 && (waiter.tag >> 32) as u32 == old);
            Filter::Skip
        };
        let woken = table.unpark_filter(hash, &gate.key, ALL, look, 0);
        actor.woke(Operation::Audit, woken);
        if lost > 0 || woken > 0 {
            actor.found(&format!(
                "gate {key}: a wake was lost: after it {lost} waiters of the value {old:#x}, which \
                 it replaced, are still queued ({woken} woken by a filter that skips all)"
            ));
        }
    }
}
