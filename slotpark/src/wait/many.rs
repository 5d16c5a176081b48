//! Waits of `ShardedWait` on any of several keys.

use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hash};
use std::panic::Location;
use std::pin::pin;
use std::task::Poll;

use slotpark_core::{ANY_MAX, Deadline, Interrupter, ParkOptions, Platform};

use crate::{AnyOutcome, ShardedWait, WaitAnyFuture};

impl<K: Hash + Eq, S: BuildHasher, P: Platform> ShardedWait<K, S, P> {
    /// Waits on any of up to [`ANY_MAX`] keys, until a wake of one of them or until `deadline`.
    /// `validate` is called with the place of a key in `keys` and says whether there is something
    /// to wait for there; the first that says no ends the wait as `Stale`.
    ///
    /// Exactly one key ends the wait, and no wake of another one is spent on it: it goes on to the
    /// next waiter of its key.
    ///
    /// # Panics
    /// If there are no keys or more than [`ANY_MAX`]. Else as [`wait`](Self::wait).
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// let waits = ShardedWait::<&str>::new();
    /// let done = [false, true];
    /// let ended = waits.wait_any(&["read", "write"], None, |entry| !done[entry]);
    /// assert_eq!((ended.parked, ended.entry), (WaitOutcome::Stale, Some(1)));
    /// ```
    #[track_caller]
    pub fn wait_any(
        &self,
        keys: &[K],
        deadline: Option<Deadline>,
        validate: impl FnMut(usize) -> bool,
    ) -> AnyOutcome {
        self.wait_any_of(keys, deadline, None, validate)
    }

    /// As [`wait_any`](Self::wait_any), and may be ended by `interrupter`.
    ///
    /// # Panics
    /// As [`wait_any`](Self::wait_any); and if another wait uses the interrupter.
    ///
    /// ```
    /// use slotpark::{Interrupter, ShardedWait, WaitOutcome};
    /// let (waits, interrupter) = (ShardedWait::<u64>::new(), Interrupter::new());
    /// interrupter.interrupt();
    /// let ended = waits.wait_any_interruptible(&[7, 8], &interrupter, None, |_| true);
    /// assert_eq!((ended.parked, ended.entry), (WaitOutcome::Interrupted, None));
    /// ```
    #[track_caller]
    pub fn wait_any_interruptible(
        &self,
        keys: &[K],
        interrupter: &Interrupter<P>,
        deadline: Option<Deadline>,
        validate: impl FnMut(usize) -> bool,
    ) -> AnyOutcome {
        self.wait_any_of(keys, deadline, Some(interrupter), validate)
    }

    #[track_caller]
    fn wait_any_of(
        &self,
        keys: &[K],
        deadline: Option<Deadline>,
        interrupter: Option<&Interrupter<P>>,
        validate: impl FnMut(usize) -> bool,
    ) -> AnyOutcome {
        let options = ParkOptions::new().deadline(deadline);
        let count = keys.len();
        assert!(
            (1..=ANY_MAX).contains(&count),
            "slotpark: a wait names 1 to {ANY_MAX} keys, not {count}"
        );
        let Some(first) = keys.first() else {
            unreachable!("there is one at least");
        };
        let mut entries = [(0, first); ANY_MAX];
        for (entry, key) in entries.iter_mut().zip(keys) {
            *entry = (self.hash(key), key);
        }
        let entries = &entries[..count];
        match interrupter {
            Some(interrupter) => {
                self.table
                    .park_any_interruptible(entries, options, interrupter, validate)
            }
            None => self.table.park_any(entries, options, validate),
        }
    }

    /// Waits on any of `N` keys, from 1 to [`ANY_MAX`], as a future that owns them. It may be ended
    /// by an interrupter. Cancel safety: see [`WaitAnyFuture`].
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// use std::pin::pin;
    /// # futures_lite::future::block_on(async {
    /// let waits = ShardedWait::<u64>::new();
    /// let mut wait = pin!(waits.wait_any_async([7, 8], None, |_| true));
    /// assert_eq!(wait.as_mut().enable(), None); // queued on both
    /// assert_eq!(waits.wake_one(&8), 1);
    /// assert_eq!(waits.wake_one(&7), 0); // it is not waiting any more
    /// let ended = wait.await;
    /// assert_eq!((ended.parked, ended.entry), (WaitOutcome::Woken { token: 0 }, Some(1)));
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_any_async<'t, F: FnMut(usize) -> bool, const N: usize>(
        &'t self,
        keys: [K; N],
        interrupter: Option<&'t Interrupter<P>>,
        validate: F,
    ) -> WaitAnyFuture<'t, K, F, P, N> {
        self.wait_any_with(keys, ParkOptions::new(), interrupter, validate)
    }

    fn wait_any_with<'t, F: FnMut(usize) -> bool, const N: usize>(
        &'t self,
        keys: [K; N],
        options: ParkOptions,
        interrupter: Option<&'t Interrupter<P>>,
        validate: F,
    ) -> WaitAnyFuture<'t, K, F, P, N> {
        let entries = keys.map(|key| (self.hash(&key), key));
        self.table
            .wait_any_async(entries, options, interrupter, validate)
    }

    /// As [`wait_any_async`](Self::wait_any_async), until `timer` is ready at the latest.
    ///
    /// ```
    /// use slotpark::{ShardedWait, WaitOutcome};
    /// # futures_lite::future::block_on(async {
    /// let waits = ShardedWait::<u64>::new();
    /// let ended = waits.wait_any_until_async([7, 8], None, |_| true, async {}).await;
    /// assert_eq!((ended.parked, ended.entry), (WaitOutcome::TimedOut, None));
    /// # });
    /// ```
    #[track_caller]
    pub fn wait_any_until_async<const N: usize>(
        &self,
        keys: [K; N],
        interrupter: Option<&Interrupter<P>>,
        validate: impl FnMut(usize) -> bool,
        timer: impl Future<Output = ()>,
    ) -> impl Future<Output = AnyOutcome> {
        let here = Location::caller();
        async move {
            let mut wait = pin!(self.wait_any_with(
                keys,
                ParkOptions::new().called_from(here),
                interrupter,
                validate
            ));
            let mut timer = pin!(timer);
            poll_fn(|context| {
                if let Poll::Ready(ended) = wait.as_mut().poll(context) {
                    return Poll::Ready(ended);
                }
                timer
                    .as_mut()
                    .poll(context)
                    .map(|()| wait.as_mut().time_out())
            })
            .await
        }
    }
}
