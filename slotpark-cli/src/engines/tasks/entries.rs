//! A map of events by key for libraries that have events only: an entry is made by the first task
//! that waits on the key and removed by the last one that leaves, as a careful user would.
//!
//! **Invariants**
//! - A member is counted and discounted under the lock of its shard, and an entry goes with its
//!   last member. So whoever finds an entry shares it with all who wait on the key.
//! - No lock of the map is held while an event is used: what a Waker does may come back here.

use std::ops::Deref;
use std::sync::Arc;

use dashmap::DashMap;

/// The map.
#[derive(Debug, Default)]
pub(super) struct Entries<T> {
    map: DashMap<u64, Entry<T>>,
}

#[derive(Debug, Default)]
struct Entry<T> {
    members: usize,
    event: Arc<T>,
}

impl<T: Default> Entries<T> {
    /// The event of the key, for a task that is about to wait on it.
    pub(super) fn join(&self, key: u64) -> Member<'_, T> {
        let mut entry = self.map.entry(key).or_default();
        entry.members += 1;
        Member {
            entries: self,
            key,
            event: Arc::clone(&entry.event),
        }
    }

    /// The event of the key, if a task waits on it.
    pub(super) fn find(&self, key: u64) -> Option<Arc<T>> {
        self.map.get(&key).map(|entry| Arc::clone(&entry.event))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

/// A task that waits on a key, or is about to.
#[derive(Debug)]
pub(super) struct Member<'m, T> {
    entries: &'m Entries<T>,
    key: u64,
    event: Arc<T>,
}

impl<T> Deref for Member<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.event
    }
}

impl<T> Drop for Member<'_, T> {
    fn drop(&mut self) {
        self.entries.map.remove_if_mut(&self.key, |_, entry| {
            entry.members -= 1;
            entry.members == 0
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_shared_by_its_members_and_goes_with_the_last() {
        let entries = Entries::<()>::default();
        assert!(entries.find(7).is_none());
        let [first, second] = [entries.join(7), entries.join(7)];
        assert!(Arc::ptr_eq(&first.event, &second.event));
        // Who only looks keeps no entry, and takes none away.
        let found = entries.find(7).expect("two wait");
        drop(first);
        assert!(Arc::ptr_eq(
            &found,
            &entries.find(7).expect("one still waits")
        ));
        drop(second);
        assert!(entries.is_empty());
    }
}
