//! Two steps for threads: queue first, look at the world, then sleep or leave.
//!
//! **Lock order**: one slot lock. **Orderings**: those of `park`.

use core::cell::UnsafeCell;
use core::convert::Infallible;
use core::fmt;
use core::mem::MaybeUninit;

use crate::options::{ParkOptions, Parked};
use crate::park::Linked;
use crate::platform::{Deadline, Platform};
use crate::reentry;
use crate::slot::SlotGuard;
use crate::table::Table;

impl<K: Eq, P: Platform> Table<K, P> {
    /// Queues this thread on `key`, then runs `then`: from there on no wake is missed. `then` may
    /// look at anything and call anything, also this table; it sleeps by [`Prepared::wait`], or
    /// returns without, which leaves the queue. A wake of a given number that had chosen a thread
    /// which leaves goes on to the first waiter that it fits, as if it were made then.
    ///
    /// # Errors
    /// [`Parked::Closed`] if the key or the table is closed; `then` has not run.
    ///
    /// # Panics
    /// As [`park`](Self::park), and with the panics of `then`; the queue is left first.
    ///
    /// ```
    /// use slotpark_core::{ParkOptions, Parked, Table};
    /// let table = Table::<u64>::new();
    /// let outcome = table.prepare(1, &7, ParkOptions::new(), |prepared| {
    ///     assert_eq!(table.unpark(1, &7, 1, 42), 1); // it is queued already
    ///     prepared.wait()
    /// });
    /// assert_eq!(outcome, Ok(Parked::Woken { token: 42 }));
    /// ```
    pub fn prepare<R>(
        &self,
        hash: u64,
        key: &K,
        options: ParkOptions,
        then: impl FnOnce(&mut Prepared<'_, K, P>) -> R,
    ) -> Result<R, Parked> {
        reentry::check();
        let room = UnsafeCell::new(MaybeUninit::<K>::uninit());
        let yes = |_: &SlotGuard<'_, P>| Ok::<_, Infallible>(true);
        let then = |linked: Linked<'_, K, P>, spin_ns| {
            then(&mut Prepared {
                linked,
                spin_ns,
                deadline: options.deadline,
                outcome: None,
            })
        };
        match self.queue(hash, key, options, room.get().cast(), yes, then) {
            Ok(result) => result,
            Err(never) => match never {},
        }
    }
}

/// A thread that is queued and not asleep yet, made by [`Table::prepare`].
///
/// ```
/// use slotpark_core::{ParkOptions, Table};
/// let table = Table::<u64>::new();
/// let ready = true;
/// let slept = table.prepare(1, &7, ParkOptions::new(), |prepared| {
///     if ready { false } else { prepared.wait().is_woken() }
/// });
/// assert_eq!(slept, Ok(false));
/// assert_eq!(table.waiters(1, &7), 0);
/// ```
pub struct Prepared<'f, K: Eq, P: Platform> {
    linked: Linked<'f, K, P>,
    spin_ns: u64,
    deadline: Option<Deadline>,
    outcome: Option<Parked>,
}

impl<K: Eq, P: Platform> Prepared<'_, K, P> {
    /// Sleeps until woken, closed, or past the deadline of the options. Called again it says the
    /// same at once.
    ///
    /// ```
    /// use slotpark_core::{Deadline, ParkOptions, Parked, Table};
    /// let table = Table::<u64>::new();
    /// let options = ParkOptions::new().deadline(Some(Deadline::PAST));
    /// let outcome = table.prepare(1, &7, options, |prepared| prepared.wait());
    /// assert_eq!(outcome, Ok(Parked::TimedOut));
    /// ```
    pub fn wait(&mut self) -> Parked {
        let (linked, spin_ns, deadline) = (&self.linked, self.spin_ns, self.deadline);
        *self
            .outcome
            .get_or_insert_with(|| linked.wait(spin_ns, deadline, |_| {}))
    }
}

impl<K: Eq, P: Platform> Drop for Prepared<'_, K, P> {
    fn drop(&mut self) {
        if self.outcome.is_some() {
            return;
        }
        let Some((verdict, name)) = self.linked.cancel() else {
            return;
        };
        // SAFETY: it is the caller's key or in the room of this frame.
        unsafe { self.linked.table().pass_on(name, verdict) };
    }
}

impl<K: Eq, P: Platform> fmt::Debug for Prepared<'_, K, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
