//! Threads lead and follow.
//!
//! **Lock order**: one slot lock. **Orderings**: those of `park`.

use core::convert::Infallible;

use crate::flight::lead::Lead;
use crate::flight::{FlightError, Seat, SingleFlight};
use crate::inspect::Caller;
use crate::options::{ParkOptions, Parked};
use crate::park::Linked;
use crate::platform::{Deadline, Platform};
use crate::reentry;
use crate::slot::SlotGuard;

/// How a wait for a leader has ended.
enum Followed<V> {
    Served(V),
    Leads,
    TimedOut,
    /// This is the child of a fork: nobody leads here.
    Forked,
}

impl<K: Eq, V: Clone, P: Platform> SingleFlight<K, V, P> {
    /// The value of `key`: of `f` if nobody makes one now, else a clone of what the one makes who
    /// does, if that is there before the deadline. The key is borrowed.
    ///
    /// `f` runs outside all locks and may use other keys; the same key again waits for itself. If
    /// it fails or panics, the next who waits for the key runs its own. It does not run, and is
    /// dropped, if another's value comes. Those who wait when `f` returns get its value; who comes
    /// later may, or flies anew.
    ///
    /// `V::clone` runs outside all locks, on the leader's thread, in batches of 16 clones that lie
    /// on its stack. If it panics, those already served keep their values, the next of the others
    /// leads, and the panic goes on.
    ///
    /// # Errors
    /// [`FlightError::Failed`] of this call's own `f`; [`FlightError::TimedOut`] then `f` has not
    /// run.
    ///
    /// # Panics
    /// With panics of `f` and of `V::clone`, and as the type says.
    ///
    /// ```
    /// use slotpark_core::SingleFlight;
    /// let flights = SingleFlight::<u64, u32>::new();
    /// assert_eq!(flights.fly(1, &7, None, || Ok::<_, ()>(42)), Ok(42));
    /// ```
    #[track_caller]
    pub fn fly<E>(
        &self,
        hash: u64,
        key: &K,
        deadline: Option<Deadline>,
        f: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, FlightError<E>> {
        reentry::check();
        loop {
            let seat = Seat::new(&self.table, hash, key);
            let _end = End(&seat);
            seat.record(Caller::here(), false);
            if self.try_lead(hash, key, &seat.holder) {
                return self.lead(hash, &seat, f);
            }
            match self.follow(hash, key, &seat, deadline) {
                Followed::Served(value) => return Ok(value),
                Followed::Leads => return self.lead(hash, &seat, f),
                Followed::TimedOut => return Err(FlightError::TimedOut),
                Followed::Forked => {}
            }
        }
    }

    fn lead<E>(
        &self,
        hash: u64,
        seat: &Seat<V, P>,
        f: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, FlightError<E>> {
        // SAFETY: the seat leads, and lies in the caller's frame.
        let lead = unsafe { Lead::new(self, hash, seat) };
        let value = f().map_err(FlightError::Failed)?;
        lead.land(&value);
        Ok(value)
    }

    /// Waits for who leads; leads if nobody does.
    #[cold]
    #[track_caller]
    fn follow(
        &self,
        hash: u64,
        key: &K,
        seat: &Seat<V, P>,
        deadline: Option<Deadline>,
    ) -> Followed<V> {
        if deadline.is_some_and(Deadline::is_past::<P>) {
            return Followed::TimedOut;
        }
        let validate = |guard: &SlotGuard<'_, P>| {
            Ok::<_, Infallible>(!self.try_lead_locked(guard, hash, key, &seat.holder))
        };
        let sleep = |linked: Linked<'_, K, P>, spin_ns| linked.wait(spin_ns, deadline, |_| {});
        let (options, room) = (ParkOptions::new(), seat.place());
        let queued = self.table.queue(hash, key, options, room, validate, sleep);
        let ended = match queued {
            Ok(parked) => parked.unwrap_or_else(|refused| refused),
            Err(never) => match never {},
        };
        match ended {
            Parked::Stale => Followed::Leads,
            // SAFETY: F2: it was released.
            Parked::Woken { .. } => match unsafe { seat.take() } {
                Some(value) => Followed::Served(value),
                None => Followed::Leads,
            },
            Parked::TimedOut => Followed::TimedOut,
            Parked::Closed | Parked::Interrupted => Followed::Forked,
        }
    }
}

/// The frame of a seat ends when this is dropped.
struct End<'s, V, P: Platform>(&'s Seat<V, P>);

impl<V, P: Platform> Drop for End<'_, V, P> {
    fn drop(&mut self) {
        self.0.holder.end();
    }
}
