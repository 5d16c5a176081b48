//! What the engine tells under a slot lock, explained: who is queued, who was ended how, who left.

use slotpark_core::Event;

use super::Oracle;
use super::call::{Call, Doing, decision};
use super::wait::Decision;
use crate::queues::Node;

impl Oracle {
    /// Somebody is looked at.
    pub(super) fn visit(&mut self, event: Event, slot: usize, call: &mut Call) {
        let key = self.key_of(call);
        let key = key.filter(|key| self.slots[*key as usize] == slot);
        if let (Event::GroupVisited, Some(key)) = (event, key) {
            self.look(call, key);
        }
    }

    /// Something happens to a wait.
    pub(super) fn follow(&mut self, event: Event, slot: usize, wait: u64, call: &mut Call) {
        self.assert_one_moment(call);
        self.changes += 1;
        call.asked_at += 1;
        let is_own = call.doing.own_wait() == Some(wait);
        match (event, call.doing) {
            (Event::Park, _) if is_own => self.park(wait, slot),
            (Event::Timeout | Event::Cancel, _) if is_own => self.leave(event, wait, slot),
            (Event::Wake, Doing::Wait { wait: left }) => self.pass_on(left, wait, slot, call),
            (Event::Requeue, Doing::Requeue { from, to, .. }) => {
                self.change_key(wait, (from, to), slot, call);
            }
            (Event::Wake | Event::Cancel, doing) => {
                let is_wake = event == Event::Wake;
                let decision = decision(doing, is_wake);
                let decision = decision.unwrap_or_else(|| panic!("{doing:?} does no {event:?}"));
                self.end_by(decision, wait, slot, call);
            }
            (event, doing) => panic!("{doing:?} does no {event:?}"),
        }
    }

    fn assert_slot(&self, wait: u64, key: u64, slot: usize) {
        assert_eq!(
            slot, self.slots[key as usize],
            "wait {wait}: in another slot than its key"
        );
    }

    fn park(&mut self, wait: u64, slot: usize) {
        let state = self.waits.get_mut(&wait).expect("it was begun");
        let entry = state.entered;
        state.entered += 1;
        let key = state.begun.keys[entry];
        let announced = self.announced.get(&key).copied().unwrap_or(0);
        let version = state.begun.versions[entry];
        assert!(announced <= version, "wait {wait} missed a wake");
        assert!(
            !self.closings.must_be(key),
            "wait {wait}: queued for a closed key"
        );
        if let Some(interrupter) = state.begun.interrupter {
            let is_pending = self.interrupts[interrupter].is_pending();
            let was_interrupted = state.was_interrupted && is_pending;
            assert!(
                !was_interrupted,
                "wait {wait}: queued though interrupted before"
            );
        }
        let overtakes = self
            .queues
            .push(key, Node { wait, entry }, state.begun.order);
        state.overtook |= overtakes;
        self.assert_slot(wait, key, slot);
    }

    /// Leaves one of its queues by itself.
    fn leave(&mut self, event: Event, wait: u64, slot: usize) {
        let slots = &self.slots;
        let mut nodes = self.queues.of_wait(wait).into_iter();
        let here = nodes.find(|(_, key)| slots[*key as usize] == slot);
        let (node, key) = here.unwrap_or_else(|| panic!("wait {wait}: who leaves is queued here"));
        self.queues.remove(node);
        let state = self.waits.get_mut(&wait).expect("it was begun");
        if state.begun.has_claim {
            assert_eq!(event, Event::Cancel, "wait {wait}: one of several nodes");
            let is_ended = state.decision.is_some() || state.doubtful;
            assert!(is_ended, "wait {wait}: it leaves, and nobody has ended it");
        } else {
            assert_eq!(
                state.decision, None,
                "wait {wait}: it was chosen, and leaves"
            );
            state.left_key = Some(key);
        }
    }

    fn end_by(&mut self, decision: Decision, wait: u64, slot: usize, call: &mut Call) {
        let (node, entries) = match (call.doing, self.key_of(call)) {
            (_, Some(key)) => {
                let bits = match call.doing {
                    Doing::Wake { bits, .. } => bits,
                    _ => u32::MAX,
                };
                let node = self.walk_to(call, key, bits, wait);
                (node, vec![node.entry])
            }
            (Doing::Where { .. }, None) => {
                let key = call.asked_last.expect("it asks before it chooses");
                let node = self.walk_to(call, key, u32::MAX, wait);
                (node, vec![node.entry])
            }
            // A walk over a slot may meet any of the nodes that a wait has there.
            _ => {
                let nodes = self.queues.of_wait(wait).into_iter();
                let here = nodes.filter(|(_, key)| self.slots[*key as usize] == slot);
                let here: Vec<Node> = here.map(|(node, _)| node).collect();
                let entries = here.iter().map(|node| node.entry).collect();
                (*here.first().expect("who is ended is queued here"), entries)
            }
        };
        self.decide(node, entries, decision, slot);
        let (what, count) = match decision {
            Decision::Woken { .. } => (&mut self.counted, &mut call.done.woken),
            Decision::Closed => (&mut 0, &mut call.done.closed),
        };
        *what += 1;
        *count += 1;
        self.see_end(call, decision);
    }

    fn decide(&mut self, node: Node, entries: Vec<usize>, decision: Decision, slot: usize) {
        let wait = node.wait;
        let (key, _) = self.queues.remove(node).expect("who is ended was queued");
        self.assert_slot(wait, key, slot);
        let state = self.waits.get_mut(&wait).expect("it was begun");
        assert_eq!(state.decision, None, "wait {wait}: decided twice");
        assert!(!state.is_passed, "wait {wait}: others had found it ended");
        assert!(!state.is_over, "wait {wait}: it has returned");
        state.decision = Some(decision);
        state.decided_entries = entries;
        state.decided_key = key;
    }

    /// Somebody leaves who was chosen, and another one takes the wake.
    fn pass_on(&mut self, left: u64, heir: u64, slot: usize, call: &mut Call) {
        let heirs = self.waits[&left].heirs();
        let heirs = heirs.unwrap_or_else(|| panic!("wait {left}: nothing is passed on"));
        let node = self.walk_to(call, heirs.key, heirs.bits, heir);
        let decision = Decision::Woken {
            token: heirs.token,
            passes_on: heirs.bits,
            to_last: heirs.to_last,
        };
        self.seen.add(
            "a wake of the last was passed on",
            usize::from(heirs.to_last),
        );
        self.decide(node, vec![node.entry], decision, slot);
        call.done.woken += 1;
    }

    fn change_key(&mut self, wait: u64, (from, to): (u64, u64), slot: usize, call: &mut Call) {
        self.assert_slot(wait, to, slot);
        let node = self.walk_to(call, from, u32::MAX, wait);
        call.done.moved += 1;
        if from == to {
            return;
        }
        assert!(
            !self.closings.must_be(to),
            "wait {wait}: moved to a closed key"
        );
        self.queues.change_key(node, to);
        let state = self.waits.get_mut(&wait).expect("it was begun");
        state.is_moved = true;
        self.seen.add("moved", 1);
        self.seen.add(
            "one of several nodes moved",
            usize::from(state.begun.has_claim),
        );
    }

    fn see_end(&mut self, call: &Call, decision: Decision) {
        let what = match (call.doing, decision) {
            (Doing::Requeue { .. }, Decision::Closed) => "moved to a closed key",
            (Doing::Wake { to_last: true, .. }, _) => "the last was woken",
            (Doing::CloseKey { .. }, _) => "a key was closed",
            (Doing::CloseTable, _) => "the table was closed",
            (Doing::Where { .. }, Decision::Closed) => "many keys were closed",
            (Doing::Where { .. }, Decision::Woken { .. }) => "many keys were woken",
            _ => return,
        };
        self.seen.add(what, 1);
    }
}
