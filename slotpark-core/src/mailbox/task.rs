//! Tasks receive from a mailbox.
//!
//! **Invariants**: the room is a cell of the pinned future, which leaves its queue before the room
//! ends (M1).
//!
//! **Lock order**: one slot lock. **Orderings**: those of `task`.

use core::cell::UnsafeCell;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::leave::Reason;
use crate::mailbox::{Mailbox, ReceiveError};
use crate::options::{ParkOptions, Parked};
use crate::platform::Platform;
use crate::reentry;
use crate::task::Wait;

impl<K: Eq, V, P: Platform> Mailbox<K, V, P> {
    /// Waits for a value of `key` as [`receive`](Self::receive) does, as a future. The deadline of
    /// `options` is not looked at: see [`Receive::time_out`].
    ///
    /// Nothing happens before the first poll, or before [`Receive::enable`].
    ///
    /// ```
    /// use slotpark_core::{Mailbox, ParkOptions};
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// let mailbox = Mailbox::<u64, &str>::new();
    /// let mut receive = pin!(mailbox.receive_async(1, 7, ParkOptions::new()));
    /// assert_eq!(receive.as_mut().enable(), None); // subscribed: now ask
    /// assert_eq!(mailbox.deliver(1, &7, "done"), Ok(()));
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert_eq!(receive.as_mut().poll(&mut context), Poll::Ready(Ok("done")));
    /// ```
    pub const fn receive_async(
        &self,
        hash: u64,
        key: K,
        options: ParkOptions,
    ) -> Receive<'_, K, V, P> {
        const fn yes() -> bool {
            true
        }
        Receive {
            mailbox: self,
            wait: self
                .table
                .wait_async(hash, key, options, yes as fn() -> bool),
            room: UnsafeCell::new(None),
        }
    }
}

/// A receive as a future, made by [`Mailbox::receive_async`]. It owns its key and allocates
/// nothing.
///
/// **Cancel safety.** Dropping it is safe at any moment and never waits. A value that had come and
/// was not polled goes on to the first who waits for the key then; if nobody does, it is dropped
/// with the future. [`cancel`](Self::cancel) gives it back instead.
///
/// **A leaked future** (`mem::forget` of a pinned box) keeps its place and may swallow a value.
///
/// Once finished it may be polled again, and then waits for another value.
///
/// ```
/// use slotpark_core::{Mailbox, ParkOptions};
/// let mailbox = Mailbox::<u64, u32>::new();
/// let receive = mailbox.receive_async(1, 7, ParkOptions::new());
/// assert!(format!("{receive:?}").starts_with("Receive"));
/// ```
#[must_use = "a future waits when it is polled"]
pub struct Receive<'m, K: Eq, V, P: Platform> {
    mailbox: &'m Mailbox<K, V, P>,
    /// Pinned with the whole.
    wait: WaitFor<'m, K, P>,
    room: UnsafeCell<Option<V>>,
}

type WaitFor<'m, K, P> = Wait<'m, K, fn() -> bool, P>;

impl<'m, K: Eq, V, P: Platform> Receive<'m, K, V, P> {
    /// Subscribes now, before the first await: from here on a value that is delivered finds this
    /// receive. `None` if it waits (or did before), else why it does not.
    ///
    /// ```
    /// use slotpark_core::{Mailbox, ParkOptions};
    /// use std::pin::pin;
    /// let mailbox = Mailbox::<u64, u32>::new();
    /// let mut receive = pin!(mailbox.receive_async(1, 7, ParkOptions::new()));
    /// assert_eq!(receive.as_mut().enable(), None);
    /// assert_eq!(mailbox.receivers(1, &7), 1);
    /// ```
    pub fn enable(self: Pin<&mut Self>) -> Option<ReceiveError> {
        let (wait, room) = self.parts();
        wait.enable_with(room).map(ReceiveError::of)
    }

    /// Ends the receive because the caller's timer has fired. It never waits, and a value that has
    /// come is not lost.
    ///
    /// # Errors
    /// Why there is no value: `TimedOut`, or what had ended the receive before.
    ///
    /// ```
    /// use slotpark_core::{Mailbox, ParkOptions, ReceiveError};
    /// use std::pin::pin;
    /// let mailbox = Mailbox::<u64, u32>::new();
    /// let mut receive = pin!(mailbox.receive_async(1, 7, ParkOptions::new()));
    /// assert_eq!(receive.as_mut().enable(), None);
    /// assert_eq!(receive.as_mut().time_out(), Err(ReceiveError::TimedOut));
    /// ```
    pub fn time_out(mut self: Pin<&mut Self>) -> Result<V, ReceiveError> {
        let parked = self.as_mut().parts().0.time_out();
        self.received(parked)
    }

    /// Gives up; the value, if one has come. It is not passed on then: deliver it to whom you want.
    ///
    /// ```
    /// use slotpark_core::{Mailbox, ParkOptions};
    /// use std::pin::pin;
    /// let mailbox = Mailbox::<u64, u32>::new();
    /// let mut receive = pin!(mailbox.receive_async(1, 7, ParkOptions::new()));
    /// assert_eq!(receive.as_mut().enable(), None);
    /// assert_eq!(mailbox.deliver(1, &7, 42), Ok(()));
    /// assert_eq!(receive.as_mut().cancel(), Some(42));
    /// ```
    pub fn cancel(self: Pin<&mut Self>) -> Option<V> {
        // SAFETY: nothing is moved out of the future but the value, which is not pinned.
        unsafe { self.get_unchecked_mut() }.take_back()
    }

    fn take_back(&mut self) -> Option<V> {
        let _told = self.wait.leave(Reason::Cancelled)?;
        // Empty if it was closed.
        self.room.get_mut().take()
    }

    /// What the end of the wait has brought.
    fn received(self: Pin<&mut Self>, parked: Parked) -> Result<V, ReceiveError> {
        // SAFETY: nothing is moved out of the future but the value, which is not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        match parked {
            Parked::Woken { .. } => {
                let value = this.room.get_mut().take();
                Ok(value.expect("M3: it was woken by a delivery"))
            }
            other => Err(ReceiveError::of(other)),
        }
    }

    /// The wait, and the address of the room.
    fn parts(self: Pin<&mut Self>) -> (Pin<&mut WaitFor<'m, K, P>>, *mut ()) {
        // SAFETY: nothing is moved out of the future.
        let this = unsafe { self.get_unchecked_mut() };
        let room = this.room.get().cast();
        // SAFETY: the wait is pinned with the whole: it is not moved until both are dropped.
        (unsafe { Pin::new_unchecked(&mut this.wait) }, room)
    }
}

impl<K: Eq, V, P: Platform> Future for Receive<'_, K, V, P> {
    type Output = Result<V, ReceiveError>;

    /// Any Waker will do, also another one at each poll: the last one is called.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (wait, room) = self.as_mut().parts();
        let polled = wait.poll_with(context, room);
        polled.map(|parked| self.received(parked))
    }
}

impl<K: Eq, V, P: Platform> Drop for Receive<'_, K, V, P> {
    fn drop(&mut self) {
        if self.wait.is_queued() {
            reentry::check_drop();
        }
        if let Some(value) = self.take_back() {
            let (hash, key) = self.wait.at();
            // With nobody left it ends here.
            drop(self.mailbox.deliver(hash, key, value));
        }
    }
}

impl<K: Eq, V, P: Platform> fmt::Debug for Receive<'_, K, V, P> {
    /// Takes no lock.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receive")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
