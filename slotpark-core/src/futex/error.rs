//! What a futex call can fail with: Linux's names and numbers, on every platform.

use core::error::Error;
use core::fmt;

use crate::futex::memory::FutexFault;

/// Why a futex call has failed.
///
/// ```
/// use slotpark_core::FutexError;
/// assert_eq!(FutexError::Again.errno(), 11);
/// assert_eq!(FutexError::Again.to_string(), "the word holds another value (EAGAIN)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FutexError {
    /// EPERM: the lock is not the caller's to give back.
    NotOwner,
    /// ESRCH: the owner of the lock has come to its end without giving it back.
    NoSuchThread,
    /// EAGAIN: the word holds another value than expected, or the lock is taken.
    Again,
    /// EFAULT: there is no word at an address, or none that can be changed.
    Fault,
    /// EINVAL: an address is no multiple of the word's size, a bitset is empty, a time is none,
    /// there are too many or too few words, or the waiters at an address want something else than
    /// the call gives.
    Invalid,
    /// EDEADLK: the lock is the caller's already, or its owner waits for the caller.
    Deadlock,
    /// ENOSYS: there is no such operation.
    NoSuchCall,
    /// ETIMEDOUT: the deadline passed, and nobody had ended the wait before.
    TimedOut,
    /// EINTR: its interrupter ended the wait, or, of one by number, a signal.
    Interrupted,
    /// ECANCELED, which Linux never says here: the table, the key or the address range was closed.
    Closed,
}

impl FutexError {
    /// Linux's number of it, above 0.
    ///
    /// ```
    /// assert_eq!(slotpark_core::FutexError::TimedOut.errno(), 110);
    /// ```
    #[inline]
    #[must_use]
    pub const fn errno(self) -> i32 {
        self.parts().0
    }

    #[inline]
    const fn parts(self) -> (i32, &'static str) {
        match self {
            Self::NotOwner => (1, "the lock is not the caller's (EPERM)"),
            Self::NoSuchThread => (3, "the owner of the lock is gone (ESRCH)"),
            Self::Interrupted => (4, "the wait was interrupted (EINTR)"),
            Self::Again => (11, "the word holds another value (EAGAIN)"),
            Self::Fault => (14, "there is no such word (EFAULT)"),
            Self::Invalid => (22, "an argument is invalid (EINVAL)"),
            Self::Deadlock => (35, "the wait would never end (EDEADLK)"),
            Self::NoSuchCall => (38, "there is no such operation (ENOSYS)"),
            Self::TimedOut => (110, "the time was over (ETIMEDOUT)"),
            Self::Closed => (125, "there is nothing to wait for any more (ECANCELED)"),
        }
    }
}

impl fmt::Display for FutexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.parts().1)
    }
}

impl Error for FutexError {}

impl From<FutexFault> for FutexError {
    fn from(FutexFault: FutexFault) -> Self {
        Self::Fault
    }
}
