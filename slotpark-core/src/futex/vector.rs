//! `futex_waitv`, and the calls of futex2: flags for each word.

use crate::any::ANY_MAX;
use crate::futex::abi::FutexAbi;
use crate::futex::answer::result;
use crate::futex::call::{FutexShared, requeue_count};
use crate::futex::error::FutexError;
use crate::futex::memory::{FutexSize, FutexValue};
use crate::futex::time::{FutexTimeout, FutexTimespec, read_time};
use crate::options::ParkOptions;
use crate::platform::Platform;
use crate::requeue::RequeueOptions;

/// One entry of `futex_waitv`, and of futex2's requeue: the kernel's `struct futex_waitv`.
///
/// ```
/// use slotpark_core::FutexWaitv;
/// let word = std::sync::atomic::AtomicU32::new(0);
/// let entry = FutexWaitv::new(word.as_ptr(), 7);
/// assert_eq!((entry.val, entry.flags, size_of_val(&entry)), (7, 0x82, 24));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FutexWaitv {
    /// What the word is expected to hold; more than 32 bits is EINVAL.
    pub val: u64,
    /// The address of the word.
    pub uaddr: u64,
    /// FUTEX2_SIZE_U32 (2), which is the only size, and FUTEX2_PRIVATE (128).
    pub flags: u32,
    /// 0, or EINVAL.
    pub reserved: u32,
}

impl FutexWaitv {
    /// A private word of 32 bits. Exposes the address.
    ///
    /// ```
    /// use slotpark_core::FutexWaitv;
    /// assert_eq!(FutexWaitv::new(std::ptr::null(), 0).uaddr, 0);
    /// ```
    #[must_use]
    pub fn new(uaddr: *const u32, val: u32) -> Self {
        Self {
            val: val.into(),
            uaddr: uaddr.expose_provenance() as u64,
            flags: SIZE_U32 | PRIVATE,
            reserved: 0,
        }
    }
}

/// FUTEX2_SIZE_U32. The other flags say other sizes, or a node of memory: neither is known here.
const SIZE_U32: u32 = 2;
const PRIVATE: u32 = 128;

impl<P: Platform> FutexAbi<'_, P> {
    /// `futex_waitv(2)`: waits on 1 to 128 words; the place of the last one found woken, or a
    /// negative errno. The timeout is absolute, on the clock 0 (the wall clock) or 1 (monotonic);
    /// the clock is looked at only if there is a timeout.
    ///
    /// Every wake of one of the words counts this wait until it has left that word's queue: see
    /// [`Table::park_each`](crate::Table::park_each). An entry woken while another one is stale, or
    /// while the deadline passes, is the result.
    ///
    /// # Safety
    /// `waiters` is null or that of `nr` entries; the words of these, and the timespec, are as for
    /// [`futex`](Self::futex), and exposed.
    ///
    /// ```
    /// use slotpark_core::{FutexAbi, FutexTimespec, FutexWaitv};
    /// use std::sync::atomic::AtomicU32;
    /// let words = [AtomicU32::new(0), AtomicU32::new(0)];
    /// let entries = words.each_ref().map(|word| FutexWaitv::new(word.as_ptr(), 0));
    /// let past = FutexTimespec::default();
    /// // SAFETY: entries, words and timespec live.
    /// let waited = unsafe { FutexAbi::process().waitv(entries.as_ptr(), 2, 0, &past, 1) };
    /// assert_eq!(waited, -110); // ETIMEDOUT
    /// ```
    #[track_caller]
    pub unsafe fn waitv(
        &self,
        waiters: *const FutexWaitv,
        nr: u32,
        flags: u32,
        timeout: *const FutexTimespec,
        clockid: i32,
    ) -> isize {
        let count = nr as usize;
        if flags != 0 || count == 0 || count > ANY_MAX || waiters.is_null() {
            return result(Err(FutexError::Invalid));
        }
        // SAFETY: the caller's contract, handed on.
        result(unsafe { clocked(timeout, clockid) }.and_then(|timeout| {
            // SAFETY: the caller's contract: so many entries are there.
            unsafe { self.wait_on_each(waiters, count, timeout) }
        }))
    }

    /// `futex_wake` of futex2: wakes up to `nr` waiters with a bit in common with `mask`; 0 wakes
    /// none.
    ///
    /// ```
    /// use slotpark_core::FutexAbi;
    /// let word = std::sync::atomic::AtomicU32::new(0);
    /// assert_eq!(FutexAbi::process().futex2_wake(word.as_ptr(), 1, 1, 0x82), 0);
    /// ```
    pub fn futex2_wake(&self, uaddr: *const u32, mask: usize, nr: i32, flags: u32) -> isize {
        let wake = || {
            let bits = self.checked(flags, mask as u64)?;
            let address = uaddr.expose_provenance() as u64;
            if nr != 0 {
                return self.wake(address, nr, bits);
            }
            self.words.wake_at(address, FutexSize::U32, 0, bits)
        };
        result(wake())
    }

    /// `futex_wait` of futex2: as FUTEX_WAIT_BITSET, with a clock by its number if there is a
    /// timeout.
    ///
    /// # Safety
    /// As [`futex`](Self::futex): the word and the timespec are readable.
    ///
    /// ```
    /// use slotpark_core::FutexAbi;
    /// let word = std::sync::atomic::AtomicU32::new(0);
    /// let (abi, at) = (FutexAbi::process(), word.as_ptr());
    /// // SAFETY: the word lives, and there is no timeout.
    /// let waited = unsafe { abi.futex2_wait(at, 1, 1, 0x82, std::ptr::null(), 1) };
    /// assert_eq!(waited, -11); // EAGAIN
    /// ```
    pub unsafe fn futex2_wait(
        &self,
        uaddr: *const u32,
        val: usize,
        mask: usize,
        flags: u32,
        timeout: *const FutexTimespec,
        clockid: i32,
    ) -> isize {
        let wait = || {
            let expected = self.checked(flags, val as u64)?;
            let bits = self.checked(flags, mask as u64)?;
            // SAFETY: the caller's contract: null or a timespec.
            let timeout = unsafe { clocked(timeout, clockid) }?;
            self.wait(uaddr.expose_provenance() as u64, expected, bits, timeout)
        };
        result(wait())
    }

    /// `futex_requeue` of futex2: from the first entry's word, if it holds that entry's value, to
    /// the second's; else as FUTEX_CMP_REQUEUE.
    ///
    /// # Safety
    /// `waiters` is null or that of two entries; the first one's word is readable, and exposed.
    ///
    /// ```
    /// use slotpark_core::{FutexAbi, FutexWaitv};
    /// use std::sync::atomic::AtomicU32;
    /// let words = [AtomicU32::new(0), AtomicU32::new(0)];
    /// let entries = words.each_ref().map(|word| FutexWaitv::new(word.as_ptr(), 0));
    /// // SAFETY: entries and words live.
    /// let moved = unsafe { FutexAbi::process().futex2_requeue(entries.as_ptr(), 0, 1, 1) };
    /// assert_eq!(moved, 0);
    /// ```
    pub unsafe fn futex2_requeue(
        &self,
        waiters: *const FutexWaitv,
        flags: u32,
        nr_wake: i32,
        nr_requeue: i32,
    ) -> isize {
        if flags != 0 || waiters.is_null() {
            return result(Err(FutexError::Invalid));
        }
        let requeue = || {
            // SAFETY: the caller's contract: two entries are there.
            let [from, to] = unsafe { waiters.cast::<[FutexWaitv; 2]>().read_unaligned() };
            let expected = self.parsed(from)?;
            self.parsed(to)?;
            if from.flags != to.flags {
                return Err(FutexError::Invalid);
            }
            let options = RequeueOptions::of(requeue_count(nr_wake)?, requeue_count(nr_requeue)?);
            let requeued = self.words.requeue_at(
                from.uaddr,
                to.uaddr,
                FutexSize::U32,
                options,
                Some(FutexValue::U32(expected)),
            )?;
            Ok(requeued.woken + requeued.moved)
        };
        result(requeue())
    }

    /// # Safety
    /// `count` entries are there, at most [`ANY_MAX`].
    #[track_caller]
    unsafe fn wait_on_each(
        &self,
        waiters: *const FutexWaitv,
        count: usize,
        timeout: FutexTimeout,
    ) -> Result<usize, FutexError> {
        let mut words = [(0, FutexValue::U32(0)); ANY_MAX];
        for (at, word) in words[..count].iter_mut().enumerate() {
            // SAFETY: the caller's contract: there are more than `at`.
            let entry = unsafe { waiters.add(at) };
            // SAFETY: as above, it is there; perhaps not aligned.
            let entry = unsafe { entry.read_unaligned() };
            *word = (entry.uaddr, FutexValue::U32(self.parsed(entry)?));
        }
        let options = ParkOptions::new().until_signal();
        self.words.wait_on_each(&words[..count], timeout, options)
    }

    /// The value of an entry, if all in it but its address is valid.
    fn parsed(&self, entry: FutexWaitv) -> Result<u32, FutexError> {
        if entry.reserved != 0 {
            return Err(FutexError::Invalid);
        }
        self.checked(entry.flags, entry.val)
    }

    /// A value as a word of the size that the flags name.
    fn checked(&self, flags: u32, value: u64) -> Result<u32, FutexError> {
        let value = u32::try_from(value)
            .ok()
            .filter(|_| flags & !PRIVATE == SIZE_U32);
        let value = value.ok_or(FutexError::Invalid)?;
        if flags & PRIVATE == 0 && self.shared == FutexShared::Refused {
            return Err(FutexError::NoSuchCall);
        }
        Ok(value)
    }
}

/// The timeout of a call that names its clock by number. The clock is not looked at without one.
///
/// # Safety
/// `time` is null, or a timespec can be read there.
unsafe fn clocked(time: *const FutexTimespec, clockid: i32) -> Result<FutexTimeout, FutexError> {
    if !time.is_null() && !matches!(clockid, 0 | 1) {
        return Err(FutexError::Invalid);
    }
    // SAFETY: the caller's contract.
    Ok(match unsafe { read_time(time) }? {
        None => FutexTimeout::Never,
        Some(time) if clockid == 0 => FutexTimeout::Realtime(time),
        Some(time) => FutexTimeout::Monotonic(time),
    })
}
