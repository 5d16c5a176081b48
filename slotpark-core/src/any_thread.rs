//! A thread's nodes while it waits on several keys.
//!
//! **Lock order**: the interrupter's lock, then one slot lock at a time. **Orderings**: HANDOFF,
//! LOCK, SLEEP.

use core::mem::MaybeUninit;
use core::ptr;

use crate::any::ParkedAny;
use crate::inspect::Traced;
use crate::interrupt::Interrupter;
use crate::leave::{Reason, Was};
use crate::node::{Name, Node, Role};
use crate::options::ParkOptions;
use crate::platform::Platform;
use crate::slot::Slot;
use crate::table::Table;
use crate::waiter::{Ending, Sleeper, Until, Waiter};

/// A thread's wait on several keys. Dropping it, also by a panic, takes every node out of its
/// queue: then the frame may end.
pub(crate) struct WaitAny<'f, 'i, K, P: Platform> {
    table: &'f Table<K, P>,
    home: &'f Slot<P>,
    waiter: &'f Waiter<P>,
    nodes: &'f mut [MaybeUninit<Node<P>>],
    /// So many nodes are made, from the first on.
    count: usize,
    pub(crate) spin_ns: u64,
    interrupter: Option<&'i Interrupter<P>>,
    /// We have the claim, or who has it has released the waiter.
    decided: bool,
    interrupted: bool,
    /// What its nodes point to.
    pub(crate) says: *const Traced,
}

impl<'f, 'i, K, P: Platform> WaitAny<'f, 'i, K, P> {
    pub(crate) fn new(
        table: &'f Table<K, P>,
        home: &'f Slot<P>,
        waiter: &'f Waiter<P>,
        nodes: &'f mut [MaybeUninit<Node<P>>],
    ) -> Self {
        Self {
            table,
            home,
            waiter,
            nodes,
            count: 0,
            spin_ns: 0,
            interrupter: None,
            decided: false,
            interrupted: false,
            says: ptr::null(),
        }
    }

    /// Names the interrupter, if there is one; false if it was told before.
    ///
    /// # Safety
    /// The waiter's frame outlives `self`.
    pub(crate) unsafe fn enter(&mut self, interrupter: Option<&'i Interrupter<P>>) -> bool {
        let Some(given) = interrupter else {
            return true;
        };
        // SAFETY: by the caller's contract the frame lives until `self` is dropped, which exits.
        let entered = unsafe { given.enter(self.waiter) };
        self.interrupter = interrupter.filter(|_| entered);
        entered
    }

    pub(crate) fn place(
        &mut self,
        name: Name,
        room: *mut (),
        options: ParkOptions,
        entry: u8,
        role: Role,
    ) -> &Node<P> {
        let generation = self.table.generation();
        let node = Node::new(name, room, options.tag, generation, self.waiter)
            .with_role(role)
            .of_entry(entry)
            .with_weight(options.order.weight())
            .with_traced(self.says);
        let node = self.nodes[self.count].write(node);
        self.count += 1;
        node
    }

    /// There is nothing to wait for, or no time; unless something else has ended the wait before.
    pub(crate) fn refuse(&mut self, refusal: ParkedAny) -> ParkedAny {
        if self.is_mine() {
            return refusal;
        }
        Sleeper::new(self.waiter, self.home).sleep_it_out();
        self.released()
    }

    /// Decides the wait, unless somebody else has.
    fn is_mine(&mut self) -> bool {
        self.decided = self.waiter.claim.take(None);
        self.decided
    }

    pub(crate) fn sleep(&mut self, until: Until) -> ParkedAny {
        let mut sleeper = Sleeper::new(self.waiter, self.home);
        if let Err(gave_up) = sleeper.spin_and_sleep(self.spin_ns, until) {
            if self.is_mine() {
                return ParkedAny::new(gave_up.into(), None);
            }
            // Chosen: the waker still reads the waiter.
            sleeper.sleep_it_out();
        }
        self.released()
    }

    fn released(&mut self) -> ParkedAny {
        self.decided = true;
        let verdict = self.waiter.verdict();
        self.interrupted = verdict.ending == Ending::Interrupted;
        ParkedAny::new(verdict.into(), self.waiter.claim.entry())
    }

    /// Leaves all queues. Of the entries that `counts` names, the last that somebody has chosen: so
    /// looks one that was never linked, too.
    pub(crate) fn leave(&mut self, counts: impl Fn(usize) -> bool) -> Option<usize> {
        // After a panic of a `validate` the wait may be undecided, or chosen and not yet released.
        if !self.decided && !self.is_mine() {
            Sleeper::new(self.waiter, self.home).sleep_it_out();
        }
        if let Some(interrupter) = self.interrupter.take() {
            interrupter.exit(self.interrupted);
        }
        let mut last = None;
        let count = core::mem::take(&mut self.count);
        // Shared: others point to those that are still queued.
        for (entry, node) in self.nodes[..count].iter().enumerate() {
            // SAFETY: the first `count` nodes are made.
            let node = unsafe { node.assume_init_ref() };
            let was = self.table.leave(node, Reason::Cancelled, |_| {});
            node.end();
            if was == Was::Chosen && counts(entry) {
                last = Some(entry);
            }
        }
        last
    }
}

impl<K, P: Platform> Drop for WaitAny<'_, '_, K, P> {
    fn drop(&mut self) {
        self.leave(|_| false);
    }
}
