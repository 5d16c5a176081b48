//! Handing locks over: FUTEX_UNLOCK_PI, and the end of a thread that owned some.
//!
//! **Lock order**: one slot lock at a time. **Orderings**: DEKKER side B, LOCK, HANDOFF, WORD.

use crate::futex::error::FutexError;
use crate::futex::lock_word::{PI_OWNER, PI_OWNER_DIED, owner_of};
use crate::futex::memory::{FutexMemory, FutexSize};
use crate::futex::space::FutexSpace;
use crate::futex::verbs::Place;
use crate::platform::Platform;

impl<M: FutexMemory, P: Platform> FutexSpace<'_, M, P> {
    /// FUTEX_UNLOCK_PI: hands a lock of `tid` over to the first who waits for it, or frees it. The
    /// new owner is in the word before it wakes, and `PI_WAITERS` with it, also if nobody else
    /// waits.
    ///
    /// # Errors
    /// [`NotOwner`](FutexError::NotOwner) if `tid` does not own it; then nothing is changed.
    /// [`Invalid`](FutexError::Invalid) if there are waiters, but for something else.
    /// [`Again`](FutexError::Again) if the word is being changed without a call.
    /// [`Fault`](FutexError::Fault).
    ///
    /// # Panics
    /// Passes panics of the memory on. In debug builds, if called from a closure that runs under a
    /// slot lock.
    ///
    /// ```
    /// use slotpark_core::{FutexError, FutexSpace, LinearMemory};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [AtomicU64::new(7)];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// assert_eq!(guest.unlock_pi(0, 8), Err(FutexError::NotOwner));
    /// assert_eq!(guest.unlock_pi(0, 7), Ok(()));
    /// assert_eq!(guest.unlock_pi(0, 7), Err(FutexError::NotOwner));
    /// ```
    pub fn unlock_pi(&self, address: u64, tid: u32) -> Result<(), FutexError> {
        let word_bytes = FutexSize::U32.bytes();
        // Owners are looked at before anything else, and nobody owns what is no word.
        let owner = self.lock_word(address & !(word_bytes - 1)).load()? & PI_OWNER;
        if owner != tid || tid == 0 || address % word_bytes != 0 {
            return Err(FutexError::NotOwner);
        }
        let (hash, key) = self.place(address, FutexSize::U32)?;
        let word = self.lock_word(address);
        let is_mine = |old: u32| old & PI_OWNER == tid;
        self.table
            .unpark_first_if(hash, &key.for_lock(), |guard, first| {
                if let Some(first) = first {
                    let handed_over = word.hand_over(owner_of(first), 0, is_mine)?;
                    return handed_over.then_some(true).ok_or(FutexError::Invalid);
                }
                if self.crowd(guard, (hash, key)).others {
                    return Err(FutexError::Invalid);
                }
                let old = word.load()?;
                let freed = is_mine(old) && word.exchange(old, 0)?;
                freed.then_some(false).ok_or(FutexError::Again)
            })
            .map(|_| ())
    }

    /// Tells that the thread `tid` has come to its end: every lock that it owned and that somebody
    /// waits for is handed over to the first one, with `PI_OWNER_DIED` set, as the kernel does at
    /// the end of a thread. So is every lock that is left to nobody with that bit, as a robust list
    /// leaves it. Returns how many.
    ///
    /// Call it once `is_alive` (see [`lock_pi`](Self::lock_pi)) says no: who comes later is told so
    /// then. Nothing calls it by itself. It costs a fence, and a look at each slot of the table.
    ///
    /// ```
    /// use slotpark_core::{FutexSpace, LinearMemory};
    /// let guest = FutexSpace::process(1, LinearMemory::new(&[]));
    /// assert_eq!(guest.thread_exited(7), 0);
    /// ```
    pub fn thread_exited(&self, tid: u32) -> usize {
        let beside = self.key(0);
        let is_left = |old: u32| match old & PI_OWNER {
            0 => old & PI_OWNER_DIED != 0,
            owner => owner == tid,
        };
        self.table.unpark_first_where(|key, first| {
            let Some(address) = key.lock_beside(&beside) else {
                return false;
            };
            let word = self.lock_word(address);
            // Where no word is any more, nothing is handed over.
            word.hand_over(owner_of(first), PI_OWNER_DIED, is_left)
                .unwrap_or(false)
        })
    }

    /// Hands a lock over that still belongs to a thread which is gone, if somebody waits for it.
    pub(super) fn hand_over_from(
        &self,
        (hash, key): Place,
        address: u64,
        gone: u32,
    ) -> Result<bool, FutexError> {
        let word = self.lock_word(address);
        let is_left = |old: u32| old & PI_OWNER == gone;
        self.table
            .unpark_first_if(hash, &key.for_lock(), |_, first| match first {
                Some(first) => word.hand_over(owner_of(first), PI_OWNER_DIED, is_left),
                None => Ok(false),
            })
    }

    /// The number of waiters at an address, at this moment, that want the lock that the word there
    /// is, or to be moved to one: exactly.
    ///
    /// ```
    /// use slotpark_core::{FutexSpace, LinearMemory};
    /// let guest = FutexSpace::process(1, LinearMemory::new(&[]));
    /// assert_eq!(guest.waiters_pi(0x10), 0);
    /// ```
    #[must_use]
    pub fn waiters_pi(&self, address: u64) -> usize {
        let (hash, key) = self.place_unchecked(address);
        let keys = [key.for_lock(), key.for_move()];
        keys.iter().map(|key| self.table.waiters(hash, key)).sum()
    }
}
