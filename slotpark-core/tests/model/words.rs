//! Programs of one semaphore and one event counter, whose waiters wait in one table.

use arbitrary::{Result, Unstructured};

/// More say nothing new, and take longer.
const ACTS_MAX: usize = 200;

#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) is_barging: bool,
    /// Free at the beginning.
    pub(crate) permits: usize,
    pub(crate) slots: usize,
    /// Of the semaphore's key and of the counter's.
    pub(crate) hashes: [u64; 2],
    pub(crate) acts: Vec<Act>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Permits(usize),
    /// So many more than have come.
    Events(u64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// A thread begins; nanoseconds until its deadline.
    Thread {
        what: What,
        patience: Option<u64>,
    },
    /// A task begins, with the Waker of this number.
    Task {
        what: What,
        bell: usize,
    },
    Try {
        count: usize,
    },
    Release {
        count: usize,
    },
    Forget {
        count: usize,
    },
    Advance {
        events: u64,
    },
    /// One of the threads goes on, as in other programs.
    Run {
        who: usize,
        says_timed_out: bool,
    },
    Poll {
        who: usize,
        bell: usize,
    },
    Drop {
        who: usize,
    },
    Pass {
        ns: u64,
    },
    /// Of those who wait for events now.
    CloseEvents,
    /// For ever.
    CloseSemaphore,
}

/// Tables of one slot and of two; keys of one hash, of one slot, and of neither.
pub(crate) const PLACES: [(usize, [u64; 2]); 3] = [(1, [0, 1]), (1, [7, 7]), (2, [0, 1])];

impl Words {
    pub(crate) fn arbitrary(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let is_barging = bytes.arbitrary()?;
        let permits = bytes.int_in_range(0..=3)?;
        let (slots, hashes) = *bytes.choose(&PLACES)?;
        let mut acts = Vec::new();
        while !bytes.is_empty() && acts.len() < ACTS_MAX {
            acts.push(Act::arbitrary(bytes)?);
        }
        Ok(Self {
            is_barging,
            permits,
            slots,
            hashes,
            acts,
        })
    }
}

impl Act {
    fn arbitrary(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let who = |bytes: &mut Unstructured<'_>| bytes.arbitrary::<u8>().map(usize::from);
        Ok(match bytes.int_in_range(0..=31_u8)? {
            0..=5 => Self::Thread {
                what: what(bytes)?,
                patience: bytes.int_in_range(0..=9_u64)?.checked_sub(4),
            },
            6..=10 => Self::Task {
                what: what(bytes)?,
                bell: bytes.int_in_range(0..=1)?,
            },
            11 => Self::Try {
                count: bytes.int_in_range(0..=3)?,
            },
            12..=15 => Self::Release {
                count: bytes.int_in_range(0..=3)?,
            },
            16 => Self::Forget {
                count: bytes.int_in_range(0..=2)?,
            },
            17..=19 => Self::Advance {
                events: bytes.int_in_range(0..=2)?,
            },
            20..=23 => Self::Run {
                who: who(bytes)?,
                says_timed_out: bytes.arbitrary()?,
            },
            24..=26 => Self::Poll {
                who: who(bytes)?,
                bell: bytes.int_in_range(0..=1)?,
            },
            27 | 28 => Self::Drop { who: who(bytes)? },
            29 => Self::Pass {
                ns: bytes.int_in_range(1..=3)?,
            },
            30 => Self::CloseEvents,
            _ => match bytes.arbitrary::<u8>()? {
                0..=239 => Self::Pass { ns: 1 },
                240.. => Self::CloseSemaphore,
            },
        })
    }
}

fn what(bytes: &mut Unstructured<'_>) -> Result<What> {
    Ok(match bytes.int_in_range(0..=7_u8)? {
        count @ 0..=3 => What::Permits(usize::from(count)),
        more => What::Events(u64::from(more) - 4),
    })
}
