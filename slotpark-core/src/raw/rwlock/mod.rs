//! A reader-writer lock in one word of 4 bytes.
//!
//! **Invariants**
//! - R1 Under the slot lock: if somebody is queued, PARKED is set.
//! - R2 While PARKED is set the word changes only under the slot lock.
//! - R3 A release is one write of the word, and its last touch: who gets the lock next is part of
//!   what is written.
//! - R4 After every change that could serve somebody who is queued (a release, a head that leaves)
//!   the queue is served in the same hold of the slot lock, or in a later one by who has left.
//!
//! Readers, and who wants an upgradable lock, queue behind everybody who is queued, and are given
//! the lock by who releases it: all those at the head at once. A writer at the head is woken to
//! try, and may find that another writer was faster; too often, and it is given the lock as well.
//! So neither side starves.
//!
//! **Lock order**: one slot lock. **Orderings**: RWLOCK, and those of `park`.

mod change;
mod queue;
mod word;

use core::fmt;

use super::{HANDED_OVER, LOST_MAX, TRY_AGAIN, nap, order, wait};
use crate::at::At;
use crate::inspect::Caller;
use crate::platform::{Deadline, Platform};
use crate::sync::const_unless_loom;
pub(super) use word::Mode;
use word::Word;

/// What a waiter with this tag waits for.
#[cfg(not(slotpark_loom))]
pub(crate) const fn kind_of_tag(tag: u64) -> crate::inspect::Kind {
    Mode::from_tag(tag).kind()
}

/// A reader-writer lock of 4 bytes. The caller keeps it, and says with each call where its waiters
/// wait: all calls on one lock name the same place, for which [`place`](Self::place) will do.
///
/// Readers who come while anybody waits queue behind; the readers at the head of the queue go in
/// together. A writer who comes while it is free takes it, also past those who wait, but who was
/// woken too late eight times is handed the lock next. One holder at a time may be *upgradable*:
/// beside readers, and able to become the writer without letting go. There is no poisoning, and a
/// thread that reads twice may wait for a writer that waits for it.
///
/// With the feature `lock_api` it is a `lock_api::RawRwLock`, and `lock_api::RwLock` puts a value
/// under it.
///
/// ```
/// use slotpark_core::RawRwLock;
/// static LOCK: RawRwLock = RawRwLock::new();
/// let place = LOCK.place();
/// assert!(LOCK.read_at(place, None) && LOCK.read_at(place, None));
/// assert!(!LOCK.try_write());
/// LOCK.unlock_read_at(place);
/// LOCK.unlock_read_at(place);
/// assert!(LOCK.write_at(place, None));
/// LOCK.unlock_write_at(place);
/// assert_eq!(size_of::<RawRwLock>(), 4);
/// ```
pub struct RawRwLock {
    word: Word,
}

impl RawRwLock {
    const_unless_loom! {
        /// A lock that is free.
        ///
        /// ```
        /// assert!(!slotpark_core::RawRwLock::new().is_locked());
        /// ```
        #[must_use]
        pub fn new() -> Self {
            Self { word: Word::new() }
        }
    }

    /// Its place in the process-wide table.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert_eq!(lock.place().key, lock.place().key);
    /// ```
    #[cfg(not(slotpark_loom))]
    #[must_use]
    #[inline]
    pub fn place(&self) -> At<'static, crate::FutexKey, crate::DefaultPlatform> {
        crate::process::place(crate::process::Kind::RwLock, self)
    }

    /// Whether anybody holds it at this moment.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_read() && lock.is_locked());
    /// ```
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.word.read().is_held()
    }

    /// Whether a writer holds it at this moment.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_read() && !lock.is_locked_exclusive());
    /// ```
    #[must_use]
    pub fn is_locked_exclusive(&self) -> bool {
        self.word.read().has_writer()
    }

    /// Locks it for reading if that needs no waiting.
    ///
    /// # Panics
    /// If there are 2^29 - 1 readers.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_read() && lock.try_read());
    /// ```
    #[must_use]
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> bool {
        let is_locked = self.word.take(Mode::Read).is_ok();
        self.seen_by(Caller::here(), Mode::Read, is_locked)
    }

    /// Locks it for writing if it is free and nobody waits.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_write() && !lock.try_read());
    /// ```
    #[must_use]
    #[inline]
    #[track_caller]
    pub fn try_write(&self) -> bool {
        let is_locked = self.word.take(Mode::Write).is_ok();
        self.seen_by(Caller::here(), Mode::Write, is_locked)
    }

    /// Locks it for reading, with the right to upgrade, if that needs no waiting.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_upgradable() && lock.try_read() && !lock.try_upgradable());
    /// ```
    #[must_use]
    #[inline]
    #[track_caller]
    pub fn try_upgradable(&self) -> bool {
        let is_locked = self.word.take(Mode::Upgradable).is_ok();
        self.seen_by(Caller::here(), Mode::Upgradable, is_locked)
    }

    /// Waits until it is locked for reading, or until the deadline; whether it is.
    ///
    /// # Panics
    /// If there are 2^29 - 1 readers.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.read_at(lock.place(), None));
    /// ```
    #[must_use = "at the deadline it is not locked"]
    #[inline]
    #[track_caller]
    pub fn read_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        self.lock_where(|| at, Mode::Read, deadline)
    }

    /// Waits until it is locked for writing, or until the deadline; whether it is.
    ///
    /// ```
    /// use slotpark_core::{Deadline, RawRwLock};
    /// let lock = RawRwLock::new();
    /// assert!(lock.write_at(lock.place(), None));
    /// assert!(!lock.write_at(lock.place(), Some(Deadline::PAST)));
    /// ```
    #[must_use = "at the deadline it is not locked"]
    #[inline]
    #[track_caller]
    pub fn write_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        self.lock_where(|| at, Mode::Write, deadline)
    }

    /// Waits until it is locked for reading, with the right to upgrade, or until the deadline;
    /// whether it is.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.upgradable_at(lock.place(), None));
    /// ```
    #[must_use = "at the deadline it is not locked"]
    #[inline]
    #[track_caller]
    pub fn upgradable_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        self.lock_where(|| at, Mode::Upgradable, deadline)
    }
}

#[cfg(not(slotpark_loom))]
impl Default for RawRwLock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RawRwLock {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.word.read();
        f.debug_struct("RawRwLock")
            .field("readers", &state.readers())
            .field("writer", &state.has_writer())
            .finish()
    }
}
