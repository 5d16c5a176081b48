//! Park: validate under the slot lock, queue, sleep, and leave when the deadline passes.
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

use crate::node::{Name, Node, NodeRef};
use crate::options::{Left, ParkOptions, Parked};
use crate::platform::{Deadline, Event, Platform};
use crate::reentry;
use crate::slot::{Slot, SlotGuard};
use crate::spin::Moment;
use crate::table::Table;
use crate::waiter::{Sleeper, Waiter};

impl<K: Eq, P: Platform> Table<K, P> {
    /// Waits on `key` while `validate` says yes, until woken or until the deadline.
    ///
    /// `validate` runs once outside the slot lock, so that a stale value costs next to nothing, and
    /// once under it; no wake of the key falls between the second run and the moment the waiter can
    /// be found. A deadline already past returns [`Parked::TimedOut`] after the first run, without
    /// a syscall.
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
    /// - `on_leave` runs under the slot lock when the waiter leaves because of its deadline, and
    ///   sees whether it was the last of its key. It does not run for a wait that was never linked.
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
        let deadline = options.deadline;
        if deadline.is_some_and(Deadline::is_past::<P>) {
            return Ok(Parked::TimedOut);
        }
        let home = self.slot(hash);
        let waiter = Waiter::new(home, Moment::now::<P>(self.spin()));
        let room = UnsafeCell::new(MaybeUninit::<K>::uninit());
        let name = Name {
            hash,
            key: ptr::from_ref(key).cast(),
        };
        let node = Node::new(
            name,
            room.get().cast(),
            options.tag,
            self.generation(),
            &waiter,
        );
        let Some(spin_ns) = self.enqueue(home, &node, key, validate)? else {
            return Ok(Parked::Stale);
        };
        let linked = Linked {
            table: self,
            home,
            waiter: &waiter,
            node: &node,
            decided: Cell::new(false),
        };
        before_sleep();
        let woken = linked.wait(spin_ns, deadline, on_leave);
        drop(linked);
        Ok(if woken {
            Parked::Woken {
                token: waiter.token(),
            }
        } else {
            Parked::TimedOut
        })
    }

    /// Announces, validates under the lock, links; the time to spin, or `None` for stale.
    fn enqueue<E>(
        &self,
        home: &Slot<P>,
        node: &Node<P>,
        key: &K,
        mut validate: impl FnMut() -> Result<bool, E>,
    ) -> Result<Option<u64>, E> {
        home.announced.announce();
        let _critical = P::critical();
        let guard = home.lock();
        // Taken back when the guard is dropped, unless the node is linked by then: whatever way
        // this ends, the announcement does not outlive it.
        guard.leave_one();
        if !validate()? {
            return Ok(None);
        }
        // SAFETY: N1: the frame of `node` lives until it is unlinked or released.
        let Some(node) = (unsafe { NodeRef::from_raw(node) }) else {
            return Ok(None);
        };
        let head = self.find(&guard, node.name().hash, key);
        if head.is_none() && guard.first().is_some() {
            home.tallies.collisions.add_locked(1);
            self.observe(Event::Collision, home);
        }
        guard.push(head, node);
        guard.enter_one();
        home.tallies.parks.add_locked(1);
        self.observe(Event::Park, home);
        Ok(Some(home.spin.plan_ns(self.spin().limit_ns())))
    }
}

/// A node that is linked, or chosen and not yet released: its frame must not end.
struct Linked<'f, K, P: Platform> {
    table: &'f Table<K, P>,
    home: &'f Slot<P>,
    waiter: &'f Waiter<P>,
    node: &'f Node<P>,
    /// Woken and released, or left: nobody else knows the node any more.
    decided: Cell<bool>,
}

impl<K, P: Platform> Linked<'_, K, P> {
    /// Spins, sleeps, and leaves when the deadline passes; true if woken. Afterwards the frame may
    /// end.
    fn wait(&self, spin_ns: u64, deadline: Option<Deadline>, on_leave: impl FnOnce(Left)) -> bool {
        let mut sleeper = Sleeper::new(self.waiter, self.home);
        // Nobody spins without a tick source, since that spin would not end.
        let spins = spin_ns > 0 && self.waiter.arrived().is_known();
        let woken = (spins && self.spin(spin_ns, deadline)) || sleeper.sleep(deadline);
        if !woken {
            if self.leave(on_leave) {
                return false;
            }
            // Chosen: the waker still reads the node, and the wait counts as woken.
            sleeper.sleep(None);
        }
        self.decided.set(true);
        true
    }

    fn spin(&self, spin_ns: u64, deadline: Option<Deadline>) -> bool {
        let left_ns = deadline.map_or(u64::MAX, Deadline::remaining_ns::<P>);
        let found = self.waiter.spin(spin_ns.min(left_ns));
        // A spin that the deadline cut short says nothing about spinning.
        if found || spin_ns <= left_ns {
            self.home.spin.spun(found);
        }
        found
    }

    /// Unlinks the node; false if a waker has chosen it.
    fn leave(&self, on_leave: impl FnOnce(Left)) -> bool {
        if self.node.generation() != self.table.generation() {
            // Forked: no queue of this process ever held the node.
            self.decided.set(true);
            return true;
        }
        let _critical = P::critical();
        let Some(guard) = self.lock_own_slot() else {
            return false;
        };
        // SAFETY: N1: it is our own node, and linked in the slot whose lock is held.
        let Some(node) = (unsafe { NodeRef::from_raw(self.node) }) else {
            return false;
        };
        let last = guard.unlink(node);
        node.set_slot(ptr::null());
        guard.leave_one();
        guard.slot.tallies.timeouts.add_locked(1);
        self.table.observe(Event::Timeout, guard.slot);
        self.decided.set(true);
        on_leave(Left { last });
        true
    }

    /// Locks the slot that the node is in now, wherever it was moved; `None` if it is in none.
    fn lock_own_slot(&self) -> Option<SlotGuard<'_, P>> {
        loop {
            let slot = self.node.slot();
            // SAFETY: null, or T1: a slot of the table that this wait borrows.
            let guard = unsafe { slot.as_ref() }?.lock();
            // A requeue may have moved it between the look and the lock.
            if ptr::eq(self.node.slot(), slot) {
                return Some(guard);
            }
        }
    }
}

impl<K, P: Platform> Drop for Linked<'_, K, P> {
    /// The frame ends. Undecided only if `before_sleep` panicked: then the waiter leaves, or waits
    /// for the release by the waker that chose it.
    fn drop(&mut self) {
        if !self.decided.get() && !self.leave(|_| {}) {
            Sleeper::new(self.waiter, self.home).sleep(None);
        }
        self.node.end();
    }
}
