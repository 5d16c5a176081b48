//! Closings and interrupts: no event says when they take hold, so it is known from when to when it
//! may be, and from when to when it must be.

use super::{Oracle, with};
use crate::program::KEYS;

/// What may be closed now, and what must be: so often.
#[derive(Debug, Default)]
pub(super) struct Closings {
    keys: [Interval; KEYS as usize],
    table: Interval,
}

#[derive(Clone, Copy, Debug, Default)]
struct Interval {
    may: u32,
    must: u32,
}

impl Closings {
    pub(super) fn may_be(&self, key: u64) -> bool {
        self.may_be_closed() || self.keys[key as usize].may > 0
    }

    pub(super) fn must_be(&self, key: u64) -> bool {
        self.table.must > 0 || self.keys[key as usize].must > 0
    }

    /// Whether the table is closed.
    pub(super) fn may_be_closed(&self) -> bool {
        self.table.may > 0
    }

    fn of(&mut self, key: Option<u64>) -> &mut Interval {
        key.map_or(&mut self.table, |key| &mut self.keys[key as usize])
    }
}

/// Begins to close a key, or the table.
pub(crate) fn closing(closed: Option<u64>) {
    with(|oracle| {
        oracle.closings.of(closed).may += 1;
        for wait in oracle.waits.values_mut().filter(|wait| !wait.is_over) {
            for (entry, key) in wait.begun.keys.iter().enumerate() {
                if closed.is_none_or(|closed| closed == *key) {
                    wait.closable[entry] = true;
                    wait.doubtful = true;
                }
            }
        }
    });
}

/// From here on it must be closed.
pub(crate) fn closed(closed: Option<u64>) {
    with(|oracle| oracle.closings.of(closed).must += 1);
}

/// Begins to open the key.
pub(crate) fn opening(key: u64) {
    with(|oracle| oracle.closings.of(Some(key)).must -= 1);
}

/// From here on it must be open, unless others keep it closed.
pub(crate) fn opened(key: u64) {
    with(|oracle| oracle.closings.of(Some(key)).may -= 1);
}

/// What has happened to one interrupter. One thread's waits use it, one at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Interrupts {
    begun: usize,
    /// Interrupts that said to have ended a wait.
    hits: usize,
    /// Waits that returned Interrupted, and those that were left and may have been.
    returned: usize,
    left: usize,
    /// Interrupts that were taken back.
    cleared: usize,
    /// Calls that take one back, and those that run now.
    clears: usize,
    clearing: usize,
    running: usize,
    /// The wait that uses it, and how many have.
    active: Option<u64>,
    entered: usize,
    /// The wait that uses it was not ended by an interrupt that came meanwhile; with the number of
    /// `clears` by then.
    missed: Option<usize>,
    /// The next wait must return Interrupted.
    is_pending: bool,
}

impl Interrupts {
    /// A wait begins; whether it must be interrupted.
    pub(super) fn enter(&mut self, wait: u64) -> bool {
        assert_eq!(self.active, None, "two waits use one interrupter");
        self.active = Some(wait);
        self.entered += 1;
        self.missed = None;
        self.is_pending
    }

    /// The wait ends; whether it was interrupted, if that is known.
    pub(super) fn exit(&mut self, is_interrupted: Option<bool>) {
        self.active = None;
        // An interrupt that ended nothing stays for the next wait.
        let is_kept = self.missed == Some(self.clears) && self.clearing == 0;
        self.is_pending |= is_kept && is_interrupted == Some(false);
        if is_interrupted == Some(true) {
            self.is_pending = false;
            self.returned += 1;
            assert!(self.returned <= self.begun, "interrupted by nobody");
        }
    }

    /// A wait was left, with or without an interrupt.
    pub(super) fn leave(&mut self) {
        self.left += 1;
    }

    pub(super) fn is_running(&self) -> bool {
        self.running > 0
    }

    pub(super) fn is_pending(&self) -> bool {
        self.is_pending
    }

    pub(super) fn assert_returned(&self) {
        assert!(
            self.hits <= self.returned + self.left,
            "interrupted, and not told: {self:?}"
        );
    }
}

/// Interrupts by `call`, which says whether it ended a wait.
pub(crate) fn interrupt(interrupter: usize, call: impl FnOnce() -> bool) {
    let before = with(|oracle| {
        let interrupts = &mut oracle.interrupts[interrupter];
        interrupts.begun += 1;
        interrupts.running += 1;
        let before = *interrupts;
        oracle.doubt(before.active);
        before
    });
    let is_hit = call();
    with(|oracle| oracle.interrupted(interrupter, before, is_hit));
}

impl Oracle {
    fn interrupted(&mut self, interrupter: usize, before: Interrupts, is_hit: bool) {
        let now = &mut self.interrupts[interrupter];
        now.running -= 1;
        let same_wait = now.entered == before.entered && now.active == before.active;
        if is_hit {
            now.hits += 1;
            let wait = now.active.filter(|_| same_wait);
            if let Some(wait) = wait.and_then(|wait| self.waits.get_mut(&wait)) {
                wait.must_be_interrupted = true;
            }
        } else if same_wait && now.clears == before.clears && before.clearing == 0 {
            match now.active {
                Some(_) => now.missed = Some(now.clears),
                None => now.is_pending = true,
            }
        }
        self.seen
            .add("an interrupt ended a wait", usize::from(is_hit));
    }
}

/// Forgets an interrupt by `call`, which says whether there was one.
pub(crate) fn clear(interrupter: usize, call: impl FnOnce() -> bool) {
    with(|oracle| {
        let interrupts = &mut oracle.interrupts[interrupter];
        interrupts.clears += 1;
        interrupts.clearing += 1;
        interrupts.is_pending = false;
    });
    let was_there = call();
    with(|oracle| {
        let interrupts = &mut oracle.interrupts[interrupter];
        interrupts.clearing -= 1;
        interrupts.cleared += usize::from(was_there);
        // Each was told once; a wait that one has ended may return it nevertheless.
        assert!(
            interrupts.cleared <= interrupts.begun,
            "interrupted by nobody"
        );
        oracle
            .seen
            .add("an interrupt was cleared", usize::from(was_there));
    });
}

/// Whether the interrupter must be pending.
pub(crate) fn must_be_pending(interrupter: usize) -> bool {
    with(|oracle| oracle.interrupts[interrupter].is_pending())
}
