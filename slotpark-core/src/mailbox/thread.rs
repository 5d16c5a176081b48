//! Threads receive from a mailbox: subscribe, then look at the world, then sleep.
//!
//! **Lock order**: one slot lock. **Orderings**: those of `park`.

use core::cell::UnsafeCell;
use core::convert::Infallible;
use core::fmt;

use crate::mailbox::{Mailbox, ReceiveError};
use crate::options::{ParkOptions, Parked};
use crate::park::Linked;
use crate::platform::{Deadline, Platform};
use crate::reentry;
use crate::slot::SlotGuard;

impl<K: Eq, V, P: Platform> Mailbox<K, V, P> {
    /// Waits for a value of `key`. A deadline already past returns without a syscall.
    ///
    /// # Errors
    /// [`ReceiveError`] says why no value came.
    ///
    /// # Panics
    /// Passes panics of `Eq` on. In debug builds, if called from a closure that runs under a slot
    /// lock.
    ///
    /// ```
    /// use slotpark_core::{Mailbox, ParkOptions};
    /// let mailbox = Mailbox::<u64, &str>::new();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert_eq!(mailbox.receive(1, &7, ParkOptions::new()), Ok("done")));
    ///     while mailbox.deliver(1, &7, "done").is_err() {
    ///         std::thread::yield_now(); // it does not wait yet
    ///     }
    /// });
    /// ```
    #[track_caller]
    pub fn receive(&self, hash: u64, key: &K, options: ParkOptions) -> Result<V, ReceiveError> {
        reentry::check();
        if self.is_closed() {
            return Err(ReceiveError::Closed);
        }
        if options.deadline.is_some_and(Deadline::is_past::<P>) {
            return Err(ReceiveError::TimedOut);
        }
        self.subscribe(hash, key, options, |subscribed| subscribed.receive())
            .and_then(|received| received)
    }

    /// Queues this thread on `key`, then runs `then`: from there on a value that is delivered finds
    /// it. `then` may call anything, also this mailbox; it receives by [`Subscribed::receive`]. If
    /// it returns or panics without, a value that has come is passed on.
    ///
    /// # Errors
    /// [`ReceiveError::Closed`] if the key or the mailbox is closed; `then` has not run.
    ///
    /// # Panics
    /// As [`receive`](Self::receive), and with the panics of `then`.
    ///
    /// ```
    /// use slotpark_core::{Mailbox, ParkOptions, ReceiveError};
    /// let mailbox = Mailbox::<u64, u32>::new();
    /// let answer = mailbox.subscribe(1, &7, ParkOptions::new(), |subscribed| {
    ///     assert_eq!(mailbox.receivers(1, &7), 1);
    ///     assert_eq!(mailbox.deliver(1, &7, 42), Ok(()));
    ///     subscribed.receive()
    /// });
    /// assert_eq!(answer, Ok(Ok(42)));
    /// ```
    #[track_caller]
    pub fn subscribe<R>(
        &self,
        hash: u64,
        key: &K,
        options: ParkOptions,
        then: impl FnOnce(&mut Subscribed<'_, K, V, P>) -> R,
    ) -> Result<R, ReceiveError> {
        reentry::check();
        let room = UnsafeCell::new(None::<V>);
        let yes = |_: &SlotGuard<'_, P>| Ok::<_, Infallible>(true);
        let then = |linked: Linked<'_, K, P>, spin_ns| {
            then(&mut Subscribed {
                mailbox: self,
                at: (hash, key),
                linked,
                room: &room,
                spin_ns,
                deadline: options.deadline,
                ended: None,
            })
        };
        let table = &self.table;
        match table.queue(hash, key, options, room.get().cast(), yes, then) {
            Ok(result) => result.map_err(ReceiveError::of),
            Err(never) => match never {},
        }
    }
}

/// A thread that waits for a value and is not asleep yet, made by [`Mailbox::subscribe`].
///
/// ```
/// use slotpark_core::{Mailbox, ParkOptions};
/// let mailbox = Mailbox::<u64, u32>::new();
/// let given_up = mailbox.subscribe(1, &7, ParkOptions::new(), |subscribed| subscribed.cancel());
/// assert_eq!(given_up, Ok(None));
/// ```
pub struct Subscribed<'f, K: Eq, V, P: Platform> {
    mailbox: &'f Mailbox<K, V, P>,
    at: (u64, &'f K),
    linked: Linked<'f, K, P>,
    room: &'f UnsafeCell<Option<V>>,
    spin_ns: u64,
    deadline: Option<Deadline>,
    /// The wait is over, by this if without a value.
    ended: Option<ReceiveError>,
}

impl<K: Eq, V, P: Platform> Subscribed<'_, K, V, P> {
    /// Sleeps until a value comes, or until closed or past the deadline of the options.
    ///
    /// # Errors
    /// [`ReceiveError`] says why no value came; called again, the same at once. Once a value was
    /// received, or the wait cancelled, it is [`Closed`](ReceiveError::Closed).
    ///
    /// ```
    /// use slotpark_core::{Deadline, Mailbox, ParkOptions, ReceiveError};
    /// let options = ParkOptions::new().deadline(Some(Deadline::PAST));
    /// let mailbox = Mailbox::<u64, u32>::new();
    /// let received = mailbox.subscribe(1, &7, options, |subscribed| subscribed.receive());
    /// assert_eq!(received, Ok(Err(ReceiveError::TimedOut)));
    /// ```
    #[track_caller]
    pub fn receive(&mut self) -> Result<V, ReceiveError> {
        if let Some(error) = self.ended {
            return Err(error);
        }
        // One value, once.
        self.ended = Some(ReceiveError::Closed);
        match self.linked.wait(self.spin_ns, self.deadline, |_| {}) {
            Parked::Woken { .. } => Ok(self.take().expect("M3: it was woken by a delivery")),
            other => {
                let error = ReceiveError::of(other);
                self.ended = Some(error);
                Err(error)
            }
        }
    }

    /// Gives up; the value, if one has come. It is not passed on then: deliver it to whom you want.
    ///
    /// ```
    /// use slotpark_core::{Mailbox, ParkOptions};
    /// let mailbox = Mailbox::<u64, u32>::new();
    /// let taken_back = mailbox.subscribe(1, &7, ParkOptions::new(), |subscribed| {
    ///     assert_eq!(mailbox.deliver(1, &7, 42), Ok(()));
    ///     subscribed.cancel()
    /// });
    /// assert_eq!(taken_back, Ok(Some(42)));
    /// ```
    pub fn cancel(&mut self) -> Option<V> {
        if self.ended.is_some() {
            return None;
        }
        self.ended = Some(ReceiveError::Closed);
        let _told = self.linked.cancel()?;
        // Empty if it was closed.
        self.take()
    }

    fn take(&mut self) -> Option<V> {
        // SAFETY: M2: this thread was released, or has left: nobody writes the room any more.
        unsafe { (*self.room.get()).take() }
    }
}

impl<K: Eq, V, P: Platform> Drop for Subscribed<'_, K, V, P> {
    fn drop(&mut self) {
        if let Some(value) = self.cancel() {
            let (hash, key) = self.at;
            // With nobody left it ends here.
            drop(self.mailbox.deliver(hash, key, value));
        }
    }
}

impl<K: Eq, V, P: Platform> fmt::Debug for Subscribed<'_, K, V, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribed")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
