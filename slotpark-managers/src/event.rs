//! What state of a manager is waited for: a version, and a place in the shared table.
//!
//! **States** of an event: its version, which is moved on with each change that somebody may wait
//! for. **Invariant** E1: it is moved on under the lock of the state that changes, before the wake.
//! So who has looked at the state under that lock, and finds the same version under the slot lock,
//! has missed nothing. **Orderings**: relaxed: the state's lock orders versions against the state,
//! and the table's fences order them against waits.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use slotpark::{ShardedWait, WaitOutcome};

use crate::{Block, Errno};

/// The table of slots that managers share: all that block on any of their keys wait here.
pub type Waits = ShardedWait<WaitKey>;

/// What a wait of a manager is for: an event of one of its entries. No two have the same number,
/// ever.
///
/// ```
/// use slotpark_managers::Waits;
/// assert_eq!(Waits::new().memory_bytes(), 32 * 1024);
/// ```
#[derive(Clone, Copy)]
pub struct WaitKey {
    number: u64,
    /// For those who look at waits.
    kind: &'static str,
}

impl PartialEq for WaitKey {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for WaitKey {}

impl Hash for WaitKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.number);
    }
}

impl fmt::Debug for WaitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.number)
    }
}

impl WaitKey {
    /// One that nobody has or had.
    pub(crate) fn fresh(kind: &'static str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // ORDERING: none, relaxed: that a number is given out once is decided by the addition.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { number, kind }
    }

    /// Later ones have greater numbers, as far as one thread or lock orders them.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

/// Something that threads and tasks wait for.
#[derive(Debug)]
pub(crate) struct Event {
    key: WaitKey,
    version: AtomicU64,
}

/// The version of an event that somebody has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u64);

impl Seen {
    /// That of an event that was never moved on.
    pub(crate) const FIRST: Self = Self(0);
}

impl Event {
    /// `kind` is for those who look at waits: `pipe reader`.
    pub(crate) fn new(kind: &'static str) -> Self {
        Self {
            key: WaitKey::fresh(kind),
            version: AtomicU64::new(0),
        }
    }

    /// Whether it was ever moved on.
    pub(crate) fn has_advanced(&self) -> bool {
        self.seen() != Seen::FIRST
    }

    /// The version. Under the lock of the state that is looked at (E1).
    pub(crate) fn seen(&self) -> Seen {
        // ORDERING: none, relaxed: see above.
        Seen(self.version.load(Ordering::Relaxed))
    }

    /// The state has changed. Under its lock (E1); the wake follows, without.
    pub(crate) fn advance(&self) {
        // ORDERING: none, relaxed: see above.
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    /// Wakes the first `count` who wait; how many.
    pub(crate) fn wake(&self, waits: &Waits, count: usize) -> usize {
        waits.wake(&self.key, count)
    }

    /// Wakes all who wait; how many.
    pub(crate) fn wake_all(&self, waits: &Waits) -> usize {
        waits.wake_all(&self.key)
    }

    /// How many wait at this moment.
    pub(crate) fn waiters(&self, waits: &Waits) -> usize {
        waits.waiters(&self.key)
    }

    pub(crate) fn key(&self) -> WaitKey {
        self.key
    }

    /// Waits while the version is `seen`; then look again.
    pub(crate) fn wait(&self, waits: &Waits, seen: Seen, block: Block<'_>) -> Result<(), Errno> {
        self.wait_at(waits, self.key, seen, block)
    }

    /// As `wait`, but only wakes of `key` end it, which is this wait's alone.
    pub(crate) fn wait_at(
        &self,
        waits: &Waits,
        key: WaitKey,
        seen: Seen,
        block: Block<'_>,
    ) -> Result<(), Errno> {
        if !block.may_block() {
            return Err(Errno::Again);
        }
        let unchanged = || self.seen() == seen;
        if let Some(closed) = closed_key(waits, block) {
            return wait_any(waits, &[key, closed], |_| unchanged(), block);
        }
        let outcome = match block.interrupter {
            None => waits.wait_with(&key, u32::MAX, block.deadline, unchanged),
            Some(thread) => waits.wait_interruptible(&key, thread, block.deadline, unchanged),
        };
        ended(outcome)
    }

    /// Waits while the version is `seen`; then look again. Cancel-safe: a wake that had chosen it
    /// goes on to the next.
    pub(crate) async fn wait_async(&self, waits: &Waits, seen: Seen) -> Result<(), Errno> {
        self.wait_at_async(waits, self.key, seen).await
    }

    /// As `wait_async`, but only wakes of `key` end it, which is this wait's alone.
    pub(crate) async fn wait_at_async(
        &self,
        waits: &Waits,
        key: WaitKey,
        seen: Seen,
    ) -> Result<(), Errno> {
        ended(waits.wait_async(key, || self.seen() == seen).await)
    }
}

/// The key of the closing of the descriptor that a call came through.
pub(crate) fn closed_key(waits: &Waits, block: Block<'_>) -> Option<WaitKey> {
    let (closed, told_in) = block.closed?;
    assert!(
        std::ptr::eq(waits, told_in),
        "a call through a descriptor waits in another table than its descriptor's"
    );
    Some(closed.key())
}

/// Waits while nothing has changed of any key; then look again. If the call came through a
/// descriptor, its [`closed_key`] is the last one, and ends it with EBADF.
pub(crate) fn wait_any(
    waits: &Waits,
    keys: &[WaitKey],
    unchanged: impl Fn(usize) -> bool,
    block: Block<'_>,
) -> Result<(), Errno> {
    let closed = block.closed.map(|(closed, _)| (keys.len() - 1, closed));
    let valid = |at| match closed {
        Some((last, closed)) if at == last => !closed.has_advanced(),
        _ => unchanged(at),
    };
    let ended_by = match block.interrupter {
        None => waits.wait_any(keys, block.deadline, valid),
        Some(thread) => waits.wait_any_interruptible(keys, thread, block.deadline, valid),
    };
    ended(ended_by.parked)?;
    match closed {
        Some((last, _)) if ended_by.entry == Some(last) => Err(Errno::BadFd),
        _ => Ok(()),
    }
}

/// What a wait that has ended means for its call.
pub(crate) fn ended(outcome: WaitOutcome) -> Result<(), Errno> {
    match outcome {
        WaitOutcome::Woken { .. } | WaitOutcome::Stale => Ok(()),
        WaitOutcome::TimedOut => Err(Errno::TimedOut),
        WaitOutcome::Interrupted => Err(Errno::Interrupted),
        // The whole table, by its owner.
        _ => Err(Errno::Closed),
    }
}
