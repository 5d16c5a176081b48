//! The kernel's futex: one system call for each wait and wake, the caller's word is the key.

use std::num::NonZeroU32;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags};

use crate::measure::{Deadline, Engine, Outcome, Place, Slots};

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
        match result {
            Err(Errno::AGAIN) => Outcome::Stale,
            Err(Errno::TIMEDOUT) => Outcome::TimedOut,
            _ => Outcome::Woken,
        }
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
