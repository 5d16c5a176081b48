//! The operations, once their arguments are read.

use core::hash::BuildHasher;

use crate::futex::FutexAbi;
use crate::futex::call::{FutexTimespec, Timeout, wake_count};
use crate::futex::errno::Errno;
use crate::futex::word_op::WordOp;
use crate::hash::finalize;
use crate::options::{ParkOptions, Parked};
use crate::platform::Platform;
use crate::process::FutexKey;
use crate::requeue::RequeueOptions;
use crate::sync::AtomicU32;
use crate::word;

/// The first address that no program has: the kernel answers for those above with EFAULT, also
/// where it would read nothing.
#[cfg(target_pointer_width = "64")]
const ADDRESS_END: usize = 1 << 56;

impl<P: Platform> FutexAbi<'_, P> {
    /// # Safety
    /// The word is readable, unless its address is refused.
    pub(super) unsafe fn wait(
        &self,
        uaddr: *const u32,
        expected: u32,
        bits: u32,
        timeout: Timeout,
    ) -> Result<usize, Errno> {
        if bits == 0 {
            return Err(Errno::INVALID);
        }
        let (hash, key) = self.place(uaddr)?;
        // SAFETY: the caller's contract.
        let word = unsafe { existing(uaddr) }?;
        // Before the clock is read: a stale wait costs next to nothing.
        if word::load(word) != expected {
            return Err(Errno::AGAIN);
        }
        let options = ParkOptions::new()
            .deadline(timeout.deadline::<P>())
            .tag(u64::from(bits))
            .validated()
            .until_signal();
        let unchanged = || word::load(word) == expected;
        ended(self.table.park(hash, &key, options, unchanged)).map(|()| 0)
    }

    pub(super) fn wake(&self, uaddr: *const u32, count: i32, bits: u32) -> Result<usize, Errno> {
        if bits == 0 {
            return Err(Errno::INVALID);
        }
        let (hash, key) = self.place(uaddr)?;
        let count = wake_count(count);
        Ok(if bits == u32::MAX {
            self.table.unpark(hash, &key, count, 0)
        } else {
            self.table.unpark_bitset(hash, &key, count, bits, 0)
        })
    }

    /// # Safety
    /// If something is compared, the first word is readable, unless its address is refused.
    pub(super) unsafe fn requeue(
        &self,
        uaddr: *const u32,
        uaddr2: *const u32,
        wake_max: i32,
        move_max: i32,
        expected: Option<u32>,
    ) -> Result<usize, Errno> {
        let count = |count: i32| usize::try_from(count).map_err(|_| Errno::INVALID);
        let options = RequeueOptions {
            wake_max: count(wake_max)?,
            move_max: count(move_max)?,
            token: 0,
        };
        let (hash, from) = self.place(uaddr)?;
        let (hash2, to) = self.place(uaddr2)?;
        let unchanged = || match expected {
            None => Ok(true),
            // SAFETY: the caller's contract.
            Some(expected) => unsafe { existing(uaddr) }.map(|word| word::load(word) == expected),
        };
        let requeued = self
            .table
            .requeue((hash, &from), (hash2, &to), options, unchanged)?;
        requeued.map_or(Err(Errno::AGAIN), |it| Ok(it.woken + it.moved))
    }

    /// # Safety
    /// The second word is writable, unless its address is refused.
    pub(super) unsafe fn wake_op(
        &self,
        uaddr: *const u32,
        uaddr2: *mut u32,
        count: i32,
        count2: i32,
        word_op: WordOp,
    ) -> Result<usize, Errno> {
        let (hash, first) = self.place(uaddr)?;
        let (hash2, second) = self.place(uaddr2)?;
        word_op.check()?;
        // SAFETY: the caller's contract.
        let word = unsafe { existing(uaddr2) }?;
        let operate = || {
            let also = word_op.apply(word)?;
            let count2 = if also { wake_count(count2) } else { 0 };
            Ok((wake_count(count), count2))
        };
        self.table
            .unpark_both((hash, &first), (hash2, &second), operate)
    }

    /// Where the waiters of an address wait; an error if it can be none's.
    pub(super) fn place(&self, uaddr: *const u32) -> Result<(u64, FutexKey), Errno> {
        let address = uaddr.addr();
        if address % size_of::<u32>() != 0 {
            return Err(Errno::INVALID);
        }
        #[cfg(target_pointer_width = "64")]
        if address >= ADDRESS_END {
            return Err(Errno::FAULT);
        }
        let key = FutexKey::new(self.space, address as u64);
        Ok((finalize(self.hasher.hash_one(key)), key))
    }
}

/// How a wait ended, as the kernel says it. A table that is closed has no counterpart there: EAGAIN
/// makes every caller look again.
pub(super) fn ended(parked: Parked) -> Result<(), Errno> {
    match parked {
        Parked::Woken { .. } => Ok(()),
        Parked::TimedOut => Err(Errno::TIMED_OUT),
        Parked::Interrupted => Err(Errno::INTERRUPTED),
        Parked::Stale | Parked::Closed => Err(Errno::AGAIN),
    }
}

/// The word at an address that has a place; EFAULT at 0.
///
/// # Safety
/// Unless it is 0, a word is there and will be for all of `'a`, which others access atomically.
pub(super) unsafe fn existing<'a>(uaddr: *const u32) -> Result<&'a AtomicU32, Errno> {
    if uaddr.is_null() {
        return Err(Errno::FAULT);
    }
    // SAFETY: the caller's contract; `place` has seen that it is aligned.
    Ok(unsafe { AtomicU32::from_ptr(uaddr.cast_mut()) })
}

/// The timespec at an address, if that is not 0. It need not be aligned.
///
/// # Safety
/// Unless it is 0, a timespec can be read there.
pub(super) unsafe fn read_time(time: *const FutexTimespec) -> Option<FutexTimespec> {
    // SAFETY: the caller's contract.
    (!time.is_null()).then(|| unsafe { time.read_unaligned() })
}
