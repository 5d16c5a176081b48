//! What FUTEX_WAKE_OP does to its second word, and what it asks of the old value.
//!
//! **Orderings**: WORD: callers give locks back with it. The slot locks order it against waits.

use crate::futex::errno::Errno;
use crate::sync::AtomicU32;
use crate::word;

/// The sixth argument, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WordOp {
    operation: u8,
    argument: u32,
    comparison: u8,
    compared: i32,
}

impl WordOp {
    /// Every number can be read; what it asks for may be unknown.
    pub(super) const fn new(encoded: u32) -> Self {
        /// The argument is the number of a bit.
        const SHIFT: u32 = 8 << 28;
        let argument = sign_extend(encoded >> 12);
        Self {
            operation: (encoded >> 28 & 7) as u8,
            argument: if encoded & SHIFT == 0 {
                argument as u32
            } else {
                1 << (argument & 31)
            },
            comparison: (encoded >> 24 & 15) as u8,
            compared: sign_extend(encoded),
        }
    }

    /// Whether there is such an operation: else no word is needed.
    pub(super) fn check(self) -> Result<(), Errno> {
        match self.operation {
            0..=4 => Ok(()),
            _ => Err(Errno::NO_SUCH_CALL),
        }
    }

    /// Changes the word, then compares its old value. An unknown operation changes nothing, an
    /// unknown comparison is found after the change.
    pub(super) fn apply(self, word: &AtomicU32) -> Result<bool, Errno> {
        let argument = self.argument;
        let change = move |old: u32| match self.operation {
            0 => argument,
            1 => old.wrapping_add(argument),
            2 => old | argument,
            3 => old & !argument,
            _ => old ^ argument,
        };
        self.check()?;
        let old = word::update(word, change);
        let (old, compared) = (old as i32, self.compared);
        match self.comparison {
            0 => Ok(old == compared),
            1 => Ok(old != compared),
            2 => Ok(old < compared),
            3 => Ok(old <= compared),
            4 => Ok(old > compared),
            5 => Ok(old >= compared),
            _ => Err(Errno::NO_SUCH_CALL),
        }
    }
}

/// The low 12 bits, signed.
const fn sign_extend(bits: u32) -> i32 {
    (bits << 20) as i32 >> 20
}
