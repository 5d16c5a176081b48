//! The returns of waits: how each has to end, and what has to be over by then.

use slotpark_core::{Parked, ParkedAny};

use super::wait::Decision;
use super::{Done, Oracle, in_call, with};

/// How a wait has returned, and by which of its keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) parked: Parked,
    entry: Option<usize>,
}

impl From<Parked> for Told {
    fn from(parked: Parked) -> Self {
        let has_entry = !matches!(parked, Parked::TimedOut | Parked::Interrupted);
        Self {
            parked,
            entry: has_entry.then_some(0),
        }
    }
}

impl From<ParkedAny> for Told {
    fn from(ended: ParkedAny) -> Self {
        Self {
            parked: ended.parked,
            entry: ended.entry,
        }
    }
}

/// The queue that a wait has left under the slot lock must be empty, or not.
pub(crate) fn left_queue(wait: u64, last: bool) {
    in_call(|oracle, _| {
        let key = oracle.waits[&wait].left_key.expect("it has left");
        let nodes = oracle.queues.of_key(key);
        let stays = nodes.iter().any(|(node, _)| oracle.is_open(*node));
        // Who stood there may have been ended by another key since.
        let is_right = if last { !stays } else { !nodes.is_empty() };
        assert!(is_right, "wait {wait}: who leaves last?");
        oracle.seen.add("the last one left", usize::from(last));
    });
}

/// A wait has returned.
pub(crate) fn judge(wait: u64, done: Done, told: Told) {
    with(|oracle| {
        assert_eq!(
            done.woken, 0,
            "wait {wait}: it passed on what it has returned"
        );
        oracle.check_return(wait, told);
        oracle.end_wait(wait, Some(told.parked == Parked::Interrupted));
        oracle.see_return(wait, done, told);
    });
}

/// A wait was left: dropped, or not gone on with. A wake of a number that had chosen it goes on.
pub(crate) fn left(wait: u64, done: Done) {
    with(|oracle| {
        let state = &oracle.waits[&wait];
        let linked = state.entered > 0;
        let undecided = state.is_undecided();
        let is_woken = matches!(state.decision, Some(Decision::Woken { .. }));
        let may_pass = usize::from(state.heirs().is_some());
        assert!(
            done.woken <= may_pass,
            "wait {wait}: nothing was to be passed on"
        );
        let spent = usize::from(is_woken) - done.woken;
        assert!(
            done.woken > 0 || done.waiting.0 == 0,
            "wait {wait}: it passes nothing on"
        );
        oracle.spent += spent;
        let has_interrupter = state.begun.interrupter;
        if let Some(interrupter) = has_interrupter.filter(|_| undecided) {
            oracle.interrupts[interrupter].leave();
        }
        oracle.end_wait(wait, (!undecided).then_some(false));
        let is_task = oracle.waits[&wait].begun.is_task;
        let seen = &mut oracle.seen;
        seen.add(
            "a future was dropped when chosen",
            usize::from(is_task && is_woken),
        );
        seen.add(
            "a wait was left in its queue",
            usize::from(linked && undecided),
        );
        seen.add("a wait was left before it began", usize::from(!linked));
        seen.add("a wake was passed on", done.woken);
        let alone = may_pass > done.woken;
        seen.add("a wake had nobody to go on to", usize::from(alone));
        seen.add(
            "a wake of everybody was not passed on",
            usize::from(spent > may_pass),
        );
    });
}

impl Oracle {
    fn check_return(&self, wait: u64, told: Told) {
        let state = &self.waits[&wait];
        let because = || format!("wait {wait} returned {told:?}: {state:#?}");
        let entry = told.entry;
        let is_right = match (told.parked, state.decision) {
            (Parked::Woken { token }, Some(Decision::Woken { token: handed, .. })) => {
                token == handed && entry.is_some_and(|e| state.decided_entries.contains(&e))
            }
            (Parked::Closed, Some(Decision::Closed)) => {
                entry.is_some_and(|entry| state.decided_entries.contains(&entry))
            }
            (Parked::Closed, None) => {
                let is_refused = state.begun.has_claim || state.entered == 0;
                is_refused && entry.is_some_and(|entry| state.closable[entry])
            }
            (Parked::TimedOut, None) => {
                let was_unlinked = state.begun.has_claim || state.entered == 0;
                let has_left = was_unlinked || state.left_key.is_some();
                state.begun.may_time_out && has_left && entry.is_none()
            }
            (Parked::Stale, None) => entry.is_some() && entry == state.refused,
            (Parked::Interrupted, None) => state.begun.interrupter.is_some() && entry.is_none(),
            _ => false,
        };
        assert!(is_right, "{}", because());
        let is_interrupted = told.parked == Parked::Interrupted;
        assert!(
            is_interrupted || !state.must_be_interrupted,
            "{}",
            because()
        );
    }

    fn end_wait(&mut self, wait: u64, is_interrupted: Option<bool>) {
        let queued = self.queues.of_wait(wait);
        assert!(queued.is_empty(), "wait {wait} ended in queues: {queued:?}");
        let state = self.waits.get_mut(&wait).expect("it was begun");
        assert!(!state.is_over, "wait {wait} ended twice");
        state.is_over = true;
        if let Some(interrupter) = state.begun.interrupter {
            self.interrupts[interrupter].exit(is_interrupted);
        }
    }

    fn see_return(&mut self, wait: u64, done: Done, told: Told) {
        let state = &self.waits[&wait];
        let linked = state.entered > 0;
        let has_claim = state.begun.has_claim;
        let is_task = state.begun.is_task;
        let mut see = |what, happened| self.seen.add(what, usize::from(happened));
        match told.parked {
            Parked::Woken { .. } => {
                self.returned += 1;
                see("woken", true);
                see("woken after a move", state.is_moved);
                see("woken past the deadline", done.overslept);
                see("woken after overtaking", state.overtook);
                see("a task was woken", is_task && !has_claim);
                see(
                    "a task was woken by its second key",
                    is_task && told.entry > Some(0),
                );
                see(
                    "a thread was woken by its second key",
                    !is_task && told.entry > Some(0),
                );
            }
            Parked::TimedOut => {
                see("timed out", linked);
                see("timed out after a move", state.is_moved);
                see("a task timed out", linked && is_task && !has_claim);
                see("a wait on several keys timed out", linked && has_claim);
            }
            Parked::Stale => {
                see("stale", !linked);
                see("stale with a node in another queue", linked);
            }
            Parked::Closed => {
                see("closed in its queue", state.decision.is_some());
                see("refused as closed", state.decision.is_none());
                see("a task was closed", is_task && state.decision.is_some());
            }
            Parked::Interrupted => {
                see("a task was interrupted in its queue", linked && is_task);
                see("a thread was interrupted in its queue", linked && !is_task);
                see("interrupted before it was queued", !linked);
            }
            other => unreachable!("no wait ends so: {other:?}"),
        }
    }
}
