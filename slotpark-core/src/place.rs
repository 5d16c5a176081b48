//! The place of a task in a queue, and which Waker stands there.
//!
//! **Lock order**: one slot lock. **Orderings**: LOCK, UNLINK.

use core::convert::Infallible;
use core::marker::PhantomPinned;
use core::ptr;
use core::task::{Context, RawWakerVTable, Waker};

use crate::inspect::{Traced, WaitEnd, waited};
use crate::leave::{Reason, Was};
use crate::node::{Name, Node, NodeRef, Role};
use crate::options::{Left, ParkOptions, Parked};
use crate::park::Enqueued;
use crate::platform::Platform;
use crate::slot::SlotGuard;
use crate::table::Table;
use crate::waiter::Waiter;

/// What others point to while a task waits.
pub(crate) struct Place<P: Platform> {
    pub(crate) waiter: Waiter<P>,
    pub(crate) node: Node<P>,
    /// Which Waker stands in the waiter.
    pub(crate) known: Known,
    /// What the node may point to.
    traced: Traced,
    pub(crate) _pinned: PhantomPinned,
}

/// A place that no queue knows: taken away when this is dropped, also by a panic, unless kept.
pub(crate) struct Unlinked<'p, T>(pub(crate) &'p mut Option<T>);

impl<T> Unlinked<'_, T> {
    pub(crate) fn keep(self) {
        core::mem::forget(self);
    }
}

impl<T> Drop for Unlinked<'_, T> {
    fn drop(&mut self) {
        *self.0 = None;
    }
}

impl<K, P: Platform> Table<K, P> {
    /// How the wait ended, or `None` once the context's Waker stands in the queue.
    #[inline(always)]
    pub(crate) fn look(&self, place: &mut Place<P>, context: &Context<'_>) -> Option<Parked> {
        if place.node.generation() != self.generation() {
            return Some(Parked::Closed);
        }
        if !place.node.has_left() {
            let known = Known::of(Some(context.waker()));
            // The same Waker: whoever ends the wait calls it, now or later.
            if place.known == known || self.replace_waker(place, context.waker()) {
                place.known = known;
                return None;
            }
        }
        // SAFETY: N1: the node has left its slot.
        let last = unsafe { place.node.last_name() };
        // SAFETY: the node has left its slot.
        let verdict = unsafe { place.waiter.verdict_of_task() };
        let end = || verdict.ending.into();
        // SAFETY: V1: nobody else knows the node.
        unsafe { waited::<P>(self.id(), last.hash, place.node.traced(), end) };
        Some(verdict.into())
    }

    /// Takes a place out of its queue: nobody knows it any more, and its node has ended.
    #[inline]
    pub(crate) fn leave_place(
        &self,
        place: &Place<P>,
        reason: Reason,
        on_leave: impl FnOnce(&SlotGuard<'_, P>, Left),
    ) -> Was {
        let was = self.leave_with(&place.node, reason, on_leave);
        if !place.node.traced().is_null() {
            self.tell_left(place, reason, was);
        }
        place.node.end();
        was
    }

    /// Tells the sink of a wait that has left its queue.
    #[cold]
    #[inline(never)]
    fn tell_left(&self, place: &Place<P>, reason: Reason, was: Was) {
        // SAFETY: the node has left its slot.
        let verdict = || unsafe { place.waiter.verdict_of_task() };
        let end = || match (reason, was) {
            (Reason::Cancelled, _) => WaitEnd::Cancelled,
            (Reason::TimedOut, Was::Waiting) => WaitEnd::TimedOut,
            (Reason::TimedOut, Was::Chosen) => verdict().ending.into(),
        };
        // SAFETY: N1: the node is in no queue any more.
        let last = unsafe { place.node.last_name() };
        // SAFETY: V1: nobody else knows the node.
        unsafe { waited::<P>(self.id(), last.hash, place.node.traced(), end) };
    }

    /// Makes a place and queues it, unless `validate` says no under the slot lock; `None` if it
    /// waits now.
    ///
    /// # Safety
    /// The place and the key stay where they are until the place is looked at and has ended, or has
    /// left its queue.
    #[inline]
    pub(crate) unsafe fn queue_task(
        &self,
        place: &mut Option<Place<P>>,
        (hash, key): (u64, &K),
        room: *mut (),
        options: ParkOptions,
        waker: Option<&Waker>,
        validate: impl FnOnce(&SlotGuard<'_, P>) -> bool,
    ) -> Option<Parked>
    where
        K: Eq,
    {
        let home = self.slot(hash);
        if home.announced.is_closed() {
            return Some(Parked::Closed);
        }
        let name = Name {
            hash,
            key: ptr::from_ref(key).cast(),
        };
        let node = Node::new(name, room, options.tag, self.generation(), ptr::null())
            .with_role(Role::Task)
            .with_weight(options.order.weight());
        let unlinked = Unlinked(place);
        let place = unlinked.0.insert(Place {
            waiter: Waiter::task(home, waker.cloned()),
            node,
            known: Known::of(waker),
            traced: Traced::new(),
            _pinned: PhantomPinned,
        });
        place.node.set_waiter(&place.waiter);
        // SAFETY: V1: nobody knows the node yet.
        let says = unsafe { place.traced.record::<P>(options.caller, None, true) };
        if !says.is_null() {
            // SAFETY: V1: nobody else knows the node.
            unsafe { place.node.set_traced(says) };
        }
        let validate = |guard: &SlotGuard<'_, P>| Ok::<_, Infallible>(validate(guard));
        let critical = P::critical();
        let refused = match self.enqueue(home, &place.node, key, options.order, validate) {
            Ok(Enqueued::Linked(guard, _)) => {
                unlinked.keep();
                drop(guard);
                None
            }
            Ok(Enqueued::Refused(parked)) => Some(parked),
            Err(never) => match never {},
        };
        drop(critical);
        refused
    }

    /// False if somebody has ended the wait: then its node is in no queue.
    fn replace_waker(&self, place: &Place<P>, waker: &Waker) -> bool {
        // K2: neither cloned nor dropped under the lock.
        let fresh = Some(waker.clone());
        let _critical = P::critical();
        let Some(guard) = self.lock_slot_of(&place.node) else {
            return false;
        };
        // SAFETY: N1: it is our own node, and linked in the slot whose lock is held.
        let Some(node) = (unsafe { NodeRef::from_raw(&place.node) }) else {
            return false;
        };
        if !node.mark().is_null() {
            guard.unlink(node);
            node.set_slot(ptr::null());
            return false;
        }
        // SAFETY: W5: the lock is held, and nobody has chosen the node.
        let old = unsafe { place.waiter.exchange_waker(fresh) };
        drop(guard);
        drop(old);
        true
    }
}

/// The identity of a Waker, for comparing it without a lock: while one of it stands in the queue,
/// no other has the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known(Option<(*const (), *const RawWakerVTable)>);

impl Known {
    #[inline]
    pub(crate) fn of(waker: Option<&Waker>) -> Self {
        Self(waker.map(|waker| (waker.data(), ptr::from_ref(waker.vtable()))))
    }
}
