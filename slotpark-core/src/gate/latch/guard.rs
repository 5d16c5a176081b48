//! The guard of a latch.

use core::fmt;

use crate::gate::Held;
use crate::gate::latch::Latch;
use crate::gate::latch::wait::ABANDONED;
use crate::platform::{DefaultPlatform, Platform};
use crate::reentry;

impl<K: Eq, P: Platform> Latch<K, P> {
    /// Closes `key` until it was counted down `count` times, or until the guard is dropped.
    ///
    /// # Errors
    /// [`ArmError`]; the key comes back.
    ///
    /// ```
    /// let latch = slotpark_core::Latch::<u64>::new();
    /// let armed = latch.arm(1, 7, 1).unwrap();
    /// assert!(!latch.is_open(1, &7));
    /// drop(armed);
    /// assert!(latch.is_open(1, &7));
    /// ```
    #[track_caller]
    pub fn arm(&self, hash: u64, key: K, count: u32) -> Result<ArmedLatch<'_, K, P>, ArmError<K>> {
        reentry::check();
        let held = self.gate.holder(hash, key, count);
        let held = held.map_err(ArmError::PoolFull)?;
        let is_armed = self.gate.decide(hash, |guard, _| {
            let head = self.gate.table.find(guard, hash, held.key());
            let is_free = head.is_none_or(|head| guard.first_holder(head).is_none());
            match held.locked(guard) {
                Some(holder) if is_free => guard.push_holder(head, holder),
                _ => return false,
            }
            true
        });
        if is_armed {
            Ok(ArmedLatch { held })
        } else {
            Err(ArmError::AlreadyArmed(held.into_key()))
        }
    }
}

/// Why a latch was not armed. The key comes back.
///
/// ```
/// use slotpark_core::{ArmError, Latch};
/// let latch = Latch::<u64>::new();
/// let armed = latch.arm(1, 7, 2).unwrap();
/// assert_eq!(latch.arm(1, 7, 1).unwrap_err(), ArmError::AlreadyArmed(7));
/// # drop(armed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArmError<K> {
    /// The guard of another arming of the key lives.
    AlreadyArmed(K),
    /// All places are taken, and the options said that it fails then.
    PoolFull(K),
}

impl<K> fmt::Display for ArmError<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyArmed(_) => "the latch is armed already",
            Self::PoolFull(_) => "all places for guards are taken",
        })
    }
}

impl<K: fmt::Debug> core::error::Error for ArmError<K> {}

/// A latch is armed while this lives. Made by [`Latch::arm`].
///
/// It may be moved and sent to another thread. Counted down to 0, the latch is open, and cannot be
/// armed anew as long as this lives. Dropped before, it opens too, and who waited is told
/// [`Abandoned`](crate::LatchOutcome::Abandoned). Forgotten (`mem::forget`), it stays armed until
/// it is counted down, and keeps its place as long as the latches live.
///
/// ```
/// use slotpark_core::Latch;
/// let latch = Latch::<u64>::new();
/// let armed = latch.arm(1, 7, 2).unwrap();
/// assert_eq!((*armed.key(), armed.count_down(1)), (7, 1));
/// ```
#[must_use = "the latch opens when this is dropped"]
pub struct ArmedLatch<'l, K, P: Platform = DefaultPlatform> {
    held: Held<'l, K, P>,
}

impl<K, P: Platform> ArmedLatch<'_, K, P> {
    /// The key that is armed.
    ///
    /// ```
    /// assert_eq!(*slotpark_core::Latch::<u64>::new().arm(1, 7, 2).unwrap().key(), 7);
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        self.held.key()
    }

    /// Counts down by `count`, to 0 at most; what is left. As [`Latch::count_down`].
    ///
    /// ```
    /// let latch = slotpark_core::Latch::<u64>::new();
    /// assert_eq!(latch.arm(1, 7, 2).unwrap().count_down(1), 1);
    /// ```
    pub fn count_down(&self, count: u32) -> u32 {
        reentry::check();
        let Held { gate, hash, .. } = self.held;
        if self.held.is_forked() {
            return 0;
        }
        gate.decide(hash, |guard, chosen| {
            let Some(holder) = self.held.locked(guard) else {
                return 0;
            };
            let head = guard.head_of(holder);
            let left = holder.weight().saturating_sub(count);
            guard.set_held(head, holder, left);
            if left == 0 {
                gate.release_all(guard, head, chosen);
            }
            left
        })
    }

    /// How often it must be counted down until it is open.
    ///
    /// ```
    /// let latch = slotpark_core::Latch::<u64>::new();
    /// assert_eq!(latch.arm(1, 7, 2).unwrap().remaining(), 2);
    /// ```
    #[must_use]
    pub fn remaining(&self) -> u32 {
        self.count_down(0)
    }
}

impl<K, P: Platform> Drop for ArmedLatch<'_, K, P> {
    fn drop(&mut self) {
        let Held { gate, hash, .. } = self.held;
        if self.held.is_forked() {
            return;
        }
        gate.decide(hash, |guard, chosen| {
            let Some(holder) = self.held.locked(guard) else {
                return;
            };
            let head = guard.head_of(holder);
            let is_abandoned = holder.weight() > 0;
            guard.unlink_holder(head, holder);
            if is_abandoned && head != holder {
                chosen.verdict.token = ABANDONED;
                gate.release_all(guard, head, chosen);
            }
        });
    }
}

impl<K: fmt::Debug, P: Platform> fmt::Debug for ArmedLatch<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArmedLatch")
            .field("key", self.key())
            .finish_non_exhaustive()
    }
}
