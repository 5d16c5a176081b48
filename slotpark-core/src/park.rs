//! Park: validate under the slot lock, queue, sleep, and leave past the deadline or at a signal.
//!
//! The losing interleaving that the protocol excludes: a waiter looks at its condition, a waker
//! makes it true and finds nobody, the waiter sleeps for ever. The waiter announces itself, then a
//! full fence, then validates; the waker changes the condition, then a full fence, then looks for
//! announcements: one of the two sees the other. Who is announced is waited for at the slot lock,
//! where validation and linking are one step for wakers.
//!
//! **Lock order**: one slot lock. **Orderings**: DEKKER side A, LOCK, HANDOFF, SLEEP.

use core::cell::{Cell, UnsafeCell};
use core::mem::MaybeUninit;
use core::ptr;

use crate::inspect::{Traced, WaitEnd, waited};
use crate::leave::{Reason, Was};
use crate::node::{Moved, Name, Node, NodeRef};
use crate::options::{Left, Order, ParkOptions, Parked};
use crate::platform::{Deadline, Event, Platform};
use crate::reentry;
use crate::slot::{Slot, SlotGuard};
use crate::spin::Moment;
use crate::table::Table;
use crate::waiter::{Sleeper, Until, Verdict, Waiter};

impl<K: Eq, P: Platform> Table<K, P> {
    /// Waits on `key` while `validate` says yes, until woken or until the deadline.
    ///
    /// `validate` runs once outside the slot lock, so that a stale value costs next to nothing, and
    /// once under it; no wake of the key falls between the second run and the moment the waiter can
    /// be found. A deadline already past returns [`Parked::TimedOut`] after the first run, without
    /// a syscall.
    ///
    /// If more than one thing could end the wait, what is said is, at its start, the first of
    /// Stale, Closed, TimedOut that is true; once it is queued, whatever came first of a wake and a
    /// closing, and TimedOut only if neither did.
    ///
    /// # Panics
    /// Passes panics of `validate` and of `K`'s `Eq` on; the queue stays sound. In debug builds, if
    /// called from a closure that runs under a slot lock.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// let outcome = Table::<u64>::new().park(1, &7, ParkOptions::new(), || false);
    /// assert_eq!(outcome, Parked::Stale);
    /// ```
    pub fn park(
        &self,
        hash: u64,
        key: &K,
        options: ParkOptions,
        mut validate: impl FnMut() -> bool,
    ) -> Parked {
        let validate = || Ok::<_, core::convert::Infallible>(validate());
        match self.park_with(hash, key, options, validate, || {}, |_| {}) {
            Ok(parked) => parked,
            Err(never) => match never {},
        }
    }

    /// Waits as [`park`](Self::park) does, with all that word-sized primitives need:
    ///
    /// - `validate` may fail; its error is handed back after the slot is unlocked.
    /// - `before_sleep` runs after the waiter is linked and the slot unlocked, before it sleeps. It
    ///   may call the table. If it panics, the waiter leaves first; a wake that chose it meanwhile
    ///   is spent.
    /// - `on_leave` runs under the slot lock when the waiter leaves because of its deadline or of a
    ///   signal, and sees whether it was the last of its key. It does not run for a wait that was
    ///   never linked.
    ///
    /// # Errors
    /// What `validate` returns.
    ///
    /// # Panics
    /// As [`park`](Self::park), and with the panics of the other two closures.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Table};
    /// let faults = || Err("page not present");
    /// let table = Table::<u64>::new();
    /// let result = table.park_with(1, &7, ParkOptions::new(), faults, || {}, |_| {});
    /// assert_eq!(result, Err("page not present"));
    /// ```
    pub fn park_with<E>(
        &self,
        hash: u64,
        key: &K,
        options: ParkOptions,
        mut validate: impl FnMut() -> Result<bool, E>,
        before_sleep: impl FnOnce(),
        on_leave: impl FnOnce(Left),
    ) -> Result<Parked, E> {
        reentry::check();
        if !options.validated && !validate()? {
            return Ok(Parked::Stale);
        }
        if self.slot(hash).announced.is_closed() {
            return Ok(Parked::Closed);
        }
        let deadline = options.deadline;
        if deadline.is_some_and(Deadline::is_past::<P>) {
            return Ok(Parked::TimedOut);
        }
        let room = UnsafeCell::new(MaybeUninit::<K>::uninit());
        let sleep = |linked: Linked<'_, K, P>, spin_ns| {
            before_sleep();
            linked.wait(spin_ns, deadline, on_leave)
        };
        let validate = |_: &SlotGuard<'_, P>| validate();
        let parked = self.queue(hash, key, options, room.get().cast(), validate, sleep)?;
        Ok(parked.unwrap_or_else(|refused| refused))
    }

    /// Queues this thread by a node in this frame, with `room` for what wakers write; `then` runs
    /// when the slot is free again, with how long to spin. The other error is why there is nothing
    /// to wait for.
    #[inline]
    pub(crate) fn queue<R, E>(
        &self,
        hash: u64,
        key: &K,
        options: ParkOptions,
        room: *mut (),
        validate: impl FnOnce(&SlotGuard<'_, P>) -> Result<bool, E>,
        then: impl FnOnce(Linked<'_, K, P>, u64) -> R,
    ) -> Result<Result<R, Parked>, E> {
        let home = self.slot(hash);
        let waiter = Waiter::thread(home, Moment::now::<P>(self.spin()));
        let name = Name {
            hash,
            key: ptr::from_ref(key).cast(),
        };
        let traced = Traced::new();
        // SAFETY: V1: the node is made next.
        let says = unsafe { traced.record::<P>(options.caller, None, false) };
        let node = Node::new(name, room, options.tag, self.generation(), &waiter)
            .with_weight(options.order.weight())
            .with_traced(says);
        let critical = P::critical();
        let spin_ns = match self.enqueue(home, &node, key, options.order, validate)? {
            Enqueued::Linked(_guard, leads) => home.spin.plan_ns(self.spin().limit_ns(), leads),
            Enqueued::Refused(parked) => return Ok(Err(parked)),
        };
        drop(critical);
        let end = Cell::new(None);
        let linked = Linked {
            table: self,
            home,
            waiter: &waiter,
            node: &node,
            until_signal: options.until_signal,
            end: &end,
        };
        let result = then(linked, spin_ns);
        // SAFETY: N1: its wait is over: the node is in no queue.
        let last = unsafe { node.last_name() };
        // SAFETY: V1: nobody else knows the node.
        unsafe {
            waited::<P>(self.id(), last.hash, says, || {
                end.get().unwrap_or(WaitEnd::Cancelled)
            });
        }
        Ok(Ok(result))
    }

    /// Announces, validates under the lock, links; hands the lock on to the caller, who has entered
    /// the platform's critical section.
    #[inline(always)]
    pub(crate) fn enqueue<'t, E>(
        &'t self,
        slot: &'t Slot<P>,
        node: &Node<P>,
        key: &K,
        order: Order,
        validate: impl FnOnce(&SlotGuard<'_, P>) -> Result<bool, E>,
    ) -> Result<Enqueued<'t, P>, E> {
        slot.announced.announce();
        let guard = slot.lock();
        // Taken back when the guard is dropped, unless the node is linked by then: whatever way
        // this ends, the announcement does not outlive it.
        guard.leave_one();
        if !validate(&guard)? {
            return Ok(Enqueued::Refused(Parked::Stale));
        }
        // SAFETY: N1: the frame of `node` lives until it is unlinked or released.
        let Some(node) = (unsafe { NodeRef::from_raw(node) }) else {
            return Ok(Enqueued::Refused(Parked::Stale));
        };
        let head = self.find(&guard, node.name().hash, key);
        if slot.announced.is_closed() || head.is_some_and(|head| head.group().closers > 0) {
            return Ok(Enqueued::Refused(Parked::Closed));
        }
        if head.is_none() && guard.first().is_some() {
            slot.tallies.collisions.add_locked(1);
            self.observe(Event::Collision, slot);
        }
        if order == Order::Lifo {
            guard.push_in_front(head, node);
        } else {
            guard.push(head, node);
        }
        guard.enter_one();
        slot.tallies.parks.add_locked(1);
        self.observe_node(Event::Park, slot, node);
        Ok(Enqueued::Linked(guard, node.is_head()))
    }
}

/// What became of an attempt to queue.
pub(crate) enum Enqueued<'t, P: Platform> {
    /// Linked; the slot is still locked. Whether it is the first in the queue of its key.
    Linked(SlotGuard<'t, P>, bool),
    /// There is nothing to wait for.
    Refused(Parked),
}

/// A node that is linked, or chosen and not yet released: its frame must not end.
pub(crate) struct Linked<'f, K, P: Platform> {
    table: &'f Table<K, P>,
    home: &'f Slot<P>,
    waiter: &'f Waiter<P>,
    node: &'f Node<P>,
    until_signal: bool,
    /// Woken and released, or left, and how: nobody else knows the node any more.
    end: &'f Cell<Option<WaitEnd>>,
}

impl<'f, K, P: Platform> Linked<'f, K, P> {
    pub(crate) fn table(&self) -> &'f Table<K, P> {
        self.table
    }

    /// How the waiter came to its last key. Once its wait is over.
    pub(crate) fn last_moved(&self) -> Moved {
        debug_assert!(self.end.get().is_some(), "the wait is over");
        // SAFETY: N2: nobody else knows the node any more.
        unsafe { self.node.last_moved() }
    }

    /// Leaves the queue, or waits for the release by whoever has chosen it: what it was told then,
    /// and what it was called. Afterwards the frame may end.
    pub(crate) fn cancel(&self) -> Option<(Verdict, Name)> {
        if self.is_forked() || self.leave(Reason::Cancelled, |_, _| {}) == Was::Waiting {
            return None;
        }
        Sleeper::new(self.waiter, self.home).sleep_it_out();
        self.end.set(Some(WaitEnd::Cancelled));
        // SAFETY: N1: the node is in no queue any more, and its waker is done with it.
        let name = unsafe { self.node.last_name() };
        Some((self.waiter.verdict(), name))
    }

    /// Spins, sleeps, and leaves when the deadline passes or a signal ends the sleep. Afterwards
    /// the frame may end.
    pub(crate) fn wait(
        &self,
        spin_ns: u64,
        deadline: Option<Deadline>,
        on_leave: impl FnOnce(Left),
    ) -> Parked {
        self.wait_with(spin_ns, deadline, |_, left| on_leave(left))
    }

    /// As [`wait`](Self::wait), with the lock that `on_leave` runs under.
    pub(crate) fn wait_with(
        &self,
        spin_ns: u64,
        deadline: Option<Deadline>,
        on_leave: impl FnOnce(&SlotGuard<'_, P>, Left),
    ) -> Parked {
        if self.is_forked() {
            return Parked::Closed;
        }
        let mut sleeper = Sleeper::new(self.waiter, self.home);
        let until = Until {
            deadline,
            signal: self.until_signal,
        };
        if let Err(gave_up) = sleeper.spin_and_sleep(spin_ns, until) {
            if self.leave(gave_up.into(), on_leave) == Was::Waiting {
                self.end.set(Some(gave_up.into()));
                return gave_up.into();
            }
            // Chosen: the waker still reads the node, and the wait counts as woken.
            sleeper.sleep_it_out();
        }
        let verdict = self.waiter.verdict();
        self.end.set(Some(verdict.ending.into()));
        verdict.into()
    }

    /// Whether this is the child of a fork made since the node was linked: no queue of this process
    /// ever held it, and nobody will end the wait.
    fn is_forked(&self) -> bool {
        let forked = self.node.generation() != self.table.generation();
        if forked {
            self.end.set(Some(WaitEnd::Closed));
        }
        forked
    }

    fn leave(&self, reason: Reason, on_leave: impl FnOnce(&SlotGuard<'_, P>, Left)) -> Was {
        let on_leave = |guard: &SlotGuard<'_, P>, left| {
            self.end.set(Some(WaitEnd::Cancelled));
            on_leave(guard, left);
        };
        self.table.leave_with(self.node, reason, on_leave)
    }
}

impl<K, P: Platform> Drop for Linked<'_, K, P> {
    /// The frame ends. Undecided only if `before_sleep` panicked: then the waiter leaves, or waits
    /// for the release by the waker that chose it.
    fn drop(&mut self) {
        if self.end.get().is_none() {
            // A wake that chose it is spent.
            let _spent = self.cancel();
        }
        self.node.end();
    }
}
