//! Reading the arguments of `futex(2)`: which command, which counts.

use crate::futex::error::FutexError;

/// What becomes of a call that lacks FUTEX_PRIVATE_FLAG: one on words that other processes may map
/// too.
///
/// ```
/// use slotpark_core::{FutexAbi, FutexShared};
/// let abi = FutexAbi::process().with_shared(FutexShared::AsPrivate);
/// let mut word = 0;
/// // SAFETY: the word lives.
/// let woken = unsafe { abi.futex(&raw mut word, 1, 1, 0, std::ptr::null_mut(), 0) };
/// assert_eq!(woken, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FutexShared {
    /// ENOSYS: such a call is the kernel's. Who stands before it forwards it; see
    /// [`FutexAbi::answers`](crate::FutexAbi::answers).
    #[default]
    Refused,
    /// Answered like a private one: right if no other process maps the word. Waiters meet private
    /// wakes of their word, unlike in the kernel.
    AsPrivate,
}

/// The commands that are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Wait,
    Wake,
    Requeue,
    CmpRequeue,
    WakeOp,
    WaitBitset,
    WakeBitset,
    LockPi,
    LockPi2,
    TryLockPi,
    UnlockPi,
    WaitRequeuePi,
    CmpRequeuePi,
}

const PRIVATE: i32 = 128;
pub(super) const WAIT_PRIVATE: i32 = PRIVATE;
pub(super) const WAKE_PRIVATE: i32 = 1 | PRIVATE;
pub(super) const WAIT_BITSET_PRIVATE: i32 = 9 | PRIVATE;
const REALTIME: i32 = 256;

/// The command, whether it is private, and whether it names the wall clock. `None`: there is no
/// such command, or there are bits that nobody knows.
pub(super) const fn command(op: i32) -> (Option<Command>, bool, bool) {
    let command = match op & !(PRIVATE | REALTIME) {
        0 => Some(Command::Wait),
        1 => Some(Command::Wake),
        3 => Some(Command::Requeue),
        4 => Some(Command::CmpRequeue),
        5 => Some(Command::WakeOp),
        6 => Some(Command::LockPi),
        7 => Some(Command::UnlockPi),
        8 => Some(Command::TryLockPi),
        9 => Some(Command::WaitBitset),
        10 => Some(Command::WakeBitset),
        11 => Some(Command::WaitRequeuePi),
        12 => Some(Command::CmpRequeuePi),
        13 => Some(Command::LockPi2),
        _ => None,
    };
    (command, op & PRIVATE != 0, op & REALTIME != 0)
}

impl Command {
    /// Whether the fourth argument is the address of a timespec.
    pub(super) const fn is_timed(self) -> bool {
        matches!(self, Self::Wait | Self::LockPi) || self.is_clocked()
    }

    /// Whether it may name the wall clock.
    pub(super) const fn is_clocked(self) -> bool {
        matches!(self, Self::WaitBitset | Self::LockPi2 | Self::WaitRequeuePi)
    }

    /// Whether it is one on locks that are handed over, for which threads need numbers.
    pub(super) const fn is_inheriting(self) -> bool {
        matches!(
            self,
            Self::LockPi
                | Self::LockPi2
                | Self::TryLockPi
                | Self::UnlockPi
                | Self::WaitRequeuePi
                | Self::CmpRequeuePi
        )
    }
}

/// How many a wake wakes: the kernel counts a waiter before it compares, so that 0 and all negative
/// numbers are one.
#[inline]
pub(super) fn wake_count(count: i32) -> usize {
    usize::try_from(count).unwrap_or(1).max(1)
}

/// How many a requeue wakes, or moves: 0 is nobody.
pub(super) fn requeue_count(count: i32) -> Result<usize, FutexError> {
    usize::try_from(count).map_err(|_| FutexError::Invalid)
}
