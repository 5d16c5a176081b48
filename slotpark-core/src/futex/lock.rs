//! Locking words that are handed over: FUTEX_LOCK_PI, FUTEX_TRYLOCK_PI.
//!
//! The losing interleavings that the order of steps excludes. *A death that nobody sees*: a locker
//! reads the owner, the owner ends and `thread_exited` finds nobody queued, the locker sleeps for
//! ever. So the owner is asked for again once the locker is queued: either the walk finds the
//! locker, or the locker sees the death, and hands over itself. *A circle that nobody sees*: two
//! threads each look whether the other one waits, and then queue. So they queue first.
//!
//! **Lock order**: one slot lock at a time. **Orderings**: DEKKER both sides, LOCK, HANDOFF, WORD.

use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;

use crate::futex::error::FutexError;
use crate::futex::lock_word::{Ask, Claim, Crowd, Known, LockWord, PI_OWNER, owner_of, tag};
use crate::futex::memory::{FutexMemory, FutexSize};
use crate::futex::space::FutexSpace;
use crate::futex::time::FutexTimeout;
use crate::futex::verbs::{Place, ended};
use crate::options::{ParkOptions, Parked};
use crate::park::Linked;
use crate::platform::Platform;
use crate::process::FutexKey;
use crate::reentry;
use crate::slot::SlotGuard;

/// The longest way from owner to owner that is looked at: the kernel's.
const CIRCLE_MAX: usize = 1024;

/// Why an attempt to lock was not queued.
enum Stop {
    Done(Result<(), FutexError>),
    Ask(u32),
    HandOver(u32),
}

impl<M: FutexMemory, P: Platform> FutexSpace<'_, M, P> {
    /// FUTEX_LOCK_PI: locks the word of 32 bits at `address` for `tid`, or waits until it is handed
    /// over by [`unlock_pi`](Self::unlock_pi) or [`thread_exited`](Self::thread_exited), in the
    /// order of arrival. No priority is lent: that is what a user-space table cannot do.
    ///
    /// The word is the kernel's: 0, or the owner's number, with [`PI_WAITERS`](crate::PI_WAITERS)
    /// once somebody waits and [`PI_OWNER_DIED`](crate::PI_OWNER_DIED) after the death of an owner.
    /// Who finds 0 may lock by a compare-exchange from 0 to its number, without a call, and unlock
    /// by one back. Whatever else there is needs a call.
    ///
    /// `tid` is the caller's number, from 1 to [`PI_OWNER`], and no other thread of the space has
    /// it. `is_alive` says whether the thread of another number can still give back what it owns.
    /// It runs outside slot locks, once or twice, and may call anything. To end the waits for a
    /// thread that has come to its end, tell [`thread_exited`](Self::thread_exited) after
    /// `is_alive` says no.
    ///
    /// A time-out leaves `PI_WAITERS` set. One who was handed the lock owns it, however late. One
    /// who is woken otherwise, by [`Table::unpark_where`](crate::Table::unpark_where), queues
    /// again.
    ///
    /// # Errors
    /// [`Deadlock`](FutexError::Deadlock) if `tid` owns the lock, or its owner waits, over whatever
    /// locks of the space, for one of `tid`; of threads that close a circle at one moment, several
    /// may be told. [`NoSuchThread`](FutexError::NoSuchThread) if the owner is dead and nobody
    /// waits. [`Invalid`](FutexError::Invalid) for waiters of another kind at the address, a word
    /// that no lock has, an address that is no multiple of 4, and a `tid` that is none.
    /// [`TimedOut`](FutexError::TimedOut), [`Fault`](FutexError::Fault),
    /// [`Closed`](FutexError::Closed).
    ///
    /// # Panics
    /// Passes panics of the memory and of `is_alive` on. What was handed to `tid` while `is_alive`
    /// panicked, it owns. In debug builds, if called from a closure that runs under a slot lock.
    ///
    /// ```
    /// use slotpark_core::{FutexError, FutexSpace, FutexTimeout, LinearMemory, PI_WAITERS};
    /// use std::sync::atomic::{AtomicU64, Ordering};
    /// let bytes = [AtomicU64::new(0)];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// let soon = FutexTimeout::Monotonic(std::time::Duration::ZERO);
    /// assert_eq!(guest.lock_pi(0, 7, soon, |_| true), Ok(()));
    /// assert_eq!(guest.lock_pi(0, 7, soon, |_| true), Err(FutexError::Deadlock));
    /// assert_eq!(guest.lock_pi(0, 8, soon, |_| true), Err(FutexError::TimedOut));
    /// assert_eq!(guest.lock_pi(0, 8, soon, |_| false), Err(FutexError::NoSuchThread));
    /// let word = u64::from_le(bytes[0].load(Ordering::Relaxed)) as u32;
    /// assert_eq!(word, 7 | PI_WAITERS);
    /// ```
    #[track_caller]
    pub fn lock_pi(
        &self,
        address: u64,
        tid: u32,
        timeout: FutexTimeout,
        is_alive: impl Fn(u32) -> bool,
    ) -> Result<(), FutexError> {
        self.lock_at(address, tid, Some(timeout), &asking(&is_alive))
    }

    /// FUTEX_TRYLOCK_PI: as [`lock_pi`](Self::lock_pi), and never waits.
    ///
    /// # Errors
    /// As [`lock_pi`](Self::lock_pi); [`Again`](FutexError::Again) if the lock is held. Then, too,
    /// `PI_WAITERS` is set.
    ///
    /// ```
    /// use slotpark_core::{FutexError, FutexSpace, LinearMemory};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [AtomicU64::new(0)];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// assert_eq!(guest.try_lock_pi(4, 7, |_| true), Ok(()));
    /// assert_eq!(guest.try_lock_pi(4, 8, |_| true), Err(FutexError::Again));
    /// ```
    #[track_caller]
    pub fn try_lock_pi(
        &self,
        address: u64,
        tid: u32,
        is_alive: impl Fn(u32) -> bool,
    ) -> Result<(), FutexError> {
        self.lock_at(address, tid, None, &asking(&is_alive))
    }

    /// Without a time it is but tried.
    #[track_caller]
    pub(super) fn lock_at(
        &self,
        address: u64,
        me: u32,
        timeout: Option<FutexTimeout>,
        ask: Ask<'_>,
    ) -> Result<(), FutexError> {
        reentry::check();
        check_tid(me)?;
        let (hash, key) = self.place(address, FutexSize::U32)?;
        let word = self.lock_word(address);
        let owner = word.load()? & PI_OWNER;
        if owner == me {
            return Err(FutexError::Deadlock);
        }
        // Before the slot is locked, for it will have to be asked.
        let mut known = Known::of(owner, ask);
        let deadline = timeout.and_then(FutexTimeout::deadline::<P>);
        let options = ParkOptions::new().deadline(deadline).tag(tag(me, 0));
        loop {
            let room = UnsafeCell::new(MaybeUninit::<FutexKey>::uninit());
            let held_by = Cell::new(0);
            let attempt = |guard: &SlotGuard<'_, P>| {
                let crowd = self.crowd(guard, (hash, key));
                match word.claim(me, crowd, known, 0) {
                    Ok(Claim::Held(owner)) if timeout.is_some() => {
                        held_by.set(owner);
                        Ok(true)
                    }
                    Ok(Claim::Held(_)) => Err(Stop::Done(Err(FutexError::Again))),
                    Ok(Claim::Taken) => Err(Stop::Done(Ok(()))),
                    Ok(Claim::Unknown(owner)) => Err(Stop::Ask(owner)),
                    Ok(Claim::Left(owner)) => Err(Stop::HandOver(owner)),
                    Err(error) => Err(Stop::Done(Err(error))),
                }
            };
            let wait = |linked: Linked<'_, FutexKey, P>, spin_ns| {
                let refused = self.look_again((hash, key), address, (me, held_by.get()), ask);
                Ok(match refused.err() {
                    None => linked.wait(spin_ns, deadline, |_| {}),
                    Some(error) => match linked.cancel() {
                        None => return Err(error),
                        // It owns the lock by now.
                        Some((verdict, _)) => verdict.into(),
                    },
                })
            };
            let key = key.for_lock();
            let room = room.get().cast();
            match self.table.queue(hash, &key, options, room, attempt, wait) {
                Ok(Ok(Ok(Parked::Woken { .. }))) if word.load()? & PI_OWNER != me => {
                    // By somebody who wakes whoever waits, and knows nothing of locks.
                    known = Known::NOTHING;
                }
                Ok(waited) => return ended(waited.unwrap_or_else(Ok)?),
                Err(Stop::Done(result)) => return result,
                Err(Stop::Ask(owner)) => known = Known::of(owner, ask),
                Err(Stop::HandOver(owner)) => {
                    let _handed_over = self.hand_over_from((hash, key), address, owner)?;
                }
            }
        }
    }

    /// What a locker that is queued has to look at before it sleeps; an error if it must not.
    fn look_again(
        &self,
        place: Place,
        address: u64,
        (me, owner): (u32, u32),
        ask: Ask<'_>,
    ) -> Result<(), FutexError> {
        if Known::of(owner, ask).lives == Err(FutexError::NoSuchThread) {
            // It lived when it was asked for first: its exit would have handed over to us, too.
            self.hand_over_from(place, address, owner)?;
        } else if owner != 0 && self.is_circle(me, owner) {
            return Err(FutexError::Deadlock);
        }
        Ok(())
    }

    /// Whether who owns the lock waits for one that `me` owns, or for one whose owner does.
    fn is_circle(&self, me: u32, mut owner: u32) -> bool {
        let beside = self.key(0);
        for _ in 0..CIRCLE_MAX {
            let next = self.table.find_waiter(|key, tag| {
                let address = key.lock_beside(&beside)?;
                if owner_of(tag) != owner {
                    return None;
                }
                Some(self.lock_word(address).load().map_or(0, |it| it & PI_OWNER))
            });
            match next {
                Some(next) if next == me => return true,
                Some(next) if next != 0 => owner = next,
                _ => return false,
            }
        }
        true
    }

    /// Who stands at a place whose slot is locked.
    pub(super) fn crowd(&self, guard: &SlotGuard<'_, P>, (hash, key): Place) -> Crowd {
        let stands = |key: &FutexKey| self.table.tags_of(guard, hash, key).next().is_some();
        Crowd {
            lockers: stands(&key.for_lock()),
            others: stands(&key) || stands(&key.for_move()),
        }
    }

    #[track_caller]
    pub(super) fn lock_word(&self, address: u64) -> LockWord<'_, M> {
        LockWord {
            memory: &self.memory,
            address,
        }
    }
}

/// 0 is nobody, and the two bits above the largest number say something else.
pub(super) const fn check_tid(tid: u32) -> Result<(), FutexError> {
    if tid == 0 || tid > PI_OWNER {
        return Err(FutexError::Invalid);
    }
    Ok(())
}

/// What an embedder says of its threads, as an answer.
pub(super) fn asking(is_alive: &impl Fn(u32) -> bool) -> impl Fn(u32) -> Result<(), FutexError> {
    |tid| {
        if is_alive(tid) {
            Ok(())
        } else {
            Err(FutexError::NoSuchThread)
        }
    }
}
