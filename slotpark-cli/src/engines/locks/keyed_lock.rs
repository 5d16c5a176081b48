//! keyed-lock: one map under one mutex, in it an `Arc` of a mutex for each key in use.

use std::future::Future;

use crate::measure::locks::{AsyncLockEngine, LockEngine};

/// On parking_lot's mutex, for threads.
pub(crate) struct KeyedLock(keyed_lock::sync::KeyedLock<u64>);

impl LockEngine for KeyedLock {
    const NAME: &'static str = "keyed_lock";

    fn new() -> Self {
        Self(keyed_lock::sync::KeyedLock::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        self.0.lock(key)
    }
}

/// On tokio's mutex, for tasks.
pub(crate) struct AsyncKeyedLock(keyed_lock::r#async::KeyedLock<u64>);

impl AsyncLockEngine for AsyncKeyedLock {
    const NAME: &'static str = "keyed_lock";

    fn new() -> Self {
        Self(keyed_lock::r#async::KeyedLock::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Future {
        self.0.lock(key)
    }
}
