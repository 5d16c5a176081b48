//! The locks as those of `lock_api`, in the process-wide table. Where nobody waits, no place is
//! looked up.

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
    fn lock(&self) -> GuardNoSend {
        let _locked = self.lock_where(|| self.place(), None);
        GuardNoSend::new()
    }

    #[inline]
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
    fn lock_shared(&self) -> GuardNoSend {
        let _locked = self.lock_where(|| self.place(), Mode::Read, None);
        GuardNoSend::new()
    }

    #[inline]
    fn try_lock_shared(&self) -> Option<GuardNoSend> {
        self.try_read().then(GuardNoSend::new)
    }

    #[inline]
    unsafe fn unlock_shared(&self, _guard: GuardNoSend) {
        self.give_where(|| self.place(), Mode::Read, None, false);
    }

    #[inline]
    fn lock_exclusive(&self) -> GuardNoSend {
        let _locked = self.lock_where(|| self.place(), Mode::Write, None);
        GuardNoSend::new()
    }

    #[inline]
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
    fn lock_upgradable(&self) -> GuardNoSend {
        let _locked = self.lock_where(|| self.place(), Mode::Upgradable, None);
        GuardNoSend::new()
    }

    #[inline]
    fn try_lock_upgradable(&self) -> Option<GuardNoSend> {
        self.try_upgradable().then(GuardNoSend::new)
    }

    #[inline]
    unsafe fn unlock_upgradable(&self, _guard: GuardNoSend) {
        self.give_where(|| self.place(), Mode::Upgradable, None, false);
    }

    #[inline]
    unsafe fn upgrade(&self, guard: GuardNoSend) -> GuardNoSend {
        let _upgraded = self.lock_where(|| self.place(), Mode::Upgrade, None);
        guard
    }

    #[inline]
    unsafe fn try_upgrade(&self, guard: GuardNoSend) -> Result<GuardNoSend, GuardNoSend> {
        if self.try_upgrade_at(self.place()) {
            Ok(guard)
        } else {
            Err(guard)
        }
    }
}

// SAFETY: as above.
unsafe impl api::RawRwLockUpgradeFair for RawRwLock {
    #[inline]
    unsafe fn unlock_upgradable_fair(&self, _guard: GuardNoSend) {
        self.give_where(|| self.place(), Mode::Upgradable, None, true);
    }
}

// SAFETY: as above.
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

#[cfg(feature = "std")]
mod timed {
    use core::time::Duration;
    use std::time::Instant;

    use super::{GuardNoSend, RawCondvar, RawMutex, RawRwLock, api};
    use crate::platform::{Deadline, DefaultPlatform};

    fn after(timeout: Duration) -> Option<Deadline> {
        Deadline::after::<DefaultPlatform>(timeout)
    }

    fn until(deadline: Instant) -> Option<Deadline> {
        after(deadline.saturating_duration_since(Instant::now()))
    }

    // SAFETY: as without deadlines; at the deadline nothing is locked.
    unsafe impl api::RawMutexTimed for RawMutex {
        type Duration = Duration;
        type Instant = Instant;

        fn try_lock_for(&self, timeout: Duration) -> Option<GuardNoSend> {
            let is_locked = RawMutex::try_lock(self) || self.lock_at(self.place(), after(timeout));
            is_locked.then(GuardNoSend::new)
        }

        fn try_lock_until(&self, deadline: Instant) -> Option<GuardNoSend> {
            let is_locked = RawMutex::try_lock(self) || self.lock_at(self.place(), until(deadline));
            is_locked.then(GuardNoSend::new)
        }
    }

    // SAFETY: as without deadlines.
    unsafe impl api::RawCondvarTimed for RawCondvar {
        fn checked_duration_to_instant(timeout: &Duration) -> Option<Instant> {
            Instant::now().checked_add(*timeout)
        }

        unsafe fn wait_until(
            &self,
            mutex: &RawMutex,
            _guard: &mut GuardNoSend,
            deadline: &Instant,
        ) -> bool {
            let place = (mutex, mutex.place());
            // SAFETY: a condition variable behind this trait is used at its own place.
            unsafe { !self.wait_at(self.place(), place, until(*deadline)) }
        }
    }

    // SAFETY: as without deadlines; at the deadline nothing is locked.
    unsafe impl api::RawRwLockTimed for RawRwLock {
        type Duration = Duration;
        type Instant = Instant;

        fn try_lock_shared_for(&self, timeout: Duration) -> Option<GuardNoSend> {
            self.read_at(self.place(), after(timeout))
                .then(GuardNoSend::new)
        }

        fn try_lock_shared_until(&self, deadline: Instant) -> Option<GuardNoSend> {
            self.read_at(self.place(), until(deadline))
                .then(GuardNoSend::new)
        }

        fn try_lock_exclusive_for(&self, timeout: Duration) -> Option<GuardNoSend> {
            self.write_at(self.place(), after(timeout))
                .then(GuardNoSend::new)
        }

        fn try_lock_exclusive_until(&self, deadline: Instant) -> Option<GuardNoSend> {
            self.write_at(self.place(), until(deadline))
                .then(GuardNoSend::new)
        }
    }

    // SAFETY: as without deadlines; at the deadline the lock is as it was.
    unsafe impl api::RawRwLockUpgradeTimed for RawRwLock {
        fn try_lock_upgradable_for(&self, timeout: Duration) -> Option<GuardNoSend> {
            self.upgradable_at(self.place(), after(timeout))
                .then(GuardNoSend::new)
        }

        fn try_lock_upgradable_until(&self, deadline: Instant) -> Option<GuardNoSend> {
            self.upgradable_at(self.place(), until(deadline))
                .then(GuardNoSend::new)
        }

        unsafe fn try_upgrade_for(
            &self,
            guard: GuardNoSend,
            timeout: Duration,
        ) -> Result<GuardNoSend, GuardNoSend> {
            let is_upgraded = self.upgrade_at(self.place(), after(timeout));
            if is_upgraded { Ok(guard) } else { Err(guard) }
        }

        unsafe fn try_upgrade_until(
            &self,
            guard: GuardNoSend,
            deadline: Instant,
        ) -> Result<GuardNoSend, GuardNoSend> {
            let is_upgraded = self.upgrade_at(self.place(), until(deadline));
            if is_upgraded { Ok(guard) } else { Err(guard) }
        }
    }
}
