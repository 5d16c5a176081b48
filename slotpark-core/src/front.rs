//! The front of a queue: of a wake of many, the tasks that stand there leave in one piece.
//!
//! **Lock order**: one slot lock. **Orderings**: LOCK, UNLINK.

use core::borrow::Borrow;
use core::slice;

use crate::choose::{Chosen, Filter};
use crate::inspect::stamp_woken;
use crate::node::{NodeRef, Role};
use crate::platform::{Event, Platform};
use crate::slot::SlotGuard;
use crate::table::Table;
use crate::waiter::Verdict;
use crate::wakers::{Wakers, let_go, tell};

impl<K, P: Platform> Table<K, P> {
    /// Wakes the first `count_max` waiters of a key as they stand.
    pub(crate) fn wake_many<Q>(
        &self,
        hash: u64,
        key: &Q,
        count_max: usize,
        verdict: Verdict,
    ) -> usize
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        // In the order of `wake_locked`, also by a panic.
        let mut wakers = Wakers::new(slice::from_ref(self.slot(hash)), Some(hash));
        let _critical = P::critical();
        let mut chosen = Chosen::new(&mut wakers, verdict);
        let guard = self.slot(hash).lock();
        let Some(head) = self.find(&guard, hash, key) else {
            return 0;
        };
        if let Some(rest) = self.choose_front(&guard, head, count_max, &mut chosen) {
            let count_max = count_max - chosen.count;
            self.choose(&guard, rest, count_max, |_| Filter::Unpark, &mut chosen);
            chosen.collect(&guard);
        }
        drop(guard);
        chosen.count
    }

    /// Chooses tasks from the head of a key on, until one stands there that is not to leave so, or
    /// all are gone; the head of those that are left.
    #[inline]
    fn choose_front<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        count_max: usize,
        chosen: &mut Chosen<'_, '_, P>,
    ) -> Option<NodeRef<'g, P>> {
        let before = chosen.count;
        let rest = guard.take_front(head, |node| {
            let takes = chosen.count < count_max && chosen.has_room_for(node);
            if takes {
                self.observe(Event::NodeVisited, guard.slot);
                self.observe_node(Event::Wake, guard.slot, node);
                stamp_woken(node);
                chosen.push_front(node);
            }
            takes
        });
        let count = (chosen.count - before) as u32;
        guard.slot.tallies.wakes.add_locked(count);
        guard.leave(count);
        rest
    }
}

impl<P: Platform> Chosen<'_, '_, P> {
    /// Whether the wait of this node at the front ends by its Waker alone, for which there is room.
    #[inline]
    fn has_room_for(&self, node: NodeRef<'_, P>) -> bool {
        let by_waker = node.role() == Role::Task && node.entry().is_none();
        by_waker && node.mark().is_null() && self.wakers.has_room()
    }

    /// As `push_task`, of one whose links and counts are the caller's affair.
    #[inline]
    fn push_front(&mut self, node: NodeRef<'_, P>) {
        self.count += 1;
        tell(node, self.verdict);
        self.wakers.push(let_go(node));
    }
}
