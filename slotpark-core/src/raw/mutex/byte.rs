//! The byte of a mutex.
//!
//! **States**: LOCKED, with PARKED while somebody is queued (set without a waiter, it costs the
//! next unlock a look).
//!
//! **Orderings**: MUTEX.

use crate::sync::{AtomicU8, Ordering, const_unless_loom};

const LOCKED: u8 = 1;
const PARKED: u8 = 2;
const LOCKED_PARKED: u8 = LOCKED | PARKED;

#[derive(Debug)]
pub(super) struct Byte(AtomicU8);

impl Byte {
    const_unless_loom! {
        pub(super) fn new() -> Self {
            Self(AtomicU8::new(0))
        }
    }

    #[inline]
    fn read(&self) -> u8 {
        // ORDERING: none, relaxed: a look; what follows from it is decided by compare-exchange.
        self.0.load(Ordering::Relaxed)
    }

    /// Takes a lock whose byte is `free`.
    #[inline]
    pub(super) fn take(&self, free: u8) -> bool {
        // ORDERING: MUTEX acquire side: what was done under the lock before comes before what its
        // next owner does. Relaxed on failure, which learns nothing.
        self.0
            .compare_exchange(free, free | LOCKED, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes the lock if it is free, whoever is queued for it.
    pub(super) fn barge(&self) -> bool {
        loop {
            let byte = self.read();
            if byte & LOCKED != 0 {
                return false;
            }
            if self.take(byte) {
                return true;
            }
        }
    }

    /// Under the slot lock: takes the lock if it is free; with `false`, PARKED is set in the same
    /// step as the last look.
    pub(super) fn take_or_queue(&self) -> bool {
        loop {
            if self.barge() {
                return true;
            }
            // ORDERING: none, relaxed: a read-modify-write, which continues what an unlock began.
            let queued = self.0.compare_exchange(
                LOCKED,
                LOCKED_PARKED,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            if matches!(queued, Ok(_) | Err(LOCKED_PARKED)) {
                return false;
            }
        }
    }

    /// Gives the lock back if nobody is queued.
    #[inline]
    pub(super) fn give(&self) -> bool {
        // ORDERING: MUTEX release side: what was done under the lock comes before what its next
        // owner does.
        self.0
            .compare_exchange(LOCKED, 0, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    /// By the owner, under the slot lock.
    pub(super) fn give_locked(&self, remain: bool) {
        let byte = if remain { PARKED } else { 0 };
        // ORDERING: MUTEX release side: what was done under the lock comes before what its next
        // owner does.
        self.0.store(byte, Ordering::Release);
    }

    /// By the owner, under the slot lock: who is chosen owns the lock from here on.
    pub(super) fn hand_over_locked(&self, remain: bool) {
        let byte = if remain { LOCKED_PARKED } else { LOCKED };
        // ORDERING: none, relaxed: nobody takes the lock by this; HANDOFF tells its next owner.
        self.0.store(byte, Ordering::Relaxed);
    }

    /// Under the slot lock: nobody is queued any more.
    pub(super) fn clear_parked(&self) {
        // ORDERING: none, relaxed: a read-modify-write, which continues what an unlock began.
        self.0.fetch_and(!PARKED, Ordering::Relaxed);
    }

    /// Under the slot lock: somebody will be queued in this hold of it; whether it is locked.
    pub(super) fn mark_parked(&self) -> bool {
        // ORDERING: none, relaxed: a read-modify-write, which continues what an unlock began.
        self.0.fetch_or(PARKED, Ordering::Relaxed) & LOCKED != 0
    }
}

impl Byte {
    pub(super) fn is_locked(&self) -> bool {
        self.read() & LOCKED != 0
    }

    /// Whether to look on for it, or to queue.
    pub(super) fn is_parked(&self) -> bool {
        self.read() & PARKED != 0
    }
}
