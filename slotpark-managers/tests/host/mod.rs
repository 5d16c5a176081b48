//! The host's pipes, FIFOs and queues: results are counts, or Linux's numbers of errors.
#![allow(dead_code, reason = "each file of tests uses its part")]

pub(crate) mod pipes;
pub(crate) mod queues;

use std::io;

use slotpark_managers::Errno;

/// A result as both sides can have it.
pub(crate) type Outcome<T = usize> = Result<T, i32>;

/// A result of ours as both sides can have it.
pub(crate) fn outcome<T>(result: Result<T, Errno>) -> Outcome<T> {
    result.map_err(Errno::number)
}

pub(crate) fn number(error: &io::Error) -> i32 {
    error.raw_os_error().expect("an error of the system")
}

/// What a system call returned.
pub(crate) fn returned(value: libc::c_int) -> Outcome {
    usize::try_from(value).map_err(|_| number(&io::Error::last_os_error()))
}
