//! The word of a semaphore: how many permits are free, and three flags.
//!
//! **States**: permits (signed: below zero they are owed) with WAITERS (set under the slot lock
//! while somebody is queued; a set bit without a waiter costs the next release a look), CLOSED
//! (never taken back) and BARGING (never changed).
//!
//! **Orderings**: PERMIT.

use crate::sync::{AtomicUsize, Ordering, const_unless_loom};

const WAITERS: usize = 1;
const CLOSED: usize = 2;
const BARGING: usize = 4;
const SHIFT: u32 = 3;

/// The most permits that a semaphore can have: an eighth of `isize::MAX`.
///
/// ```
/// assert!(slotpark_core::PERMITS_MAX > 100_000_000);
/// ```
pub const PERMITS_MAX: usize = (isize::MAX >> SHIFT) as usize;

#[derive(Debug)]
pub(super) struct Permits(AtomicUsize);

/// What became of an attempt to take permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    /// There are too few, or others are before us.
    No,
    Closed,
}

/// What the `validate` of a future has come to, told to the future. Both run one after the other;
/// it is atomic so that the future is `Send`.
pub(super) struct Note(AtomicUsize);

impl Note {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(Taken::No as usize))
    }

    pub(super) fn set(&self, taken: Taken) {
        // ORDERING: none, relaxed: who polls the future runs both.
        self.0.store(taken as usize, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Taken {
        // ORDERING: none, relaxed: who polls the future runs both.
        match self.0.load(Ordering::Relaxed) {
            yes if yes == Taken::Yes as usize => Taken::Yes,
            closed if closed == Taken::Closed as usize => Taken::Closed,
            _ => Taken::No,
        }
    }
}

#[inline]
const fn free(word: usize) -> isize {
    (word as isize) >> SHIFT
}

/// For nothing there are enough also while permits are owed.
#[inline]
const fn is_enough(word: usize, wanted: usize) -> bool {
    wanted == 0 || free(word) >= wanted as isize
}

impl Permits {
    const_unless_loom! {
        pub(super) fn new(permits: usize, barging: bool) -> Self {
            let flags = if barging { BARGING } else { 0 };
            Self(AtomicUsize::new(permits << SHIFT | flags))
        }
    }

    #[inline]
    fn read(&self) -> usize {
        // ORDERING: none, relaxed: a look; what follows from it is decided by compare-exchange.
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn free(&self) -> isize {
        free(self.read())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.read() & CLOSED != 0
    }

    pub(super) fn is_barging(&self) -> bool {
        self.read() & BARGING != 0
    }

    #[inline]
    fn exchange(&self, old: usize, new: usize) -> bool {
        // ORDERING: PERMIT acquire side: what was done before the permits were released comes
        // before what is done with them. Relaxed on failure, which learns nothing.
        self.0
            .compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes `count` permits, unless others are queued for them before us.
    #[inline]
    pub(super) fn take(&self, count: usize) -> Taken {
        loop {
            let word = self.read();
            if word & CLOSED != 0 {
                return Taken::Closed;
            }
            let others_first = word & WAITERS != 0 && word & BARGING == 0;
            if others_first || !is_enough(word, count) {
                return Taken::No;
            }
            if self.exchange(word, word.wrapping_sub(count << SHIFT)) {
                return Taken::Yes;
            }
        }
    }

    /// As [`take`](Self::take), under the slot lock; with `No`, WAITERS is set in the same step.
    pub(super) fn take_or_queue(&self, count: usize) -> Taken {
        loop {
            let taken = self.take(count);
            if taken != Taken::No {
                return taken;
            }
            let word = self.read();
            let is_free = word & WAITERS == 0 || word & BARGING != 0;
            if word & CLOSED != 0 || is_free && is_enough(word, count) {
                continue;
            }
            if word & WAITERS != 0 || self.exchange(word, word | WAITERS) {
                return Taken::No;
            }
        }
    }

    /// Takes `count` permits for one who is queued; under the slot lock.
    pub(super) fn grant(&self, count: usize) -> bool {
        loop {
            let word = self.read();
            if !is_enough(word, count) {
                return false;
            }
            if self.exchange(word, word.wrapping_sub(count << SHIFT)) {
                return true;
            }
        }
    }

    /// Gives `count` permits; whether somebody may be queued for them, or `None` if there would be
    /// more than [`PERMITS_MAX`].
    #[inline]
    pub(super) fn give(&self, count: usize) -> Option<bool> {
        loop {
            let word = self.read();
            let sum = free(word).checked_add_unsigned(count)?;
            if sum > PERMITS_MAX as isize {
                return None;
            }
            let new = word.wrapping_add(count << SHIFT);
            // ORDERING: PERMIT release side: what was done with the permits comes before what their
            // next owner does.
            let given = self
                .0
                .compare_exchange(word, new, Ordering::Release, Ordering::Relaxed);
            if given.is_ok() {
                return Some(word & WAITERS != 0);
            }
        }
    }

    /// Takes `count` permits away, also such that are not free; false if too many would be owed.
    pub(super) fn forget(&self, count: usize) -> bool {
        loop {
            let word = self.read();
            if free(word) - (count as isize) < -(PERMITS_MAX as isize) {
                return false;
            }
            if self.exchange(word, word.wrapping_sub(count << SHIFT)) {
                return true;
            }
        }
    }

    /// Nobody is queued any more; under the slot lock.
    pub(super) fn clear_waiters(&self) {
        // ORDERING: none, relaxed: a read-modify-write, which continues what a release began.
        self.0.fetch_and(!WAITERS, Ordering::Relaxed);
    }

    pub(super) fn close(&self) {
        // ORDERING: none, relaxed: the slot lock that follows orders who is queued; who comes later
        // reads the bit under it.
        self.0.fetch_or(CLOSED, Ordering::Relaxed);
    }
}
