//! Locks of several libraries by key, in the map that people write for it.

use std::future::Future;

use parking_lot::{Mutex, RwLock};
use tokio::sync::Semaphore;

use super::map::{Held, Map};
use crate::measure::locks::{AsyncLockEngine, LockEngine};

/// parking_lot's mutex; an entry is removed when nobody uses it.
#[derive(Debug)]
pub(crate) struct DashMapRemoved(Map<Mutex<()>, false>);

impl LockEngine for DashMapRemoved {
    const NAME: &'static str = "dashmap_removed";

    fn new() -> Self {
        Self(Map::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        let (leave, entry) = self.0.join(key, Default::default);
        Held::new(entry.lock_arc(), leave)
    }
}

/// parking_lot's mutex; entries are kept for ever.
#[derive(Debug)]
pub(crate) struct DashMapKept(Map<Mutex<()>, true>);

impl LockEngine for DashMapKept {
    const NAME: &'static str = "dashmap_kept";

    fn new() -> Self {
        Self(Map::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        let (leave, entry) = self.0.join(key, Default::default);
        Held::new(entry.lock_arc(), leave)
    }
}

/// parking_lot's lock of many readers or one writer, of which this is a reader; removed.
#[derive(Debug)]
pub(crate) struct DashMapRead(Map<RwLock<()>, false>);

impl LockEngine for DashMapRead {
    const NAME: &'static str = "dashmap_rwlock";

    fn new() -> Self {
        Self(Map::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        let (leave, entry) = self.0.join(key, Default::default);
        Held::new(entry.read_arc(), leave)
    }
}

/// tokio's semaphore with two permits a key; removed. Threads block on it where they must.
#[derive(Debug)]
pub(crate) struct DashMapSemaphore(Map<Semaphore, false>);

impl LockEngine for DashMapSemaphore {
    const NAME: &'static str = "dashmap_semaphore";

    fn new() -> Self {
        Self(Map::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        let (leave, entry) = self.0.join(key, || Semaphore::new(2));
        let permit = crate::engines::block_on::block_on(entry.acquire_owned());
        Held::new(permit.expect("it is never closed"), leave)
    }
}

/// tokio's mutex, for tasks; removed.
#[derive(Debug)]
pub(crate) struct DashMapTokio(Map<tokio::sync::Mutex<()>, false>);

impl AsyncLockEngine for DashMapTokio {
    const NAME: &'static str = "dashmap_tokio";

    fn new() -> Self {
        Self(Map::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Future {
        async move {
            let (leave, entry) = self.0.join(key, Default::default);
            Held::new(entry.lock_owned().await, leave)
        }
    }
}

/// async-lock's mutex, for tasks; removed.
#[derive(Debug)]
pub(crate) struct DashMapAsyncLock(Map<async_lock::Mutex<()>, false>);

impl AsyncLockEngine for DashMapAsyncLock {
    const NAME: &'static str = "dashmap_async_lock";

    fn new() -> Self {
        Self(Map::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Future {
        async move {
            let (leave, entry) = self.0.join(key, Default::default);
            let guard = entry.lock_arc();
            // Before the wait, so that a task that is dropped while it waits leaves in order.
            drop(entry);
            Held::new(guard.await, leave)
        }
    }
}
