//! lockable: a pool of locks, each tokio's mutex and so first come, first served, in one map under
//! one mutex.

use std::future::Future;

use crate::measure::locks::{AsyncLockEngine, LockEngine};

/// The pool, for threads.
pub(crate) struct Lockable(lockable::LockPool<u64>);

impl LockEngine for Lockable {
    const NAME: &'static str = "lockable";

    fn new() -> Self {
        Self(lockable::LockPool::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        self.0.blocking_lock(key)
    }
}

/// The pool, for tasks.
pub(crate) struct AsyncLockable(lockable::LockPool<u64>);

impl AsyncLockEngine for AsyncLockable {
    const NAME: &'static str = "lockable";

    fn new() -> Self {
        Self(lockable::LockPool::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Future {
        self.0.async_lock(key)
    }
}
