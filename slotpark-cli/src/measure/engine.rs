//! What the harness asks of an implementation of keyed waiting.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, Timespec, clock_gettime};

/// One implementation of keyed waiting, behind an adapter that adds as little as possible.
pub(crate) trait Engine: Send + Sync + Sized + 'static {
    /// The name in reports.
    const NAME: &'static str;

    /// Whether the table of waiters is in the memory of this process.
    const TABLE_IN_PROCESS: bool = true;

    /// A fresh instance; `None` where the implementation has no table of slots to choose.
    fn new(slots: Slots) -> Option<Self>;

    /// Blocks on the key until it is woken, unless its word has another value than `expected`.
    ///
    /// It may return `Woken` early where the implementation does; workloads recheck the word.
    fn wait(&self, at: Place<'_>, expected: u32, deadline: Option<&Deadline>) -> Outcome;

    /// Wakes one waiter of the key, and says how many it woke as far as the implementation knows.
    fn wake_one(&self, at: Place<'_>) -> usize;

    /// Wakes all waiters of the key, and says how many it woke as far as the implementation knows.
    fn wake_all(&self, at: Place<'_>) -> usize;

    /// The waits that each slot has seen, where there are slots to look at.
    fn queued_by_slot(&self) -> Option<Vec<u32>> {
        None
    }

    /// `wait` without a deadline, again and again while the word has the value `expected`.
    fn wait_while(&self, at: Place<'_>, expected: u32) {
        while at.word.value() == expected {
            self.wait(at, expected, None);
        }
    }
}

/// How many slots an engine's table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slots {
    /// As many as it has by default.
    Default,
    /// One: all keys collide.
    One,
    /// So many, or a few more.
    AtLeast(usize),
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Somebody woke it, or it returned early.
    Woken,
    /// The word had another value.
    Stale,
    /// The deadline passed.
    TimedOut,
}

/// A key and the word that its caller owns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The key, for engines that wait on keys.
    pub(crate) key: u64,
    /// The value that decides whether to wait; its address is the key of the kernel's futex.
    pub(crate) word: &'a Word,
}

/// The caller's word: the same for all engines, alone on its cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Word(AtomicU32);

impl Word {
    /// The value as a waiter sees it.
    #[inline]
    pub(crate) fn value(&self) -> u32 {
        // ORDERING: acquire: what its writer did before is visible to the waiter that goes on.
        self.0.load(Ordering::Acquire)
    }

    /// Writes the value, before a wake.
    #[inline]
    pub(crate) fn set(&self, value: u32) {
        // ORDERING: release, for `value`. That the wake sees the waiter is the engine's business.
        self.0.store(value, Ordering::Release);
    }

    /// Adds one, before a wake.
    pub(crate) fn add_one(&self) {
        // ORDERING: release, as `set`.
        self.0.fetch_add(1, Ordering::Release);
    }

    /// Takes one off, unless the value is zero.
    pub(crate) fn take_one(&self) -> bool {
        // ORDERING: acquire, as `value`; relaxed where nothing is taken.
        let taken = self
            .0
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |value| {
                value.checked_sub(1)
            });
        taken.is_ok()
    }

    /// The atomic itself, for the kernel.
    pub(crate) fn atomic(&self) -> &AtomicU32 {
        &self.0
    }
}

/// A point in time in every form in which an engine takes it, made before the measured call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    /// For engines on the standard library's clock.
    pub(crate) instant: Instant,
    /// For the kernel: `CLOCK_MONOTONIC`.
    pub(crate) monotonic: Timespec,
}

impl Deadline {
    /// `after` from now.
    pub(crate) fn after(after: Duration) -> Self {
        let now = clock_gettime(ClockId::Monotonic);
        let after_kernel = Timespec::try_from(after).unwrap_or_default();
        Self {
            instant: Instant::now() + after,
            monotonic: now + after_kernel,
        }
    }

    /// Now, and so in the past of any later call.
    pub(crate) fn past() -> Self {
        Self::after(Duration::ZERO)
    }
}
