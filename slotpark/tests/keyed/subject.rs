//! The locks by key, called in one way.

use std::future::Future;
use std::hash::BuildHasher;
use std::pin::Pin;

use slotpark::core::{KeyedLock, finalize};
use slotpark::{
    KeyedMutex, KeyedMutexGuard, KeyedOptions, KeyedPermit, KeyedReadGuard, KeyedRwLock,
    KeyedSemaphore, KeyedUpgradableGuard, KeyedWriteGuard, PoolStats, Seeded,
};

pub(crate) const PERMITS: u32 = 3;
pub(crate) const WRITER: u32 = KeyedRwLock::<u64>::CAPACITY;
pub(crate) const UPGRADABLE: u32 = WRITER / 2 + 1;
pub(crate) const UPGRADE: u32 = WRITER - UPGRADABLE;

pub(crate) enum Subject {
    Mutex(KeyedMutex<u64>),
    RwLock(KeyedRwLock<u64>),
    Semaphore(KeyedSemaphore<u64>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Mutex,
    RwLock,
    Semaphore,
}

/// Whatever holds a key.
pub(crate) enum Guard<'l> {
    Mutex(KeyedMutexGuard<'l, u64>),
    Read(KeyedReadGuard<'l, u64>),
    Upgradable(KeyedUpgradableGuard<'l, u64>),
    Write(KeyedWriteGuard<'l, u64>),
    Permit(KeyedPermit<'l, u64>),
}

impl Guard<'_> {
    /// The key that it holds, by its own account.
    pub(crate) fn key(&self) -> u64 {
        match self {
            Guard::Mutex(guard) => *guard.key(),
            Guard::Read(guard) => *guard.key(),
            Guard::Upgradable(guard) => *guard.key(),
            Guard::Write(guard) => *guard.key(),
            Guard::Permit(guard) => *guard.key(),
        }
    }
}

pub(crate) type Holds<'l> = Pin<Box<dyn Future<Output = Guard<'l>> + 'l>>;

impl Subject {
    pub(crate) fn new(kind: Kind, options: KeyedOptions) -> Self {
        let capacity = match kind {
            Kind::Mutex => 1,
            Kind::RwLock => WRITER,
            Kind::Semaphore => PERMITS,
        };
        let hasher = Seeded::with_seed(1);
        let engine = KeyedLock::with_options(capacity, options).expect("not absurd");
        match kind {
            Kind::Mutex => Self::Mutex(KeyedMutex::from_engine(engine, hasher)),
            Kind::RwLock => Self::RwLock(KeyedRwLock::from_engine(engine, hasher)),
            Kind::Semaphore => Self::Semaphore(KeyedSemaphore::from_engine(engine, hasher)),
        }
    }

    pub(crate) fn capacity(&self) -> u32 {
        match self {
            Self::Mutex(lock) => lock.engine().capacity(),
            Self::RwLock(lock) => lock.engine().capacity(),
            Self::Semaphore(semaphore) => semaphore.permits(),
        }
    }

    /// What may be asked for.
    pub(crate) fn amount(&self, drawn: u8) -> u32 {
        match self {
            Self::Mutex(_) => 1,
            Self::RwLock(_) => [1, 1, UPGRADABLE, WRITER][usize::from(drawn % 4)],
            Self::Semaphore(_) => u32::from(drawn % 4),
        }
    }

    pub(crate) fn held(&self, key: u64) -> u32 {
        match self {
            Self::Mutex(lock) => u32::from(lock.is_locked(&key)),
            Self::RwLock(lock) => {
                let held = lock
                    .engine()
                    .held(finalize(Seeded::with_seed(1).hash_one(key)), &key);
                let is_locked = (lock.is_locked(&key), lock.is_locked_exclusive(&key));
                assert_eq!(is_locked, (held > 0, held == WRITER));
                held
            }
            Self::Semaphore(semaphore) => PERMITS - semaphore.available(&key),
        }
    }

    pub(crate) fn waiters(&self, key: u64) -> usize {
        match self {
            Self::Mutex(lock) => lock.waiters(&key),
            Self::RwLock(lock) => lock.waiters(&key),
            Self::Semaphore(semaphore) => semaphore.waiters(&key),
        }
    }

    pub(crate) fn pool_stats(&self) -> PoolStats {
        match self {
            Self::Mutex(lock) => lock.pool_stats(),
            Self::RwLock(lock) => lock.pool_stats(),
            Self::Semaphore(semaphore) => semaphore.pool_stats(),
        }
    }

    pub(crate) fn try_hold(&self, key: u64, amount: u32) -> Option<Guard<'_>> {
        match self {
            Self::Mutex(lock) => lock.try_lock(key).ok().map(Guard::Mutex),
            Self::RwLock(lock) if amount == 1 => lock.try_read(key).ok().map(Guard::Read),
            Self::RwLock(lock) if amount == WRITER => lock.try_write(key).ok().map(Guard::Write),
            Self::RwLock(lock) => lock.try_upgradable_read(key).ok().map(Guard::Upgradable),
            Self::Semaphore(semaphore) => {
                let permit = semaphore.try_acquire_many(key, amount).ok();
                permit.map(Guard::Permit)
            }
        }
    }

    pub(crate) fn hold(&self, key: u64, amount: u32) -> Holds<'_> {
        match self {
            Self::Mutex(lock) => Box::pin(async move { Guard::Mutex(lock.lock_async(key).await) }),
            Self::RwLock(lock) if amount == 1 => {
                Box::pin(async move { Guard::Read(lock.read_async(key).await) })
            }
            Self::RwLock(lock) if amount == WRITER => {
                Box::pin(async move { Guard::Write(lock.write_async(key).await) })
            }
            Self::RwLock(lock) => {
                Box::pin(async move { Guard::Upgradable(lock.upgradable_read_async(key).await) })
            }
            Self::Semaphore(semaphore) => {
                Box::pin(async move { Guard::Permit(semaphore.acquire_async(key, amount).await) })
            }
        }
    }
}
