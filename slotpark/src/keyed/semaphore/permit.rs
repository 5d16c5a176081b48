//! Permits that are held.

use std::fmt;

use slotpark_core::{DefaultPlatform, Holding, Platform};

/// Permits of a key, held while this lives. It may be moved and sent to another thread.
///
/// Forgotten (`mem::forget`), it keeps its permits as long as the semaphore lives.
///
/// ```
/// let semaphore = slotpark::KeyedSemaphore::<u64>::new(3);
/// let permit = semaphore.acquire_many(7, 2);
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(permit));
/// });
/// assert_eq!(semaphore.available(&7), 3);
/// ```
#[must_use = "permits are released when this is dropped"]
pub struct KeyedPermit<'s, K: Eq, P: Platform = DefaultPlatform> {
    pub(super) holding: Holding<'s, K, P>,
    pub(super) count: u32,
}

impl<K: Eq, P: Platform> KeyedPermit<'_, K, P> {
    /// The key whose permits are held.
    ///
    /// ```
    /// assert_eq!(*slotpark::KeyedSemaphore::<u64>::new(3).acquire(7).key(), 7);
    /// ```
    #[must_use]
    pub fn key(&self) -> &K {
        self.holding.key()
    }

    /// How many permits are held.
    ///
    /// ```
    /// assert_eq!(slotpark::KeyedSemaphore::<u64>::new(3).acquire_many(7, 2).count(), 2);
    /// ```
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Releases `count` of the permits, and holds the others.
    ///
    /// # Panics
    /// If fewer are held.
    ///
    /// ```
    /// let semaphore = slotpark::KeyedSemaphore::<u64>::new(3);
    /// let mut permit = semaphore.acquire_many(7, 3);
    /// permit.release(2);
    /// assert_eq!((permit.count(), semaphore.available(&7)), (1, 2));
    /// ```
    #[track_caller]
    pub fn release(&mut self, count: u32) {
        let rest = self.count.checked_sub(count);
        let rest = rest.expect("slotpark: fewer permits are held");
        self.holding.shrink(rest);
        self.count = rest;
    }
}

impl<K: Eq + fmt::Debug, P: Platform> fmt::Debug for KeyedPermit<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedPermit")
            .field("key", self.key())
            .field("count", &self.count)
            .finish()
    }
}
