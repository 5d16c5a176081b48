//! Tasks lead and follow.
//!
//! **States** of the future: new -> follows (a place in the queue) or leads (its seat holds the
//! key, the inner future is polled) -> done. **Invariants**: its seat, and what the queue points
//! to, lie in the pinned future, which hands the lead on and leaves its queue before they end (F1).
//!
//! **Lock order**: one slot lock. **Orderings**: those of `task`.

use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::flight::lead::Lead;
use crate::flight::{Seat, SingleFlight};
use crate::inspect::Caller;
use crate::leave::{Reason, Was};
use crate::options::{ParkOptions, Parked};
use crate::place::Place;
use crate::platform::Platform;
use crate::reentry;
use crate::slot::SlotGuard;

impl<K: Eq, V, P: Platform> SingleFlight<K, V, P> {
    /// The value of `key` as by [`fly`](Self::fly), as a future: of `future` if nobody makes one
    /// now, else a clone of what the one makes who does. A deadline is the caller's timer: drop the
    /// future.
    ///
    /// Nothing happens before the first poll; `future` is polled only if it leads.
    ///
    /// ```
    /// use slotpark_core::SingleFlight;
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let flights = SingleFlight::<u64, u32>::new();
    /// let mut flying = pin!(flights.fly_async(1, 7, async { Ok::<_, ()>(42) }));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert_eq!(flying.as_mut().poll(&mut context), Poll::Ready(Ok(42)));
    /// ```
    #[track_caller]
    pub const fn fly_async<E, F>(&self, hash: u64, key: K, future: F) -> Flying<'_, K, V, F, P>
    where
        F: Future<Output = Result<V, E>>,
    {
        Flying {
            flights: self,
            hash,
            key,
            caller: Caller::here(),
            seat: None,
            place: None,
            state: State::New,
            future,
            _pinned: PhantomPinned,
        }
    }
}

/// A flight as a future, made by [`SingleFlight::fly_async`]. It owns its key and allocates
/// nothing. Its output is the value, or the error of its own inner future.
///
/// **Cancel safety.** Dropping it is safe at any moment and never waits. If it leads, or the lead
/// has come to it, the next who waits for the key leads; a value that has come to it is dropped.
///
/// **A future that is not polled** holds up those who follow it, if it leads.
///
/// **A leaked future** (`mem::forget` of a pinned box) that leads does so as long as the flights
/// live.
///
/// # Panics
/// If polled after it is done; and with panics of the inner future, after which it is done.
///
/// ```
/// use slotpark_core::SingleFlight;
/// let flights = SingleFlight::<u64, u32>::new();
/// let flying = flights.fly_async(1, 7, async { Ok::<_, ()>(42) });
/// assert!(format!("{flying:?}").starts_with("Flying"));
/// ```
#[must_use = "a future flies when it is polled"]
pub struct Flying<'f, K: Eq, V, F, P: Platform> {
    flights: &'f SingleFlight<K, V, P>,
    hash: u64,
    key: K,
    caller: Caller,
    /// From the first poll on.
    seat: Option<Seat<V, P>>,
    /// While it follows.
    place: Option<Place<P>>,
    state: State,
    /// Pinned with the whole.
    future: F,
    _pinned: PhantomPinned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Follows,
    Leads,
    Done,
}

// SAFETY: it may be moved to another thread as a whole, as `Wait`: what points into it are the
// queues, under their locks. Other threads read its key through `&K`, and move a `V` into it.
unsafe impl<K: Eq + Send + Sync, V: Send, F: Send, P: Platform> Send for Flying<'_, K, V, F, P> {}

impl<K: Eq, V, F, P: Platform> Flying<'_, K, V, F, P> {
    /// Leads or queues; a seat of another process's life is given up first.
    fn begin(&mut self, context: &Context<'_>) {
        self.end_seat();
        let (flights, hash, key) = (self.flights, self.hash, &self.key);
        let seat = self.seat.insert(Seat::new(&flights.table, hash, key));
        let seat = &*seat;
        seat.record(self.caller, true);
        if flights.try_lead(hash, key, &seat.holder) {
            self.state = State::Leads;
            return;
        }
        let validate =
            |guard: &SlotGuard<'_, P>| !flights.try_lead_locked(guard, hash, key, &seat.holder);
        let (place, waker) = (&mut self.place, Some(context.waker()));
        let (options, room) = (ParkOptions::new().tag(0).called(self.caller), seat.place());
        // SAFETY: the future is pinned and leaves before its place or its key ends.
        let refused = unsafe {
            (flights.table).queue_task(place, (hash, key), room, options, waker, validate)
        };
        self.state = match refused {
            Some(_stale) => State::Leads,
            None => State::Follows,
        };
    }

    /// Looks what has come to who follows: a value, or the lead.
    fn look(&mut self, context: &Context<'_>) -> Option<V> {
        let place = self.place.as_mut()?;
        let parked = self.flights.table.look(place, context)?;
        place.node.end();
        self.place = None;
        self.state = State::New;
        if !matches!(parked, Parked::Woken { .. }) {
            // Queued by the parent of this process, before it forked.
            return None;
        }
        // SAFETY: its node has left its queue.
        let value = unsafe { self.seat.as_ref()?.take() };
        self.state = match value {
            Some(_) => State::Done,
            None => State::Leads,
        };
        value
    }

    /// Leaves the queue; leads if the lead has come to it meanwhile.
    fn leave(&mut self) {
        let (Some(place), Some(seat)) = (&self.place, &self.seat) else {
            return;
        };
        let was = (self.flights.table).leave_place(place, Reason::Cancelled, |_, _| {});
        // SAFETY: its node has left its queue.
        let value = unsafe { seat.take() };
        let leads = was == Was::Chosen && value.is_none();
        self.place = None;
        self.state = if leads { State::Leads } else { State::Done };
    }

    /// What it leads by, while it does.
    fn lead(&self) -> Option<Lead<'_, K, V, P>> {
        let seat = self.seat.as_ref()?;
        // SAFETY: it leads, and the future is pinned.
        (self.state == State::Leads).then(|| unsafe { Lead::new(self.flights, self.hash, seat) })
    }

    fn end_seat(&mut self) {
        if let Some(seat) = &self.seat {
            seat.holder.end();
        }
        self.seat = None;
    }
}

impl<K: Eq, V: Clone, E, F, P: Platform> Future for Flying<'_, K, V, F, P>
where
    F: Future<Output = Result<V, E>>,
{
    type Output = Result<V, E>;

    /// Any Waker will do, also another one at each poll: the last one is called.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        /// The inner future has panicked: the next one leads.
        struct Fails<'t, 'f, K: Eq, V, F, P: Platform>(&'t mut Flying<'f, K, V, F, P>);
        impl<K: Eq, V, F, P: Platform> Drop for Fails<'_, '_, K, V, F, P> {
            fn drop(&mut self) {
                let lead = self.0.lead();
                drop(lead);
                self.0.state = State::Done;
            }
        }
        reentry::check();
        // SAFETY: nothing is moved out of the future but values, which are not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        assert!(
            this.state != State::Done,
            "slotpark: polled after it was done"
        );
        if this.state == State::Follows {
            if let Some(value) = this.look(context) {
                return Poll::Ready(Ok(value));
            }
        }
        if this.state == State::New {
            this.begin(context);
        }
        if this.state == State::Follows {
            return Poll::Pending;
        }
        let this = Fails(this);
        // SAFETY: the inner future is pinned with the whole.
        let future = unsafe { Pin::new_unchecked(&mut this.0.future) };
        let polled = future.poll(context);
        let Poll::Ready(result) = polled else {
            core::mem::forget(this);
            return Poll::Pending;
        };
        if let (Ok(value), Some(lead)) = (&result, this.0.lead()) {
            lead.land(value);
        }
        // Hands the lead on, if it has not landed.
        drop(this);
        Poll::Ready(result)
    }
}

impl<K: Eq, V, F, P: Platform> Drop for Flying<'_, K, V, F, P> {
    fn drop(&mut self) {
        if self.state == State::Follows {
            self.leave();
        }
        let lead = self.lead();
        drop(lead);
        self.end_seat();
    }
}

impl<K: Eq, V, F, P: Platform> fmt::Debug for Flying<'_, K, V, F, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flying")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
