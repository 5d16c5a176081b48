//! What a futex call can fail with: Linux's numbers, on every platform.

/// A failure, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(u8);

impl Errno {
    /// EINTR: a signal's handler ran.
    pub(crate) const INTERRUPTED: Self = Self(4);
    /// EAGAIN: the word holds another value.
    pub(crate) const AGAIN: Self = Self(11);
    /// EFAULT: there is no word at the address.
    pub(crate) const FAULT: Self = Self(14);
    /// EINVAL.
    pub(crate) const INVALID: Self = Self(22);
    /// ENOSYS: no such operation, or none that is answered here.
    pub(crate) const NO_SUCH_CALL: Self = Self(38);
    /// ETIMEDOUT.
    pub(crate) const TIMED_OUT: Self = Self(110);
}

/// A count, or a failure as a negative number.
pub(crate) fn result(answer: Result<usize, Errno>) -> isize {
    match answer {
        // More waiters than that have no room in memory.
        Ok(count) => isize::try_from(count).unwrap_or(isize::MAX),
        Err(Errno(number)) => -isize::from(number),
    }
}
