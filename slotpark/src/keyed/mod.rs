//! Locks by key: nothing is stored for keys that nobody holds or awaits.
//!
//! All of them are the engine's [`KeyedLock`](slotpark_core::KeyedLock) with a hasher; they differ
//! in how much a holder takes of a key.

mod condvar;
mod many;
mod mutex;
mod options;
mod rwlock;
mod semaphore;

pub use condvar::KeyedCondvar;
pub use many::{LockMode, ManyGuard};
pub use mutex::{KeyedMutex, KeyedMutexGuard};
pub use options::{LockError, LockOptions, TryLockError};
pub use rwlock::{
    KeyedReadGuard, KeyedRwLock, KeyedUpgradableGuard, KeyedUpgraded, KeyedWriteGuard,
};
pub use semaphore::{KeyedPermit, KeyedSemaphore};
