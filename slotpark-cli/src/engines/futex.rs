//! The kernel's futex: one system call for each wait and wake, the caller's word is the key.

use std::num::NonZeroU32;

use rustix::io::Errno;
use rustix::thread::ClockId;
use rustix::thread::futex::{self, Flags, Wait, WaitFlags, WaitPtr, WaitvFlags, WakeOp, WakeOpCmp};
use rustix::time::Timespec;

use crate::measure::futex::{FutexEngine, Vector, WORDS};
use crate::measure::{Deadline, Engine, Outcome, Place, Slots, Word};

/// As many as there are: the kernel reads the count as a signed number.
const ALL: u32 = i32::MAX as u32;

/// Nothing of its own: the table is the kernel's.
#[derive(Debug)]
pub(crate) struct Futex;

impl Engine for Futex {
    const NAME: &'static str = "futex";
    const TABLE_IN_PROCESS: bool = false;

    fn new(slots: Slots) -> Option<Self> {
        (slots == Slots::Default).then_some(Self)
    }

    #[inline]
    fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome {
        let word = at.word.atomic();
        let result = match deadline {
            None => futex::wait(word, Flags::PRIVATE, expected, None),
            // The form with a bitset is the one that takes an absolute time.
            Some(deadline) => {
                let time = Some(&deadline.monotonic);
                futex::wait_bitset(word, Flags::PRIVATE, expected, time, NonZeroU32::MAX)
            }
        };
        outcome(result)
    }

    #[inline]
    fn wake_one(&self, at: Place<'_>) -> usize {
        futex::wake(at.word.atomic(), Flags::PRIVATE, 1).unwrap_or(0)
    }

    #[inline]
    fn wake_all(&self, at: Place<'_>) -> usize {
        futex::wake(at.word.atomic(), Flags::PRIVATE, ALL).unwrap_or(0)
    }
}

/// How the kernel says that a wait ended.
fn outcome<T>(result: Result<T, Errno>) -> Outcome {
    match result {
        Err(Errno::AGAIN) => Outcome::Stale,
        Err(Errno::TIMEDOUT) => Outcome::TimedOut,
        _ => Outcome::Woken,
    }
}

impl FutexEngine for Futex {
    type Entries = [Wait; WORDS];

    #[inline]
    fn wait_for(&self, word: &Word, expected: u32, timeout: &Timespec) -> Outcome {
        let result = futex::wait(word.atomic(), Flags::PRIVATE, expected, Some(timeout));
        outcome(result)
    }

    #[inline]
    fn cmp_requeue(&self, [from, to]: [&Word; 2], expected: u32) -> Option<usize> {
        let [from, to] = [from.atomic(), to.atomic()];
        futex::cmp_requeue(from, Flags::PRIVATE, 1, ALL, to, expected).ok()
    }

    #[inline]
    fn wake_op(&self, [first, second]: [&Word; 2]) -> Option<usize> {
        let (first, second) = (first.atomic(), second.atomic());
        let (set, greater) = (WakeOp::Set, WakeOpCmp::Gt);
        futex::wake_op(first, Flags::PRIVATE, 1, 1, second, set, greater, 0, 1).ok()
    }

    fn entries(vector: Vector<'_>) -> Self::Entries {
        vector.map(|(word, expected)| {
            let mut entry = Wait::new();
            entry.val = expected.into();
            entry.uaddr = WaitPtr::new(word.atomic().as_ptr().cast());
            entry.flags = WaitFlags::SIZE_U32 | WaitFlags::PRIVATE;
            entry
        })
    }

    #[inline]
    fn waitv(&self, entries: &Self::Entries) -> Outcome {
        let (flags, clock) = (WaitvFlags::empty(), ClockId::Monotonic);
        outcome(futex::waitv(entries, flags, None, clock))
    }
}
