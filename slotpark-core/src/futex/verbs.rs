//! The futex operations on a memory. Typed and numeric calls are both made of these.
//!
//! **Order of checks**, which decides what is said: bits, then addresses, then the value under the
//! slot lock. Counts and times are checked where they are read.

use core::hash::BuildHasher;

use crate::futex::error::FutexError;
use crate::futex::memory::{FutexMemory, FutexSize, FutexValue};
use crate::futex::space::FutexSpace;
use crate::futex::time::FutexTimeout;
use crate::futex::word_op::WordOp;
use crate::hash::finalize;
use crate::interrupt::Interrupter;
use crate::options::{ParkOptions, Parked};
use crate::platform::Platform;
use crate::process::FutexKey;
use crate::requeue::{RequeueOptions, Requeued};
use crate::table::Table;

/// Where the waiters of an address wait.
pub(super) type Place = (u64, FutexKey);

impl<M: FutexMemory, P: Platform> FutexSpace<'_, M, P> {
    /// `options` lacks the bits and the deadline.
    #[inline]
    #[track_caller]
    pub(super) fn wait_on(
        &self,
        address: u64,
        expected: FutexValue,
        bits: u32,
        timeout: FutexTimeout,
        options: ParkOptions,
        interrupter: Option<&Interrupter<P>>,
    ) -> Result<(), FutexError> {
        if bits == 0 {
            return Err(FutexError::Invalid);
        }
        self.check(address, expected.size())?;
        // Before anything is hashed or a clock is read: a stale wait costs next to nothing.
        if !self.holds(address, expected)? {
            return Err(FutexError::Again);
        }
        let options = options.tag(u64::from(bits)).validated();
        self.queue_on(address, expected, timeout, options, interrupter)
    }

    /// The wait that found its value.
    #[inline(never)]
    #[track_caller]
    fn queue_on(
        &self,
        address: u64,
        expected: FutexValue,
        timeout: FutexTimeout,
        options: ParkOptions,
        interrupter: Option<&Interrupter<P>>,
    ) -> Result<(), FutexError> {
        let (hash, key) = self.place_unchecked(address);
        let options = options.deadline(timeout.deadline::<P>());
        let unchanged = || self.holds(address, expected);
        let parked = match interrupter {
            None => self
                .table
                .park_with(hash, &key, options, unchanged, || {}, |_| {})?,
            Some(interrupter) => {
                let mut fault = None;
                let unchanged = || {
                    unchanged().unwrap_or_else(|error| {
                        fault = Some(error);
                        false
                    })
                };
                let parked =
                    self.table
                        .park_interruptible(hash, &key, options, interrupter, unchanged);
                fault.map_or(Ok(parked), Err)?
            }
        };
        ended(parked)
    }

    #[inline]
    pub(super) fn wake_at(
        &self,
        address: u64,
        size: FutexSize,
        count: usize,
        bits: u32,
    ) -> Result<usize, FutexError> {
        if bits == 0 {
            return Err(FutexError::Invalid);
        }
        self.check(address, size)?;
        let hash = self.hash(&self.key(address));
        if !self.table.may_wake(hash, count) {
            return Ok(0);
        }
        let place = (hash, self.key(address));
        Self::wake_found(self.table, place, count, bits)
    }

    /// The wake that may have found somebody. Neither `self` nor a key that was made before is lent
    /// to it: they would be written to the stack by every wake, and its fence would wait for that.
    #[cold]
    #[inline(never)]
    fn wake_found(
        table: &Table<FutexKey, P>,
        (hash, key): Place,
        count: usize,
        bits: u32,
    ) -> Result<usize, FutexError> {
        let woken = if bits == u32::MAX {
            table.wake_first(hash, &key, count, 0)
        } else {
            table.wake_bits(hash, &key, count, bits, 0)
        };
        if woken == 0 {
            refuse_lockers(table, (hash, key))?;
        }
        Ok(woken)
    }

    pub(super) fn requeue_at(
        &self,
        from: u64,
        to: u64,
        size: FutexSize,
        options: RequeueOptions,
        expected: Option<FutexValue>,
    ) -> Result<Requeued, FutexError> {
        let (hash, key) = self.place(from, size)?;
        let (hash2, key2) = self.place(to, size)?;
        let unchanged = || match expected {
            None => Ok(true),
            Some(expected) => self.holds(from, expected),
        };
        let requeued = self
            .table
            .requeue((hash, &key), (hash2, &key2), options, unchanged)?;
        let is_for_all = options.wake_max > 0 || options.move_max > 0;
        if is_for_all && requeued == Some(Requeued::default()) {
            refuse_lockers(self.table, (hash, key))?;
        }
        requeued.ok_or(FutexError::Again)
    }

    pub(super) fn wake_op_at(
        &self,
        address: u64,
        address2: u64,
        counts: (usize, usize),
        word_op: WordOp,
    ) -> Result<usize, FutexError> {
        let (hash, first) = self.place(address, FutexSize::U32)?;
        let (hash2, second) = self.place(address2, FutexSize::U32)?;
        word_op.check()?;
        let mut also = false;
        let operate = || {
            also = word_op.apply(&self.memory, address2)?;
            Ok::<_, FutexError>((counts.0, if also { counts.1 } else { 0 }))
        };
        let woken = self
            .table
            .unpark_both((hash, &first), (hash2, &second), operate)?;
        if woken == 0 {
            refuse_lockers(self.table, (hash, first))?;
            if also {
                refuse_lockers(self.table, (hash2, second))?;
            }
        }
        Ok(woken)
    }

    /// Where the waiters of an address wait; an error if it can be none's.
    #[inline]
    pub(super) fn place(&self, address: u64, size: FutexSize) -> Result<Place, FutexError> {
        self.check(address, size)?;
        Ok(self.place_unchecked(address))
    }

    #[inline]
    fn check(&self, address: u64, size: FutexSize) -> Result<(), FutexError> {
        if address & (size.bytes() - 1) != 0 {
            return Err(FutexError::Invalid);
        }
        if !self.memory.is_address(address) {
            return Err(FutexError::Fault);
        }
        Ok(())
    }

    #[inline]
    pub(super) fn place_unchecked(&self, address: u64) -> Place {
        let key = self.key(address);
        (self.hash(&key), key)
    }

    #[inline]
    fn hash(&self, key: &FutexKey) -> u64 {
        finalize(self.hasher.hash_one(key))
    }

    /// Whether a word holds a value.
    #[inline]
    #[track_caller]
    pub(super) fn holds(&self, address: u64, value: FutexValue) -> Result<bool, FutexError> {
        Ok(self.memory.load(address, value.size())? == value.bits())
    }
}

/// An error if a wake or a requeue that met nobody has passed waiters by that want a lock.
fn refuse_lockers<P: Platform>(
    table: &Table<FutexKey, P>,
    (hash, key): Place,
) -> Result<(), FutexError> {
    let keys = [key.for_lock(), key.for_move()];
    if keys.iter().any(|key| table.waiters(hash, key) > 0) {
        return Err(FutexError::Invalid);
    }
    Ok(())
}

/// How a wait ended.
pub(super) fn ended(parked: Parked) -> Result<(), FutexError> {
    match parked {
        Parked::Woken { .. } => Ok(()),
        Parked::TimedOut => Err(FutexError::TimedOut),
        Parked::Stale => Err(FutexError::Again),
        Parked::Closed => Err(FutexError::Closed),
        Parked::Interrupted => Err(FutexError::Interrupted),
    }
}
