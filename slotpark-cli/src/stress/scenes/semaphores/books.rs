//! The books of one semaphore.

use std::sync::atomic::{AtomicU64, Ordering};

/// Permits that exist, in the low half, and those that are held, in the high one: one word, so that
/// each change sees both. Too few seem to be held, never too many.
#[derive(Debug, Default)]
pub(super) struct Books(AtomicU64);

impl Books {
    const HELD: u64 = 1 << 32;

    /// What exists, and what is held.
    pub(super) fn read(&self) -> (u64, u64) {
        Self::split(self.0.load(Ordering::Relaxed))
    }

    fn split(word: u64) -> (u64, u64) {
        (word % Self::HELD, word / Self::HELD)
    }

    pub(super) fn bring(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// False if more are held than exist.
    pub(super) fn hold(&self, count: usize) -> bool {
        let more = count as u64 * Self::HELD;
        let (existing, held) = Self::split(self.0.fetch_add(more, Ordering::Relaxed) + more);
        held <= existing
    }

    pub(super) fn give_back(&self, count: usize) {
        self.0
            .fetch_sub(count as u64 * Self::HELD, Ordering::Relaxed);
    }

    /// What was held exists no more.
    pub(super) fn use_up(&self, count: usize) {
        let less = count as u64 * (Self::HELD + 1);
        self.0.fetch_sub(less, Ordering::Relaxed);
    }
}
