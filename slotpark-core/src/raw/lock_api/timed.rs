//! With deadlines, where there are clocks.

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

    #[track_caller]
    fn try_lock_for(&self, timeout: Duration) -> Option<GuardNoSend> {
        let is_locked = RawMutex::try_lock(self) || self.lock_at(self.place(), after(timeout));
        is_locked.then(GuardNoSend::new)
    }

    #[track_caller]
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

    #[track_caller]
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

    #[track_caller]
    fn try_lock_shared_for(&self, timeout: Duration) -> Option<GuardNoSend> {
        self.read_at(self.place(), after(timeout))
            .then(GuardNoSend::new)
    }

    #[track_caller]
    fn try_lock_shared_until(&self, deadline: Instant) -> Option<GuardNoSend> {
        self.read_at(self.place(), until(deadline))
            .then(GuardNoSend::new)
    }

    #[track_caller]
    fn try_lock_exclusive_for(&self, timeout: Duration) -> Option<GuardNoSend> {
        self.write_at(self.place(), after(timeout))
            .then(GuardNoSend::new)
    }

    #[track_caller]
    fn try_lock_exclusive_until(&self, deadline: Instant) -> Option<GuardNoSend> {
        self.write_at(self.place(), until(deadline))
            .then(GuardNoSend::new)
    }
}

// SAFETY: as without deadlines; at the deadline the lock is as it was.
unsafe impl api::RawRwLockUpgradeTimed for RawRwLock {
    #[track_caller]
    fn try_lock_upgradable_for(&self, timeout: Duration) -> Option<GuardNoSend> {
        self.upgradable_at(self.place(), after(timeout))
            .then(GuardNoSend::new)
    }

    #[track_caller]
    fn try_lock_upgradable_until(&self, deadline: Instant) -> Option<GuardNoSend> {
        self.upgradable_at(self.place(), until(deadline))
            .then(GuardNoSend::new)
    }

    #[track_caller]
    unsafe fn try_upgrade_for(
        &self,
        guard: GuardNoSend,
        timeout: Duration,
    ) -> Result<GuardNoSend, GuardNoSend> {
        let is_upgraded = self.upgrade_at(self.place(), after(timeout));
        if is_upgraded { Ok(guard) } else { Err(guard) }
    }

    #[track_caller]
    unsafe fn try_upgrade_until(
        &self,
        guard: GuardNoSend,
        deadline: Instant,
    ) -> Result<GuardNoSend, GuardNoSend> {
        let is_upgraded = self.upgrade_at(self.place(), until(deadline));
        if is_upgraded { Ok(guard) } else { Err(guard) }
    }
}
