//! Any call of `futex(2)`: its arguments are read in the kernel's order, which decides what errno
//! wins, and are handed to a verb.

use crate::futex::abi::FutexAbi;
use crate::futex::call::{self, Command, FutexShared, requeue_count, wake_count};
use crate::futex::error::FutexError;
use crate::futex::lock::asking;
use crate::futex::memory::{FutexSize, FutexValue};
use crate::futex::time::{FutexTimeout, read_time};
use crate::futex::word_op::WordOp;
use crate::options::ParkOptions;
use crate::platform::{self, Platform};
use crate::requeue::RequeueOptions;

impl<P: Platform> FutexAbi<'_, P> {
    /// # Safety
    /// As [`futex`](Self::futex).
    #[inline(never)]
    pub(super) unsafe fn answer(
        &self,
        uaddr: *const u32,
        op: i32,
        val: u32,
        timeout_or_val2: usize,
        uaddr2: *mut u32,
        val3: u32,
    ) -> isize {
        // SAFETY: the caller's contract, handed on.
        result(unsafe { self.read(uaddr, op, val, timeout_or_val2, uaddr2, val3) })
    }

    /// # Safety
    /// As [`futex`](Self::futex).
    #[inline]
    #[track_caller]
    unsafe fn read(
        &self,
        uaddr: *const u32,
        op: i32,
        val: u32,
        timeout_or_val2: usize,
        uaddr2: *mut u32,
        val3: u32,
    ) -> Result<usize, FutexError> {
        let (command, private, realtime) = call::command(op);
        let command = command.ok_or(FutexError::NoSuchCall)?;
        let timeout = if command.is_timed() {
            let time = core::ptr::with_exposed_provenance(timeout_or_val2);
            // SAFETY: the caller's contract: 0, or the address of a timespec.
            match unsafe { read_time(time) }? {
                None => FutexTimeout::Never,
                Some(time) if command == Command::Wait => FutexTimeout::Relative(time),
                Some(time) if realtime || command == Command::LockPi => {
                    FutexTimeout::Realtime(time)
                }
                Some(time) => FutexTimeout::Monotonic(time),
            }
        } else {
            FutexTimeout::Never
        };
        let refused = !private && self.shared == FutexShared::Refused;
        if refused || (realtime && !command.is_clocked()) {
            return Err(FutexError::NoSuchCall);
        }
        let (count, count2) = (val as i32, timeout_or_val2 as i32);
        // Told to the compiler as leaving the program: the word is found again by its address.
        let address = uaddr.expose_provenance() as u64;
        let address2 = uaddr2.expose_provenance() as u64;
        let requeue = |expected: Option<u32>| {
            let options = RequeueOptions::of(requeue_count(count)?, requeue_count(count2)?);
            let expected = expected.map(FutexValue::U32);
            let requeued =
                self.words
                    .requeue_at(address, address2, FutexSize::U32, options, expected)?;
            Ok(requeued.woken + requeued.moved)
        };
        match command {
            Command::Wait => self.wait(address, val, u32::MAX, timeout),
            Command::WaitBitset => self.wait(address, val, val3, timeout),
            Command::Wake => self.wake(address, count, u32::MAX),
            Command::WakeBitset => self.wake(address, count, val3),
            Command::Requeue => requeue(None),
            Command::CmpRequeue => requeue(Some(val3)),
            Command::WakeOp => {
                let counts = (wake_count(count), wake_count(count2));
                let word_op = WordOp::decode(val3);
                self.words.wake_op_at(address, address2, counts, word_op)
            }
            _ => self.on_lock(command, (address, address2), (val, count2, val3), timeout),
        }
    }

    /// The commands on locks that are handed over, with the three numbers that they may be given.
    fn on_lock(
        &self,
        command: Command,
        (address, address2): (u64, u64),
        (val, count2, val3): (u32, i32, u32),
        timeout: FutexTimeout,
    ) -> Result<usize, FutexError> {
        let (me, is_alive) = match self.thread {
            Some((me, is_alive)) => (me, Some(is_alive)),
            None => (platform::thread_id().ok_or(FutexError::NoSuchCall)?, None),
        };
        let ask = |owner: u32| match is_alive {
            Some(is_alive) => asking(&is_alive)(owner),
            None => told_by_kernel(owner),
        };
        match command {
            Command::LockPi | Command::LockPi2 => {
                self.words.lock_at(address, me, Some(timeout), &ask)
            }
            Command::TryLockPi => self.words.lock_at(address, me, None, &ask),
            Command::UnlockPi => self.words.unlock_pi(address, me),
            Command::WaitRequeuePi => self
                .words
                .wait_requeue_pi(address, val, address2, me, timeout),
            _ => {
                let moves = requeue_count(count2)?;
                // Whoever gets the lock: more than one never do.
                if val != 1 {
                    return Err(FutexError::Invalid);
                }
                let from = (address, val3);
                let requeued = self.words.move_to_lock(from, address2, moves, &ask)?;
                return Ok(requeued.woken + requeued.moved);
            }
        }
        .map(|()| 0)
    }

    #[inline]
    #[track_caller]
    pub(super) fn wait(
        &self,
        address: u64,
        expected: u32,
        bits: u32,
        timeout: FutexTimeout,
    ) -> Result<usize, FutexError> {
        let expected = FutexValue::U32(expected);
        let options = ParkOptions::new().until_signal();
        self.words
            .wait_on(address, expected, bits, timeout, options, None)
            .map(|()| 0)
    }

    #[inline]
    pub(super) fn wake(&self, address: u64, count: i32, bits: u32) -> Result<usize, FutexError> {
        self.words
            .wake_at(address, FutexSize::U32, wake_count(count), bits)
    }
}

/// What the kernel says of an owner.
fn told_by_kernel(owner: u32) -> Result<(), FutexError> {
    const ESRCH: isize = -(FutexError::NoSuchThread.errno() as isize);
    const EPERM: isize = -(FutexError::NotOwner.errno() as isize);
    match platform::ask_of_owner(owner) {
        ESRCH => Err(FutexError::NoSuchThread),
        // A thread of the kernel's own.
        EPERM => Err(FutexError::NotOwner),
        _ => Ok(()),
    }
}

/// A count, or a failure as a negative number. That a table is closed has no counterpart in the
/// kernel: EAGAIN makes every caller look again.
#[inline]
pub(super) fn result(answer: Result<usize, FutexError>) -> isize {
    match answer {
        // More waiters than that have no room in memory.
        Ok(count) => isize::try_from(count).unwrap_or(isize::MAX),
        Err(FutexError::Closed) => -(FutexError::Again.errno() as isize),
        Err(error) => -(error.errno() as isize),
    }
}
