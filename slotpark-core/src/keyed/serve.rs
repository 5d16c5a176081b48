//! Who comes next: what a release, a shrinking, or a waiter that leaves lets in.
//!
//! Who holds and waits for more stands in front of all others and is *granted* it, whatever the
//! preference: a barging lock lets nobody in past it. All others are granted the key in a fair lock
//! and woken to try in a barging one.
//!
//! **Invariants**: H4, H5 (`rules`). **Lock order**: one slot lock. **Orderings**: those of
//! `unpark`.

use crate::choose::{Candidate, Chosen, Filter};
use crate::keyed::{KeyedLock, Preference};
use crate::node::{NodeRef, Role};
use crate::platform::Platform;
use crate::slot::SlotGuard;

/// To whom the free part of a key is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    /// All in their order, until the first who wants more than is free.
    All,
    /// All who want 1, wherever they stand.
    Shared,
    /// Those in front who hold and wait for more.
    Growing,
}

impl<K: Eq, P: Platform> KeyedLock<K, P> {
    /// Lets those in who can be let in now. The slot is seized, and `head` represents the key.
    pub(super) fn serve<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        after_exclusive: bool,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        match self.preference {
            Preference::Barging => self.wake(guard, head, chosen),
            Preference::PhaseFair if after_exclusive => {
                let head = self.grant(guard, head, Whom::Shared, chosen);
                self.grant(guard, head, Whom::All, chosen);
            }
            Preference::Fifo | Preference::PhaseFair => {
                self.grant(guard, head, Whom::All, chosen);
            }
        }
    }

    /// A holder holds no more than `amount` from now on. The slot is seized.
    pub(super) fn shrink_node<'g>(
        &self,
        (guard, head): (&'g SlotGuard<'_, P>, NodeRef<'g, P>),
        holder: NodeRef<'g, P>,
        amount: u32,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        let held = holder.weight();
        if amount < held {
            guard.set_held(head, holder, amount);
            self.serve(guard, head, held == self.capacity, chosen);
        }
    }

    /// Grants to those who hold and wait for more; wakes as many others as there is room for, to
    /// try.
    fn wake<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        let head = self.grant(guard, head, Whom::Growing, chosen);
        let first = self.first_waiter(guard, head);
        if first.is_none_or(|first| self.holder_of(first).is_linked()) {
            return;
        }
        let mut free = self.capacity - head.group().total;
        let fits = |waiter: &Candidate| match free.checked_sub(waiter.tag as u32) {
            _ if free == 0 => Filter::Stop,
            None => Filter::Skip,
            Some(rest) => {
                free = rest;
                Filter::Unpark
            }
        };
        self.table.choose(guard, head, usize::MAX, fits, chosen);
    }

    /// Grants what is free. Returns who represents the key then.
    fn grant<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        whom: Whom,
        chosen: &mut Chosen<'_, '_, P>,
    ) -> NodeRef<'g, P> {
        let mut head = head;
        let mut now = None;
        for node in guard.ring(head) {
            if node.role() == Role::Holder {
                break;
            }
            let wanted = node.tag() as u32;
            if !node.waits() || (whom == Whom::Shared && wanted != 1) {
                continue;
            }
            let holder = self.holder_of(node);
            let is_growing = holder.is_linked();
            if wanted > self.capacity - head.group().total || (whom == Whom::Growing && !is_growing)
            {
                break;
            }
            if is_growing {
                guard.set_held(head, holder, holder.weight() + wanted);
            } else {
                guard.push_holder(Some(head), holder);
                holder.holds_now();
            }
            self.table.end_one(guard, node, &mut now, chosen);
            head = guard.head_of(holder);
        }
        head
    }

    /// The node that will hold, or holds already, for `waiter`, which stands in the queue.
    pub(super) fn holder_of<'g>(&self, waiter: NodeRef<'g, P>) -> NodeRef<'g, P> {
        // SAFETY: H5, H6, N1: a waiter of a keyed lock points to the node of a holder, which its
        // owner keeps as long as it waits.
        let holder = unsafe { NodeRef::from_raw(waiter.room().cast_const().cast()) };
        holder.expect("H5: who waits for a key has the node of a holder")
    }

    /// Who stands in front of the queue.
    pub(super) fn first_waiter<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
    ) -> Option<NodeRef<'g, P>> {
        let mut waiters = guard
            .ring(head)
            .take_while(|node| node.role() != Role::Holder);
        waiters.find(|node| node.waits())
    }
}
