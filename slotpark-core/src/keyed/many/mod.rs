//! Many keys at once: all or none, whatever order they are named in.
//!
//! Whom two callers wait for must not depend on the order in which they name their keys, and keys
//! have none of their own. So nobody holds one key while it waits for another: it waits for one,
//! then tries the others, and if one of them is busy it releases all and waits for that one. Who
//! has had no luck for [`ROUNDS_MAX`] rounds takes its keys one after the other in the order of
//! their hashes, and holds them while it waits: the order is the same for all, so that no circle of
//! such callers closes. Keys of equal hash have no order: among them it goes on in rounds.
//!
//! **States**: a range of the sorted keys is being taken (at first all of them; in order: those of
//! one hash); those before it are held; in the range one is waited for, and then tried or released
//! are the rest. **Lock order**: no slot lock is held here.

mod each;
mod task;
mod wanted;

use core::fmt;
use core::mem;
use core::ops::Range;

use crate::keyed::guard::{Holding, Unheld};
use crate::keyed::lock::KeyedLock;
use crate::keyed::many::each::{Each, State};
use crate::keyed::options::{HoldError, HoldOptions, TryHoldError};
use crate::platform::{Deadline, Platform};

pub use task::HoldMany;
pub use wanted::{KeyList, Merge, Wanted};

/// After so many rounds, keys are taken in order. Few for shuttle, whose programs are short.
const ROUNDS_MAX: u32 = if cfg!(slotpark_shuttle) { 2 } else { 16 };

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    /// Waits until all keys can be held, and holds them by one guard. A key that is named twice is
    /// merged.
    ///
    /// It does not matter in which order keys are named: callers of this never wait for each other
    /// in a circle. While it waits it holds nothing, for 16 rounds (a round is a wait for one key
    /// in its turn, and a look at the others); who has been unlucky so long takes the keys in one
    /// order, the same for all callers, and holds them while it waits for the next: so it is
    /// overtaken a bounded number of times, unless keys have equal hashes or the lock is barging.
    /// From there on it waits in a circle with who holds one of its keys by another guard and waits
    /// for another, as two plain locks do: name all keys in one call.
    ///
    /// Allocates for a `Vec`, once, and as [`hold`](Self::hold) if the pool is full.
    ///
    /// # Errors
    /// [`HoldError`]; then nothing is held.
    ///
    /// # Panics
    /// If more of a key is wanted than the [`capacity`](Self::capacity), and as the type says.
    ///
    /// ```
    /// use slotpark_core::{KeyedLock, Merge, Wanted, finalize};
    /// let lock = KeyedLock::<u64>::new(1);
    /// let wanted = [7, 8].map(|key| Wanted::new(finalize(key), key, 1));
    /// let held = lock.hold_many(wanted, Merge::Max, None).unwrap();
    /// assert_eq!(held.keys().count(), 2);
    /// drop(held);
    /// assert_eq!(lock.held(finalize(7), &7), 0);
    /// ```
    #[track_caller]
    pub fn hold_many<L: KeyList<Wanted<K>>>(
        &self,
        wanted: L,
        merge: Merge,
        deadline: Option<Deadline>,
    ) -> Result<HoldingMany<'_, K, P, L>, HoldError> {
        let mut many = self.many(wanted, merge)?;
        while let Some((place, amount)) = many.next() {
            let options = HoldOptions::new(amount).deadline(deadline);
            many.got(self.hold_by(place, options)?);
        }
        Ok(many)
    }

    /// As [`hold_many`](Self::hold_many), if all keys can be held now. Another who tries at the
    /// same moment may be in the way.
    ///
    /// # Errors
    /// [`TryHoldError`]; then nothing is held.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, KeyedLock, Merge, Wanted};
    /// let lock = KeyedLock::<u64>::new(1);
    /// let guard = lock.try_hold(1, 7, HoldOptions::new(1)).unwrap();
    /// let wanted = [(1, 7), (2, 8)].map(|(hash, key)| Wanted::new(hash, key, 1));
    /// assert!(lock.try_hold_many(wanted, Merge::Max).is_err());
    /// assert_eq!(lock.held(2, &8), 0);
    /// ```
    #[track_caller]
    pub fn try_hold_many<L: KeyList<Wanted<K>>>(
        &self,
        wanted: L,
        merge: Merge,
    ) -> Result<HoldingMany<'_, K, P, L>, TryHoldError> {
        let mut many = self.many(wanted, merge).map_err(TryHoldError::from)?;
        let mut each = many.keys.all_mut().iter_mut();
        if each.all(Each::try_hold) {
            Ok(many)
        } else {
            Err(TryHoldError::Busy)
        }
    }

    /// Takes a place in the pool for each key.
    #[track_caller]
    pub(super) fn many<L: KeyList<Wanted<K>>>(
        &self,
        wanted: L,
        merge: Merge,
    ) -> Result<HoldingMany<'_, K, P, L>, HoldError> {
        let mut held = wanted.map_all(Each::new);
        let keys = held.all_mut();
        keys.sort_unstable_by_key(|each| each.hash);
        each::merge_equal(keys, merge);
        for each in keys.iter_mut() {
            each.place(self)?;
        }
        let mut many = HoldingMany {
            range: 0..keys.len(),
            first: 0,
            round: 0,
            keys: held,
        };
        many.skip_merged();
        Ok(many)
    }
}

/// Many keys are held while this lives. Made by [`KeyedLock::hold_many`].
///
/// ```
/// use slotpark_core::{KeyedLock, Merge, Wanted};
/// let lock = KeyedLock::<u64>::new(1);
/// let held = lock.hold_many([Wanted::new(1, 7, 1)], Merge::Max, None).unwrap();
/// assert_eq!(held.keys().collect::<Vec<_>>(), [&7]);
/// ```
#[must_use = "the keys are released when the guard is dropped"]
pub struct HoldingMany<'l, K: Eq + 'l, P: Platform, L: KeyList<Wanted<K>>> {
    keys: L::Of<Each<'l, K, P>>,
    /// Which of them are being taken; those before are held.
    range: Range<usize>,
    /// Which one is waited for.
    first: usize,
    round: u32,
}

impl<'l, K: Eq, P: Platform, L: KeyList<Wanted<K>>> HoldingMany<'l, K, P, L> {
    /// The keys that are held, each once, in no particular order.
    ///
    /// ```
    /// use slotpark_core::{KeyedLock, Merge, Wanted};
    /// let lock = KeyedLock::<u64>::new(1);
    /// let held = lock.hold_many(Vec::<Wanted<u64>>::new(), Merge::Max, None).unwrap();
    /// assert_eq!(held.keys().count(), 0);
    /// ```
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        let keys = self.keys.all().iter();
        keys.filter_map(|each| match &each.state {
            State::Held(holding) => Some(holding.key()),
            _ => None,
        })
    }

    /// What is to be waited for next, and how much of it; `None` if all are held.
    pub(super) fn next(&mut self) -> Option<(Unheld<'l, K, P>, u32)> {
        let each = self.keys.all_mut().get_mut(self.first)?;
        match mem::replace(&mut each.state, State::Lent) {
            State::Free(place) => Some((place, each.amount)),
            _ => unreachable!("what is waited for is not held"),
        }
    }

    /// It has come: tries the others of the range.
    pub(super) fn got(&mut self, holding: Holding<'l, K, P>) {
        let keys = self.keys.all_mut();
        keys[self.first].state = State::Held(holding);
        let range = self.range.clone();
        let busy = keys[range.clone()]
            .iter_mut()
            .position(|each| !each.try_hold());
        let Some(busy) = busy else {
            self.first = range.end;
            return self.next_range();
        };
        for each in &mut keys[range.clone()] {
            each.release();
        }
        self.first = range.start + busy;
        self.round += 1;
        if self.round == ROUNDS_MAX {
            self.first = 0;
            self.next_range();
        }
    }

    /// In order: goes on with those of one hash.
    fn next_range(&mut self) {
        self.skip_merged();
        let keys = self.keys.all();
        let Some(first) = keys.get(self.first) else {
            return;
        };
        let count = (keys[self.first..].iter())
            .take_while(|each| each.hash == first.hash)
            .count();
        self.range = self.first..self.first + count;
    }

    fn skip_merged(&mut self) {
        let is_merged = |each: &&Each<'_, K, P>| matches!(each.state, State::Merged);
        let rest = self.keys.all().iter().skip(self.first);
        self.first += rest.take_while(is_merged).count();
    }
}

impl<K: Eq, P: Platform, L: KeyList<Wanted<K>>> fmt::Debug for HoldingMany<'_, K, P, L> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HoldingMany")
            .field("count", &self.keys().count())
            .finish_non_exhaustive()
    }
}
