//! The waits: what each was begun with, and who has ended it.

use slotpark_core::Order;

use super::with;

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
    Woken {
        token: u64,
        passes_on: u32,
        to_last: bool,
    },
    Closed,
}

/// To whom a wake goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heirs {
    pub(super) key: u64,
    pub(super) bits: u32,
    pub(super) token: u64,
    pub(super) to_last: bool,
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
    pub(super) refused: Option<usize>,
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
            Some(Decision::Woken {
                token,
                passes_on,
                to_last,
            }) if passes_on != 0 => Some(Heirs {
                key: self.decided_key,
                bits: passes_on,
                token,
                to_last,
            }),
            _ => None,
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
