//! The word of a lock that is handed over: who owns it, and that somebody waits.
//!
//! **States** of the word: 0 free - the owner's number - with [`PI_WAITERS`], from before somebody
//! is queued until the lock is given back with nobody queued - with [`PI_OWNER_DIED`], if an owner
//! has come to its end.
//!
//! **Invariants**: F1 While somebody is queued for a lock, `PI_WAITERS` is set, and the word is
//! changed under the slot lock only: who locks and unlocks without a call compares the whole word.
//! F2 Who is queued was queued, or moved here, while the owner lived: one that was not is refused.
//!
//! **Orderings**: WORD, LOCK.

use crate::futex::error::FutexError;
use crate::futex::memory::{FutexMemory, FutexSize};

/// The bits of a lock's word that hold the number of its owner: FUTEX_TID_MASK. 0 is nobody.
///
/// ```
/// use slotpark_core::{PI_OWNER, PI_OWNER_DIED, PI_WAITERS};
/// assert_eq!(PI_OWNER ^ PI_OWNER_DIED ^ PI_WAITERS, u32::MAX);
/// ```
pub const PI_OWNER: u32 = (1 << 30) - 1;

/// Somebody waits for the lock, or did: FUTEX_WAITERS. Then it is given back by a call.
///
/// ```
/// assert_eq!(slotpark_core::PI_WAITERS, 0x8000_0000);
/// ```
pub const PI_WAITERS: u32 = 1 << 31;

/// An owner has come to its end without giving the lock back: FUTEX_OWNER_DIED. What the lock
/// guards may be half done.
///
/// ```
/// assert_eq!(slotpark_core::PI_OWNER_DIED, 0x4000_0000);
/// ```
pub const PI_OWNER_DIED: u32 = 1 << 30;

/// A lock's word.
pub(super) struct LockWord<'m, M> {
    pub(super) memory: &'m M,
    pub(super) address: u64,
}

/// Who stands in the slot at the address of a lock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crowd {
    /// Somebody waits for the lock.
    pub(super) lockers: bool,
    /// Somebody waits for something else.
    pub(super) others: bool,
}

/// What is known of an owner, and that is no more than it was when it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) owner: u32,
    /// It lives, or why nobody can wait for it.
    pub(super) lives: Result<(), FutexError>,
}

impl Known {
    pub(super) const NOTHING: Self = Self {
        owner: 0,
        lives: Ok(()),
    };

    pub(super) fn of(owner: u32, ask: Ask<'_>) -> Self {
        let lives = if owner == 0 { Ok(()) } else { ask(owner) };
        Self { owner, lives }
    }
}

/// Asks whether a thread can be waited for as an owner.
pub(super) type Ask<'a> = &'a dyn Fn(u32) -> Result<(), FutexError>;

/// What an attempt to lock has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    Taken,
    /// By this owner; or by nobody, once what an owner left behind is handed over. `PI_WAITERS` is
    /// set.
    Held(u32),
    /// Nobody has asked for this owner yet.
    Unknown(u32),
    /// This owner is gone, and others waited before it went: the lock is theirs first.
    Left(u32),
}

impl<M: FutexMemory> LockWord<'_, M> {
    pub(super) fn load(&self) -> Result<u32, FutexError> {
        Ok(self.memory.load(self.address, FutexSize::U32)? as u32)
    }

    /// False if the word has changed.
    pub(super) fn exchange(&self, old: u32, new: u32) -> Result<bool, FutexError> {
        let exchanged = self.memory.compare_exchange(self.address, old, new)?;
        Ok(exchanged.is_ok())
    }

    /// An attempt of `me` to lock, or, if the lock is held, to be queued, under the slot lock.
    /// `extra` is set together with the owner.
    pub(super) fn claim(
        &self,
        me: u32,
        crowd: Crowd,
        known: Known,
        extra: u32,
    ) -> Result<Claim, FutexError> {
        loop {
            let old = self.load()?;
            let owner = old & PI_OWNER;
            if owner == me {
                return Err(FutexError::Deadlock);
            }
            if owner == 0 && crowd.lockers {
                // What its owner left, and its exit will hand over; or else nonsense.
                let was_left = old & PI_OWNER_DIED != 0;
                return was_left
                    .then_some(Claim::Held(0))
                    .ok_or(FutexError::Invalid);
            }
            if crowd.others && !crowd.lockers {
                return Err(FutexError::Invalid);
            }
            if owner == 0 {
                if self.exchange(old, old & PI_OWNER_DIED | me | extra)? {
                    return Ok(Claim::Taken);
                }
                continue;
            }
            if known.owner != owner {
                return Ok(Claim::Unknown(owner));
            }
            if crowd.lockers && known.lives == Err(FutexError::NoSuchThread) {
                return Ok(Claim::Left(owner));
            }
            // Also where nobody can wait for the owner, as in the kernel.
            if self.exchange(old, old | PI_WAITERS)? {
                return known.lives.map(|()| Claim::Held(owner));
            }
        }
    }

    /// Makes `next` the owner if `is_due` says so of the word; false if it does not.
    pub(super) fn hand_over(
        &self,
        next: u32,
        mark: u32,
        is_due: impl Fn(u32) -> bool,
    ) -> Result<bool, FutexError> {
        loop {
            let old = self.load()?;
            if !is_due(old) {
                return Ok(false);
            }
            if self.exchange(old, PI_WAITERS | mark | next)? {
                return Ok(true);
            }
        }
    }
}

/// What a waiter for a lock brings as its tag: its number, and of the lock that it wants to be
/// moved to as much of the hash as there is room for. A tag is a number, not an address: keys can
/// be copied by whoever walks over a table, and used with any tag.
pub(super) const fn tag(owner: u32, promised: u64) -> u64 {
    promised & !(PI_OWNER as u64) | owner as u64
}

/// Whose tag it is.
pub(super) const fn owner_of(tag: u64) -> u32 {
    tag as u32 & PI_OWNER
}

/// Whether the lock with this hash is the promised one: a wrong one is not recognised in one case
/// of 2^34.
pub(super) const fn is_promised(tag: u64, hash: u64) -> bool {
    (tag ^ hash) & !(PI_OWNER as u64) == 0
}
