//! The wakes and requeues of a `FutexSpace`.

use crate::futex::error::FutexError;
use crate::futex::memory::{FutexMemory, FutexSize, FutexValue};
use crate::futex::space::{FutexSpace, WakeCount};
use crate::futex::word_op::{FutexChange, FutexTest, WordOp};
use crate::platform::Platform;
use crate::requeue::{RequeueOptions, Requeued};

impl<M: FutexMemory, P: Platform> FutexSpace<'_, M, P> {
    /// FUTEX_WAKE: wakes the first waiters at an address; how many.
    ///
    /// # Errors
    /// [`Fault`](FutexError::Fault) if the memory says that there never is a word.
    ///
    /// ```
    /// use slotpark_core::{FutexSpace, LinearMemory, WakeCount};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [AtomicU64::new(0)];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// assert_eq!(guest.wake(4, WakeCount::N(3)), Ok(0));
    /// ```
    pub fn wake(&self, address: u64, count: WakeCount) -> Result<usize, FutexError> {
        self.wake_at(address, FutexSize::U8, count.get(), u32::MAX)
    }

    /// FUTEX_WAKE_BITSET: wakes the first waiters with a bit in common; how many.
    ///
    /// # Errors
    /// As [`wake`](Self::wake), and [`Invalid`](FutexError::Invalid) for no bits.
    ///
    /// ```
    /// use slotpark_core::{FutexSpace, LinearMemory, WakeCount};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [AtomicU64::new(0)];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// assert_eq!(guest.wake_bitset(4, WakeCount::All, 0b1), Ok(0));
    /// ```
    pub fn wake_bitset(
        &self,
        address: u64,
        count: WakeCount,
        bits: u32,
    ) -> Result<usize, FutexError> {
        self.wake_at(address, FutexSize::U8, count.get(), bits)
    }

    /// FUTEX_REQUEUE: wakes the first `wake` waiters, and moves the next `moves` to another
    /// address. Prefer [`cmp_requeue`](Self::cmp_requeue), which cannot race a change of the word.
    ///
    /// # Errors
    /// As [`wake`](Self::wake), for either address.
    ///
    /// ```
    /// use slotpark_core::{FutexSpace, LinearMemory, Requeued, WakeCount};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [AtomicU64::new(0)];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// let requeued = guest.requeue(0, 4, WakeCount::One, WakeCount::All);
    /// assert_eq!(requeued, Ok(Requeued::default()));
    /// ```
    pub fn requeue(
        &self,
        from: u64,
        to: u64,
        wake: WakeCount,
        moves: WakeCount,
    ) -> Result<Requeued, FutexError> {
        let options = RequeueOptions::of(wake.get(), moves.get());
        self.requeue_at(from, to, FutexSize::U8, options, None)
    }

    /// FUTEX_CMP_REQUEUE: as [`requeue`](Self::requeue), if the first word still holds `expected`.
    ///
    /// # Errors
    /// As [`requeue`](Self::requeue); [`Again`](FutexError::Again) if it does not, and
    /// [`Invalid`](FutexError::Invalid) for an address that is no multiple of the word's size.
    ///
    /// ```
    /// use slotpark_core::{FutexError, FutexSpace, LinearMemory, WakeCount};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [AtomicU64::new(0)];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// let requeued = guest.cmp_requeue(0, 7_u32, 4, WakeCount::One, WakeCount::All);
    /// assert_eq!(requeued, Err(FutexError::Again));
    /// ```
    pub fn cmp_requeue(
        &self,
        from: u64,
        expected: impl Into<FutexValue>,
        to: u64,
        wake: WakeCount,
        moves: WakeCount,
    ) -> Result<Requeued, FutexError> {
        let expected = expected.into();
        let options = RequeueOptions::of(wake.get(), moves.get());
        self.requeue_at(from, to, expected.size(), options, Some(expected))
    }

    /// FUTEX_WAKE_OP, in one step: changes the second word, of 32 bits, wakes the first waiters of
    /// the first, and, if the old value of the second passes the test, the first of the second.
    /// Returns how many in all.
    ///
    /// # Errors
    /// As [`wake`](Self::wake), for either address; [`Fault`](FutexError::Fault) if the second word
    /// cannot be changed, and [`Invalid`](FutexError::Invalid) for an address that is no multiple
    /// of 4.
    ///
    /// ```
    /// use slotpark_core::{FutexChange, FutexSpace, FutexTest, LinearMemory, WakeCount};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [AtomicU64::new(0)];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// let counts = (WakeCount::One, WakeCount::One);
    /// let woken = guest.wake_op(4, 0, counts, FutexChange::Add(7), FutexTest::Greater(0));
    /// let [word] = bytes;
    /// assert_eq!((woken, u64::from_le(word.into_inner())), (Ok(0), 7));
    /// ```
    pub fn wake_op(
        &self,
        address: u64,
        address2: u64,
        counts: (WakeCount, WakeCount),
        change: FutexChange,
        test: FutexTest,
    ) -> Result<usize, FutexError> {
        let counts = (counts.0.get(), counts.1.get());
        self.wake_op_at(address, address2, counts, WordOp::of(change, test))
    }

    /// The number of waiters at an address at this moment, exactly.
    ///
    /// ```
    /// use slotpark_core::{FutexSpace, LinearMemory};
    /// let guest = FutexSpace::process(1, LinearMemory::new(&[]));
    /// assert_eq!(guest.waiters(0x10), 0);
    /// ```
    #[must_use]
    pub fn waiters(&self, address: u64) -> usize {
        let (hash, key) = self.place_unchecked(address);
        self.table.waiters(hash, &key)
    }
}
