//! Where the waiters of a word wait: a table, and the word's key in it.

use core::fmt;

use crate::platform::Platform;
use crate::table::Table;

/// Where the waiters of a caller-owned word wait. All operations on one word name the same place,
/// and no other word names it.
///
/// ```
/// use slotpark_core::{At, RawSemaphore, Table, finalize};
/// let table = Table::<u64>::new();
/// let semaphore = RawSemaphore::new(1);
/// let at = At { table: &table, hash: finalize(7), key: 7 };
/// assert_eq!(semaphore.acquire(at, 1, None), Ok(()));
/// semaphore.release(at, 1);
/// ```
pub struct At<'t, K, P: Platform> {
    /// The table whose slots they wait in.
    pub table: &'t Table<K, P>,
    /// The hash of the key.
    pub hash: u64,
    /// What the word is called in the table.
    pub key: K,
}

impl<K: Copy, P: Platform> Clone for At<'_, K, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: Copy, P: Platform> Copy for At<'_, K, P> {}

impl<K: fmt::Debug, P: Platform> fmt::Debug for At<'_, K, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("At")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
