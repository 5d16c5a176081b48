//! Copying what is in one slot: what every look is made of.
//!
//! **Lock order**: one slot lock. **Orderings**: LOCK.

use crate::inspect::{Inspect, Kind, Seen, owners};
use crate::node::{NodeRef, Role};
use crate::platform::Platform;
use crate::reentry;
use crate::slot::{Slot, SlotGuard};
use crate::slots::SlotStats;
use crate::table::Table;

/// So many nodes beyond its room a look counts at most.
///
/// ```
/// assert!(slotpark_core::LOOK_MAX >= 1024);
/// ```
pub const LOOK_MAX: usize = 16 * 1024;

impl<K, P: Platform> Table<K, P> {
    /// The slot with this index.
    #[track_caller]
    pub(crate) fn slot_at(&self, index: usize) -> &Slot<P> {
        let count = self.slot_count();
        assert!(index < count, "slot {index} of {count}");
        self.slot(index as u64)
    }

    /// Copies what stands in a slot into `room`; `about` says of each what the table's owner knows.
    pub(crate) fn copy(
        &self,
        guard: &SlotGuard<'_, P>,
        room: &mut [Seen],
        about: impl Fn(NodeRef<'_, P>, &mut Seen),
    ) -> usize {
        let (mut found, mut queue) = (0, 0);
        let mut group = guard.first();
        while let Some(head) = group {
            // The key is written once for all of a queue.
            let mut key = None;
            for node in guard.ring(head).filter(|node| is_shown(*node)) {
                if let Some(place) = room.get_mut(found) {
                    *place = Seen {
                        queue,
                        key,
                        ..seen(node)
                    };
                    about(node, place);
                    self.describe(node, place);
                    key = place.key;
                } else if found >= room.len().saturating_add(LOOK_MAX) {
                    return found;
                }
                found += 1;
            }
            queue += 1;
            group = guard.next_key(head);
        }
        found
    }

    /// Lets who made the table say what its keys say.
    fn describe(&self, node: NodeRef<'_, P>, seen: &mut Seen) {
        if let Some(describe) = self.describe {
            // SAFETY: N3 and T2: the key of a linked node is a live `K`.
            let key = unsafe { &*node.name().key.cast::<K>() };
            let is_whole = caught(|| describe(key, seen));
            if let Some(text) = seen.key.as_mut().filter(|_| !is_whole) {
                text.cut_off();
            }
        }
    }

    /// A look at a slot whose holders are all nodes.
    pub(crate) fn look_with(
        &self,
        index: usize,
        room: &mut [Seen],
        about: impl Fn(NodeRef<'_, P>, &mut Seen),
    ) -> usize {
        reentry::check();
        let slot = self.slot_at(index);
        let _critical = P::critical();
        let guard = slot.lock();
        self.copy(&guard, room, about)
    }

    /// Where its slots are: tables over the same slots are one.
    pub(crate) fn id(&self) -> u64 {
        self.slots.addr() as u64
    }
}

impl<K: Sync, P: Platform> Inspect for Table<K, P> {
    fn slot_count(&self) -> usize {
        Table::slot_count(self)
    }

    fn slot_stats(&self, index: usize) -> SlotStats {
        Table::slot_stats(self, index)
    }

    fn look(&self, index: usize, room: &mut [Seen]) -> usize {
        let found = self.look_with(index, room, |_, _| {});
        owners::add(self.id(), index, room, found)
    }

    fn table_id(&self) -> u64 {
        self.id()
    }

    fn unlisted(&self) -> usize {
        owners::unlisted(self.id())
    }
}

/// Who waits as `waiters` counts it, who holds, and what is kept closed.
fn is_shown<P: Platform>(node: NodeRef<'_, P>) -> bool {
    matches!(node.role(), Role::Holder | Role::Closer) || node.waits()
}

/// What any node says. Those of the parent of this process are not here: a fork's child empties its
/// slots.
fn seen<P: Platform>(node: NodeRef<'_, P>) -> Seen {
    let role = node.role();
    let holds = matches!(role, Role::Holder | Role::Closer);
    let wait = if holds {
        node.as_ptr().addr()
    } else {
        node.waiter().addr()
    };
    let mut seen = Seen {
        hash: node.name().hash,
        kind: if role == Role::Closer {
            Kind::Closed
        } else {
            Kind::Wait
        },
        holds,
        is_task: role == Role::Task,
        wait: wait as u64,
        weight: if role == Role::Holder {
            node.weight()
        } else {
            0
        },
        tag: node.tag(),
        ..Seen::default()
    };
    if let Some(traced) = node.traced() {
        // SAFETY: V1: the lock of its slot is held.
        unsafe { traced.show(&mut seen) };
    }
    seen
}

/// Runs a user's `Debug` under the slot lock; false if it panicked, which is its own affair, but
/// for a call into a table.
#[cfg(feature = "std")]
fn caught(debug: impl FnOnce()) -> bool {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    // What was written until then is text all the same.
    match catch_unwind(AssertUnwindSafe(debug)) {
        Ok(()) => true,
        Err(panic) if reentry::is_reentry(&*panic) => resume_unwind(panic),
        Err(_panic) => false,
    }
}

/// Runs a user's `Debug` under the slot lock. A panic goes on, and the slot is unlocked.
#[cfg(not(feature = "std"))]
fn caught(debug: impl FnOnce()) -> bool {
    debug();
    true
}
