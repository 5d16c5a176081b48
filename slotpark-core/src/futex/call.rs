//! Reading the arguments of `futex(2)`: which command, which counts, until when.

use crate::futex::errno::Errno;
use crate::platform::{Clock, Deadline, Platform};

/// A `struct timespec` of a 64-bit system (`struct __kernel_timespec`), as the caller wrote it.
///
/// ```
/// use slotpark_core::FutexTimespec;
/// let second = FutexTimespec { seconds: 1, nanoseconds: 0 };
/// assert_eq!(size_of_val(&second), 16);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct FutexTimespec {
    /// `tv_sec`; below 0 is EINVAL.
    pub seconds: i64,
    /// `tv_nsec`; below 0 or above 999,999,999 is EINVAL.
    pub nanoseconds: i64,
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
    /// One with priority inheritance; with whether it takes a timeout, and may name a clock.
    Inheriting {
        timed: bool,
        clocked: bool,
    },
}

const PRIVATE: i32 = 128;
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
        6 => Some(Command::inheriting(true, false)),
        7 | 8 | 12 => Some(Command::inheriting(false, false)),
        9 => Some(Command::WaitBitset),
        10 => Some(Command::WakeBitset),
        11 | 13 => Some(Command::inheriting(true, true)),
        _ => None,
    };
    (command, op & PRIVATE != 0, op & REALTIME != 0)
}

impl Command {
    const fn inheriting(timed: bool, clocked: bool) -> Self {
        Self::Inheriting { timed, clocked }
    }

    /// Whether the fourth argument is the address of a timespec.
    pub(super) const fn is_timed(self) -> bool {
        match self {
            Self::Wait | Self::WaitBitset => true,
            Self::Inheriting { timed, .. } => timed,
            _ => false,
        }
    }

    /// Whether it may name the wall clock.
    pub(super) const fn is_clocked(self) -> bool {
        match self {
            Self::WaitBitset => true,
            Self::Inheriting { clocked, .. } => clocked,
            _ => false,
        }
    }
}

/// How many a wake wakes: the kernel counts a waiter before it compares, so that 0 and all negative
/// numbers are one.
pub(super) fn wake_count(count: i32) -> usize {
    usize::try_from(count).unwrap_or(1).max(1)
}

/// When a wait gives up, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timeout {
    Never,
    After(u64),
    At(Clock, u64),
}

impl Timeout {
    /// A point on `clock`, or, with none, a time from now on.
    pub(super) fn new(time: Option<FutexTimespec>, clock: Option<Clock>) -> Result<Self, Errno> {
        const SECOND_NS: u64 = 1_000_000_000;
        let Some(time) = time else {
            return Ok(Self::Never);
        };
        let seconds = u64::try_from(time.seconds).map_err(|_| Errno::INVALID)?;
        let part_ns = u64::try_from(time.nanoseconds).map_err(|_| Errno::INVALID)?;
        if part_ns >= SECOND_NS {
            return Err(Errno::INVALID);
        }
        let total_ns = seconds.saturating_mul(SECOND_NS).saturating_add(part_ns);
        Ok(match clock {
            // The kernel's time ends after 292 years, and so long is for ever.
            _ if total_ns >= i64::MAX as u64 => Self::Never,
            None => Self::After(total_ns),
            Some(clock) => Self::At(clock, total_ns),
        })
    }

    /// Reads the clock for a time from now on.
    pub(super) fn deadline<P: Platform>(self) -> Option<Deadline> {
        match self {
            Self::Never => None,
            Self::After(wait_ns) => Deadline::after::<P>(core::time::Duration::from_nanos(wait_ns)),
            Self::At(clock, at_ns) => Some(Deadline::new(clock, at_ns)),
        }
    }
}
