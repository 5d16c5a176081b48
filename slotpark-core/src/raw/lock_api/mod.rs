//! The locks as those of `lock_api`, in the process-wide table. Where nobody waits, no place is
//! looked up.

#[cfg(feature = "std")]
mod timed;

use ::lock_api as api;
use api::GuardNoSend;

use super::rwlock::Mode;
use super::{RawCondvar, RawMutex, RawRwLock};

// SAFETY: one owner at a time (M1, M2), MUTEX orders them; moving or dropping it while it is locked
// touches no slot; it does not unwind but by `debug_assert!`s of a broken contract.
unsafe impl api::RawMutex for RawMutex {
    const INIT: Self = Self::new();
    type Guard = GuardNoSend;

    #[inline]
    #[track_caller]
    fn lock(&self) -> GuardNoSend {
        let _locked = self.lock_where(|| self.place(), None);
        GuardNoSend::new()
    }

    #[inline]
    #[track_caller]
    fn try_lock(&self) -> Option<GuardNoSend> {
        RawMutex::try_lock(self).then(GuardNoSend::new)
    }

    #[inline]
    unsafe fn unlock(&self, _guard: GuardNoSend) {
        self.unlock_where(|| self.place(), false);
    }

    #[inline]
    fn is_locked(&self) -> bool {
        RawMutex::is_locked(self)
    }
}

// SAFETY: as above; who is handed the lock owns it.
unsafe impl api::RawMutexFair for RawMutex {
    #[inline]
    unsafe fn unlock_fair(&self, _guard: GuardNoSend) {
        self.unlock_where(|| self.place(), true);
    }
}

// SAFETY: the condition variable is linked before the mutex is unlocked, and the mutex is locked
// again when a wait returns; it panics before the unlock only.
unsafe impl api::RawCondvar for RawCondvar {
    const INIT: Self = Self::new();
    type RawMutex = RawMutex;

    #[track_caller]
    unsafe fn wait(&self, mutex: &RawMutex, _guard: &mut GuardNoSend) {
        // SAFETY: a condition variable behind this trait is used at its own place.
        unsafe { self.wait_at(self.place(), (mutex, mutex.place()), None) };
    }

    #[inline]
    fn notify_one(&self) -> bool {
        // SAFETY: a condition variable behind this trait is used at its own place.
        unsafe { self.notify_at(self.place(), 1, RawMutex::place_of) > 0 }
    }

    #[inline]
    fn notify_all(&self) -> usize {
        // SAFETY: a condition variable behind this trait is used at its own place.
        unsafe { self.notify_at(self.place(), usize::MAX, RawMutex::place_of) }
    }
}

// SAFETY: readers, one upgradable among them, or one writer (R1 to R3), RWLOCK orders them; the
// rest as for the mutex.
unsafe impl api::RawRwLock for RawRwLock {
    const INIT: Self = Self::new();
    type SharedGuard = GuardNoSend;
    type ExclusiveGuard = GuardNoSend;

    #[inline]
    #[track_caller]
    fn lock_shared(&self) -> GuardNoSend {
        let _locked = self.lock_where(|| self.place(), Mode::Read, None);
        GuardNoSend::new()
    }

    #[inline]
    #[track_caller]
    fn try_lock_shared(&self) -> Option<GuardNoSend> {
        self.try_read().then(GuardNoSend::new)
    }

    #[inline]
    unsafe fn unlock_shared(&self, _guard: GuardNoSend) {
        self.give_where(|| self.place(), Mode::Read, None, false);
    }

    #[inline]
    #[track_caller]
    fn lock_exclusive(&self) -> GuardNoSend {
        let _locked = self.lock_where(|| self.place(), Mode::Write, None);
        GuardNoSend::new()
    }

    #[inline]
    #[track_caller]
    fn try_lock_exclusive(&self) -> Option<GuardNoSend> {
        self.try_write().then(GuardNoSend::new)
    }

    #[inline]
    unsafe fn unlock_exclusive(&self, _guard: GuardNoSend) {
        self.give_where(|| self.place(), Mode::Write, None, false);
    }

    #[inline]
    fn is_locked(&self) -> bool {
        RawRwLock::is_locked(self)
    }

    #[inline]
    fn is_locked_exclusive(&self) -> bool {
        RawRwLock::is_locked_exclusive(self)
    }
}

// SAFETY: as above; who is given the lock by a release holds it.
unsafe impl api::RawRwLockFair for RawRwLock {
    #[inline]
    unsafe fn unlock_shared_fair(&self, _guard: GuardNoSend) {
        self.give_where(|| self.place(), Mode::Read, None, true);
    }

    #[inline]
    unsafe fn unlock_exclusive_fair(&self, _guard: GuardNoSend) {
        self.give_where(|| self.place(), Mode::Write, None, true);
    }
}

// SAFETY: one write of the word, with release.
unsafe impl api::RawRwLockDowngrade for RawRwLock {
    #[inline]
    unsafe fn downgrade(&self, guard: GuardNoSend) -> GuardNoSend {
        self.downgrade_at(self.place());
        guard
    }
}

// SAFETY: an upgrade is one write of the word, with acquire, once the readers have gone.
unsafe impl api::RawRwLockUpgrade for RawRwLock {
    type UpgradableGuard = GuardNoSend;

    #[inline]
    #[track_caller]
    fn lock_upgradable(&self) -> GuardNoSend {
        let _locked = self.lock_where(|| self.place(), Mode::Upgradable, None);
        GuardNoSend::new()
    }

    #[inline]
    #[track_caller]
    fn try_lock_upgradable(&self) -> Option<GuardNoSend> {
        self.try_upgradable().then(GuardNoSend::new)
    }

    #[inline]
    unsafe fn unlock_upgradable(&self, _guard: GuardNoSend) {
        self.give_where(|| self.place(), Mode::Upgradable, None, false);
    }

    #[inline]
    #[track_caller]
    unsafe fn upgrade(&self, guard: GuardNoSend) -> GuardNoSend {
        let _upgraded = self.lock_where(|| self.place(), Mode::Upgrade, None);
        guard
    }

    #[inline]
    #[track_caller]
    unsafe fn try_upgrade(&self, guard: GuardNoSend) -> Result<GuardNoSend, GuardNoSend> {
        if self.try_upgrade_at(self.place()) {
            Ok(guard)
        } else {
            Err(guard)
        }
    }
}

// SAFETY: R1 to R3: who is given the lock by a release holds it, and nobody else does.
unsafe impl api::RawRwLockUpgradeFair for RawRwLock {
    #[inline]
    unsafe fn unlock_upgradable_fair(&self, _guard: GuardNoSend) {
        self.give_where(|| self.place(), Mode::Upgradable, None, true);
    }
}

// SAFETY: R3: one write of the word, with release, from one way to hold the lock to another.
unsafe impl api::RawRwLockUpgradeDowngrade for RawRwLock {
    #[inline]
    unsafe fn downgrade_upgradable(&self, guard: GuardNoSend) -> GuardNoSend {
        self.downgrade_upgradable_at(self.place());
        guard
    }

    #[inline]
    unsafe fn downgrade_to_upgradable(&self, guard: GuardNoSend) -> GuardNoSend {
        self.downgrade_to_upgradable_at(self.place());
        guard
    }
}
