//! What holders do: give back, upgrade, downgrade.

use super::word::Mode;
use super::{RawRwLock, TRY_AGAIN};
use crate::at::At;
use crate::choose::{Choice, Filter};
use crate::inspect::Caller;
use crate::platform::{Deadline, Platform};

impl RawRwLock {
    /// Ends a read. Whoever has locked it for writing since may free it: nothing of it is touched
    /// any more.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_read());
    /// lock.unlock_read_at(lock.place());
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    pub fn unlock_read_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.give_where(|| at, Mode::Read, None, false);
    }

    /// Ends a write, and lets in who waits: the readers at the head of the queue, or one writer,
    /// which another may forestall. As [`unlock_read_at`](Self::unlock_read_at), the last touch.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_write());
    /// lock.unlock_write_at(lock.place());
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    pub fn unlock_write_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.give_where(|| at, Mode::Write, None, false);
    }

    /// Ends a read that could have been upgraded.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_upgradable());
    /// lock.unlock_upgradable_at(lock.place());
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    pub fn unlock_upgradable_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.give_where(|| at, Mode::Upgradable, None, false);
    }

    /// As [`unlock_read_at`](Self::unlock_read_at); a writer at the head of the queue gets the
    /// lock.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_read());
    /// lock.unlock_read_fair_at(lock.place());
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    pub fn unlock_read_fair_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.give_where(|| at, Mode::Read, None, true);
    }

    /// As [`unlock_write_at`](Self::unlock_write_at); a writer at the head of the queue gets the
    /// lock.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_write());
    /// lock.unlock_write_fair_at(lock.place());
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    pub fn unlock_write_fair_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.give_where(|| at, Mode::Write, None, true);
    }

    /// As [`unlock_upgradable_at`](Self::unlock_upgradable_at); a writer at the head of the queue
    /// gets the lock.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_upgradable());
    /// lock.unlock_upgradable_fair_at(lock.place());
    /// assert!(!lock.is_locked());
    /// ```
    #[inline]
    pub fn unlock_upgradable_fair_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.give_where(|| at, Mode::Upgradable, None, true);
    }

    /// From writing to reading, in one step: nobody writes in between. Readers at the head of the
    /// queue go in.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_write());
    /// lock.downgrade_at(lock.place());
    /// assert!(lock.try_read() && !lock.try_write());
    /// ```
    #[inline]
    pub fn downgrade_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.give_where(|| at, Mode::Write, Some(Mode::Read), false);
    }

    /// From writing to reading with the right to upgrade, in one step.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_write());
    /// lock.downgrade_to_upgradable_at(lock.place());
    /// assert!(lock.try_read() && !lock.try_upgradable());
    /// ```
    #[inline]
    pub fn downgrade_to_upgradable_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.give_where(|| at, Mode::Write, Some(Mode::Upgradable), false);
    }

    /// Gives up the right to upgrade, and goes on reading.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_upgradable());
    /// lock.downgrade_upgradable_at(lock.place());
    /// assert!(lock.try_upgradable());
    /// ```
    #[inline]
    pub fn downgrade_upgradable_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) {
        self.give_where(|| at, Mode::Upgradable, Some(Mode::Read), false);
    }

    /// From reading with the right to upgrade to writing, if there are no readers, whoever waits.
    ///
    /// ```
    /// let lock = slotpark_core::RawRwLock::new();
    /// assert!(lock.try_upgradable());
    /// assert!(lock.try_upgrade_at(lock.place()));
    /// assert!(lock.is_locked_exclusive());
    /// ```
    #[must_use]
    #[inline]
    #[track_caller]
    pub fn try_upgrade_at<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) -> bool {
        let is_upgraded = self.word.take(Mode::Upgrade).is_ok() || self.upgrade_parked(at);
        self.seen_by(Caller::here(), Mode::Upgrade, is_upgraded)
    }

    #[cold]
    fn upgrade_parked<K: Copy + Eq, P: Platform>(&self, at: At<'_, K, P>) -> bool {
        let mut is_upgraded = false;
        let policy = |_: Choice| {
            is_upgraded = self.word.take_locked(Mode::Upgrade);
            TRY_AGAIN
        };
        let table = at.table;
        let _none = table.unpark_with(at.hash, &at.key, 0, |_| Filter::Stop, policy);
        is_upgraded
    }

    /// From reading with the right to upgrade to writing: waits until the readers have gone, or
    /// until the deadline; whether they have. Nobody writes in between, and who comes queues.
    ///
    /// ```
    /// use slotpark_core::{Deadline, RawRwLock};
    /// let lock = RawRwLock::new();
    /// assert!(lock.try_upgradable() && lock.try_read());
    /// assert!(!lock.upgrade_at(lock.place(), Some(Deadline::PAST)));
    /// lock.unlock_read_at(lock.place());
    /// assert!(lock.upgrade_at(lock.place(), None));
    /// ```
    #[must_use = "at the deadline it is not upgraded"]
    #[inline]
    #[track_caller]
    pub fn upgrade_at<K: Copy + Eq, P: Platform>(
        &self,
        at: At<'_, K, P>,
        deadline: Option<Deadline>,
    ) -> bool {
        self.lock_where(|| at, Mode::Upgrade, deadline)
    }
}
