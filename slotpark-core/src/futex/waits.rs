//! The waits of a `FutexSpace`.

use crate::any::ANY_MAX;
use crate::futex::error::FutexError;
use crate::futex::memory::{FutexMemory, FutexValue};
use crate::futex::space::FutexSpace;
use crate::futex::time::FutexTimeout;
use crate::futex::verbs::ended;
use crate::interrupt::Interrupter;
use crate::options::ParkOptions;
use crate::platform::Platform;
use crate::process::FutexKey;

impl<M: FutexMemory, P: Platform> FutexSpace<'_, M, P> {
    /// FUTEX_WAIT: sleeps while the word holds `expected`, until woken or until the timeout. A wait
    /// that a wake has counted never fails.
    ///
    /// # Errors
    /// [`Again`](FutexError::Again), [`TimedOut`](FutexError::TimedOut),
    /// [`Fault`](FutexError::Fault), [`Invalid`](FutexError::Invalid) for an address that is no
    /// multiple of the word's size, [`Closed`](FutexError::Closed).
    ///
    /// # Panics
    /// Passes panics of the memory on. In debug builds, if called from a closure that runs under a
    /// slot lock.
    ///
    /// ```
    /// use slotpark_core::{FutexError, FutexSpace, FutexTimeout, LinearMemory};
    /// use std::sync::atomic::AtomicU64;
    /// use std::time::Duration;
    /// let bytes = [const { AtomicU64::new(0) }; 2];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// let soon = FutexTimeout::Relative(Duration::from_millis(1));
    /// assert_eq!(guest.wait(8, 0_u64, soon), Err(FutexError::TimedOut));
    /// ```
    #[track_caller]
    pub fn wait(
        &self,
        address: u64,
        expected: impl Into<FutexValue>,
        timeout: FutexTimeout,
    ) -> Result<(), FutexError> {
        self.wait_bitset(address, expected, u32::MAX, timeout)
    }

    /// FUTEX_WAIT_BITSET: as [`wait`](Self::wait), until a wake whose bits have one in common.
    ///
    /// # Errors
    /// As [`wait`](Self::wait); [`Invalid`](FutexError::Invalid) also for no bits.
    ///
    /// ```
    /// use slotpark_core::{FutexError, FutexSpace, FutexTimeout, LinearMemory};
    /// let guest = FutexSpace::process(1, LinearMemory::new(&[]));
    /// let waited = guest.wait_bitset(8, 0_u32, 0, FutexTimeout::Never);
    /// assert_eq!(waited, Err(FutexError::Invalid));
    /// ```
    #[track_caller]
    pub fn wait_bitset(
        &self,
        address: u64,
        expected: impl Into<FutexValue>,
        bits: u32,
        timeout: FutexTimeout,
    ) -> Result<(), FutexError> {
        let options = ParkOptions::new();
        self.wait_on(address, expected.into(), bits, timeout, options, None)
    }

    /// As [`wait_bitset`](Self::wait_bitset), and may be ended by the interrupter of its thread: as
    /// a signal ends the wait of a thread of a guest.
    ///
    /// # Errors
    /// As [`wait_bitset`](Self::wait_bitset), and [`Interrupted`](FutexError::Interrupted).
    ///
    /// # Panics
    /// As [`wait`](Self::wait), and if another wait uses the interrupter.
    ///
    /// ```
    /// use slotpark_core::{FutexError, FutexSpace, FutexTimeout, Interrupter, LinearMemory};
    /// use std::sync::atomic::AtomicU64;
    /// let (bytes, thread) = ([AtomicU64::new(0)], Interrupter::new());
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// thread.interrupt(); // from anywhere, before or while it waits
    /// let waited = guest.wait_interruptible(&thread, 0, 0_u32, u32::MAX, FutexTimeout::Never);
    /// assert_eq!(waited, Err(FutexError::Interrupted));
    /// ```
    #[track_caller]
    pub fn wait_interruptible(
        &self,
        interrupter: &Interrupter<P>,
        address: u64,
        expected: impl Into<FutexValue>,
        bits: u32,
        timeout: FutexTimeout,
    ) -> Result<(), FutexError> {
        let (options, interrupter) = (ParkOptions::new(), Some(interrupter));
        self.wait_on(
            address,
            expected.into(),
            bits,
            timeout,
            options,
            interrupter,
        )
    }

    /// `futex_waitv`: waits on 1 to 128 words, of any widths; the place of the last one that was
    /// found woken. Each entry is counted by itself: see
    /// [`Table::park_each`](crate::Table::park_each).
    ///
    /// # Errors
    /// As [`wait`](Self::wait); [`Invalid`](FutexError::Invalid) also for no words or too many.
    ///
    /// ```
    /// use slotpark_core::{FutexError, FutexSpace, FutexTimeout, LinearMemory};
    /// use std::sync::atomic::AtomicU64;
    /// let bytes = [const { AtomicU64::new(0) }; 2];
    /// let guest = FutexSpace::process(1, LinearMemory::new(&bytes));
    /// let words = [(0, 0_u32.into()), (8, 7_u64.into())];
    /// assert_eq!(guest.wait_each(&words, FutexTimeout::Never), Err(FutexError::Again));
    /// ```
    #[track_caller]
    pub fn wait_each(
        &self,
        words: &[(u64, FutexValue)],
        timeout: FutexTimeout,
    ) -> Result<usize, FutexError> {
        self.wait_on_each(words, timeout, ParkOptions::new())
    }

    /// `options` lacks the deadline.
    #[track_caller]
    pub(super) fn wait_on_each(
        &self,
        words: &[(u64, FutexValue)],
        timeout: FutexTimeout,
        options: ParkOptions,
    ) -> Result<usize, FutexError> {
        if words.is_empty() || words.len() > ANY_MAX {
            return Err(FutexError::Invalid);
        }
        let mut places = [(0, FutexKey::new(0, 0)); ANY_MAX];
        for (place, &(address, value)) in places.iter_mut().zip(words) {
            *place = self.place(address, value.size())?;
        }
        let keys: [(u64, &FutexKey); ANY_MAX] =
            core::array::from_fn(|at| (places[at].0, &places[at].1));
        let options = options
            .deadline(timeout.deadline::<P>())
            .tag(u64::from(u32::MAX));
        let unchanged = |at: usize| self.holds(words[at].0, words[at].1);
        let told = self
            .table
            .park_each(&keys[..words.len()], options, unchanged)?;
        ended(told.parked)?;
        told.entry.ok_or(FutexError::Again)
    }
}
