//! `FutexAbi`: `futex(2)` by its numbers. The calls that are made most are taken here, all others
//! in `answer`.

use core::fmt;

use crate::futex::answer::result;
use crate::futex::call::{self, FutexShared};
use crate::futex::memory::NativeMemory;
use crate::futex::space::{FutexSpace, Space};
use crate::futex::time::FutexTimeout;
use crate::hash::Seeded;
use crate::platform::{DefaultPlatform, HAS_THREAD_IDS, Platform};
use crate::process::FutexKey;
use crate::table::Table;

/// The numeric futex ABI on a table: the arguments of `futex(2)`, and its result or `-errno`.
///
/// Answered are FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_REQUEUE,
/// FUTEX_CMP_REQUEUE and FUTEX_WAKE_OP, the operations on locks that are handed over (FUTEX_LOCK_PI
/// and the others with PI in their names), `futex_waitv`, and futex2's wake, wait and requeue, in
/// the order of checks, with the counts, signs and clocks of the kernel.
///
/// Of priority inheritance there is the word, and the order of those who wait, but nobody is lent a
/// priority. Threads have the numbers that the kernel gave them, which is asked for the calling
/// thread and whether the owner of a lock lives; elsewhere than on Linux these operations say
/// ENOSYS, unless [`with_thread`](Self::with_thread) says otherwise. That a thread has come to its
/// end is told by [`thread_exited`](Self::thread_exited).
///
/// What differs from the kernel: an address that is neither 0 nor the kernel's own and that nothing
/// is mapped at is a SIGSEGV for a call that reads it, not EFAULT; a requeued waiter always stands
/// behind those who wait at the target already; a wait on a table that is closed says EAGAIN; and
/// there is more to say of signals.
///
/// On Linux the handler of a signal ends a wait with EINTR, as it does in the kernel: with a
/// timeout any handler, without one those that lack SA_RESTART. Three things differ. A timed
/// `waitv` or wait of futex2 is ended by all handlers, too. A wait that goes on keeps its place,
/// where the kernel makes the call anew: its word is not compared again, and who was requeued stays
/// at the target. And a handler that runs after the word was compared and before the thread sleeps
/// ends nothing, so one that changes the word has to see to a wake. On other platforms no signal
/// ends a wait.
///
/// Waits and wakes meet by the hasher and the key. On the process-wide table the words are those of
/// [`FutexKey::of`]: a wake by the typed API ends a wait by number, and the other way round.
///
/// ```
/// use slotpark_core::FutexAbi;
/// use std::ptr::null_mut;
/// const WAIT_PRIVATE: i32 = 128;
/// const EAGAIN: isize = 11;
/// let mut word = 5_u32;
/// let abi = FutexAbi::process();
/// // SAFETY: the word lives, and there is no timeout.
/// let waited = unsafe { abi.futex(&raw mut word, WAIT_PRIVATE, 4, 0, null_mut(), 0) };
/// assert_eq!(waited, -EAGAIN);
/// ```
pub struct FutexAbi<'t, P: Platform = DefaultPlatform> {
    pub(super) words: FutexSpace<'t, NativeMemory, P>,
    pub(super) shared: FutexShared,
    /// If there is none the kernel is asked.
    pub(super) thread: Option<GivenThread>,
}

/// The number of the calling thread, and who lives.
type GivenThread = (u32, fn(u32) -> bool);

impl FutexAbi<'static> {
    /// On the process-wide table, with its hasher. In a function that is given the numbers, a
    /// `static` is a little faster than a call of this.
    ///
    /// ```
    /// use slotpark_core::FutexAbi;
    /// static ABI: FutexAbi = FutexAbi::process();
    /// let mut word = 0_u32;
    /// // SAFETY: the word lives.
    /// let woken = unsafe { ABI.futex(&raw mut word, 129, 1, 0, std::ptr::null_mut(), 0) };
    /// assert_eq!(woken, 0);
    /// ```
    #[inline]
    #[must_use]
    pub const fn process() -> Self {
        Self::over(crate::process_table(), &crate::PROCESS_HASHER)
    }
}

impl<P: Platform> Clone for FutexAbi<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Platform> Copy for FutexAbi<'_, P> {}

impl<'t, P: Platform> FutexAbi<'t, P> {
    /// On a table of the caller's. Instances over one table meet if they have one hasher and one
    /// space.
    ///
    /// ```
    /// use slotpark_core::{FutexAbi, FutexKey, Seeded, Slots, Table};
    /// static SLOTS: Slots<FutexKey, 64> = Slots::new();
    /// static TABLE: Table<FutexKey> = Table::over(&SLOTS);
    /// static HASHER: Seeded = Seeded::new();
    /// static ABI: FutexAbi = FutexAbi::over(&TABLE, &HASHER);
    /// assert!(ABI.answers(128));
    /// ```
    #[must_use]
    pub const fn over(table: &'t Table<FutexKey, P>, hasher: &'t Seeded) -> Self {
        // SAFETY: `futex` and its like hand on addresses of words that their callers vouch for, or
        // such that operations read and change nothing at.
        let memory = unsafe { NativeMemory::new() };
        let words = FutexSpace {
            table,
            hasher,
            space: Space::Process,
            memory,
        };
        Self {
            words,
            shared: FutexShared::Refused,
            thread: None,
        }
    }

    /// The same with keys of another space, whose addresses are those of this process too: no two
    /// spaces meet, and none meets the words of this process.
    ///
    /// ```
    /// let guest = slotpark_core::FutexAbi::process().with_space(1);
    /// assert!(guest.answers(129));
    /// ```
    #[must_use]
    pub const fn with_space(mut self, space: u64) -> Self {
        self.words.space = Space::Guest(space);
        self
    }

    /// The same with another answer to calls that are not private.
    ///
    /// ```
    /// use slotpark_core::{FutexAbi, FutexShared};
    /// let abi = FutexAbi::process();
    /// assert!(!abi.answers(1));
    /// assert!(abi.with_shared(FutexShared::AsPrivate).answers(1));
    /// ```
    #[must_use]
    pub const fn with_shared(mut self, shared: FutexShared) -> Self {
        self.shared = shared;
        self
    }

    /// The same for calls of the thread `tid`, from 1 to [`PI_OWNER`](crate::PI_OWNER): one of a
    /// guest, or of a system whose threads have no numbers. `is_alive` says of another one whether
    /// it has not come to its end: see [`FutexSpace::lock_pi`].
    ///
    /// ```
    /// use slotpark_core::FutexAbi;
    /// const LOCK_PI_PRIVATE: i32 = 128 + 6;
    /// let abi = FutexAbi::process().with_space(1).with_thread(7, |tid| tid < 100);
    /// let mut word = 0_u32;
    /// // SAFETY: the word lives, and there is no timeout.
    /// let locked = unsafe {
    ///     abi.futex(&raw mut word, LOCK_PI_PRIVATE, 0, 0, std::ptr::null_mut(), 0)
    /// };
    /// assert_eq!((locked, word), (0, 7));
    /// ```
    #[must_use]
    pub const fn with_thread(mut self, tid: u32, is_alive: fn(u32) -> bool) -> Self {
        self.thread = Some((tid, is_alive));
        self
    }

    /// Tells that a thread has come to its end: what it owned and others wait for is handed over.
    /// Returns how many locks. See [`FutexSpace::thread_exited`].
    ///
    /// ```
    /// assert_eq!(slotpark_core::FutexAbi::process().thread_exited(7), 0);
    /// ```
    pub fn thread_exited(&self, tid: u32) -> usize {
        self.words.thread_exited(tid)
    }

    /// Whether [`futex`](Self::futex) answers calls with this second argument, be it by an error
    /// that the kernel would give too. One who stands before the kernel sends the others on.
    ///
    /// ```
    /// let abi = slotpark_core::FutexAbi::process();
    /// assert!(abi.answers(128)); // FUTEX_WAIT | FUTEX_PRIVATE_FLAG
    /// assert!(!abi.answers(0)); // not private
    /// assert!(abi.with_thread(7, |_| true).answers(128 + 6)); // FUTEX_LOCK_PI
    /// assert!(!abi.answers(128 + 2)); // There is no such call any more.
    /// ```
    #[must_use]
    pub const fn answers(&self, op: i32) -> bool {
        let (command, private, _) = call::command(op);
        let known = match command {
            None => false,
            Some(command) => HAS_THREAD_IDS || self.thread.is_some() || !command.is_inheriting(),
        };
        known && (private || matches!(self.shared, FutexShared::AsPrivate))
    }

    /// `futex(2)`: the kernel's arguments in its order; its result, or a negative errno.
    ///
    /// A wait returns 0 when it was woken, and was counted by that wake; or EAGAIN, ETIMEDOUT,
    /// EINTR. A wake returns how many it has woken, a requeue how many it has woken and moved.
    /// `timeout_or_val2` is the address of a `FutexTimespec` (or 0, for ever) for waits, relative
    /// for FUTEX_WAIT and absolute for FUTEX_WAIT_BITSET; it is a count for requeues and
    /// FUTEX_WAKE_OP. A wake or FUTEX_WAKE_OP of 0 or less wakes one, a requeue takes 0 literally.
    ///
    /// The operations on locks return 0 when the lock is the caller's, or no more; FUTEX_LOCK_PI's
    /// time is absolute on the wall clock, that of FUTEX_LOCK_PI2 and FUTEX_WAIT_REQUEUE_PI on the
    /// clock that `op` names. See [`FutexSpace::lock_pi`] and what stands beside it.
    ///
    /// No code of the caller's runs under a slot lock; what is read and changed there is the word.
    ///
    /// # Safety
    /// - The word that the operation reads or changes is readable, or writable, for the whole call
    ///   if its address is a multiple of 4, not 0 and not in the kernel's half: that at `uaddr` for
    ///   a wait, FUTEX_CMP_REQUEUE, and the operations on locks; that at `uaddr2` for
    ///   FUTEX_WAKE_OP, FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI. Others access it
    ///   atomically. Where an operation reads no word its address is but a number.
    /// - For the operations on locks: a key that somebody was shown by a walk over the table (such
    ///   as [`Table::close_where`]) is used for no wait and no requeue. The words of those who wait
    ///   for locks are looked at by their keys.
    /// - The timespec of a wait is readable.
    ///
    /// # Panics
    /// In debug builds, if called from a closure that runs under a slot lock.
    ///
    /// ```
    /// use slotpark_core::FutexAbi;
    /// use std::ptr::null_mut;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// static WORD: AtomicU32 = AtomicU32::new(0);
    /// let abi = FutexAbi::process();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| {
    ///         while WORD.load(Ordering::Acquire) == 0 {
    ///             // SAFETY: the word is static, and there is no timeout.
    ///             let _result = unsafe { abi.futex(WORD.as_ptr(), 128, 0, 0, null_mut(), 0) };
    ///         }
    ///     });
    ///     WORD.store(1, Ordering::Release);
    ///     // SAFETY: a wake reads nothing.
    ///     let woken = unsafe { abi.futex(WORD.as_ptr(), 129, 1, 0, null_mut(), 0) };
    ///     assert!(woken <= 1);
    /// });
    /// ```
    #[inline(always)]
    pub unsafe fn futex(
        &self,
        uaddr: *const u32,
        op: i32,
        val: u32,
        timeout_or_val2: usize,
        uaddr2: *mut u32,
        val3: u32,
    ) -> isize {
        let address = uaddr.expose_provenance() as u64;
        // What locks call by far the most often. There is nothing more to be read or refused, and
        // where there is nothing to do they should cost next to nothing.
        match op {
            call::WAKE_PRIVATE => result(self.wake(address, val as i32, u32::MAX)),
            call::WAIT_PRIVATE if timeout_or_val2 == 0 => {
                result(self.wait(address, val, u32::MAX, FutexTimeout::Never))
            }
            call::WAIT_BITSET_PRIVATE if timeout_or_val2 == 0 => {
                result(self.wait(address, val, val3, FutexTimeout::Never))
            }
            // SAFETY: the caller's contract, handed on.
            _ => unsafe { self.answer(uaddr, op, val, timeout_or_val2, uaddr2, val3) },
        }
    }
}

impl<P: Platform> fmt::Debug for FutexAbi<'_, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FutexAbi")
            .field("space", &self.words.space)
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}
