//! lockmap: a sharded map; an entry is made by who locks its key and goes with its last guard.

use crate::measure::locks::LockEngine;

/// A map without values, whose entries are the locks.
#[derive(Debug)]
pub(crate) struct LockMap(lockmap::LockMap<u64, ()>);

impl LockEngine for LockMap {
    const NAME: &'static str = "lockmap";

    fn new() -> Self {
        Self(lockmap::LockMap::new())
    }

    #[inline]
    fn lock(&self, key: u64) -> impl Sized {
        self.0.entry(key)
    }
}
