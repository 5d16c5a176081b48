//! Tasks wait on any of several keys, and may be interrupted: decided by a claim, as threads are.
//!
//! The Waker of such a task stands in its one waiter, for the wakers of all its keys. It is
//! replaced under the locks of all its slots, in index order, after that of its interrupter (W5).
//!
//! **Lock order**: the interrupter's lock, then slot locks in index order. **Orderings**: DEKKER
//! side A, LOCK, UNLINK.

use core::array;
use core::cell::UnsafeCell;
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll, Waker};

use crate::any::{ANY_MAX, ParkedAny};
use crate::any_place::{Ended, Place};
use crate::inspect::{Traced, WaitEnd};
use crate::interrupt::Interrupter;
use crate::node::{Name, Node, Role};
use crate::options::{ParkOptions, Parked};
use crate::park::Enqueued;
use crate::place::{Known, Unlinked};
use crate::platform::Platform;
use crate::reentry;
use crate::slot::SlotGuard;
use crate::table::Table;
use crate::waiter::Waiter;

impl<K: Eq, P: Platform> Table<K, P> {
    /// Waits on any of `N` keys, each with its hash, as [`park_any`](Self::park_any) does, as a
    /// future. `N` is from 1 to [`ANY_MAX`], or this does not compile. The deadline of `options` is
    /// not looked at: see [`WaitAny::time_out`].
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let table = Table::<u64>::new();
    /// let keys = [(1, 7), (2, 8)];
    /// let mut wait = pin!(table.wait_any_async(keys, ParkOptions::new(), None, |_| true));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert!(wait.as_mut().poll(&mut context).is_pending());
    /// assert_eq!(table.unpark(2, &8, 1, 42), 1);
    /// let Poll::Ready(ended) = wait.as_mut().poll(&mut context) else { panic!("it was woken") };
    /// assert_eq!((ended.parked, ended.entry), (Parked::Woken { token: 42 }, Some(1)));
    /// ```
    pub fn wait_any_async<'t, F: FnMut(usize) -> bool, const N: usize>(
        &'t self,
        entries: [(u64, K); N],
        options: ParkOptions,
        interrupter: Option<&'t Interrupter<P>>,
        validate: F,
    ) -> WaitAny<'t, K, F, P, N> {
        const { assert!(N > 0 && N <= ANY_MAX, "a wait names 1 to 128 keys") };
        WaitAny {
            table: self,
            entries,
            options,
            interrupter,
            validate,
            rooms: [const { UnsafeCell::new(MaybeUninit::uninit()) }; N],
            place: None,
            _pinned: PhantomPinned,
        }
    }
}

/// A wait on several keys as a future, made by [`Table::wait_any_async`]. Its output says how it
/// ended, and by which key.
///
/// Cancel safety, leaks, `validate` and polling again: as [`Wait`](crate::Wait). A wake that had
/// chosen a dropped wait goes on to the first waiter of *its* key that it fits; an interrupt that
/// had ended one stays pending. While it waits, a leaked future keeps its interrupter.
///
/// ```
/// use slotpark_core::{ParkOptions, Table};
/// let table = Table::<u64>::new();
/// let wait = table.wait_any_async([(1, 7)], ParkOptions::new(), None, |_| false);
/// assert!(format!("{wait:?}").starts_with("WaitAny"));
/// ```
#[must_use = "a future waits when it is polled"]
pub struct WaitAny<'t, K: Eq, F, P: Platform, const N: usize> {
    table: &'t Table<K, P>,
    entries: [(u64, K); N],
    options: ParkOptions,
    interrupter: Option<&'t Interrupter<P>>,
    validate: F,
    /// Where requeues write the keys that the wait was moved to.
    rooms: [UnsafeCell<MaybeUninit<K>>; N],
    place: Option<Place<P, N>>,
    _pinned: PhantomPinned,
}

// SAFETY: N1, N2: as for `Wait`, a waiting future may be moved to another thread as a whole.
unsafe impl<K: Eq + Send + Sync, F: Send, P: Platform, const N: usize> Send
    for WaitAny<'_, K, F, P, N>
{
}

impl<K: Eq, F: FnMut(usize) -> bool, P: Platform, const N: usize> WaitAny<'_, K, F, P, N> {
    /// Queues the wait now, before its first await: from here on no wake is missed. `None` if it
    /// waits (or did before), else how it ended without waiting.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Table};
    /// use std::pin::pin;
    /// let table = Table::<u64>::new();
    /// let keys = [(1, 7), (2, 8)];
    /// let mut wait = pin!(table.wait_any_async(keys, ParkOptions::new(), None, |_| true));
    /// assert_eq!(wait.as_mut().enable(), None);
    /// assert_eq!((table.waiters(1, &7), table.waiters(2, &8)), (1, 1));
    /// ```
    pub fn enable(self: Pin<&mut Self>) -> Option<ParkedAny> {
        reentry::check();
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        if this.place.is_some() {
            return None;
        }
        this.begin(None)
    }

    /// Validates and queues; `None` if it waits now.
    fn begin(&mut self, waker: Option<&Waker>) -> Option<ParkedAny> {
        let validated = core::mem::take(&mut self.options.validated);
        for (entry, (hash, _)) in self.entries.iter().enumerate() {
            if !validated && !(self.validate)(entry) {
                return Some(ParkedAny::new(Parked::Stale, Some(entry)));
            }
            if self.table.slot(*hash).announced.is_closed() {
                return Some(ParkedAny::new(Parked::Closed, Some(entry)));
            }
        }
        if !self.take_place(waker) {
            return Some(ParkedAny::new(Parked::Interrupted, None));
        }
        let refusal = {
            // If a `validate` panics, the wait leaves what it has queued in.
            let undo = Undo(self);
            let refusal = undo.0.link();
            core::mem::forget(undo);
            refusal?
        };
        // One of the keys is not to be waited for; unless something else has ended the wait before.
        let ended = self.leave(true, refusal.parked.into());
        Some(ended.map_or(refusal, Ended::into_parked))
    }

    /// False if the wait has been interrupted already.
    fn take_place(&mut self, waker: Option<&Waker>) -> bool {
        let (entries, rooms) = (&self.entries, &self.rooms);
        let (options, generation) = (self.options, self.table.generation());
        let node = |entry: usize| {
            let name = Name {
                hash: entries[entry].0,
                key: ptr::from_ref(&entries[entry].1).cast(),
            };
            let room = rooms[entry].get().cast();
            Node::new(name, room, options.tag, generation, ptr::null())
                .with_role(Role::Task)
                .of_entry(entry as u8)
                .with_weight(options.order.weight())
        };
        let unlinked = Unlinked(&mut self.place);
        let place = unlinked.0.insert(Place {
            waiter: Waiter::task(self.table.slot(entries[0].0), waker.cloned()),
            nodes: array::from_fn(node),
            known: Known::of(waker),
            traced: Traced::new(),
            _pinned: PhantomPinned,
        });
        // SAFETY: V1: nobody knows the nodes yet.
        let says = unsafe { place.traced.record::<P>(options.caller, None, true) };
        for node in &mut place.nodes {
            node.set_waiter(&place.waiter);
            // SAFETY: V1: nobody else knows the node.
            unsafe { node.set_traced(says) };
        }
        let interrupter = self.interrupter;
        // SAFETY: the future is pinned and exits before its place ends.
        let enter = |given: &Interrupter<P>| unsafe { given.enter(&place.waiter) };
        let entered = interrupter.is_none_or(enter);
        if entered {
            unlinked.keep();
        }
        entered
    }

    /// Queues for every key, until one is refused: that one.
    fn link(&mut self) -> Option<ParkedAny> {
        let place = self.place.as_ref()?;
        let (table, order) = (self.table, self.options.order);
        for (entry, (hash, key)) in self.entries.iter().enumerate() {
            let _critical = P::critical();
            let validate = |_: &SlotGuard<'_, P>| Ok::<_, Infallible>((self.validate)(entry));
            let node = &place.nodes[entry];
            match table.enqueue(table.slot(*hash), node, key, order, validate) {
                Ok(Enqueued::Linked(..)) => {}
                Ok(Enqueued::Refused(parked)) => return Some(ParkedAny::new(parked, Some(entry))),
                Err(never) => match never {},
            }
            // Chosen already: the other keys need not be bothered.
            if !place.waiter.claim.is_open() {
                break;
            }
        }
        None
    }
}

impl<K: Eq, F, P: Platform, const N: usize> WaitAny<'_, K, F, P, N> {
    /// Ends the wait because the caller's timer has fired: `TimedOut`, or how it ended before. It
    /// never waits, and a wait counted by a waker never times out.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// use std::pin::pin;
    /// let table = Table::<u64>::new();
    /// let mut wait = pin!(table.wait_any_async([(1, 7)], ParkOptions::new(), None, |_| true));
    /// assert_eq!(wait.as_mut().enable(), None);
    /// assert_eq!(wait.as_mut().time_out().parked, Parked::TimedOut);
    /// assert_eq!(table.waiters(1, &7), 0);
    /// ```
    pub fn time_out(self: Pin<&mut Self>) -> ParkedAny {
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        let timed_out = ParkedAny::new(Parked::TimedOut, None);
        let ended = this.leave(true, WaitEnd::TimedOut);
        ended.map_or(timed_out, Ended::into_parked)
    }

    /// Ends the wait and gives the place up; how it ended if somebody else was first. An interrupt
    /// that the caller does not return stays pending. `end` is how it ends else.
    fn leave(&mut self, returns: bool, end: WaitEnd) -> Option<Ended> {
        let place = self.place.as_ref()?;
        reentry::check();
        let ended = place.leave(self.table, self.interrupter, (returns, end));
        self.place = None;
        ended
    }
}

impl<K, F, P, const N: usize> Future for WaitAny<'_, K, F, P, N>
where
    K: Eq,
    F: FnMut(usize) -> bool,
    P: Platform,
{
    type Output = ParkedAny;

    /// Any Waker will do, also another one at each poll: the last one is called.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ParkedAny> {
        reentry::check();
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        let Some(place) = &this.place else {
            let ended = this.begin(Some(context.waker()));
            return ended.map_or(Poll::Pending, Poll::Ready);
        };
        if !place.is_forked(this.table) {
            let known = Known::of(Some(context.waker()));
            let is_known = place.known == known && place.waiter.claim.is_open();
            if is_known || place.replace_waker(this.table, this.interrupter, context.waker()) {
                if let Some(place) = &mut this.place {
                    place.known = known;
                }
                return Poll::Pending;
            }
        }
        let closed = ParkedAny::new(Parked::Closed, None);
        let ended = this.leave(true, WaitEnd::Closed);
        Poll::Ready(ended.map_or(closed, Ended::into_parked))
    }
}

impl<K: Eq, F, P: Platform, const N: usize> Drop for WaitAny<'_, K, F, P, N> {
    fn drop(&mut self) {
        if self.place.is_some() {
            reentry::check_drop();
        }
        let Some(Ended { verdict, by }) = self.leave(false, WaitEnd::Cancelled) else {
            return;
        };
        let Some((_, name)) = by else {
            return;
        };
        // SAFETY: it is one of the keys or in a room of this future.
        unsafe { self.table.pass_on(name, verdict) };
    }
}

impl<K: Eq, F, P: Platform, const N: usize> fmt::Debug for WaitAny<'_, K, F, P, N> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitAny")
            .field("queued", &self.place.is_some())
            .finish_non_exhaustive()
    }
}

/// Ends a wait whose `validate` panics while it queues.
struct Undo<'w, 't, K: Eq, F, P: Platform, const N: usize>(&'w mut WaitAny<'t, K, F, P, N>);

impl<K: Eq, F, P: Platform, const N: usize> Drop for Undo<'_, '_, K, F, P, N> {
    fn drop(&mut self) {
        // A wake that chose it meanwhile is spent.
        let _spent = self.0.leave(false, WaitEnd::Cancelled);
    }
}
