//! The waits: what each was begun with, who has ended it, and how it has to return.

use slotpark_core::{Order, Parked, ParkedAny};

use super::{Done, Oracle, in_call, with};

/// What a wait is begun with.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    /// In the upper half of its tag. The same for all waits of one future.
    pub(crate) number: u64,
    pub(crate) keys: Vec<u64>,
    /// The value of each key that it waits for the end of.
    pub(crate) versions: Vec<u32>,
    pub(crate) bits: u32,
    pub(crate) order: Order,
    /// It is on several keys, or has an interrupter.
    pub(crate) has_claim: bool,
    pub(crate) is_task: bool,
    pub(crate) interrupter: Option<usize>,
    pub(crate) may_time_out: bool,
}

/// Who has ended a wait, told by an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Woken { token: u64, passes_on: u32 },
    Closed,
}

/// To whom a wake goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heirs {
    pub(super) key: u64,
    pub(super) bits: u32,
    pub(super) token: u64,
}

#[derive(Debug)]
pub(super) struct Wait {
    pub(super) begun: Begun,
    pub(super) decision: Option<Decision>,
    /// The entries that the decision can be for, and the key that it was for.
    pub(super) decided_entries: Vec<usize>,
    pub(super) decided_key: u64,
    /// It may have ended itself, or been interrupted or refused.
    pub(super) doubtful: bool,
    /// It must have, since a wake went by.
    pub(super) is_passed: bool,
    /// The key that it was queued for when it left by itself.
    pub(super) left_key: Option<u64>,
    /// So many nodes were linked, from the first on.
    pub(super) entered: usize,
    pub(super) is_moved: bool,
    pub(super) overtook: bool,
    /// The entries that may have been closed since it began.
    pub(super) closable: Vec<bool>,
    pub(super) must_be_interrupted: bool,
    /// Its interrupter was told before it began.
    pub(super) was_interrupted: bool,
    /// The entry of which its `validate` last said no.
    refused: Option<usize>,
    pub(super) is_over: bool,
}

impl Wait {
    fn new(begun: Begun) -> Self {
        Self {
            closable: vec![false; begun.keys.len()],
            begun,
            decision: None,
            decided_entries: Vec::new(),
            decided_key: 0,
            doubtful: false,
            is_passed: false,
            left_key: None,
            entered: 0,
            is_moved: false,
            overtook: false,
            must_be_interrupted: false,
            was_interrupted: false,
            refused: None,
            is_over: false,
        }
    }

    /// Whether whoever looks for waiters must take it, if it is queued. A claim decides the others.
    pub(super) fn is_open(&self) -> bool {
        !self.begun.has_claim
            || (self.is_undecided() && !self.doubtful && !self.is_passed && !self.is_over)
    }

    pub(super) fn is_undecided(&self) -> bool {
        self.decision.is_none()
    }

    /// To whom the wake that has chosen it goes on, if it is left.
    pub(super) fn heirs(&self) -> Option<Heirs> {
        match self.decision {
            Some(Decision::Woken { token, passes_on }) if passes_on != 0 => Some(Heirs {
                key: self.decided_key,
                bits: passes_on,
                token,
            }),
            _ => None,
        }
    }
}

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

/// A wait begins.
pub(crate) fn begin_wait(wait: u64, begun: Begun) {
    with(|oracle| {
        oracle.current.insert(begun.number, wait);
        let mut begun = Wait::new(begun);
        for (entry, key) in begun.begun.keys.iter().enumerate() {
            begun.closable[entry] = oracle.closings.may_be(*key);
        }
        begun.doubtful = begun.closable.contains(&true);
        if let Some(interrupter) = begun.begun.interrupter {
            let interrupts = &mut oracle.interrupts[interrupter];
            begun.was_interrupted = interrupts.enter(wait);
            begun.doubtful |= interrupts.is_running();
        }
        oracle.waits.insert(wait, begun);
    });
}

/// Its own thread may end the wait from here on.
pub(crate) fn is_over(wait: u64) {
    with(|oracle| oracle.doubt(Some(wait)));
}

/// The caller's timer has fired.
pub(crate) fn may_time_out(wait: u64) {
    with(|oracle| {
        if let Some(wait) = oracle.waits.get_mut(&wait) {
            wait.begun.may_time_out = true;
        }
    });
}

/// A `validate` of the calling thread says no for the entry.
pub(crate) fn refuse(wait: u64, entry: usize) {
    with(|oracle| {
        oracle.doubt(Some(wait));
        if let Some(wait) = oracle.waits.get_mut(&wait) {
            wait.refused = Some(entry);
        }
    });
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
        oracle.end_wait(wait, told.parked == Parked::Interrupted);
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
        oracle.end_wait(wait, false);
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

    fn end_wait(&mut self, wait: u64, is_interrupted: bool) {
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
