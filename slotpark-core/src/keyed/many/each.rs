//! One of many keys, from wanted to held.

use core::fmt;
use core::mem;

use crate::inspect::Caller;
use crate::keyed::guard::{Holding, Unheld};
use crate::keyed::lock::KeyedLock;
use crate::keyed::many::wanted::{Merge, Wanted};
use crate::keyed::options::{HoldError, HoldOptions};
use crate::platform::Platform;

/// Merges what has one key; the list is sorted by hash.
pub(super) fn merge_equal<K: Eq, P: Platform>(keys: &mut [Each<'_, K, P>], merge: Merge) {
    for index in 1..keys.len() {
        let (before, behind) = keys.split_at_mut(index);
        let each = &mut behind[0];
        let mut same_hash = (before.iter_mut().rev()).take_while(|other| other.hash == each.hash);
        let twin = same_hash.find(|other| match (&other.state, &each.state) {
            (State::Wanted(one), State::Wanted(other)) => one == other,
            _ => false,
        });
        if let Some(twin) = twin {
            twin.amount = match merge {
                Merge::Max => twin.amount.max(each.amount),
                Merge::Sum => twin.amount.saturating_add(each.amount),
            };
            each.state = State::Merged;
        }
    }
}

/// One of many keys, wanted or held.
pub(crate) struct Each<'l, K: Eq, P: Platform> {
    pub(super) hash: u64,
    pub(super) amount: u32,
    pub(super) state: State<'l, K, P>,
}

pub(super) enum State<'l, K: Eq, P: Platform> {
    /// It has no place yet.
    Wanted(K),
    /// It is named by another.
    Merged,
    Free(Unheld<'l, K, P>),
    Held(Holding<'l, K, P>),
    /// It is being waited for, by somebody else.
    Lent,
}

impl<'l, K: Eq, P: Platform> Each<'l, K, P> {
    pub(super) fn new(wanted: Wanted<K>) -> Self {
        Self {
            hash: wanted.hash,
            amount: wanted.amount,
            state: State::Wanted(wanted.key),
        }
    }

    #[track_caller]
    pub(super) fn place(&mut self, lock: &'l KeyedLock<K, P>) -> Result<(), HoldError> {
        lock.check(self.amount);
        if let State::Wanted(key) = mem::replace(&mut self.state, State::Merged) {
            let entry = lock.entry(self.hash, key, HoldOptions::new(self.amount));
            let entry = entry.map_err(|_key| HoldError::PoolFull)?;
            let place = Holding::unheld(lock, self.hash, entry);
            // SAFETY: V1: the place was just taken.
            unsafe { lock.record(place.node(), place.traced(), Caller::here(), false) };
            self.state = State::Free(place);
        }
        Ok(())
    }

    /// True if it is held now.
    pub(super) fn try_hold(&mut self) -> bool {
        match mem::replace(&mut self.state, State::Lent) {
            State::Free(place) if place.try_take() => self.state = State::Held(place.into_held()),
            other => self.state = other,
        }
        !matches!(self.state, State::Free(_))
    }

    pub(super) fn release(&mut self) {
        self.state = match mem::replace(&mut self.state, State::Lent) {
            State::Held(holding) => State::Free(holding.into_unheld()),
            other => other,
        };
    }
}

impl<K: Eq, P: Platform> fmt::Debug for Each<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each")
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}
