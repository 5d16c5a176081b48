//! How gates are waited at.

use slotpark::Clock;
use slotpark::core::ParkOptions;

use super::{Gate, Gates};
use crate::stress::actor::{Actor, Ended, Patience};
use crate::stress::planned::{panic_as_planned, with_faulty_eq};
use crate::stress::scenes::book;
use crate::stress::stage::Place;
use crate::stress::tally::Operation;

impl Gates {
    pub(super) fn wait(&self, actor: &mut Actor<'_>) {
        let key = actor.target(self.index, self.gates.len());
        let gate = &self.gates[key];
        let lanes = actor.below(1..1_u32 << gate.lanes);
        let at = Place {
            scene: self.index,
            key,
            lanes,
            expected: gate.look(lanes),
            ..Place::default()
        };
        let patience = actor.patience();
        let ended = match actor.below(0..7) {
            0..=2 => self.park(actor, gate, at, patience),
            3 => self.park_with_panics(actor, gate, at, patience),
            _ if gate.loops => self.wait_while(actor, gate, at, patience),
            _ => self.wait_once(actor, gate, at, patience),
        };
        // Who loops was woken too, and does not say so.
        if let Ended::Woken { .. } = ended {
            book(actor, ended, key, &gate.ledger);
        }
    }

    fn wait_once(
        &self,
        actor: &mut Actor<'_>,
        gate: &Gate,
        at: Place,
        patience: Patience,
    ) -> Ended {
        let waits = &self.ground.numbers.waits;
        let closed = || gate.is_closed(&at);
        let api = if gate.lanes == 1 {
            actor.below(0..4)
        } else {
            3
        };
        let operation = match (api, patience) {
            (3, _) => Operation::WaitBits,
            (_, Patience::Endless) => Operation::Wait,
            _ => Operation::WaitTimed,
        };
        let clock = *actor.pick(&[Clock::Monotonic, Clock::Realtime]);
        let bits = gate.bits(at.lanes);
        actor.wait(operation, at, patience, || {
            let ended = match (api, patience.timeout(), patience.instant()) {
                (3, ..) => waits.wait_with(&gate.key, bits, patience.deadline(clock), closed),
                (0, Some(timeout), _) => waits.wait_for(&gate.key, closed, timeout),
                (_, _, Some(deadline)) => waits.wait_until(&gate.key, closed, deadline),
                _ => waits.wait(&gate.key, closed),
            };
            ended.into()
        })
    }

    /// Met counts as stale: the condition was found not to hold.
    fn wait_while(
        &self,
        actor: &mut Actor<'_>,
        gate: &Gate,
        at: Place,
        patience: Patience,
    ) -> Ended {
        let waits = &self.ground.numbers.waits;
        let closed = || gate.is_closed(&at);
        actor.wait(Operation::WaitWhile, at, patience, || {
            let Some(timeout) = patience.timeout() else {
                return waits.wait_while(&gate.key, closed).into();
            };
            waits.wait_while_for(&gate.key, closed, timeout).into()
        })
    }

    fn park(&self, actor: &mut Actor<'_>, gate: &Gate, at: Place, patience: Patience) -> Ended {
        let (numbers, hash) = (self.ground.numbers, self.ground.numbers.hash(gate.key));
        let options = ParkOptions::new()
            .tag(gate.tag(&at))
            .deadline(patience.deadline(Clock::Monotonic));
        let closed = || gate.is_closed(&at);
        if actor.one_in(32) {
            return actor.wait(Operation::Park, at, patience, || {
                with_faulty_eq(|| numbers.table().park(hash, &gate.key, options, closed)).into()
            });
        }
        actor.wait(Operation::Park, at, patience, || {
            numbers
                .table()
                .park(hash, &gate.key, options, closed)
                .into()
        })
    }

    /// One of its three closures panics, in half of the calls.
    fn park_with_panics(
        &self,
        actor: &mut Actor<'_>,
        gate: &Gate,
        at: Place,
        patience: Patience,
    ) -> Ended {
        let (numbers, hash) = (self.ground.numbers, self.ground.numbers.hash(gate.key));
        let options = ParkOptions::new()
            .tag(gate.tag(&at))
            .deadline(patience.deadline(Clock::Monotonic));
        let panicking = actor.below(0..8);
        let panic_if = |this: i32| {
            if panicking == this {
                panic_as_planned();
            }
        };
        let mut runs = 0;
        let closed = || {
            runs += 1;
            panic_if(runs);
            Ok::<_, std::convert::Infallible>(gate.is_closed(&at))
        };
        let before_sleep = || {
            if panicking == 3 {
                gate.ledger.spent();
                panic_as_planned();
            }
        };
        let on_leave = |_| panic_if(4);
        actor.wait(Operation::ParkWith, at, patience, || {
            let table = numbers.table();
            match table.park_with(hash, &gate.key, options, closed, before_sleep, on_leave) {
                Ok(parked) => parked.into(),
                Err(never) => match never {},
            }
        })
    }
}
