//! Who waits, and who is let in.

use core::cell::Cell;

use super::word::{Mode, State};
use super::{HANDED_OVER, LOST_MAX, RawRwLock, TRY_AGAIN, nap, order, wait};
use crate::at::At;
use crate::choose::{Candidate, Choice, Filter};
use crate::inspect::owners::{self, Lock};
use crate::inspect::{Caller, Kind};
use crate::options::{Order, ParkOptions, Parked};
use crate::platform::{Deadline, Platform};
use crate::sync::{LOCK_SPIN_COUNT_MAX, spin_loop};

impl RawRwLock {
    /// The place is asked for by who needs it.
    #[inline]
    #[track_caller]
    pub(in crate::raw) fn lock_where<'t, K: Copy + Eq + 't, P: Platform>(
        &self,
        at: impl FnOnce() -> At<'t, K, P>,
        mode: Mode,
        deadline: Option<Deadline>,
    ) -> bool {
        let is_locked = self.word.take(mode).is_ok() || self.lock_contended(at(), mode, deadline);
        self.seen_by(Caller::here(), mode, is_locked)
    }

    /// Those who look learn who has it.
    #[inline(always)]
    pub(super) fn seen_by(&self, caller: Caller, mode: Mode, is_locked: bool) -> bool {
        if is_locked
            && !(mode == Mode::Upgrade && owners::changed(self, Kind::Upgradable, Kind::Lock))
        {
            owners::took(Lock::RwLock, self, mode.kind(), caller);
        }
        is_locked
    }

    #[cold]
    #[track_caller]
    fn lock_contended<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        mode: Mode,
        deadline: Option<Deadline>,
    ) -> bool {
        for _ in 0..LOCK_SPIN_COUNT_MAX {
            spin_loop();
            match self.word.take(mode) {
                Ok(()) => return true,
                // Others sleep: to look on would only hold the CPU that an owner may need.
                Err(state) if state.is_parked() => break,
                Err(_) => {}
            }
        }
        let mut lost = 0;
        loop {
            let options = Self::options(mode, lost).deadline(deadline);
            let take_or_queue = || self.word.take_or_queue(mode);
            let (parked, taken) = wait(at, options, take_or_queue, |left| {
                if left.last {
                    self.word.clear_parked();
                }
            });
            match parked {
                _ if taken => return true,
                Parked::Woken { token: HANDED_OVER } => return true,
                Parked::Woken { .. } => lost += 1,
                Parked::TimedOut => {
                    // Those behind may want less; and a wake that came before is for somebody else.
                    self.serve(at, |state| state, false);
                    return false;
                }
                // The table is closed.
                Parked::Stale | Parked::Closed | Parked::Interrupted => {
                    self.serve(at, |state| state, false);
                    if self.word.take(mode).is_ok() {
                        return true;
                    }
                    if nap::<P>(deadline) {
                        return false;
                    }
                }
            }
        }
    }

    fn options(mode: Mode, lost: u64) -> ParkOptions {
        let order = match mode {
            Mode::Upgrade => Order::Priority(2),
            _ => order(lost),
        };
        ParkOptions::new().tag(mode as u64 | lost << 2).order(order)
    }

    /// Gives `give` back and keeps `kept` instead; serves the queue. The place is asked for by who
    /// needs it.
    #[inline]
    pub(in crate::raw) fn give_where<'t, K: Copy + Eq + 't, P: Platform>(
        &self,
        at: impl FnOnce() -> At<'t, K, P>,
        give: Mode,
        kept: Option<Mode>,
        fair: bool,
    ) {
        debug_assert!(
            self.is_locked(),
            "unlocked by somebody who has not locked it"
        );
        match kept {
            None => owners::gave(self, give.kind(), || match give {
                Mode::Read => self.word.read().readers(),
                _ => 1,
            }),
            // What was not entered is not either from now on.
            Some(kept) => {
                let _was_entered = owners::changed(self, give.kind(), kept.kind());
            }
        }
        if !self.word.give(give, kept) {
            self.give_contended(at(), give, kept, fair);
        }
    }

    #[cold]
    fn give_contended<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        give: Mode,
        kept: Option<Mode>,
        fair: bool,
    ) {
        // Who was queued may have left meanwhile.
        while !self.serve(at, |state| state.changed(give, kept), fair)
            && !self.word.give(give, kept)
        {}
    }

    /// Under the slot lock, if PARKED is set: changes the word, and lets in those at the head of
    /// the queue, in one write. False if it is not set, and nothing was changed.
    #[cold]
    fn serve<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        change: impl Fn(State) -> State,
        fair: bool,
    ) -> bool {
        // What the word is to be, once it was read.
        let next: Cell<Option<State>> = Cell::new(None);
        let token = Cell::new(TRY_AGAIN);
        let decided = Cell::new(false);
        let begin = || {
            let state = next.get().or_else(|| {
                let state = self.word.read();
                state.is_parked().then(|| change(state))
            });
            next.set(state);
            state
        };
        let filter = |waiter: &Candidate| {
            let Some(state) = begin() else {
                debug_assert!(false, "R1: somebody is queued, and PARKED is not set");
                return Filter::Stop;
            };
            let (mode, lost) = (Mode::from_tag(waiter.tag), waiter.tag >> 2);
            match state.with(mode) {
                Some(new) if !decided.get() => {
                    if mode == Mode::Write && !fair && lost < LOST_MAX {
                        // It tries by itself, and is the only one.
                        decided.set(true);
                    } else {
                        next.set(Some(new));
                        token.set(HANDED_OVER);
                    }
                    Filter::Unpark
                }
                _ => Filter::Stop,
            }
        };
        let policy = |choice: Choice| {
            if let Some(state) = begin() {
                // R3: who gets the lock may free it from here on.
                self.word.set_locked(state.with_parked(choice.remain));
            }
            token.get()
        };
        let table = at.table;
        let _served = table.unpark_with(at.hash, &at.key, usize::MAX, filter, policy);
        next.get().is_some()
    }
}
