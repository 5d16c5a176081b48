//! Waits that are moved to a lock: FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI.
//!
//! A moved waiter has not asked for the owner of the lock. The mover asks for it: before, so that
//! nobody is moved to the lock of one who is gone, and again afterwards, as a locker does.
//!
//! **Lock order**: two slot locks in index order. **Orderings**: DEKKER both sides, LOCK, HANDOFF,
//! WORD.

use core::cell::Cell;

use crate::futex::error::FutexError;
use crate::futex::lock::{asking, check_tid};
use crate::futex::lock_word::{
    Ask, Claim, Known, PI_OWNER, PI_WAITERS, is_promised, owner_of, tag,
};
use crate::futex::memory::{FutexMemory, FutexSize, FutexValue};
use crate::futex::space::{FutexSpace, WakeCount};
use crate::futex::time::FutexTimeout;
use crate::futex::verbs::{Place, ended};
use crate::options::ParkOptions;
use crate::platform::Platform;
use crate::process::FutexKey;
use crate::requeue::{RequeueOptions, Requeued};
use crate::slot::SlotGuard;

/// Why nobody was moved.
enum Stop {
    Failed(FutexError),
    Ask(u32),
    HandOver(u32),
}

impl From<FutexError> for Stop {
    fn from(error: FutexError) -> Self {
        Self::Failed(error)
    }
}

/// What a move does, and of whom.
#[derive(Clone, Copy)]
struct Plan {
    options: RequeueOptions,
    /// Behind those who are moved stands one who must not be.
    is_cut_short: bool,
}

impl<M: FutexMemory, P: Platform> FutexSpace<'_, M, P> {
    /// FUTEX_WAIT_REQUEUE_PI: waits while the word of 32 bits at `address` holds `expected`, until
    /// moved to the lock at `lock` by [`cmp_requeue_pi`](Self::cmp_requeue_pi) and handed that, by
    /// the same call or later. `Ok` says that `tid` owns the lock.
    ///
    /// The deadline goes on where it is moved to. Neither a wake nor a requeue of another kind ends
    /// it.
    ///
    /// # Errors
    /// [`Again`](FutexError::Again), [`TimedOut`](FutexError::TimedOut),
    /// [`Fault`](FutexError::Fault), [`Closed`](FutexError::Closed);
    /// [`Invalid`](FutexError::Invalid) for one address twice, one that is no multiple of 4, and a
    /// `tid` that is none. After each of them the lock is not the caller's.
    ///
    /// # Panics
    /// Passes panics of the memory on. In debug builds, if called from a closure that runs under a
    /// slot lock.
    ///
    /// ```
    /// use slotpark_core::{FutexError, FutexSpace, FutexTimeout, LinearMemory};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [AtomicU64::new(0)];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// let past = FutexTimeout::Monotonic(std::time::Duration::ZERO);
    /// assert_eq!(guest.wait_requeue_pi(0, 1, 4, 7, past), Err(FutexError::Again));
    /// assert_eq!(guest.wait_requeue_pi(0, 0, 4, 7, past), Err(FutexError::TimedOut));
    /// assert_eq!(guest.wait_requeue_pi(0, 0, 0, 7, past), Err(FutexError::Invalid));
    /// ```
    #[track_caller]
    pub fn wait_requeue_pi(
        &self,
        address: u64,
        expected: u32,
        lock: u64,
        tid: u32,
        timeout: FutexTimeout,
    ) -> Result<(), FutexError> {
        if address == lock {
            return Err(FutexError::Invalid);
        }
        check_tid(tid)?;
        let (promised, _) = self.place(lock, FutexSize::U32)?;
        let (hash, key) = self.place(address, FutexSize::U32)?;
        let options = ParkOptions::new()
            .deadline(timeout.deadline::<P>())
            .tag(tag(tid, promised));
        let unchanged = || self.holds(address, FutexValue::U32(expected));
        let key = key.for_move();
        let parked = self
            .table
            .park_with(hash, &key, options, unchanged, || {}, |_| {})?;
        ended(parked)?;
        // Else woken by somebody who wakes whoever waits, and knows nothing of locks.
        let is_owner = self.lock_word(lock).load()? & PI_OWNER == tid;
        is_owner.then_some(()).ok_or(FutexError::Again)
    }

    /// FUTEX_CMP_REQUEUE_PI: if the word at `address` still holds `expected`, the first who waits
    /// there gets the lock at `lock` if that is free, and wakes; the next `moves`, or `moves` + 1
    /// if it is not, are moved to the waiters of the lock. `is_alive` is asked for its owner: see
    /// [`lock_pi`](Self::lock_pi).
    ///
    /// # Errors
    /// [`Again`](FutexError::Again) if the word has changed. [`Invalid`](FutexError::Invalid) for
    /// one address twice, one that is no multiple of 4, and if there are waiters that came by
    /// another call, or for another lock; those before them are moved all the same.
    /// [`Deadlock`](FutexError::Deadlock) if the first waiter owns the lock: a circle over several
    /// locks is not seen here. [`NoSuchThread`](FutexError::NoSuchThread),
    /// [`Fault`](FutexError::Fault).
    ///
    /// # Panics
    /// As [`lock_pi`](Self::lock_pi).
    ///
    /// ```
    /// use slotpark_core::{FutexError, FutexSpace, LinearMemory, Requeued, WakeCount};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [AtomicU64::new(0)];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// let requeue = |expected| guest.cmp_requeue_pi(0, expected, 4, WakeCount::All, |_| true);
    /// assert_eq!(requeue(0), Ok(Requeued::default()));
    /// assert_eq!(requeue(1), Err(FutexError::Again));
    /// ```
    pub fn cmp_requeue_pi(
        &self,
        address: u64,
        expected: u32,
        lock: u64,
        moves: WakeCount,
        is_alive: impl Fn(u32) -> bool,
    ) -> Result<Requeued, FutexError> {
        self.move_to_lock((address, expected), lock, moves.get(), &asking(&is_alive))
    }

    pub(super) fn move_to_lock(
        &self,
        (address, expected): (u64, u32),
        lock: u64,
        moves: usize,
        ask: Ask<'_>,
    ) -> Result<Requeued, FutexError> {
        if address == lock {
            return Err(FutexError::Invalid);
        }
        let from = self.place(address, FutexSize::U32)?;
        let to = self.place(lock, FutexSize::U32)?;
        let mut known = Known::NOTHING;
        loop {
            let plan = Cell::new(None);
            let held_by = Cell::new(0);
            let validate = |source: &SlotGuard<'_, P>, target: &SlotGuard<'_, P>| {
                if !self.holds(address, FutexValue::U32(expected))? {
                    return Err(Stop::Failed(FutexError::Again));
                }
                let claim =
                    self.claim_for_first((source, from), (target, to), lock, moves, known)?;
                if let Some(Claim::Held(owner)) = claim {
                    held_by.set(owner);
                }
                let planned = self.plan((source, from), to.0, moves, claim);
                plan.set(Some(planned));
                Ok(Some(planned.options))
            };
            let keys = (from.1.for_move(), to.1.for_lock());
            let (from, target) = ((from.0, &keys.0), (to.0, &keys.1));
            let done = self.table.requeue_locked(from, target, 0, validate, |_| {});
            match done {
                Ok(done) => {
                    if Known::of(held_by.get(), ask).lives == Err(FutexError::NoSuchThread) {
                        // Those who were moved waited for it already when it went.
                        self.hand_over_from(to, lock, held_by.get())?;
                    }
                    let is_cut_short = plan.get().is_some_and(|plan| plan.is_cut_short);
                    return done.filter(|_| !is_cut_short).ok_or(FutexError::Invalid);
                }
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Ask(owner)) => known = Known::of(owner, ask),
                Err(Stop::HandOver(owner)) => {
                    let _handed_over = self.hand_over_from(to, lock, owner)?;
                }
            }
        }
    }

    /// Locks for the first who waits to be moved, or prepares the word for waiters; `None` if
    /// nobody waits.
    fn claim_for_first(
        &self,
        (source, from): (&SlotGuard<'_, P>, Place),
        (target, to): (&SlotGuard<'_, P>, Place),
        lock: u64,
        moves: usize,
        known: Known,
    ) -> Result<Option<Claim>, Stop> {
        let word = self.lock_word(lock);
        word.load()?;
        let first = self
            .table
            .tags_of(source, from.0, &from.1.for_move())
            .next();
        let Some(first) = first else {
            let crowd = self.crowd(source, from);
            if crowd.lockers || crowd.others {
                return Err(Stop::Failed(FutexError::Invalid));
            }
            return Ok(None);
        };
        if !is_promised(first, to.0) {
            return Err(Stop::Failed(FutexError::Invalid));
        }
        // As if the others were moved already.
        let extra = if moves > 0 { PI_WAITERS } else { 0 };
        match word.claim(owner_of(first), self.crowd(target, to), known, extra)? {
            Claim::Unknown(owner) => Err(Stop::Ask(owner)),
            Claim::Left(owner) => Err(Stop::HandOver(owner)),
            claim => Ok(Some(claim)),
        }
    }

    /// Who is woken, and who is moved, after this claim.
    fn plan(
        &self,
        (source, from): (&SlotGuard<'_, P>, Place),
        promised: u64,
        moves: usize,
        claim: Option<Claim>,
    ) -> Plan {
        let tags = || self.table.tags_of(source, from.0, &from.1.for_move());
        let fitting = tags().take_while(|tag| is_promised(*tag, promised));
        let count_max = moves.saturating_add(1);
        let count = fitting.take(count_max).count();
        let wake_max = usize::from(claim == Some(Claim::Taken));
        let stands = |key: &FutexKey| self.table.tags_of(source, from.0, key).next().is_some();
        let is_mixed = || stands(&from.1) || stands(&from.1.for_lock());
        Plan {
            options: RequeueOptions::of(wake_max, count - wake_max),
            is_cut_short: count < count_max && (tags().nth(count).is_some() || is_mixed()),
        }
    }
}
