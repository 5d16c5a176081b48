//! A map of locks by key for libraries that have locks only, as it is usually written: an `Arc` of
//! a lock in a `DashMap`, made by `entry(key).or_default()` and cloned.
//!
//! Kept, it grows with every key that was ever locked. Removed, an entry goes with the last who
//! uses it, as a careful user would write it.
//!
//! **Invariant.** An `Arc` of an entry is cloned and counted under the lock of its shard only. So
//! who finds that the map's is the last one may remove it: nobody else is about to lock it.

use std::sync::Arc;

use dashmap::DashMap;

/// The map; whether entries are kept is part of its type.
#[derive(Debug)]
pub(super) struct Map<T, const KEPT: bool>(DashMap<u64, Arc<T>>);

impl<T, const KEPT: bool> Map<T, KEPT> {
    pub(super) fn new() -> Self {
        Self(DashMap::new())
    }

    /// The key's entry, and who leaves it. The `Arc` must be dropped before `Leave` is.
    #[inline]
    pub(super) fn join(&self, key: u64, make: impl FnOnce() -> T) -> (Leave<'_, T, KEPT>, Arc<T>) {
        let entry = Arc::clone(&*self.0.entry(key).or_insert_with(|| Arc::new(make())));
        (Leave { map: self, key }, entry)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Looks, when it is dropped, whether the entry is still needed.
#[derive(Debug)]
pub(super) struct Leave<'m, T, const KEPT: bool> {
    map: &'m Map<T, KEPT>,
    key: u64,
}

impl<T, const KEPT: bool> Drop for Leave<'_, T, KEPT> {
    #[inline]
    fn drop(&mut self) {
        if !KEPT {
            let last = |_: &u64, entry: &Arc<T>| Arc::strong_count(entry) == 1;
            self.map.0.remove_if(&self.key, last);
        }
    }
}

/// An owned guard, and who leaves the entry. Fields are dropped in this order.
#[derive(Debug)]
pub(super) struct Held<'m, T, G, const KEPT: bool> {
    _guard: G,
    _leave: Leave<'m, T, KEPT>,
}

impl<'m, T, G, const KEPT: bool> Held<'m, T, G, KEPT> {
    #[inline]
    pub(super) fn new(guard: G, leave: Leave<'m, T, KEPT>) -> Self {
        Self {
            _guard: guard,
            _leave: leave,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_shared_and_goes_with_the_last_who_uses_it() {
        let map = Map::<(), false>::new();
        let (first_leaves, first) = map.join(7, || ());
        let (second_leaves, second) = map.join(7, || ());
        assert!(Arc::ptr_eq(&first, &second));
        drop(Held::new(first, first_leaves));
        assert_eq!(map.len(), 1);
        drop(Held::new(second, second_leaves));
        assert_eq!(map.len(), 0);
    }

    #[test]
    fn an_entry_that_is_kept_stays() {
        let map = Map::<(), true>::new();
        let (leave, entry) = map.join(7, || ());
        drop(Held::new(entry, leave));
        assert_eq!(map.len(), 1);
    }
}
