//! Choosing waiters of one key, and the chain of the chosen until they are released.
//!
//! A chosen node is detached with `slot = null`, which is the dequeue: from then on its waiter
//! reports Woken and touches no link, and the chain is private to this waker. The slot is unlocked,
//! and only then are the chosen released, each by one swap after which its frame may be gone.

use core::marker::PhantomData;
use core::ptr;

use crate::node::{Node, NodeRef};
use crate::platform::{Event, Platform};
use crate::slot::SlotGuard;
use crate::spin::Moment;
use crate::table::Table;
use crate::waiter::Run;

/// What a filter says of one waiter.
///
/// ```
/// use slotpark_core::{Filter, Table};
/// let none = Table::<u64>::new().unpark_filter(1, &7, 1, |_| Filter::Stop, 0);
/// assert_eq!(none, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Choose it and go on.
    Unpark,
    /// Leave it in its place and go on.
    Skip,
    /// Leave it and all behind it.
    Stop,
}

/// What a filter sees of one waiter.
///
/// ```
/// use slotpark_core::{Candidate, Filter, Table};
/// let tagged = |waiter: &Candidate| if waiter.tag == 3 { Filter::Unpark } else { Filter::Skip };
/// assert_eq!(Table::<u64>::new().unpark_filter(1, &7, 1, tagged, 0), 0);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Candidate {
    /// The tag that it parked with.
    pub tag: u64,
}

/// What a policy sees: the choice is made, nobody is released yet.
///
/// ```
/// use slotpark_core::{Choice, Filter, Table};
/// let token = |choice: Choice| choice.count as u64;
/// assert_eq!(Table::<u64>::new().unpark_with(1, &7, 1, |_| Filter::Unpark, token), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// How many waiters were chosen.
    pub count: usize,
    /// Whether waiters of the key remain.
    pub remain: bool,
}

impl<K, P: Platform> Table<K, P> {
    /// Detaches waiters of one group, from its head on; true if waiters remain in it.
    pub(crate) fn choose<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        count_max: usize,
        mut filter: impl FnMut(&Candidate) -> Filter,
        chosen: &mut Chosen<'_, P>,
    ) -> bool {
        if count_max == 0 {
            return true;
        }
        let now = Moment::now::<P>(self.spin());
        let tail = head.prev();
        let mut skipped = false;
        let mut node = head;
        loop {
            let next = node.next();
            self.observe(Event::NodeVisited, guard.slot);
            match filter(&Candidate { tag: node.tag() }) {
                Filter::Unpark => {
                    guard.unlink(node);
                    self.teach(guard, node, now);
                    chosen.push(guard, node);
                    guard.slot.tallies.wakes.add_locked(1);
                    self.observe(Event::Wake, guard.slot);
                }
                Filter::Skip => skipped = true,
                Filter::Stop => return true,
            }
            if node == tail {
                return skipped;
            }
            if chosen.count == count_max {
                return true;
            }
            node = next;
        }
    }

    /// Tells the slot how long a spin of this waiter would have had to be. One that was moved here
    /// began to wait for something else.
    fn teach(&self, guard: &SlotGuard<'_, P>, node: NodeRef<'_, P>, now: Moment) {
        // SAFETY: N1: the waiter is in the frame of its node, which lives until the release.
        let arrived = unsafe { (*node.waiter()).arrived() };
        // Where one moment is known, both are: table and platform are the same.
        if now.is_known() && !node.is_requeued() {
            let limit_ns = self.spin().limit_ns();
            guard.slot.spin.teach(now.spin_ns_since(arrived), limit_ns);
        }
    }
}

/// Detached nodes, private to one waker: a chain by `next`, oldest first. Dropping it releases
/// them; the slot lock must be free by then.
pub(crate) struct Chosen<'t, P: Platform> {
    first: *const Node<P>,
    last: *const Node<P>,
    pub(crate) count: usize,
    pub(crate) token: u64,
    /// Homes of sleepers are slots of this table, which the waker borrows.
    table: PhantomData<&'t ()>,
}

impl<'t, P: Platform> Chosen<'t, P> {
    pub(crate) fn new<K>(_table: &'t Table<K, P>) -> Self {
        Self {
            first: ptr::null(),
            last: ptr::null(),
            count: 0,
            token: 0,
            table: PhantomData,
        }
    }

    /// The dequeue: from here on the waiter of `node`, which is unlinked, is chosen.
    fn push<'g>(&mut self, guard: &'g SlotGuard<'_, P>, node: NodeRef<'g, P>) {
        node.set_slot(ptr::null());
        guard.leave_one();
        node.chain_to(ptr::null());
        // SAFETY: N1: the last node of the chain was detached under this hold of the lock and is
        // not released yet.
        match unsafe { NodeRef::from_raw(self.last) } {
            Some(last) => last.chain_to(node.as_ptr()),
            None => self.first = node.as_ptr(),
        }
        self.last = node.as_ptr();
        self.count += 1;
    }
}

impl<P: Platform> Drop for Chosen<'_, P> {
    fn drop(&mut self) {
        let mut run = Run::new();
        let mut node = self.first;
        // SAFETY: N1, N2: a chosen node is ours until its waiter is released below.
        while let Some(chosen) = unsafe { NodeRef::from_raw(node) } {
            // Read before the release, after which the node is gone.
            node = chosen.chained();
            let waiter = chosen.waiter();
            // SAFETY: W1: we detached this node, and release its waiter once; homes are slots of
            // the table that `self` borrows.
            unsafe { run.release(waiter, self.token) };
        }
        run.flush();
    }
}
