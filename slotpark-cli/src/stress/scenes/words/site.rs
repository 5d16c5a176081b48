//! A site: two words, and who waits at them.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use slotpark::{FutexKey, FutexWait};

use crate::stress::ledger::Ledger;

/// Two words of a kind. All are relaxed: the fences of the library are on trial.
pub(super) enum Pair {
    Narrow([AtomicU32; 2]),
    Wide([AtomicU64; 2]),
    /// The addresses are a guest's; the values stand here.
    Guest([FutexKey; 2], [AtomicU32; 2]),
}

/// See the file. Waiters may move between its words.
pub(super) struct Site {
    pub(super) words: Pair,
    pub(super) moves: bool,
    /// One for each word, or the first for both if waiters move between them.
    pub(super) ledgers: [Ledger; 2],
}

/// The upper half of a wide word is not that of a narrow one.
fn wide(stamp: u32) -> u64 {
    u64::from(stamp) << 32 | u64::from(!stamp)
}

impl Site {
    pub(super) fn new(number: usize) -> Self {
        Self {
            words: match number % 3 {
                0 => Pair::Narrow(Default::default()),
                1 => Pair::Wide(Default::default()),
                _ => {
                    let address = |low: u64| FutexKey::new(7, (number as u64) << 12 | low);
                    Pair::Guest([address(0), address(4)], Default::default())
                }
            },
            moves: number % 2 == 1,
            ledgers: Default::default(),
        }
    }

    pub(super) fn stamp(&self, which: usize) -> u32 {
        match &self.words {
            Pair::Narrow(words) | Pair::Guest(_, words) => words[which].load(Ordering::Relaxed),
            Pair::Wide(words) => (words[which].load(Ordering::Relaxed) >> 32) as u32,
        }
    }

    pub(super) fn store(&self, which: usize, stamp: u32) {
        match &self.words {
            Pair::Narrow(words) | Pair::Guest(_, words) => {
                words[which].store(stamp, Ordering::Relaxed);
            }
            Pair::Wide(words) => words[which].store(wide(stamp), Ordering::Relaxed),
        }
    }

    pub(super) fn key(&self, which: usize) -> FutexKey {
        match &self.words {
            Pair::Narrow(words) => FutexKey::of(&words[which]),
            Pair::Wide(words) => FutexKey::of(&words[which]),
            Pair::Guest(keys, _) => keys[which],
        }
    }

    pub(super) fn ledger(&self, which: usize) -> &Ledger {
        &self.ledgers[if self.moves { 0 } else { which }]
    }

    pub(super) fn wake(&self, futex: &FutexWait, which: usize, count: usize, bits: u32) -> usize {
        match &self.words {
            Pair::Narrow(words) if bits == u32::MAX => futex.wake(&words[which], count),
            Pair::Wide(words) if bits == u32::MAX => futex.wake(&words[which], count),
            Pair::Narrow(words) => futex.wake_bitset(&words[which], count, bits),
            Pair::Wide(words) => futex.wake_bitset(&words[which], count, bits),
            Pair::Guest(keys, _) => futex.wake_key(keys[which], count, bits),
        }
    }
}

/// What a wide word holds for a stamp; all of them begin at 0.
pub(super) fn wide_or_zero(stamp: u32) -> u64 {
    if stamp == 0 { 0 } else { wide(stamp) }
}
