//! What a lock by key shows of itself.
//!
//! A look seizes the slot, as all slow operations do: so a holder that stood in the holder word
//! alone is a node, and is seen.
//!
//! **Lock order**: one slot lock. **Orderings**: HOLDER, LOCK.

use core::fmt;

use crate::inspect::{Inspect, Kind, Seen};
use crate::keyed::KeyedLock;
use crate::node::{NodeRef, Role};
use crate::platform::Platform;
use crate::reentry;
use crate::slots::SlotStats;

impl<K, P: Platform> KeyedLock<K, P> {
    /// The same lock, whose looks say of an amount of a key what it is: for the makers of
    /// primitives. Unless they do, all of a capacity of 1 is a lock, and everything else a permit.
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, Inspect, KeyedLock, Kind, Seen};
    /// let mode = |amount| if amount == 1 { Kind::Read } else { Kind::Lock };
    /// let lock = KeyedLock::<u64>::new(100).with_kinds(mode);
    /// let guard = lock.hold(7, 7, HoldOptions::new(1));
    /// let mut seen = [Seen::default()];
    /// assert_eq!(lock.look(7, &mut seen), 1);
    /// assert_eq!(seen[0].kind, Kind::Read);
    /// ```
    #[must_use]
    pub fn with_kinds(mut self, kind_of: fn(u32) -> Kind) -> Self {
        self.kind_of = Some(kind_of);
        self
    }

    pub(super) fn kind_of(&self, amount: u32) -> Kind {
        match self.kind_of {
            Some(kind_of) => kind_of(amount),
            None if self.capacity == 1 => Kind::Lock,
            None => Kind::Permit,
        }
    }
}

impl<K: fmt::Debug, P: Platform> KeyedLock<K, P> {
    /// The same lock, whose looks show keys: see [`Table::with_key_text`](crate::Table).
    ///
    /// ```
    /// use slotpark_core::{HoldOptions, Inspect, KeyedLock, Seen};
    /// let lock = KeyedLock::<u64>::new(1).with_key_text();
    /// let guard = lock.hold(7, 42, HoldOptions::new(1));
    /// let mut seen = [Seen::default()];
    /// assert_eq!(lock.look(7, &mut seen), 1);
    /// assert_eq!(seen[0].key.unwrap().as_str(), "42");
    /// ```
    #[must_use]
    pub fn with_key_text(mut self) -> Self {
        self.table = self.table.with_key_text();
        self
    }
}

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    fn about(&self, node: NodeRef<'_, P>, seen: &mut Seen) {
        if node.role() == Role::Holder {
            seen.kind = self.kind_of(node.weight());
            return;
        }
        let holder = self.holder_of(node);
        let hash = holder.name().hash;
        if seen.hash != hash {
            // It waits for a condition of the key (H7).
            seen.hash = hash;
            return;
        }
        seen.weight = node.tag() as u32;
        let has = if holder.is_linked() {
            holder.weight()
        } else {
            0
        };
        seen.kind = self.kind_of(seen.weight.saturating_add(has));
    }
}

impl<K: Eq + Send + Sync, P: Platform> Inspect for KeyedLock<K, P> {
    fn slot_count(&self) -> usize {
        self.table.slot_count()
    }

    fn slot_stats(&self, index: usize) -> SlotStats {
        self.table.slot_stats(index)
    }

    fn look(&self, index: usize, room: &mut [Seen]) -> usize {
        reentry::check();
        self.decide(self.table.slot_at(index), |guard| {
            let about = |node: NodeRef<'_, P>, seen: &mut Seen| self.about(node, seen);
            self.table.copy(guard, room, about)
        })
    }

    fn table_id(&self) -> u64 {
        self.table.id()
    }
}
