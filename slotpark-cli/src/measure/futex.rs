//! What the harness asks of the numeric futex ABI beside the waits and wakes of an engine.

use rustix::time::Timespec;

use super::{Engine, Outcome, Word};

/// How many words a vectored wait is on.
pub(crate) const WORDS: usize = 8;

/// Words, each with the value that it is expected to have.
pub(crate) type Vector<'a> = [(&'a Word, u32); WORDS];

/// One implementation of the futex operations; the key of a wait is the address of its word.
///
/// Times and entries are made before the measured call.
pub(crate) trait FutexEngine: Engine {
    /// The entries of a vectored wait as the implementation takes them.
    type Entries;

    /// FUTEX_WAIT with a timeout, which is relative.
    fn wait_for(&self, word: &Word, expected: u32, timeout: &Timespec) -> Outcome;

    /// FUTEX_CMP_REQUEUE from the first word to the second, one woken and all others moved; `None`
    /// where it fails, as it does if the first has another value than `expected`.
    fn cmp_requeue(&self, words: [&Word; 2], expected: u32) -> Option<usize>;

    /// FUTEX_WAKE_OP as condition variables used it: the second word is set to 0, one waiter of the
    /// first is woken, and one of the second if that was greater than 1. `None` where it fails.
    fn wake_op(&self, words: [&Word; 2]) -> Option<usize>;

    /// The entries for `waitv`, which must not be used after the words are gone.
    fn entries(vector: Vector<'_>) -> Self::Entries;

    /// `futex_waitv` without a timeout.
    fn waitv(&self, entries: &Self::Entries) -> Outcome;
}
