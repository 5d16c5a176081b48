//! What FUTEX_WAKE_OP does to its second word, and what it asks of the old value.
//!
//! **Orderings**: WORD: callers give locks back with it. The slot locks order it against waits.

use crate::futex::error::FutexError;
use crate::futex::memory::{FutexMemory, FutexSize};

/// What FUTEX_WAKE_OP does to its second word.
///
/// ```
/// use slotpark_core::FutexChange;
/// assert_ne!(FutexChange::Set(0), FutexChange::Add(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FutexChange {
    /// Stores a value.
    Set(u32),
    /// Adds, wrapping.
    Add(u32),
    /// Sets these bits.
    Or(u32),
    /// Clears these bits.
    AndNot(u32),
    /// Turns these bits round.
    Xor(u32),
}

/// What FUTEX_WAKE_OP asks of its second word's old value, as a signed number.
///
/// ```
/// use slotpark_core::FutexTest;
/// assert_ne!(FutexTest::Less(0), FutexTest::AtMost(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FutexTest {
    /// It was this.
    Equal(i32),
    /// It was not this.
    NotEqual(i32),
    /// It was less.
    Less(i32),
    /// It was at most this.
    AtMost(i32),
    /// It was greater.
    Greater(i32),
    /// It was at least this.
    AtLeast(i32),
}

/// The sixth argument of FUTEX_WAKE_OP, taken apart: what it asks for may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WordOp {
    change: Option<FutexChange>,
    test: Option<FutexTest>,
}

impl WordOp {
    pub(super) const fn of(change: FutexChange, test: FutexTest) -> Self {
        Self {
            change: Some(change),
            test: Some(test),
        }
    }

    pub(super) const fn decode(encoded: u32) -> Self {
        /// The argument is the number of a bit.
        const SHIFT: u32 = 8 << 28;
        let argument = sign_extend(encoded >> 12);
        let argument = if encoded & SHIFT == 0 {
            argument as u32
        } else {
            1 << (argument & 31)
        };
        let change = match encoded >> 28 & 7 {
            0 => Some(FutexChange::Set(argument)),
            1 => Some(FutexChange::Add(argument)),
            2 => Some(FutexChange::Or(argument)),
            3 => Some(FutexChange::AndNot(argument)),
            4 => Some(FutexChange::Xor(argument)),
            _ => None,
        };
        let compared = sign_extend(encoded);
        let test = match encoded >> 24 & 15 {
            0 => Some(FutexTest::Equal(compared)),
            1 => Some(FutexTest::NotEqual(compared)),
            2 => Some(FutexTest::Less(compared)),
            3 => Some(FutexTest::AtMost(compared)),
            4 => Some(FutexTest::Greater(compared)),
            5 => Some(FutexTest::AtLeast(compared)),
            _ => None,
        };
        Self { change, test }
    }

    /// Whether there is such a change: else no word is needed.
    pub(super) fn check(self) -> Result<(), FutexError> {
        self.change.map(|_| ()).ok_or(FutexError::NoSuchCall)
    }

    /// Changes the word, then compares its old value. An unknown change changes nothing, an unknown
    /// comparison is found after the change.
    pub(super) fn apply(self, memory: &impl FutexMemory, address: u64) -> Result<bool, FutexError> {
        let change = self.change.ok_or(FutexError::NoSuchCall)?;
        let mut old = memory.load(address, FutexSize::U32)? as u32;
        loop {
            match memory.compare_exchange(address, old, change.apply(old))? {
                Ok(_) => break,
                Err(now) => old = now,
            }
        }
        let test = self.test.ok_or(FutexError::NoSuchCall)?;
        Ok(test.holds(old as i32))
    }
}

impl FutexChange {
    const fn apply(self, old: u32) -> u32 {
        match self {
            Self::Set(value) => value,
            Self::Add(value) => old.wrapping_add(value),
            Self::Or(bits) => old | bits,
            Self::AndNot(bits) => old & !bits,
            Self::Xor(bits) => old ^ bits,
        }
    }
}

impl FutexTest {
    const fn holds(self, old: i32) -> bool {
        match self {
            Self::Equal(value) => old == value,
            Self::NotEqual(value) => old != value,
            Self::Less(value) => old < value,
            Self::AtMost(value) => old <= value,
            Self::Greater(value) => old > value,
            Self::AtLeast(value) => old >= value,
        }
    }
}

/// The low 12 bits, signed.
const fn sign_extend(bits: u32) -> i32 {
    (bits << 20) as i32 >> 20
}
