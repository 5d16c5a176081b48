//! Choosing waiters of one key, and the chain of the chosen threads until they are released.
//!
//! The chosen node of a thread is detached with `slot = null`, which is the dequeue: from then on
//! its waiter reports Woken and touches no link, and the chain is private to this waker. The slot
//! is unlocked, and only then are the chosen released, each by one swap after which its frame may
//! be gone. Chosen tasks are the affair of `wakers`.

use core::ptr;

use crate::inspect::stamp_woken;
use crate::node::{Moved, Node, NodeRef, Role};
use crate::platform::{Event, Platform};
use crate::slot::SlotGuard;
use crate::spin::Moment;
use crate::table::Table;
use crate::waiter::{Ending, Run, Verdict};
use crate::wakers::Wakers;

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
    /// Chooses waiters of one group, from its head on; true if waiters remain in it.
    pub(crate) fn choose<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        head: NodeRef<'g, P>,
        count_max: usize,
        mut filter: impl FnMut(&Candidate) -> Filter,
        chosen: &mut Chosen<'_, '_, P>,
    ) -> bool {
        let mut now = None;
        let mut left = count_max;
        let mut skipped = None;
        for node in guard.ring(head) {
            if !node.waits() {
                continue;
            }
            if left == 0 {
                return true;
            }
            self.observe(Event::NodeVisited, guard.slot);
            match filter(&Candidate { tag: node.tag() }) {
                Filter::Unpark => {}
                Filter::Skip => {
                    skipped = skipped.or(Some(node));
                    continue;
                }
                Filter::Stop => return true,
            }
            if !is_claimed(node) {
                left -= usize::from(self.count_by_itself(guard, node, chosen));
                continue;
            }
            left -= 1;
            self.end_one(guard, node, &mut now, chosen);
        }
        // A wait that names this key twice may have been skipped first, and chosen then.
        skipped.is_some_and(|node| guard.ring(node).any(NodeRef::waits))
    }

    /// From here on the waiter of `node` is chosen. `now` is read at the first thread.
    #[inline(always)]
    pub(crate) fn end_one<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        node: NodeRef<'g, P>,
        now: &mut Option<Moment>,
        chosen: &mut Chosen<'_, '_, P>,
    ) {
        // In one step with the claim, for platforms that follow it.
        self.count(guard, node, chosen.verdict.ending);
        if chosen.verdict.ending == Ending::Woken {
            stamp_woken(node);
        }
        if node.role() == Role::Task {
            chosen.push_task(guard, node);
            return;
        }
        guard.unlink(node);
        if chosen.verdict.ending == Ending::Woken {
            let now = *now.get_or_insert_with(|| Moment::now::<P>(self.spin()));
            self.teach(guard, node, now);
        }
        chosen.push(guard, node);
    }

    /// Chooses a node whose wait is decided, if it is one that is counted by itself. Who decided
    /// the wait releases its thread, which afterwards leaves every queue: hence the node lives.
    #[cold]
    fn count_by_itself<'g>(
        &self,
        guard: &'g SlotGuard<'_, P>,
        node: NodeRef<'g, P>,
        chosen: &mut Chosen<'_, '_, P>,
    ) -> bool {
        let counts = node.role() == Role::Each && chosen.verdict.ending == Ending::Woken;
        if counts {
            self.count(guard, node, Ending::Woken);
            guard.unlink(node);
            guard.leave_one();
            node.let_go();
            chosen.count += 1;
        }
        counts
    }

    /// Counts a wait that is ended by somebody else.
    #[inline]
    pub(crate) fn count(&self, guard: &SlotGuard<'_, P>, node: NodeRef<'_, P>, ending: Ending) {
        let tallies = &guard.slot.tallies;
        let (tally, event) = match ending {
            Ending::Woken => (&tallies.wakes, Event::Wake),
            Ending::Closed | Ending::Interrupted => (&tallies.cancels, Event::Cancel),
        };
        self.observe_node(event, guard.slot, node);
        tally.add_locked(1);
    }

    /// Tells the slot how long a spin of this waiter would have had to be. One that was moved here
    /// began to wait for something else.
    pub(crate) fn teach(&self, guard: &SlotGuard<'_, P>, node: NodeRef<'_, P>, now: Moment) {
        // SAFETY: N1: the waiter is in the frame of its node, which lives until the release.
        let arrived = unsafe { (*node.waiter()).arrived() };
        // Where one moment is known, both are: table and platform are the same.
        if now.is_known() && node.moved() == Moved::No {
            let limit_ns = self.spin().limit_ns();
            guard.slot.spin.teach(now.spin_ns_since(arrived), limit_ns);
        }
    }
}

/// Decides a wait that has a claim for this node; false if it was decided before (W4).
pub(crate) fn is_claimed<P: Platform>(node: NodeRef<'_, P>) -> bool {
    // SAFETY: N1: the waiter is in the frame of its node, which is linked.
    node.entry().is_none() || unsafe { (*node.waiter()).claim.take(node.entry()) }
}

/// The chosen: threads in a chain by `next`, oldest first; tasks let go, or marked in their rings.
/// Dropping it releases the threads; the slot lock must be free by then.
pub(crate) struct Chosen<'w, 't, P: Platform> {
    first: *const Node<P>,
    last: *const Node<P>,
    pub(crate) count: usize,
    /// What they are told.
    pub(crate) verdict: Verdict,
    /// The verdict is not known before all are chosen.
    is_deferred: bool,
    /// The first of those marked since the last `collect`, and how many they are.
    first_marked: *const Node<P>,
    marked_count: usize,
    /// Homes of sleepers are slots of the table that the waker borrows for `'t`.
    pub(crate) wakers: &'w mut Wakers<'t, P>,
}

impl<'w, 't, P: Platform> Chosen<'w, 't, P> {
    pub(crate) fn new(wakers: &'w mut Wakers<'t, P>, verdict: Verdict) -> Self {
        Self {
            first: ptr::null(),
            last: ptr::null(),
            count: 0,
            verdict,
            is_deferred: false,
            first_marked: ptr::null(),
            marked_count: 0,
            wakers,
        }
    }

    /// As [`new`](Self::new), with a verdict that is known later, or another thing to be told.
    pub(crate) fn deferred(wakers: &'w mut Wakers<'t, P>, verdict: Verdict) -> Self {
        let mut chosen = Self::new(wakers, verdict);
        chosen.is_deferred = true;
        chosen
    }

    /// The dequeue: from here on the waiter of `node`, which is unlinked, is chosen.
    pub(crate) fn push<'g>(&mut self, guard: &'g SlotGuard<'_, P>, node: NodeRef<'g, P>) {
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

    /// The first thread chosen, or else the first task chosen since the last `collect`; or null.
    pub(crate) fn oldest(&self) -> *const Node<P> {
        if self.first.is_null() {
            self.first_marked
        } else {
            self.first
        }
    }

    /// From here on the task of `node` is chosen: its Waker is taken now, or it stays linked.
    #[inline]
    pub(crate) fn push_task<'g>(&mut self, guard: &'g SlotGuard<'_, P>, node: NodeRef<'g, P>) {
        guard.leave_one();
        self.count += 1;
        if !self.is_deferred && self.wakers.take(guard, node, self.verdict) {
            return;
        }
        self.wakers.mark(node, self.verdict);
        if self.marked_count == 0 {
            self.first_marked = node.as_ptr();
        }
        self.marked_count += 1;
    }

    /// Once the verdict is known, in the same hold of the lock: tells it to the tasks that were
    /// chosen and are still linked, and takes their Wakers.
    #[inline]
    pub(crate) fn collect(&mut self, guard: &SlotGuard<'_, P>) {
        let count = core::mem::take(&mut self.marked_count);
        // SAFETY: N1: marked under this hold of the lock, the node is still linked.
        let first = unsafe { NodeRef::from_raw(self.first_marked) };
        self.first_marked = ptr::null();
        if let Some(first) = first {
            self.wakers
                .collect(guard, first, count, self.verdict, !self.is_deferred);
        }
    }
}

impl<P: Platform> Drop for Chosen<'_, '_, P> {
    #[inline]
    fn drop(&mut self) {
        if !self.first.is_null() {
            self.release();
        }
    }
}

impl<P: Platform> Chosen<'_, '_, P> {
    /// Releases the threads that were chosen.
    fn release(&mut self) {
        let mut run = Run::new();
        let mut node = self.first;
        // SAFETY: N1, N2: a chosen node is ours until its waiter is released below.
        while let Some(chosen) = unsafe { NodeRef::from_raw(node) } {
            // Read before the release, after which the node is gone.
            node = chosen.chained();
            let waiter = chosen.waiter();
            // SAFETY: W1: we detached this node, and release its waiter once; homes are slots of
            // the table that the waker borrows.
            unsafe { run.release(waiter, self.verdict) };
        }
        run.flush();
    }
}
